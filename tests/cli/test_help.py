"""The help teaches: each command says what it is for and shows how it is used."""

import pytest

from tradeforge_cli.main import main

COMMANDS = {
    "demo": "--seed",
    "quotes": "CONTRACTS",
    "accounts": "--provider",
    "contracts": "search",
    "contracts search": "TEXT",
    "providers": "--json",
    "sandbox": "--port",
}


@pytest.mark.parametrize(("command", "mentioned"), COMMANDS.items())
def test_every_command_explains_itself(
    command: str, mentioned: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: tradeforge {command}" in shown
    assert mentioned in shown
    assert f"Example: tradeforge {command}" in shown
    assert "\x1b" not in shown


def test_every_option_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        main([*command.split(), "--help"])
        for line in capsys.readouterr().out.splitlines():
            cells = line.strip("│ ").split(maxsplit=2)
            assert not line.startswith("│ --") or len(cells) > 2, line


def test_the_command_alone_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(command.split()[0] in shown for command in COMMANDS)
    assert "Start with tradeforge demo" in shown


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tradeforge 0.")
