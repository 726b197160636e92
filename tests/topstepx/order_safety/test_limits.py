"""Limits and the kill switch against orders that are lost, late, changed, or filled meanwhile."""

import asyncio
from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.topstepx.order_safety.stage import MODIFY, PLACE, Stage, stage

from tradeforge_core import (
    Bracket,
    JournalKind,
    NotSent,
    Order,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderVetoed,
    RiskLimits,
)
from tradeforge_testing.exchange import Ticket
from tradeforge_testing.sandbox.planned_faults import Fault

QUERY = "/api/Order/v2/query"
POSITIONS = "/api/Position/searchOpen"
BARS = "/api/History/retrieveBars"
FAR = 90_000


def market(on: Stage, side: OrderSide, size: int = 1, name: str | None = None) -> OrderRequest:
    request = OrderRequest.market(on.account_id, on.contract.id, side, size)
    return attrs.evolve(request, client_order_id=name)


def limit(on: Stage, side: OrderSide, price: Decimal | int) -> OrderRequest:
    return OrderRequest.limit(on.account_id, on.contract.id, side, 1, price)


async def lose(on: Stage, request: OrderRequest) -> None:
    """Let the venue say that it failed, and book the order all the same: later, by `arrive`."""
    on.sandbox.fail_next(PLACE.path, 503, handled=False)
    with pytest.raises(OrderOutcomeUnknown):
        await on.broker.place_order(request)


def arrive(on: Stage, request: OrderRequest) -> None:
    ticket = Ticket(
        account_id=int(on.account_id),
        instrument_id=request.contract_id,
        side=request.side,
        type=request.type,
        size=int(request.size),
        tag=request.client_order_id,
    )
    on.sandbox.exchange.place(ticket)


async def told(*calls: Any) -> list[Any]:
    return list(await asyncio.gather(*calls, return_exceptions=True))


# --- what is lost counts as if it worked ---


async def test_a_lost_way_out_and_another_one_do_not_turn_the_position_around() -> None:
    async with stage() as on:
        await on.broker.place_order(market(on, OrderSide.BUY))
        lost = market(on, OrderSide.SELL, name="lost")
        await lose(on, lost)
        with pytest.raises(NotSent, match="add to the risk"):
            await on.broker.place_order(market(on, OrderSide.SELL))
        arrive(on, lost)
        assert on.held == 0


async def test_so_it_does_after_a_new_start() -> None:
    async with stage(journal=JournalKind.DURABLE) as on:
        await on.broker.place_order(market(on, OrderSide.BUY))
        await lose(on, market(on, OrderSide.SELL))
        await on.broker.disconnect()
        await on.broker.connect()
        with pytest.raises(NotSent, match="add to the risk"):
            await on.broker.place_order(market(on, OrderSide.SELL))


async def test_a_lost_order_counts_for_the_largest_position() -> None:
    async with stage(limits=RiskLimits(max_position=1)) as on:
        await on.broker.disconnect()
        look_ups, limits = on.broker.safety.look_ups, on.broker.safety.limits
        on.broker.safety = OrderSafety(
            journal="memory", look_ups=look_ups, limits=limits, risk_while_unknown=True
        )
        await on.broker.connect()
        await lose(on, market(on, OrderSide.BUY))
        with pytest.raises(OrderVetoed, match="max_position is 1, and it could become 2"):
            await on.broker.place_order(market(on, OrderSide.BUY))


async def test_acknowledged_it_counts_no_more() -> None:
    async with stage(limits=RiskLimits(max_position=1)) as on:
        await lose(on, market(on, OrderSide.BUY, name="lost"))
        await on.broker.acknowledge("lost")
        await on.broker.place_order(market(on, OrderSide.BUY))
        assert on.held == 1


# --- what happens while the gate looks ---


async def test_an_order_that_is_booked_behind_the_look_counts() -> None:
    async with stage(limits=RiskLimits(max_position=1)) as on:
        on.sandbox.fail_next(QUERY, Fault.DELAY, seconds=0.0)  # of the first order
        on.sandbox.fail_next(QUERY, Fault.DELAY, seconds=0.5)  # of the second one
        on.sandbox.fail_next(PLACE.path, Fault.DELAY, seconds=0.2, handled=False)
        first = asyncio.create_task(on.broker.place_order(market(on, OrderSide.BUY)))
        await on.until(lambda: on.sandbox.requests[PLACE.path] == 1)
        second = asyncio.create_task(on.broker.place_order(market(on, OrderSide.BUY)))
        results = await told(first, second)
        assert [type(one) for one in results] == [Order, OrderVetoed]
        assert on.held == 1


@pytest.mark.parametrize("late", [QUERY, POSITIONS])
async def test_an_exit_that_fills_between_two_looks_is_not_filled_again(late: str) -> None:
    async with stage() as on:
        await on.broker.place_order(market(on, OrderSide.BUY))
        resting = await on.broker.place_order(limit(on, OrderSide.SELL, FAR))
        on.broker.halt("news")
        asked = on.sandbox.requests[late]
        on.sandbox.fail_next(late, Fault.DELAY, seconds=0.3, handled=False)
        selling = asyncio.create_task(on.broker.place_order(market(on, OrderSide.SELL)))
        await on.until(lambda: on.sandbox.requests[late] > asked)
        on.sandbox.exchange.fill_order(int(on.account_id), int(resting.id), 1, Decimal(FAR))
        (result,) = await told(selling)
        assert isinstance(result, OrderVetoed)
        assert on.held == 0


@pytest.mark.parametrize("kind", ["halt", "unknown"])
async def test_a_reason_that_comes_up_during_the_checks_counts(kind: str) -> None:
    async with stage() as on:
        on.sandbox.fail_next(BARS, Fault.DELAY, seconds=2.0 if kind == "unknown" else 0.3)
        trailing = OrderRequest.trailing_stop(on.account_id, on.contract.id, OrderSide.BUY, 1, 5)
        placing = asyncio.create_task(on.broker.place_order(trailing))
        await on.until(lambda: on.sandbox.requests[BARS] == 1)
        if kind == "halt":
            on.broker.halt("now")
        else:
            await lose(on, market(on, OrderSide.BUY))
        (result,) = await told(placing)
        assert isinstance(result, OrderVetoed if kind == "halt" else NotSent)
        assert not on.orders


# --- the room for exits ---


async def get_out(on: Stage) -> None:
    await on.broker.cancel_order(on.account_id, str(on.orders[0].id))
    await on.broker.close_position(on.account_id, on.contract.id)
    assert on.held == 0


async def test_searches_leave_the_room_for_exits() -> None:
    async with stage() as on:
        await on.rest()
        await on.hold()
        on.sandbox.fail_next(PLACE.path, 503, count=25, handled=False)
        lost = [on.broker.place_order(limit(on, OrderSide.BUY, 1)) for _ in range(25)]
        for unknown in await told(*lost):
            assert isinstance(unknown, OrderOutcomeUnknown)
        await on.until(lambda: on.sandbox.worst_rates["others"] >= 180)
        await on.broker.resolve(str(unknown.client_order_id), timeout=0.5)
        assert on.sandbox.worst_rates["others"] == 180, "the searches have used up their room"
        await get_out(on)


async def test_orders_that_are_refused_leave_the_room_for_exits() -> None:
    async with stage(limits=RiskLimits(max_position=100)) as on:
        await on.rest()
        await on.hold()
        refused = 0
        while refused < 30:
            (result,) = await told(on.broker.place_order(limit(on, OrderSide.BUY, 1)))
            refused += isinstance(result, NotSent)
        assert on.sandbox.worst_rates["others"] == 180
        await get_out(on)


# --- changes ---


async def test_a_larger_size_keeps_the_largest_position() -> None:
    async with stage(limits=RiskLimits(max_position=2)) as on:
        resting = await on.broker.place_order(limit(on, OrderSide.BUY, on.contract.tick_size))
        with pytest.raises(OrderVetoed, match="max_position is 2, and it could become 3"):
            await on.broker.modify_order(on.account_id, resting.id, size=3)
        await on.broker.modify_order(on.account_id, resting.id, size=2)
        assert on.orders[0].size == 2


async def test_two_changes_at_once_keep_it_too() -> None:
    async with stage(limits=RiskLimits(max_position=3)) as on:
        price = on.contract.tick_size
        resting = [await on.broker.place_order(limit(on, OrderSide.BUY, price)) for _ in range(2)]
        changes = (on.broker.modify_order(on.account_id, one.id, size=2) for one in resting)
        await told(*changes)
        assert sum(one.size for one in on.orders) <= 3


async def test_a_larger_size_is_new_risk() -> None:
    async with stage() as on:
        resting = await on.broker.place_order(limit(on, OrderSide.BUY, on.contract.tick_size))
        await lose(on, market(on, OrderSide.BUY))
        with pytest.raises(NotSent, match="add to the risk"):
            await on.broker.modify_order(on.account_id, resting.id, size=2)
        assert not on.sandbox.requests[MODIFY.path]


async def test_the_stop_of_a_bracket_can_be_moved_while_trading_is_halted() -> None:
    async with stage() as on:
        entry = attrs.evolve(
            market(on, OrderSide.BUY), bracket=Bracket(stop_loss=10, take_profit=20)
        )
        placed = await on.broker.place_order(entry)
        family = await on.broker.get_order_family(on.account_id, placed.id)
        stop = family.stop_loss
        assert stop is not None
        assert stop.stop_price is not None
        on.broker.halt("news")
        await on.broker.modify_order(on.account_id, stop.id, stop_price=stop.stop_price + 1)
        with pytest.raises(OrderVetoed, match="halted"):
            await on.broker.modify_order(on.account_id, stop.id, size=2)
