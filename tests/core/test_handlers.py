"""Handlers of the user: none can harm a stream, another handler, or itself for long."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests.patience import HANG

from tradeforge_core import (
    Event,
    HandlerFailed,
    MarketDataType,
    Plugins,
    StatusChanged,
    StreamConnectionStatus,
    SubscriberOverflow,
    TradeForgeError,
    UserDataType,
    hookimpl,
)
from tradeforge_core.streams.handlers import HandlerRunner, log_failure
from tradeforge_core.streams.queue import LIMIT
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

TRADE = MarketDataType.TRADE
NewBroker = Callable[..., "FakeProvider"]


async def _trading(broker: "FakeProvider") -> None:
    await broker.subscribe_market_data("ABC", [TRADE])


async def test_every_handler_gets_every_event_in_order(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    plain: list[Event] = []
    awaited: list[Event] = []

    async def later(event: Event) -> None:
        await asyncio.sleep(0)
        awaited.append(event)

    assert broker.on_event(later) is later
    broker.on_event(plain.append)
    await _trading(broker)
    trades: list[Event] = [make.trade(number) for number in range(20)]
    for trade in trades:
        broker.publish(make.TRADE, trade)
    await eventually(lambda: len(plain) == len(awaited) == 23)
    assert plain == awaited
    assert plain[3:] == trades


async def test_a_handler_may_be_a_decorated_function(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    seen: list[Event] = []

    @broker.on_event
    def handle(event: Event) -> None:
        seen.append(event)

    await _trading(broker)
    await eventually(lambda: seen)


async def test_a_handler_before_connect_and_one_after(
    new_broker: NewBroker, make: "Make", eventually: "Eventually"
) -> None:
    early: list[Event] = []
    late: list[Event] = []
    broker = new_broker()
    broker.on_event(early.append)
    await broker.connect()
    broker.on_event(late.append)
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    await eventually(lambda: make.trade() in early and make.trade() in late)


async def test_a_handler_that_raises_is_reported_and_goes_on(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    errors: list[TradeForgeError] = []
    seen: list[Event] = []

    def clumsy(event: Event) -> None:
        seen.append(event)
        raise ZeroDivisionError("oops")

    broker.on_error(errors.append)
    broker.on_event(clumsy)
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    await eventually(lambda: make.trade() in seen and len(errors) == len(seen))
    for error in errors:
        assert isinstance(error, HandlerFailed)
        assert "clumsy failed: ZeroDivisionError('oops')" in str(error)
        assert isinstance(error.__cause__, ZeroDivisionError)


async def test_a_handler_whose_own_task_was_cancelled_goes_on(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    """What it awaits was cancelled, not it: it must not vanish without a word."""
    errors: list[TradeForgeError] = []
    seen: list[Event] = []

    async def waits_for_what_is_cancelled(event: Event) -> None:
        seen.append(event)
        other = asyncio.create_task(asyncio.sleep(60))
        other.cancel()
        await other

    broker.on_error(errors.append)
    broker.on_event(waits_for_what_is_cancelled)
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    await eventually(lambda: make.trade() in seen and errors)
    assert isinstance(errors[0], HandlerFailed)


async def test_a_slow_handler_delays_nobody(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    fast: list[Event] = []
    may_go_on = asyncio.Event()

    async def slow(event: Event) -> None:
        await may_go_on.wait()

    broker.on_event(slow)
    broker.on_event(fast.append)
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    await eventually(lambda: make.trade() in fast)
    may_go_on.set()


async def test_a_handler_too_slow_for_orders_is_reported_and_ended(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    errors: list[TradeForgeError] = []
    may_go_on = asyncio.Event()

    async def slow(event: Event) -> None:
        await may_go_on.wait()

    broker.on_error(errors.append)
    broker.on_event(slow)
    await broker.subscribe_user_data("1", [UserDataType.ORDER_UPDATE])
    for number in range(LIMIT + 10):
        broker.publish(make.ORDER, make.order_update(str(number)))
    may_go_on.set()
    await eventually(lambda: errors)
    assert isinstance(errors[0], SubscriberOverflow)


async def test_status_handlers_see_the_changes_alone(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    seen: list[StatusChanged] = []
    broker.on_status_change(seen.append)
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    await eventually(lambda: len(seen) == 3)
    assert seen[-1].status is StreamConnectionStatus.LIVE
    assert all(isinstance(change, StatusChanged) for change in seen)


async def test_an_error_handler_that_fails_is_logged_and_goes_on(
    broker: "FakeProvider", eventually: "Eventually", caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[TradeForgeError] = []

    def clumsy(error: TradeForgeError) -> None:
        seen.append(error)
        raise KeyError("again")

    broker.on_error(clumsy)
    with caplog.at_level(logging.ERROR, "tradeforge_core"):
        broker.report(TradeForgeError("first"))
        broker.report(TradeForgeError("second"))
        await eventually(lambda: len(caplog.records) == 2)
    assert [str(error) for error in seen] == ["first", "second"]
    assert "KeyError('again')" in caplog.text


async def test_without_an_error_handler_the_log_has_the_traceback(
    broker: "FakeProvider", eventually: "Eventually", caplog: pytest.LogCaptureFixture
) -> None:
    def clumsy(event: Event) -> None:
        raise ZeroDivisionError("oops")

    broker.on_event(clumsy)
    with caplog.at_level(logging.ERROR, "tradeforge_core"):
        await _trading(broker)
        await eventually(lambda: caplog.records)
    assert "ZeroDivisionError: oops" in caplog.text


async def test_disconnect_lets_handlers_finish_what_waits(
    new_broker: NewBroker, make: "Make"
) -> None:
    seen: list[Event] = []

    async def later(event: Event) -> None:
        await asyncio.sleep(0)
        seen.append(event)

    broker = new_broker()
    broker.on_event(later)
    await broker.connect()
    await _trading(broker)
    for number in range(10):
        broker.publish(make.TRADE, make.trade(number))
    await broker.disconnect()
    assert make.trade(9) in seen
    assert isinstance(seen[-1], StatusChanged)
    assert seen[-1].status is StreamConnectionStatus.CLOSED


async def test_an_error_of_the_last_moment_is_not_lost(
    new_broker: NewBroker, make: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[TradeForgeError] = []

    async def clumsy(event: Event) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError("at the end")

    broker = new_broker()
    broker.on_error(errors.append)
    broker.on_event(clumsy)
    await broker.connect()
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    with caplog.at_level(logging.ERROR, "tradeforge_core"):
        await broker.disconnect()
    assert len(errors) + len(caplog.records) == 5  # four changes of status, one trade


async def test_nobody_holds_on_to_a_handler_that_has_finished(clock: ManualClock) -> None:
    runner = HandlerRunner(lambda event: None, clock, log_failure)
    work = asyncio.create_task(runner.begin())
    await asyncio.sleep(0)
    runner.finish()
    await work
    finished = weakref.ref(runner)
    del runner, work
    gc.collect()
    assert finished() is None


async def test_handlers_work_again_after_a_new_connect(
    new_broker: NewBroker, make: "Make", eventually: "Eventually"
) -> None:
    seen: list[Event] = []
    stuck = asyncio.Event()

    async def slow_once(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1:
            await stuck.wait()

    broker = new_broker()
    broker.on_event(slow_once)
    await broker.connect()
    await _trading(broker)
    await eventually(lambda: seen)
    await broker.disconnect()  # ends the handler that hangs
    await broker.connect()
    await _trading(broker)
    broker.publish(make.TRADE, make.trade(2))
    await eventually(lambda: make.trade(2) in seen)
    assert all(not isinstance(event, StatusChanged) or event.generation for event in seen)


async def test_a_handler_may_disconnect(
    new_broker: NewBroker, make: "Make", eventually: "Eventually"
) -> None:
    broker = new_broker()

    async def leave(event: Event) -> None:
        if event == make.trade():
            await broker.disconnect()

    broker.on_event(leave)
    await broker.connect()
    waiting = asyncio.create_task(broker.run_forever())
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    async with asyncio.timeout(HANG):
        await waiting
    assert "log out" in broker.calls


async def test_a_handler_may_disconnect_in_a_task_of_its_own(
    new_broker: NewBroker, make: "Make"
) -> None:
    """Both wait for each other, until one of them is cancelled."""
    broker = new_broker()

    async def leave(event: Event) -> None:
        if event == make.trade():
            await asyncio.create_task(broker.disconnect())

    broker.on_event(leave)
    await broker.connect()
    waiting = asyncio.create_task(broker.run_forever())
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    async with asyncio.timeout(HANG):
        await waiting
    assert "log out" in broker.calls


async def test_two_handlers_may_disconnect_at_once(new_broker: NewBroker, make: "Make") -> None:
    broker = new_broker()

    async def leave(event: Event) -> None:
        if event == make.trade():
            await broker.disconnect()

    async def leave_too(event: Event) -> None:
        if event == make.trade():
            await broker.disconnect()

    broker.on_event(leave)
    broker.on_event(leave_too)
    await broker.connect()
    waiting = asyncio.create_task(broker.run_forever())
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    async with asyncio.timeout(HANG):
        await waiting
    assert broker.calls.count("log out") == 1


async def test_a_handler_may_connect_anew_and_still_hears(
    new_broker: NewBroker, make: "Make", eventually: "Eventually"
) -> None:
    broker = new_broker()
    seen: list[Event] = []
    again = False

    async def renew(event: Event) -> None:
        nonlocal again
        seen.append(event)
        if not again and event == make.trade(1):
            again = True
            await broker.disconnect()
            await broker.connect()
            await _trading(broker)

    broker.on_event(renew)
    await broker.connect()
    await _trading(broker)
    broker.publish(make.TRADE, make.trade(1))
    await eventually(lambda: again and broker.status is StreamConnectionStatus.LIVE)
    broker.publish(make.TRADE, make.trade(2))
    await eventually(lambda: make.trade(2) in seen)


async def test_a_handler_may_subscribe_and_unsubscribe(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    async def switch(event: Event) -> None:
        if event == make.trade(1):
            await broker.subscribe_market_data("DEF", [TRADE])
            await broker.unsubscribe_market_data("ABC", [TRADE])

    broker.on_event(switch)
    await _trading(broker)
    broker.publish(make.TRADE, make.trade(1))
    await eventually(lambda: [topic.key for topic in venue.link.subscribed] == ["DEF"])


async def test_add_ons_see_events_and_changes_too(
    new_broker: NewBroker, make: "Make", eventually: "Eventually"
) -> None:
    seen: list[tuple[str, object]] = []

    class Observer:
        @hookimpl
        def tradeforge_event(self, provider: str, event: Event) -> None:
            seen.append((provider, event))

        @hookimpl
        def tradeforge_status(self, change: StatusChanged) -> None:
            seen.append(("status", change))
            raise ValueError("must harm nobody")

    broker = new_broker(plugins=Plugins([Observer()], installed=False))
    await broker.connect()
    await _trading(broker)
    broker.publish(make.TRADE, make.trade())
    assert ("fake", make.trade()) in seen
    assert [kind for kind, _ in seen].count("status") == 3
