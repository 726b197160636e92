"""A fill, a cancel and a change that cross each other, and many cancels at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tests.patience import HANG
from tests.topstepx.order_safety.stage import CANCEL, MODIFY, PLACE, Stage, stage

from tradeforge_core import (
    NotFound,
    NotSent,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderStatus,
)
from tradeforge_core.outcomes import Accepted, Evidence, Rejected
from tradeforge_testing.exchange import ExchangeOrder
from tradeforge_testing.sandbox.planned_faults import Fault

BY_ID = "/api/Order/searchById"
LONG = 100_000


@asynccontextmanager
async def resting() -> AsyncIterator[tuple[Stage, ExchangeOrder]]:
    async with stage() as on:
        await on.rest()
        on.outcomes.clear()
        yield on, on.orders[0]


def fill(on: Stage, order: ExchangeOrder, size: int) -> None:
    on.sandbox.exchange.fill_order(order.account_id, order.id, size, order.limit_price)


async def cancel(on: Stage, order: ExchangeOrder) -> None:
    await on.broker.cancel_order(str(order.account_id), str(order.id))


# --- cancels and fills ---


@pytest.mark.parametrize("answer", [None, 503, Fault.RESET])
async def test_a_cancel_of_a_filled_order_was_refused(answer: Fault | int | None) -> None:
    """The venue calls it an unknown error, or nobody hears what it says: the look tells."""
    async with resting() as (on, order):
        fill(on, order, 2)
        if answer is not None:
            on.sandbox.fail_next(CANCEL.path, answer)
        with pytest.raises(OrderRejected, match="filled"):
            await cancel(on, order)
        (*_, last) = on.outcomes
        assert isinstance(last, Rejected)
        assert last.evidence is Evidence.LOOKED_UP
        assert on.sandbox.requests[CANCEL.path] == 1


async def test_a_cancel_that_is_repeated_too_late_was_refused() -> None:
    """The look shows the order at work, and it fills before the second cancel comes."""
    async with resting() as (on, order):
        on.sandbox.fail_next(BY_ID, Fault.STALE)
        on.sandbox.fail_next(CANCEL.path, 503, handled=False)
        fill(on, order, 2)
        with pytest.raises(OrderRejected, match="filled"):
            await cancel(on, order)
        assert on.sandbox.requests[CANCEL.path] == 2
        assert on.held == 2


async def test_the_filled_part_of_a_cancelled_order_is_kept() -> None:
    async with resting() as (on, order):
        fill(on, order, 1)
        on.sandbox.fail_next(CANCEL.path, Fault.RESET)
        await cancel(on, order)
        found = await on.broker.get_order(on.account_id, str(order.id))
        assert (found.status, found.filled_size) == (OrderStatus.CANCELLED, Decimal(1))


async def test_a_cancel_is_repeated_three_times_at_most() -> None:
    async with resting() as (on, order):
        on.sandbox.fail_next(CANCEL.path, 503, handled=False, count=LONG)
        with pytest.raises(OrderOutcomeUnknown, match="absent"):
            await cancel(on, order)
        assert on.sandbox.requests[CANCEL.path] == 3


async def test_a_cancel_is_not_repeated_on_the_word_of_a_look_that_failed() -> None:
    async with resting() as (on, order):
        on.sandbox.fail_next(CANCEL.path, 503, handled=False)
        on.sandbox.fail_next(BY_ID, 503, count=LONG)
        with pytest.raises(OrderOutcomeUnknown, match="unreachable"):
            await cancel(on, order)
        assert on.sandbox.requests[CANCEL.path] == 1


async def test_an_order_that_expired_was_not_cancelled() -> None:
    async with resting() as (on, order):
        on.sandbox.exchange.expire_order(order.account_id, order.id)
        with pytest.raises(OrderRejected, match="expired"):
            await cancel(on, order)


async def test_two_who_cancel_the_same_order_are_both_right() -> None:
    async with resting() as (on, order):
        await asyncio.gather(*(cancel(on, order) for _ in range(4)))
        assert {type(one) for one in on.outcomes if one.order_id} >= {Accepted}
        assert CANCEL.was_done(on)


# --- changes and fills ---


@pytest.mark.parametrize("filled", [1, 2])
async def test_a_change_that_crosses_a_fill_ends_as_what_the_venue_did(filled: int) -> None:
    async with resting() as (on, order):
        on.sandbox.fail_next(MODIFY.path, Fault.DELAY, handled=False, seconds=0.3)
        changing = asyncio.create_task(on.broker.modify_order(on.account_id, str(order.id), size=5))
        await on.until(lambda: on.sandbox.requests[MODIFY.path] == 1)
        fill(on, order, filled)
        if filled == 2:
            with pytest.raises(OrderRejected):
                await changing
        else:
            await changing
        assert MODIFY.was_done(on) is (filled == 1)
        assert on.sandbox.requests[MODIFY.path] == 1


async def test_a_change_that_was_made_before_the_fill_is_accepted() -> None:
    async with resting() as (on, order):
        on.sandbox.fail_next(MODIFY.path, Fault.RESET)
        on.sandbox.fail_next(BY_ID, Fault.STALE, count=2)  # the check, and a look too early
        changing = asyncio.create_task(on.broker.modify_order(on.account_id, str(order.id), size=5))
        await on.until(lambda: MODIFY.was_done(on))
        fill(on, on.orders[0], 5)
        await changing
        assert isinstance(on.outcomes[-1], Accepted)


async def test_a_change_of_an_order_that_was_cancelled_was_refused() -> None:
    async with resting() as (on, order):
        on.sandbox.fail_next(BY_ID, Fault.STALE)
        on.sandbox.exchange.cancel(order.account_id, order.id)
        on.sandbox.fail_next(MODIFY.path, 503)
        with pytest.raises(OrderRejected):
            await on.broker.modify_order(on.account_id, str(order.id), size=5)


# --- many at once ---


async def rest_more(on: Stage, count: int) -> None:
    for number in range(2, 2 + count):
        price = number * on.contract.tick_size
        await on.broker.place_order(
            OrderRequest.limit(on.account_id, on.contract.id, OrderSide.BUY, 2, price)
        )


LOSSES: list[tuple[str, Callable[[Stage], None]]] = [
    ("lost", lambda on: on.sandbox.fail_next(CANCEL.path, 503, count=3)),
    ("not done", lambda on: on.sandbox.fail_next(CANCEL.path, 503, handled=False, count=3)),
    ("limit", lambda on: on.sandbox.fail_next(CANCEL.path, 429, handled=False, count=3)),
]


@pytest.mark.parametrize("lose", [one for _, one in LOSSES], ids=[name for name, _ in LOSSES])
async def test_of_many_cancels_some_are_lost(lose: Callable[[Stage], None]) -> None:
    async with resting() as (on, order):
        await rest_more(on, 7)
        fill(on, order, 2)
        lose(on)
        results = await on.broker.cancel_all_orders(on.account_id)
        assert [one.error for one in results] == [None] * 7
        statuses = {one.id: one.status for one in on.orders}
        assert statuses.pop(order.id) is OrderStatus.FILLED
        assert set(statuses.values()) == {OrderStatus.CANCELLED}


async def test_no_write_waits_for_others_that_hang() -> None:
    async with resting() as (on, order):
        on.sandbox.fail_next(PLACE.path, Fault.HANG, count=40)
        more = OrderRequest.limit(
            on.account_id, on.contract.id, OrderSide.BUY, 1, on.contract.tick_size
        )
        before = on.sandbox.requests[PLACE.path]
        placing = [asyncio.create_task(on.broker.place_order(more)) for _ in range(40)]
        await on.until(lambda: on.sandbox.requests[PLACE.path] == before + 40)
        async with asyncio.timeout(HANG):
            await cancel(on, order)
        assert not any(one.done() for one in placing), "it left only once there was room again"
        assert on.orders[0].status is OrderStatus.CANCELLED
        for one in placing:
            one.cancel()
        await asyncio.wait(placing)


async def test_of_many_cancels_one_crosses_a_fill() -> None:
    async with resting() as (on, order):
        await rest_more(on, 3)
        on.sandbox.fail_next("/api/Order/v2/query", Fault.STALE)
        fill(on, order, 2)
        results = await on.broker.cancel_all_orders(on.account_id)
        (refused,) = (one for one in results if one.error is not None)
        assert refused.order_id == str(order.id)
        assert isinstance(refused.error, OrderRejected)


async def test_of_many_cancels_none_leaves_when_nobody_can_say_what_is_open() -> None:
    async with resting() as (on, _):
        on.sandbox.fail_next("/api/Order/v2/query", 503, count=LONG)
        with pytest.raises(NotSent):
            await on.broker.cancel_all_orders(on.account_id)
        assert on.sandbox.requests[CANCEL.path] == 0


async def test_a_wrong_account_is_proof() -> None:
    async with stage() as on:
        wrong = OrderRequest.market("77", on.contract.id, OrderSide.BUY, 1)
        with pytest.raises((OrderRejected, NotFound)):
            await on.broker.place_order(wrong)
        assert on.sandbox.requests[PLACE.path] <= 1
