"""`tradeforge new-provider`: what it says, and what it refuses."""

from pathlib import Path

import pytest

from tradeforge_cli.main import main

Capture = pytest.CaptureFixture[str]


def test_it_says_what_to_do_next(tmp_path: Path, capsys: Capture) -> None:
    assert main(["new-provider", "acme", "--directory", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "12 files in" in out
    assert "tradeforge conformance acme --only LIF" in out
    assert (tmp_path / "acme_provider" / "pyproject.toml").is_file()


def test_what_is_there_is_not_overwritten(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "acme_provider").mkdir()
    assert main(["new-provider", "acme", "--directory", str(tmp_path)]) == 2
    assert "is there already: nothing was written" in capsys.readouterr().err
    assert not list((tmp_path / "acme_provider").iterdir())


def test_a_name_that_cannot_be_one_is_a_usage_error(tmp_path: Path, capsys: Capture) -> None:
    assert main(["new-provider", "A-B", "--directory", str(tmp_path)]) == 2
    assert "cannot be the name of a provider" in capsys.readouterr().err
