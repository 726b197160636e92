"""Accounts that hold a contract long and short at once: two positions, each closed by itself."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tradeforge_core import (
    InvalidOrder,
    MarketClosed,
    NotFound,
    Order,
    OrderRequest,
    OrderSide,
    Position,
    RiskLimits,
)
from tradeforge_core.state.ledger import Ledger

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider

    from tradeforge_testing import ManualClock

BUY, SELL = OrderSide.BUY, OrderSide.SELL


def leg(side: OrderSide | None, size: int) -> Position:
    return Position(account_id="1", contract_id="ABC", size=Decimal(size), hedge_side=side)


class Account:
    """Long 5 and short 2 of ABC."""

    def __init__(self, broker: "FakeProvider") -> None:
        self.held = {BUY: 5, SELL: -2}
        self.closes: list[tuple[OrderSide, Decimal | None]] = []
        self.errors: dict[OrderSide, Exception] = {}
        broker._fetch_positions = self.positions  # type: ignore[method-assign]
        broker._fetch_open_orders = self.orders  # type: ignore[method-assign]
        broker._submit_close_side = self.close  # type: ignore[method-assign]

    async def positions(self, account_id: str) -> list[Position]:
        return [leg(side, size) for side, size in self.held.items() if size]

    async def orders(self, account_id: str) -> list[Order]:
        return []

    async def close(
        self, account_id: str, contract_id: str, size: Decimal | None, side: OrderSide
    ) -> None:
        self.closes.append((side, size))
        if side in self.errors:
            raise self.errors[side]
        self.held[side] = 0


@pytest.fixture
def account(broker: "FakeProvider") -> Account:
    return Account(broker)


async def test_a_close_takes_both(broker: "FakeProvider", account: Account) -> None:
    await broker.close_position("1", "ABC")
    assert account.closes == [(BUY, None), (SELL, None)]


async def test_a_side_that_cannot_be_closed_keeps_the_other_from_nothing(
    broker: "FakeProvider", account: Account
) -> None:
    account.errors[BUY] = MarketClosed("not now")
    with pytest.raises(MarketClosed):
        await broker.close_position("1", "ABC")
    assert account.held == {BUY: 5, SELL: 0}


async def test_a_part_of_two_positions_is_a_question(
    broker: "FakeProvider", account: Account
) -> None:
    with pytest.raises(InvalidOrder, match="which one to reduce"):
        await broker.close_position("1", "ABC", size=1)
    assert account.closes == []


async def test_a_part_of_the_only_one_is_closed(broker: "FakeProvider", account: Account) -> None:
    account.held[SELL] = 0
    await broker.close_position("1", "ABC", size=1)
    assert account.closes == [(BUY, Decimal(1))]


async def test_flat_is_flat_on_both_sides(
    broker: "FakeProvider", account: Account, clock: "ManualClock"
) -> None:
    task = asyncio.ensure_future(broker.flatten("1"))
    async with asyncio.timeout(5):
        while not task.done():
            clock.advance(1)
            await asyncio.sleep(0)
    await task
    assert sorted(account.closes) == [(BUY, None), (SELL, None)]
    assert account.held == {BUY: 0, SELL: 0}


@pytest.mark.parametrize(
    ("side", "reduce_only", "is_a_way_out"),
    [(SELL, True, True), (SELL, False, False), (BUY, True, True), (BUY, False, False)],
)
async def test_only_what_says_so_reduces(
    broker: "FakeProvider",
    account: Account,
    side: OrderSide,
    reduce_only: bool,
    is_a_way_out: bool,
) -> None:
    request = _market(side, reduce_only)
    assert await broker._orders.desk._gate.reduces(request) is is_a_way_out


def _market(side: OrderSide, reduce_only: bool) -> OrderRequest:
    return evolve(OrderRequest.market("1", "ABC", side, 1), reduce_only=reduce_only)


async def test_the_largest_position_counts_each_side(
    broker: "FakeProvider", account: Account
) -> None:
    gate = broker._orders.desk._gate
    gate._limits = RiskLimits(max_position=5)
    (reason,) = await gate._against_position(_market(BUY, False), Decimal(5))
    assert "could become 6" in reason
    assert await gate._against_position(_market(SELL, False), Decimal(5)) == []


# --- what is known ---


def test_both_are_known_each_by_its_side(clock: "ManualClock") -> None:
    ledger, now = Ledger(), clock.now()
    ledger.saw_positions("1", [leg(BUY, 5), leg(SELL, -2)], now)
    known = ledger.positions
    assert known.get("1", "ABC", BUY).size == 5
    assert known.get("1", "ABC", SELL).size == -2
    assert known.size("1", "ABC") == 3
    assert len(known) == 2


def test_news_of_one_side_leaves_the_other(clock: "ManualClock") -> None:
    ledger = Ledger()
    ledger.saw_positions("1", [leg(BUY, 5), leg(SELL, -2)], clock.now())
    clock.advance(1)
    changes = ledger.saw_position(leg(BUY, 0), clock.now())
    assert changes.positions == (leg(BUY, 0),)
    assert [one.hedge_side for one in ledger.positions] == [SELL]


def test_a_side_that_is_missing_from_a_list_is_flat(clock: "ManualClock") -> None:
    ledger = Ledger()
    ledger.saw_positions("1", [leg(BUY, 5), leg(SELL, -2)], clock.now())
    clock.advance(1)
    changes = ledger.saw_positions("1", [leg(BUY, 5)], clock.now())
    assert changes.positions == (leg(SELL, 0),)


def test_nothing_is_known_of_a_side_before_anything_was_said(clock: "ManualClock") -> None:
    ledger = Ledger()
    ledger.saw_position(leg(BUY, 5), clock.now())
    with pytest.raises(NotFound):
        ledger.positions.get("1", "ABC", SELL)
