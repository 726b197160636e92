"""`tradeforge conformance --live`: at an account, with limits, and nothing is left of it."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from attrs import frozen
from tests.cli.conftest import TRADEFORGE

from tradeforge_cli.main import main
from tradeforge_core import OrderRequest, OrderSide, load_provider

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.timeout(120)


@frozen
class Books:
    """A venue of this test alone, in a process of its own."""

    url: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The orders, fills or positions of the account."""
        with urlopen(f"{self.url}/_sandbox/state") as answer:  # on loopback
            accounts = json.load(answer)["exchange"]["accounts"]
        return list(next(one for one in accounts if one["id"] == 1001)[kind])


async def buy_three() -> None:
    async with load_provider("topstepx") as broker:
        contract = await broker.get_contract_by_symbol("MNQ")
        await broker.place_order(OrderRequest.market("1001", contract.id, OrderSide.BUY, 3))


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    command = [str(TRADEFORGE), "sandbox", "topstepx", "--seed", "7", "--control", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as venue:
        assert venue.stdout
        settings = json.loads(venue.stdout.readline())
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield Books(settings["TS_REST_URL"])
        venue.terminate()


def test_nothing_is_left_and_nothing_fills_unasked(books: Books, capsys: Capture) -> None:
    assert main(["conformance", "topstepx", "--live", "MNQ", "--json", "-"]) == 0
    totals = json.loads(capsys.readouterr().out)["totals"]
    assert totals["broken"] == 0
    assert totals["kept"] >= 10
    (order,) = books.of("orders")
    assert (order["status"], order["size"]) == ("cancelled", 1)
    assert not books.of("fills")


def test_a_round_trip_is_made_where_it_may_cost_something(books: Books, capsys: Capture) -> None:
    arguments = ["topstepx", "--live", "MNQ", "--account", "1001", "--spend", "50", "--json", "-"]
    assert main(["conformance", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["not declared"] == 0
    assert [one["size"] for one in books.of("fills")] == [1, 1]
    assert not [one for one in books.of("positions") if one["size"]]


def test_a_position_that_is_there_is_left_alone(books: Books, capsys: Capture) -> None:
    asyncio.run(buy_three())
    assert main(["conformance", "topstepx", "--live", "MNQ", "--spend", "50"]) == 0
    assert "the account holds the contract already" in capsys.readouterr().out
    assert [one["size"] for one in books.of("positions")] == [3]


@pytest.mark.usefixtures("books")
def test_what_fails_at_an_account_is_said(capsys: Capture) -> None:
    assert main(["conformance", "topstepx", "--live", "NOPE"]) == 1
    assert "no active contract 'NOPE'" in capsys.readouterr().out
    assert main(["conformance", "topstepx", "--live", "MNQ", "--spend", "much"]) == 2
    assert "'much' is not a number" in capsys.readouterr().err
