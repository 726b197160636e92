"""`providers`, `accounts` and `contracts search`, for a person and for a program."""

import json
from collections.abc import Callable

import pytest

from tradeforge_cli.main import main
from tradeforge_core import Account, Contract, from_json

Capture = pytest.CaptureFixture[str]


def test_providers_for_a_person(capsys: Capture) -> None:
    assert main(["providers"]) == 0
    header, *rows = (one.split() for one in capsys.readouterr().out.splitlines())
    assert header == ["Name", "Distribution", "Version", "Sandbox"]
    names = ("bybit", "topstepx")
    assert [row[:2] for row in rows] == [[name, f"tradeforge-{name}"] for name in names]
    assert {row[-1] for row in rows} == {"yes"}


def test_providers_for_a_program(capsys: Capture) -> None:
    assert main(["providers", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (provider,) = [one for one in found if one["name"] == "topstepx"]
    assert provider["has_sandbox"] is True


def test_a_broken_provider_still_shows(
    install: Callable[[str, str], None], capsys: Capture
) -> None:
    install("broken", "raise RuntimeError('broken')")
    assert main(["providers"]) == 0
    assert "broken    tradeforge-broken    1.0      no" in capsys.readouterr().out


@pytest.mark.usefixtures("venue")
def test_accounts_for_a_person(capsys: Capture) -> None:
    assert main(["accounts"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "\x1b" not in shown.out
    header, first, *_ = shown.out.splitlines()
    assert header.split() == ["Account", "Id", "Balance", "Can", "trade", "Simulated"]
    assert "150,000.00" in first


@pytest.mark.usefixtures("venue")
def test_accounts_for_a_program(capsys: Capture) -> None:
    assert main(["accounts", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    accounts = [from_json(Account, json.dumps(row)) for row in rows]
    assert accounts[0].balance == 150_000
    assert rows[0]["balance"] == "150000"


@pytest.mark.usefixtures("venue")
def test_no_column_is_cut_in_a_pipe(capsys: Capture) -> None:
    assert main(["contracts", "search", "NQ"]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "CON.F.US.MNQ." in shown
    assert "Micro E-mini Nasdaq-100" in shown


@pytest.mark.usefixtures("venue")
def test_contracts_for_a_program(capsys: Capture) -> None:
    assert main(["contracts", "search", "MNQ", "--json", "--provider", "topstepx"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert from_json(Contract, json.dumps(row)).root == "MNQ"


@pytest.mark.usefixtures("venue")
def test_nothing_found_is_an_answer(capsys: Capture) -> None:
    assert main(["contracts", "search", "[nothing]"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "The venue finds no contract for '[nothing]'.\n"
    assert main(["contracts", "search", "[nothing]", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"
