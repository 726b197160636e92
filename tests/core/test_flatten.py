"""Flat means flat: one position that cannot be closed keeps no other open."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from tests.patience import HANG

from tradeforge_core import (
    Disconnected,
    MarketClosed,
    NotFlat,
    NotFound,
    Order,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSide,
    Position,
)
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make


class Account:
    """The positions of an account, and what goes wrong when one is closed."""

    def __init__(self, broker: "FakeProvider", make: "Make") -> None:
        self.held = {"ABC": Decimal(2), "DEF": Decimal(-1)}
        self.make = make
        self.errors: dict[str, Exception] = {}
        self.stays: set[str] = set()
        self.closes: list[str] = []
        self.then: list[int] = []
        """What of ABC is found after the first close, look by look, while an order works."""
        broker._fetch_positions = self.positions  # type: ignore[method-assign]
        broker._fetch_open_orders = self.orders  # type: ignore[method-assign]
        broker._submit_close = self.close  # type: ignore[method-assign]

    async def positions(self, account_id: str) -> list[Position]:
        if self.closes and self.then:
            self.held = {"ABC": Decimal(self.then.pop(0))}
        return [
            Position(account_id=account_id, contract_id=contract_id, size=size)
            for contract_id, size in self.held.items()
            if size
        ]

    async def orders(self, account_id: str) -> list[Order]:
        return [self.make.order()] if self.then else []

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        self.closes.append(contract_id)
        if contract_id not in self.stays:
            del self.held[contract_id]
        if contract_id in self.errors:
            raise self.errors[contract_id]


@pytest.fixture
def account(broker: "FakeProvider", make: "Make") -> Account:
    return Account(broker, make)


async def _done(work: Awaitable[object], clock: ManualClock) -> None:
    """Let the time pass in which it looks again and again."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(HANG):
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


async def test_a_close_whose_answer_was_lost_and_that_was_done_is_no_failure(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.errors["ABC"] = Disconnected("reset")
    await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC", "DEF"]


async def test_a_close_whose_answer_was_lost_is_not_repeated(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.errors["ABC"] = Disconnected("reset")
    account.stays.add("ABC")
    with pytest.raises(NotFlat) as caught:
        await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC", "DEF"]
    assert isinstance(caught.value.__cause__, OrderOutcomeUnknown)


@pytest.mark.parametrize("then", [(0, 3), (-1,)])
async def test_what_is_filled_after_a_close_is_closed_as_well(
    broker: "FakeProvider", account: Account, clock: ManualClock, then: tuple[int, ...]
) -> None:
    account.held = {"ABC": Decimal(2)}
    account.then += then
    await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC", "ABC"]


async def test_a_rest_may_be_what_a_close_has_not_reached_yet(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.held = {"ABC": Decimal(2)}
    account.then.append(1)
    with pytest.raises(NotFlat):
        await _done(broker.flatten("1"), clock)
    assert account.closes == ["ABC"]


async def test_an_order_that_may_come_yet_is_not_flat(
    broker: "FakeProvider", account: Account, clock: ManualClock
) -> None:
    account.held.clear()
    broker.write_error = Disconnected("reset")
    broker.look_error = Disconnected("no look")
    order = OrderRequest.market("1", "ABC", OrderSide.BUY, 1)
    with pytest.raises(OrderOutcomeUnknown) as lost:
        await _done(broker.place_order(order), clock)
    with pytest.raises(NotFlat, match="what became of") as caught:
        await _done(broker.flatten("1"), clock)
    assert caught.value.unknown == (lost.value.client_order_id,)
    assert lost.value.client_order_id is not None
    await broker.acknowledge(lost.value.client_order_id)
    await _done(broker.flatten("1"), clock)
