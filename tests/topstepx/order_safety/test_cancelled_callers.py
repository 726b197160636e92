"""The caller is cancelled at every await there is: he is free, and nothing is lost from sight."""

import asyncio
from collections.abc import Coroutine, Generator
from itertools import count
from types import coroutine
from typing import Any

import pytest
from attrs import frozen
from tests.topstepx.order_safety.stage import CLOSE, MUTATIONS, Mutation, Stage, stage

from tradeforge_core import (
    Bracket,
    JournalKind,
    LookUps,
    NotFound,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderType,
    TradeForgeError,
)
from tradeforge_core.outcomes import Accepted, NotSent, Unknown
from tradeforge_testing.exchange import ExchangeOrder
from tradeforge_testing.sandbox.planned_faults import Fault

PATIENT = LookUps(pauses=(0.02, 0.05, 0.1, 0.2), deadline=5.0, settle=0.2, slow=0.1)


@frozen
class Ending:
    cancelled: bool
    reached: bool
    """Whether there was an await of this number."""


async def cancelled_at(number: int, work: Coroutine[Any, Any, object]) -> Ending:
    """Run the work in a task that is cancelled as it waits for the time of this number."""
    waits = 0

    @coroutine
    def run() -> Generator[Any, Any, None]:
        nonlocal waits
        step = work.send, None
        while True:
            try:
                waited_for = step[0](step[1])
            except StopIteration:
                return
            if waits == number:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            waits += 1
            try:
                step = work.send, (yield waited_for)
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is for the work
                step = work.throw, error  # type: ignore[assignment]

    async def begun() -> None:
        await run()

    task = asyncio.create_task(begun())
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return Ending(cancelled=task.cancelled(), reached=waits > number)


def ours() -> list[str]:
    """The tasks of the library that are still there."""
    return [task.get_name() for task in asyncio.all_tasks() if _is_ours(task)]


def _is_ours(task: "asyncio.Task[Any]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    path = code.co_filename if code else ""
    return "tradeforge_" in path and not any(
        one in path for one in ("sandbox", "/tests/", "tradeforge_testing")
    )


FAULTS = [None, Fault.RESET]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
async def test_a_caller_who_goes_at_any_await_is_free_and_the_outcome_is_told(
    mutation: Mutation, fault: Fault | None
) -> None:
    for number in count():
        async with stage(look_ups=PATIENT, journal=JournalKind.DURABLE) as on:
            await mutation.before(on)
            on.outcomes.clear()
            asked = on.sandbox.requests[mutation.path]
            if fault is not None:
                on.sandbox.fail_next(mutation.path, fault)
            ending = await cancelled_at(number, mutation.call(on))
            assert ending.cancelled is ending.reached, f"at await {number}: {ending}"
            await on.trade_on()
            await on.broker.disconnect()
            assert not ours(), f"at await {number}"
            await _go_on(on)
            _check(mutation, on, on.sandbox.requests[mutation.path] - asked, number)
        if not ending.reached:
            break
    assert number, "there is something to wait for"


async def _go_on(on: Stage) -> None:
    """What was not known at the end of a run is searched for by the next one."""
    async with on.broker:
        for outcome in on.broker.unsettled_outcomes():
            await on.broker.resolve(outcome.client_order_id, timeout=5)


def _check(mutation: Mutation, on: Stage, sent: int, number: int) -> None:
    where = f"at await {number}: {on.told}"
    if mutation.path.endswith("place"):
        sent -= 1  # of the order that came after it
    assert sent <= 1, where
    assert mutation.was_done(on) is (sent == 1), where
    last = on.told[-1] if on.told else None
    assert isinstance(last, Accepted if sent else (NotSent, type(None))), where
    assert not ours(), where


async def _hold_with_exits(on: Stage) -> None:
    await on.broker.place_order(
        OrderRequest(
            account_id=on.account_id,
            contract_id=on.contract.id,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=2,
            bracket=Bracket(stop_loss=10, take_profit=20),
        )
    )


def _exits(on: Stage) -> list[ExchangeOrder]:
    return [one for one in on.orders if not one.status.is_final]


async def test_a_close_takes_its_exits_along_whenever_its_caller_goes() -> None:
    """An exit that is left behind would open a new position."""
    for number in count():
        async with stage(look_ups=PATIENT) as on:
            await _hold_with_exits(on)
            ending = await cancelled_at(number, CLOSE.call(on))
            assert ending.cancelled is ending.reached, f"at await {number}: {ending}"
            if number:  # the close had begun
                await on.until(lambda: on.held == 0 and not _exits(on))
            else:
                assert (on.held, len(_exits(on))) == (2, 2)
            await on.broker.disconnect()
            assert not ours(), f"at await {number}"
        if not ending.reached:
            break
    assert number


async def test_a_close_takes_its_exits_along_once_it_is_known() -> None:
    async with stage() as on:
        await _hold_with_exits(on)
        on.sandbox.fail_next(CLOSE.path, Fault.RESET)
        closing = asyncio.create_task(CLOSE.call(on))
        await on.until(lambda: on.sandbox.requests[CLOSE.path] == 1)
        on.sandbox.fail_next("/api/Position/searchOpen", 503, count=100_000)
        with pytest.raises(OrderOutcomeUnknown):
            await closing
        assert len(_exits(on)) == 2
        on.sandbox._gate.faults.forget()
        await on.until(lambda: not _exits(on))
        assert on.held == 0


async def test_a_close_that_disconnect_ends_is_told_as_unknown() -> None:
    async with stage() as on:
        await _hold_with_exits(on)
        on.sandbox.fail_next(CLOSE.path, Fault.HANG)
        closing = asyncio.create_task(CLOSE.call(on))
        await on.until(lambda: on.sandbox.requests[CLOSE.path] == 1)
        await on.broker.disconnect()
        with pytest.raises(OrderOutcomeUnknown, match="disconnect"):
            await closing
        assert not ours()


async def test_what_goes_wrong_without_a_caller_is_told_to_the_handlers() -> None:
    async with stage() as on:
        told: list[TradeForgeError] = []
        on.broker.on_error(told.append)
        on.sandbox.fail_next(CLOSE.path, Fault.ENVELOPE, code=2, handled=False)
        closing = asyncio.create_task(CLOSE.call(on))
        await on.until(lambda: on.sandbox.requests[CLOSE.path] == 1)
        closing.cancel()
        await on.until(lambda: bool(told))
        assert isinstance(told[0], OrderRejected | NotFound)


@pytest.mark.parametrize("step", range(1, 12))
async def test_a_burst_of_cancelled_orders(step: int) -> None:
    async with stage(look_ups=PATIENT, journal=JournalKind.DURABLE) as on:
        order = OrderRequest.limit(
            on.account_id, on.contract.id, OrderSide.BUY, 1, on.contract.tick_size
        )
        burst = [asyncio.create_task(on.broker.place_order(order)) for _ in range(50)]
        for _ in range(step * step):
            await asyncio.sleep(0)
        for task in burst:
            task.cancel()
        await asyncio.wait(burst)
        await on.trade_on()
        await on.broker.disconnect()
        accepted = [one for one in on.told if isinstance(one, Accepted)]
        assert {one.client_order_id for one in accepted} == {one.tag for one in on.orders}
        assert len(accepted) == len(on.orders)
        assert not [one for one in on.told if isinstance(one, Unknown)]
        assert not ours()


async def test_connecting_can_be_given_up_at_any_await() -> None:
    for number in count():
        async with stage(journal=JournalKind.DURABLE) as on:
            on.sandbox.fail_next("/api/Order/place", 503, handled=False)
            order = OrderRequest.market(on.account_id, on.contract.id, OrderSide.BUY, 1)
            placing = asyncio.create_task(on.broker.place_order(order))
            await on.until(lambda: bool(on.outcomes))
            placing.cancel()
            await asyncio.wait([placing])
            await on.broker.disconnect()
            assert not ours()
            ending = await cancelled_at(number, on.broker.connect())
            assert ending.cancelled is ending.reached, f"at await {number}: {ending}"
            if ending.cancelled:
                assert not ours(), f"at await {number}"
                await on.broker.connect()
            assert len(on.broker.unsettled_outcomes()) == 1, f"at await {number}"
            await on.broker.acknowledge(on.outcomes[-1].client_order_id)
            await on.trade_on()
            await on.broker.disconnect()
            assert not ours(), f"at await {number}"
        if not ending.reached:
            break
    assert number > 3


async def test_disconnecting_leaves_nothing_behind_whenever_it_is_cancelled() -> None:
    for number in count():
        async with stage(journal=JournalKind.DURABLE) as on:
            on.sandbox.fail_next("/api/Order/place", Fault.HANG)
            order = OrderRequest.market(on.account_id, on.contract.id, OrderSide.BUY, 1)
            placing = asyncio.create_task(on.broker.place_order(order))
            await on.until(lambda: bool(on.orders))
            placing.cancel()
            await asyncio.wait([placing])
            ending = await cancelled_at(number, on.broker.disconnect())
            assert ending.cancelled is ending.reached, f"at await {number}: {ending}"
            assert not ours(), f"at await {number}"
            await on.broker.connect()
            (left,) = on.orders
            assert left.tag is not None
            outcome = await on.broker.resolve(left.tag, timeout=5)
            assert isinstance(outcome, Accepted), f"at await {number}: {outcome}"
        if not ending.reached:
            break
