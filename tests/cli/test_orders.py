"""`orders`, `halt` and `resume`: what was sent, and the kill switch, from a terminal."""

import asyncio
import json
from pathlib import Path

import pytest

from tradeforge_cli.main import main
from tradeforge_core import OrderRequest, OrderSide, OrderVetoed, load_provider

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("venue")


def _buy() -> str:
    """Place an order, and give its client order id."""

    async def place() -> str:
        async with load_provider("topstepx") as broker:
            account, *_ = await broker.get_accounts()
            contract = await broker.get_contract_by_symbol("MNQ")
            order = await broker.place_order(
                OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
            )
            assert order.client_order_id
            return order.client_order_id

    return asyncio.run(place())


def test_an_empty_journal(capsys: Capture) -> None:
    assert main(["orders", "journal"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "Nothing was sent.\n")
    assert main(["orders", "journal", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_what_was_sent_for_a_person(capsys: Capture) -> None:
    name = _buy()
    assert main(["orders", "journal"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "Sent (UTC)"
    assert "place" in row and "accepted" in row and row.split()[-1] == name


def test_what_was_sent_for_a_program(capsys: Capture) -> None:
    name = _buy()
    assert main(["orders", "journal", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["id"], entry["state"], entry["operation"]) == (name, "accepted", "place")
    assert entry["details"]["size"] == "1"
    assert entry["outcome"]["order"]["id"] == entry["order_id"]


def test_only_what_is_not_known(capsys: Capture) -> None:
    _buy()
    assert main(["orders", "journal", "--unsettled"]) == 0
    assert capsys.readouterr().err == "Every outcome is known.\n"


def test_the_outcome_of_one(capsys: Capture) -> None:
    name = _buy()
    assert main(["orders", "resolve", name]) == 0
    assert capsys.readouterr().out.startswith(f"place {name} was accepted as order ")
    assert main(["orders", "resolve", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "Accepted"


@pytest.mark.parametrize("command", ["resolve", "acknowledge"])
def test_a_name_that_nothing_was_sent_under(command: str, capsys: Capture) -> None:
    assert main(["orders", command, "tf1nothing"]) == 1
    assert "tf1nothing" in capsys.readouterr().err


def test_halt_and_resume(capsys: Capture) -> None:
    assert main(["halt", "news at [14:30]"]) == 0
    assert capsys.readouterr().err.endswith("UTC: news at [14:30]\n")
    with pytest.raises(OrderVetoed, match=r"trading is halted: news at \[14:30\]"):
        _buy()
    assert main(["orders", "journal"]) == 0
    assert "halted since" in capsys.readouterr().err
    assert main(["resume"]) == 0
    assert capsys.readouterr().out == "Trading goes on; it was: news at [14:30]\n"
    assert main(["resume"]) == 0
    assert capsys.readouterr().out == "Trading was not halted.\n"
    _buy()


def test_a_halt_without_a_reason(capsys: Capture) -> None:
    assert main(["halt", " "]) == 2
    assert "say why" in capsys.readouterr().err


def test_without_settings_it_says_what_to_do(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TS_USERNAME")
    for command in (["halt", "news"], ["resume"], ["orders", "journal"]):
        assert main(command) == 2
        assert "TS_USERNAME is not set" in capsys.readouterr().err


def test_a_journal_that_cannot_be_read(capsys: Capture, state_folder: Path) -> None:
    _buy()
    (file,) = state_folder.rglob("*.sqlite3")
    file.write_bytes(b"this is no database" * 100)
    for rest in (file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        rest.unlink(missing_ok=True)
    assert main(["orders", "journal"]) == 1
    assert "damaged" in capsys.readouterr().err


def test_looking_leaves_the_journals_alone(capsys: Capture, state_folder: Path) -> None:
    assert main(["accounts"]) == 0
    assert main(["contracts", "search", "NQ"]) == 0
    capsys.readouterr()
    assert list(state_folder.iterdir()) == []
