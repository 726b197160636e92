"""A venue that tries to double an order, to lose one, or to have something false said of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.patience import HANG
from tests.topstepx.order_safety.stage import CANCEL, CLOSE, MODIFY, PLACE, Stage, stage
from tests.truth_table import SHORT

from tradeforge_core import (
    InvalidOrder,
    JournalKind,
    NotSent,
    Order,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderVetoed,
    Resolution,
    RiskLimits,
    UserDataType,
)
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.outcomes import Accepted, Evidence, Rejected, Unknown
from tradeforge_testing.proxy import Delay, Direction, NextRequest
from tradeforge_testing.sandbox.planned_faults import Fault

QUERY = "/api/Order/v2/query"
BY_ID = "/api/Order/searchById"
LOOKS = (QUERY, BY_ID, "/api/Position/searchOpen")
LONG = 100_000


def limit(on: Stage, name: str | None = "mine", **changes: Any) -> OrderRequest:
    order = OrderRequest.limit(
        on.account_id, on.contract.id, OrderSide.BUY, 2, on.contract.tick_size
    )
    return attrs.evolve(order, client_order_id=name, **changes)


def blind(on: Stage) -> None:
    """Let no look succeed."""
    for path in LOOKS:
        on.sandbox.fail_next(path, 503, count=LONG)


def see(on: Stage) -> None:
    on.sandbox._gate.faults.forget()


async def lose(on: Stage, request: OrderRequest) -> None:
    """Place an order that the venue books, and of which nobody hears."""
    on.sandbox.fail_next(PLACE.path, 503)
    with pytest.raises(OrderOutcomeUnknown):
        await on.broker.place_order(request)


_PLACING = NextRequest(b"POST " + PLACE.path.encode())


# --- sent again ---


async def test_an_order_sent_again_is_not_refused_because_the_books_are_behind() -> None:
    async with stage() as on:
        on.sandbox.lag_reads(3600)
        await lose(on, limit(on))
        with pytest.raises(OrderOutcomeUnknown):  # the venue says: this name is in use
            await on.broker.resubmit("mine")
        assert not any(isinstance(one, Rejected) for one in on.outcomes)
        on.sandbox.lag_reads(0)
        outcome = await on.broker.resolve("mine", timeout=5)
        assert isinstance(outcome, Accepted)
        assert len(on.standing) == 1


async def test_an_order_sent_again_is_not_refused_because_it_was_changed_meanwhile() -> None:
    async with stage() as on:
        blind(on)
        await lose(on, limit(on))
        (booked,) = on.orders
        on.sandbox.exchange.modify(booked.account_id, booked.id, size=7)
        see(on)
        on.sandbox.fail_next(QUERY, 503, count=1)
        with pytest.raises(OrderOutcomeUnknown):
            await on.broker.resubmit("mine")
        assert not any(isinstance(one, Rejected) for one in on.outcomes)
        assert len(on.standing) == 1


async def test_an_order_sent_again_while_the_first_is_booked_is_one_order() -> None:
    async with stage() as on:
        blind(on)
        await lose(on, limit(on))
        see(on)
        order = await on.broker.resubmit("mine")
        assert [str(one.id) for one in on.standing] == [order.id]
        assert isinstance(on.outcomes[-1], Accepted)


async def test_many_who_send_again_at_once_make_one_order() -> None:
    async with stage() as on:
        blind(on)
        on.sandbox.fail_next(PLACE.path, 503, handled=False)
        with pytest.raises(OrderOutcomeUnknown):
            await on.broker.place_order(limit(on))
        see(on)
        again = [on.broker.resubmit("mine") for _ in range(5)]
        answers = await asyncio.gather(*again, return_exceptions=True)
        assert len(on.standing) == 1
        assert isinstance(await on.broker.outcome("mine"), Accepted)
        assert all(isinstance(one, Order) for one in answers), answers


async def test_an_order_booked_after_everybody_gave_up_is_found() -> None:
    timeouts = HttpTimeouts(answer=0.5, total=1.0)
    async with stage(timeouts=timeouts) as on:
        on.proxy.plan(Delay(seconds=3.0, direction=Direction.UPSTREAM), when=_PLACING)
        with pytest.raises(OrderOutcomeUnknown, match="absent"):
            await on.broker.place_order(limit(on))
        with pytest.raises(NotSent, match="not known"):
            await on.broker.place_order(limit(on, "another"))
        outcome = await on.broker.resolve("mine", timeout=10)
        assert isinstance(outcome, Accepted)
        assert len(on.orders) == 1


# --- names ---


async def test_one_name_in_two_accounts_is_two_orders_also_after_a_restart() -> None:
    async with stage(journal=JournalKind.DURABLE) as on:
        blind(on)
        other = (await on.broker.get_accounts())[1].id
        await lose(on, limit(on))
        await lose(on, limit(on, account_id=other))
        await on.broker.disconnect()
        see(on)
        on.outcomes.clear()
        async with on.broker:
            await on.until(lambda: sum(isinstance(one, Accepted) for one in on.outcomes) == 2)
        assert {one.account_id for one in on.outcomes} == {on.account_id, other}


async def test_a_second_order_of_the_same_name_is_a_conflict() -> None:
    async with stage() as on:
        blind(on)
        await lose(on, limit(on))
        see(on)
        on.sandbox.fail_next(QUERY, Fault.JSON, body=_rows(on, 11, 12), count=LONG)
        await on.until(lambda: _resolution(on) is Resolution.CONFLICT)
        assert not any(isinstance(one, Accepted) for one in on.outcomes)


async def test_an_order_of_another_account_is_not_ours() -> None:
    async with stage() as on:
        blind(on)
        await lose(on, limit(on))
        see(on)
        rows = _rows(on, 11, 12)
        rows["orders"][0]["accountId"] += 1
        on.sandbox.fail_next(QUERY, Fault.JSON, body=rows, count=LONG)
        outcome = await on.broker.resolve("mine", timeout=5)
        assert isinstance(outcome, Accepted)
        assert outcome.order_id == "12"


async def test_a_name_with_something_behind_it_is_another_name() -> None:
    async with stage() as on:
        blind(on)
        on.sandbox.fail_next(PLACE.path, 503, handled=False)
        with pytest.raises(OrderOutcomeUnknown):
            await on.broker.place_order(limit(on))
        see(on)
        rows = _rows(on, 11, 12, 13)
        for row, tag in zip(rows["orders"], ("mine-SL", "MINE", "min"), strict=True):
            row["customTag"] = tag
        on.sandbox.fail_next(QUERY, Fault.JSON, body=rows, count=LONG)
        await on.until(lambda: _resolution(on) is Resolution.ABSENT)
        assert not any(isinstance(one, Accepted) for one in on.outcomes)


def _rows(on: Stage, *ids: int) -> dict[str, Any]:
    row = {
        "accountId": int(on.account_id),
        "contractId": on.contract.id,
        "status": 1,
        "type": 1,
        "side": 0,
        "size": 2,
        "limitPrice": 0.25,
        "creationTimestamp": on.broker._clock.now().isoformat(),
        "fillVolume": 0,
        "customTag": "mine",
    }
    orders = [{"id": one, **row} for one in ids]
    return {"orders": orders, "success": True, "errorCode": 0, "errorMessage": None}


def _resolution(on: Stage) -> Resolution | None:
    last = on.outcomes[-1]
    return last.resolution if isinstance(last, Unknown) else None


# --- what the stream says ---


@asynccontextmanager
async def listening(on: Stage) -> AsyncIterator[None]:
    async with on.broker.subscribe_user_data(on.account_id, UserDataType.ORDER_UPDATE):
        yield


async def test_an_order_that_the_stream_showed_before_its_answer_was_lost_is_known() -> None:
    async with stage(timeouts=HttpTimeouts(answer=1.0)) as on, listening(on):
        blind(on)
        on.sandbox.fail_next(PLACE.path, Fault.HANG)
        order = await on.broker.place_order(limit(on))
        assert [str(one.id) for one in on.orders] == [order.id]
        (last,) = (one for one in on.outcomes if isinstance(one, Accepted))
        assert last.evidence is Evidence.STREAMED


async def test_the_stream_and_the_answer_are_one_order() -> None:
    async with stage() as on, listening(on):
        on.sandbox.fail_next(PLACE.path, Fault.DELAY, seconds=0.3)
        await on.broker.place_order(limit(on))
        assert [type(one) for one in on.outcomes] == [Accepted]
        assert len(on.broker.orders) == 1


async def test_an_order_of_the_same_name_in_another_account_proves_nothing() -> None:
    async with stage() as on:
        other = (await on.broker.get_accounts())[1].id
        async with on.broker.subscribe_user_data([on.account_id, other], UserDataType.ORDER_UPDATE):
            blind(on)
            on.sandbox.fail_next(PLACE.path, 503, handled=False)
            with pytest.raises(OrderOutcomeUnknown):
                await on.broker.place_order(limit(on))
            await on.broker.place_order(limit(on, account_id=other))
            assert isinstance(await on.broker.resolve("mine", timeout=0.3), Unknown)
            assert on.orders == []


# --- risk ---


async def test_a_cancelled_caller_s_order_still_counts_against_the_limits() -> None:
    async with stage(limits=RiskLimits(max_position=2)) as on:
        on.sandbox.fail_next(PLACE.path, Fault.DELAY, handled=False, seconds=0.5)
        placing = asyncio.create_task(on.broker.place_order(limit(on, "one")))
        await on.until(lambda: on.sandbox.requests[PLACE.path] == 1)
        placing.cancel()
        with pytest.raises(OrderVetoed, match="max_position"):
            await on.broker.place_order(limit(on, "two"))
        await on.until(lambda: bool(on.outcomes))
        assert len(on.orders) == 1


# --- closing ---


async def test_a_close_of_nothing_is_not_called_done() -> None:
    async with stage() as on:
        on.sandbox.fail_next(CLOSE.path, 503)
        with pytest.raises(OrderOutcomeUnknown):
            await on.broker.close_position(on.account_id, on.contract.id)
        assert not any(isinstance(one, Accepted) for one in on.outcomes)


async def test_a_close_is_never_sent_again() -> None:
    async with stage() as on:
        await on.hold()
        on.sandbox.fail_next(CLOSE.path, 503, handled=False)
        with pytest.raises(OrderOutcomeUnknown) as caught:
            await on.broker.close_position(on.account_id, on.contract.id)
        assert caught.value.client_order_id is not None
        with pytest.raises(InvalidOrder):
            await on.broker.resubmit(caught.value.client_order_id, accept_duplicate_risk=True)
        assert (on.held, on.sandbox.requests[CLOSE.path]) == (3, 1)


# --- changes ---


@pytest.mark.parametrize("later", [4, 2])
@pytest.mark.parametrize("restart", [True, False])
async def test_a_change_that_a_later_one_replaced_was_not_refused(
    later: int, restart: bool
) -> None:
    slow = attrs.evolve(SHORT, slow=2.0)
    async with stage(look_ups=slow, journal=JournalKind.DURABLE) as on:
        await on.rest()
        (resting,) = on.orders
        order_id = str(resting.id)
        on.sandbox.fail_next(MODIFY.path, 503)
        on.sandbox.fail_next(BY_ID, Fault.STALE)  # of the check before the change
        on.sandbox.fail_next(BY_ID, 503, count=LONG)
        with pytest.raises(OrderOutcomeUnknown):
            await on.broker.modify_order(on.account_id, order_id, size=5)
        name = on.outcomes[-1].client_order_id
        see(on)
        await on.broker.modify_order(on.account_id, order_id, size=later)
        on.sandbox.exchange.fill_order(resting.account_id, resting.id, later, Decimal("0.25"))
        if restart:
            await on.broker.disconnect()
            await on.broker.connect()
        await on.broker.resolve(name, timeout=3)
        assert not any(isinstance(one, Rejected) for one in on.outcomes)


async def test_a_change_that_came_too_late_was_refused() -> None:
    async with stage() as on:
        await on.rest()
        (resting,) = on.orders
        on.sandbox.fail_next(MODIFY.path, 503, handled=False)
        changing = asyncio.create_task(
            on.broker.modify_order(on.account_id, str(resting.id), size=5)
        )
        await on.until(lambda: on.sandbox.requests[MODIFY.path] == 1)
        on.sandbox.exchange.fill_order(resting.account_id, resting.id, 2, Decimal("0.25"))
        with pytest.raises(OrderRejected, match="filled"):
            await changing


# --- waiting ---


async def test_who_waits_for_an_outcome_is_told_when_nobody_looks_any_more() -> None:
    async with stage() as on:
        blind(on)
        await lose(on, limit(on))
        waiting = asyncio.create_task(on.broker.resolve("mine"))
        await asyncio.sleep(0)
        await on.broker.acknowledge("mine")
        async with asyncio.timeout(HANG):
            assert isinstance(await waiting, Unknown)


async def test_who_waits_for_an_outcome_is_told_at_the_end() -> None:
    async with stage(look_ups=attrs.evolve(SHORT, deadline=60.0)) as on:
        blind(on)
        on.sandbox.fail_next(PLACE.path, 503)
        placing = asyncio.create_task(on.broker.place_order(limit(on)))
        await on.until(lambda: bool(on.outcomes))
        waiting = asyncio.create_task(on.broker.resolve("mine"))
        await asyncio.sleep(0)
        await on.broker.disconnect()
        async with asyncio.timeout(HANG):
            assert isinstance(await waiting, Unknown)
            with pytest.raises(OrderOutcomeUnknown):
                await placing


# --- another program ---


async def test_a_second_client_of_the_account_only_gets_out() -> None:
    """Two journals of one account would not know of each other; exits pass all the same."""
    async with stage(journal=JournalKind.DURABLE) as on:
        await on.rest()
        second = type(on.broker)(on.broker.config, safety=on.broker.safety)
        async with second:
            with pytest.raises(NotSent, match="journal"):
                await second.place_order(limit(on))
            await second.cancel_order(on.account_id, str(on.orders[0].id))
        assert CANCEL.was_done(on)
        assert on.sandbox.requests[PLACE.path] == 1
