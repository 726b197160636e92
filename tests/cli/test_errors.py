"""Whatever goes wrong: one line on standard error, an exit code, and no traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tradeforge_cli.main import main

Capture = pytest.CaptureFixture[str]
Install = Callable[[str, str], None]

RAISING = """
from tradeforge_core import ProviderInfo, TradeForgeError, hookimpl

class Broker:
    async def __aenter__(self):
        raise {error}

    async def __aexit__(self, *exc_info):
        pass

@hookimpl
def tradeforge_provider():
    return ProviderInfo(name="raising", title="Raising", create=lambda *_: Broker())
"""


def line(capsys: Capture) -> str:
    """The one line that a failed command writes."""
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    assert "\x1b" not in shown.err
    return shown.err.removeprefix("tradeforge: ").rstrip("\n")


@pytest.mark.parametrize("command", ["accounts", "contracts search NQ", "quotes MNQ"])
def test_missing_settings_are_named_with_a_way_out(command: str, capsys: Capture) -> None:
    assert main(command.split()) == 2
    told = line(capsys)
    assert "TS_USERNAME, TS_API_KEY" in told
    assert "`tradeforge sandbox topstepx`" in told


@pytest.mark.parametrize(
    "command",
    ["accounts --provider topstep", "quotes MNQ --provider topstep", "demo --provider topstep"],
)
def test_an_unknown_provider_is_answered_with_the_near_ones(command: str, capsys: Capture) -> None:
    assert main(command.split()) == 2
    assert "Did you mean 'topstepx'?" in line(capsys)


def test_several_providers_are_a_choice(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    install("another", "")
    monkeypatch.delenv("TRADEFORGE_PROVIDER")
    assert main(["accounts"]) == 2
    told = line(capsys)
    assert told.startswith("choose with --provider, or TRADEFORGE_PROVIDER, one of: another, ")


@pytest.mark.usefixtures("venue")
@pytest.mark.parametrize("of_file", [False, True])
def test_a_setting_makes_the_choice(
    of_file: bool,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    install("another", "")
    monkeypatch.delenv("TRADEFORGE_PROVIDER")
    if of_file:
        (tmp_path / ".env").write_text("TRADEFORGE_PROVIDER=topstepx\n")
    else:
        monkeypatch.setenv("TRADEFORGE_PROVIDER", "topstepx")
    assert main(["accounts"]) == 0
    assert "150,000.00" in capsys.readouterr().out


def test_the_demo_takes_a_provider_that_has_a_sandbox(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    install("another", "")
    monkeypatch.delenv("TRADEFORGE_PROVIDER")
    assert main(["demo", "--json", "--seconds", "0.5"]) == 0
    assert '"another"' not in capsys.readouterr().out


@pytest.mark.usefixtures("venue")
def test_an_unknown_contract(capsys: Capture) -> None:
    assert main(["quotes", "MNQ", "NOPE", "--seconds", "1"]) == 1
    assert "'NOPE'" in line(capsys)


@pytest.mark.usefixtures("venue")
def test_a_wrong_key(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("TS_API_KEY", "wrong-key")
    assert main(["accounts"]) == 1
    told = line(capsys)
    assert "TS_API_KEY" in told
    assert "wrong-key" not in told


@pytest.mark.usefixtures("venue")
def test_a_venue_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("TS_REST_URL", "http://127.0.0.1:1")
    assert main(["accounts"]) == 1
    assert "127.0.0.1 cannot be reached" in line(capsys)


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("quots MNQ", 'Did you mean "quotes"?'),
        ("quotes", "Try: tradeforge quotes --help"),
        ("quotes MNQ --secnds 3", "Did you mean --seconds?"),
        ("quotes MNQ --seconds 0", "Must be > 0"),
        ("sandbox topstepx --port 70000", "--port"),
        ("sandbox nowhere", "There is no sandbox 'nowhere'"),
        ("demo --seed -1", "--seed"),
        ("contracts find NQ", "search"),
    ],
)
def test_misuse(command: str, hint: str, capsys: Capture) -> None:
    assert main(command.split()) == 2
    assert hint in line(capsys)


def test_brackets_and_line_breaks_of_a_message_survive_on_one_line(
    install: Install, capsys: Capture
) -> None:
    install("raising", RAISING.format(error='TradeForgeError("a [bold]word[/bold]\\n  [1]")'))
    assert main(["accounts", "--provider", "raising"]) == 1
    assert line(capsys) == "a [bold]word[/bold] [1]"


def test_a_long_message_is_not_wrapped(install: Install, capsys: Capture) -> None:
    install("raising", RAISING.format(error='TradeForgeError("word " * 100)'))
    assert main(["accounts", "--provider", "raising"]) == 1
    assert len(line(capsys)) == 499


def test_the_unexpected_is_one_line_too(install: Install, capsys: Capture) -> None:
    install("raising", RAISING.format(error='ValueError("out of order")'))
    assert main(["accounts", "--provider", "raising"]) == 1
    told = line(capsys)
    assert told == "unexpected ValueError: out of order (TRADEFORGE_DEBUG=1 shows where)"


def test_debugging_shows_where(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("raising", RAISING.format(error='ValueError("out of order")'))
    monkeypatch.setenv("TRADEFORGE_DEBUG", "1")
    with pytest.raises(ValueError, match="out of order"):
        main(["accounts", "--provider", "raising"])
