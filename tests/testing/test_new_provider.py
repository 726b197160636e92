"""A new provider is the example under another name, and never in the place of something else."""

import ast
import tomllib
from pathlib import Path

import pytest

from tradeforge_testing.new_provider.writing import write_provider

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "hello_provider"


def test_the_package_has_all_its_parts(tmp_path: Path) -> None:
    files = write_provider("acme", tmp_path)
    names = {one.relative_to(tmp_path / "acme_provider").as_posix() for one in files}
    modules = ("plugin", "config", "provider", "wire", "mapping", "sandbox")
    assert names >= {f"src/acme_provider/{one}.py" for one in modules}
    assert names >= {"pyproject.toml", "README.md", ".ci/run", "tests/test_conformance.py"}
    assert (tmp_path / "acme_provider" / ".ci" / "run").stat().st_mode & 0o100


def test_the_name_is_in_every_spelling_and_the_example_in_none(tmp_path: Path) -> None:
    files = write_provider("acme_one", tmp_path)
    texts = [one.read_text() for one in files]
    assert not [one for one in texts if "hello" in one.lower()]
    for one in files:
        if one.suffix == ".py":
            ast.parse(one.read_text())
    whole = "\n".join(texts)
    assert "class AcmeOneProvider" in whole
    assert "ACME_ONE_URL" in whole
    project = tomllib.loads((tmp_path / "acme_one_provider" / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["tradeforge.providers"] == {
        "acme_one": "acme_one_provider.plugin"
    }


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (first, *_) = write_provider("acme", tmp_path)
    first.write_text("mine")
    with pytest.raises(FileExistsError):
        write_provider("acme", tmp_path)
    assert first.read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Acme", "1st", "a-b", "a b", "class", "../up", "a/b", "ä"])
def test_a_name_that_python_cannot_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a provider"):
        write_provider(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_example_is_small() -> None:
    lines = sum(len(one.read_text().splitlines()) for one in EXAMPLE.rglob("*.py"))
    assert lines < 300
