"""What must be true of the repository as a whole."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("tradeforge_*/src/**/*.py"))


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    if listed.returncode != 0:
        pytest.skip("this is not a checkout of git")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_the_lock_names_no_address_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pins = re.findall(r"^[a-z0-9][^\s]*==[^\s]+", lock, re.MULTILINE)
    assert len(pins) > 40
    assert len(re.findall(r"^[^\s#].*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(pins)


def test_a_lock_that_names_indexes_is_not_tracked() -> None:
    assert ROOT / "uv.lock" not in _tracked()


def test_no_member_is_missing_from_the_settings() -> None:
    members = {path.parent.name for path in ROOT.glob("tradeforge_*/pyproject.toml")}
    assert len(members) == 5
    for settings in ("Makefile", "pyproject.toml", "README.md"):
        text = (ROOT / settings).read_text()
        assert all(member in text for member in members), settings


def test_no_secret_is_tracked() -> None:
    looks_like_a_token = re.compile(r"eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}")
    for path in _tracked():
        if path.is_file():
            assert not looks_like_a_token.search(path.read_text(errors="ignore")), path
    assert ROOT / ".env" not in _tracked()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_functions_stay_small() -> None:
    lengths = {
        f"{path.name}:{node.name}": _length(node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    assert statistics.median(lengths.values()) <= 8


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring."""
    assert function.end_lineno is not None
    whole = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return whole
    text = function.body[0]
    assert text.end_lineno is not None
    return whole - (text.end_lineno - text.lineno + 1)
