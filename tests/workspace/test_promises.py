"""The pages of promises: each names a test; the scoreboard is that of today."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("order-safety.md", "streams.md")


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def _promises(page: str) -> list[list[str]]:
    table = page.partition("| the sentence | the test |")[2].partition("\n\n")[0]
    rows = [one for one in table.splitlines() if one.startswith("| ") and "---" not in one]
    return [row.strip("| ").split(" | ") for row in rows]


PROMISES = [promise for name in PAGES for promise in _promises(_page(name))]


@pytest.mark.parametrize(("sentence", "tests"), PROMISES, ids=lambda text: str(text)[:40])
def test_every_promise_names_a_test(sentence: str, tests: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tests)
    assert named, sentence
    for file, name in named:
        source = (ROOT / file).read_text()
        found = {getattr(node, "name", "") for node in ast.walk(ast.parse(source))}
        assert not name or name in found, f"{file}::{name}"
        assert "def test_" in source or ".TestCase" in source, file


@pytest.mark.parametrize("name", PAGES)
def test_there_are_promises(name: str) -> None:
    assert len(_promises(_page(name))) > 10


def test_the_scoreboard_is_that_of_today() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.scoreboard"],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=ROOT,
        check=True,
    )
    assert run.stdout.strip() in _page("order-safety.md")
