"""Flat means flat: one position that cannot be closed keeps no other open."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tradeforge_core import (
    Disconnected,
    MarketClosed,
    NotFlat,
    NotFound,
    OrderOutcomeUnknown,
    Position,
)
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider


class Account:
    """The positions of an account, and what goes wrong when one is closed."""

    def __init__(self, broker: "FakeProvider") -> None:
        self.held = {"ABC": Decimal(2), "DEF": Decimal(-1)}
        self.errors: dict[str, Exception] = {}
        self.stays: set[str] = set()
        self.closes: list[str] = []
        broker._fetch_positions = self.positions  # type: ignore[method-assign]
        broker._fetch_open_orders = self.orders  # type: ignore[method-assign,assignment]
        broker._submit_close = self.close  # type: ignore[method-assign]

    async def positions(self, account_id: str) -> list[Position]:
        return [
            Position(account_id=account_id, contract_id=contract_id, size=size)
            for contract_id, size in self.held.items()
        ]

    async def orders(self, account_id: str) -> list[object]:
        return []

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        self.closes.append(contract_id)
        if contract_id not in self.stays:
            del self.held[contract_id]
        if contract_id in self.errors:
            raise self.errors[contract_id]


@pytest.fixture
def account(broker: "FakeProvider") -> Account:
    return Account(broker)


async def _done(work: Awaitable[None], clock: ManualClock) -> None:
    """Let the time pass in which it looks again and again."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(5):
        while not task.done():
            clock.advance(1)
            await asyncio.sleep(0)
    await task


async def test_every_position_is_closed_once(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC", "DEF"]


async def test_one_that_cannot_be_closed_keeps_no_other_open(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.errors["ABC"] = MarketClosed("shut")
    account.stays.add("ABC")
    with pytest.raises(NotFlat) as caught:
        await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC", "DEF"]
    assert [one.contract_id for one in caught.value.positions] == ["ABC"]
    assert isinstance(caught.value.__cause__, MarketClosed)


async def test_one_that_was_closed_by_itself_is_no_failure(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.errors["ABC"] = NotFound("no such position")
    await _done(broker.flatten("1"), clock)
    assert account.held == {}


async def test_a_close_of_unknown_outcome_is_told_though_all_is_flat(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.errors["ABC"] = Disconnected("reset")
    with pytest.raises(OrderOutcomeUnknown):
        await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC", "DEF"]
