"""The page on order safety: every promise names a test, and its figures are those of today."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "order-safety.md").read_text()
PROMISES = [
    line.strip("| ").split(" | ")
    for line in PAGE.partition("| the sentence | the test |")[2].partition("\n\n")[0].splitlines()
    if line.startswith("| ") and "---" not in line
]


@pytest.mark.parametrize(("sentence", "tests"), PROMISES, ids=lambda text: str(text)[:40])
def test_every_promise_names_a_test(sentence: str, tests: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tests)
    assert named, sentence
    for file, name in named:
        source = (ROOT / file).read_text()
        found = {getattr(node, "name", "") for node in ast.walk(ast.parse(source))}
        assert not name or name in found, f"{file}::{name}"
        assert "def test_" in source or ".TestCase" in source, file


def test_there_are_promises() -> None:
    assert len(PROMISES) > 15


def test_the_scoreboard_is_that_of_today() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.scoreboard"],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=ROOT,
        check=True,
    )
    assert run.stdout.strip() in PAGE
