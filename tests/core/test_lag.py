"""Who is late is told so, once, in order, and once more when it is over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import (
    Event,
    Lag,
    MarketDataType,
    Plugins,
    SubscriberOverflow,
    Subscription,
    UserDataType,
    from_json,
    hookimpl,
    to_json,
)
from tradeforge_core.streams.queue import LIMIT
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, Make

TRADE = MarketDataType.TRADE
HALF = LIMIT // 2
NewBroker = Callable[..., "FakeProvider"]
Reader = Subscription[Any]


async def _some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def _read(stream: Reader) -> list[Event]:
    """All that waits, and what is told while it is read."""
    found = []
    while stream._queue:
        found.append(await anext(stream))
    return found


@pytest.fixture
async def trades(broker: "FakeProvider") -> AsyncIterator[Reader]:
    """An iterator whose first events, of the connection, are read."""
    async with broker.subscribe_market_data("ABC", [TRADE]) as stream:
        aiter(stream)
        await _read(stream)
        yield stream


def _fill(broker: "FakeProvider", make: "Make", count: int) -> None:
    for number in range(count):
        broker.publish(make.TRADE, make.trade(number))


def _lags(events: list[Event]) -> list[Lag]:
    return [event for event in events if isinstance(event, Lag)]


def _is_late(broker: "FakeProvider") -> bool:
    return broker.health.subscribers[0].is_late


async def test_a_queue_that_is_half_full_is_told_behind_what_filled_it(
    broker: "FakeProvider", make: "Make", trades: Reader
) -> None:
    _fill(broker, make, HALF)
    await _some_turns()
    _fill(broker, make, 10)
    await _some_turns()
    events = await _read(trades)
    (lag,) = _lags(events)
    assert events.index(lag) == HALF
    assert (lag.subscriber, lag.topics) == ("iterator", trades.topics)
    assert lag.is_open
    assert lag.waiting == HALF


async def test_one_event_less_is_nothing_to_tell(
    broker: "FakeProvider", make: "Make", trades: Reader, clock: ManualClock
) -> None:
    _fill(broker, make, HALF - 1)
    clock.advance(0.25)
    await _some_turns()
    assert not _lags(await _read(trades))


async def test_an_event_that_waits_for_over_a_second_is_told(
    broker: "FakeProvider", make: "Make", trades: Reader, clock: ManualClock
) -> None:
    broker.publish(make.TRADE, make.trade())
    clock.advance(1.0)
    await _some_turns()
    assert len(trades._queue or ()) == 1
    clock.advance(0.25)
    await _some_turns()
    clock.advance(30)
    await _some_turns()
    trade, lag = await _read(trades)
    assert trade == make.trade()
    assert isinstance(lag, Lag)
    assert (lag.age, lag.waiting, lag.is_open) == (1.25, 1, True)


async def test_the_end_is_told_once_and_a_new_lag_anew(
    broker: "FakeProvider", make: "Make", trades: Reader, clock: ManualClock
) -> None:
    told: list[Lag] = []
    for _ in range(2):
        _fill(broker, make, HALF)
        await _some_turns()
        told += _lags(await _read(trades))
        for _ in range(3):
            clock.advance(0.25)
            await _some_turns()
        told += _lags(await _read(trades))
    first, its_end, second, _ = told
    assert [one.is_open for one in told] == [True, False, True, False]
    assert its_end.since == first.since
    assert its_end.until == its_end.received
    assert second.since > first.since


async def test_who_is_nearly_as_late_as_before_has_not_recovered(
    broker: "FakeProvider", make: "Make", trades: Reader, clock: ManualClock
) -> None:
    _fill(broker, make, HALF)
    await _some_turns()
    for _ in range(HALF // 4):
        await anext(trades)
    _fill(broker, make, HALF // 4)
    clock.advance(0.25)
    await _some_turns()
    assert [one.is_open for one in _lags(await _read(trades))] == [True]


async def test_quotes_that_are_replaced_make_nobody_late(
    broker: "FakeProvider", make: "Make", clock: ManualClock
) -> None:
    async with broker.subscribe_market_data("ABC", [MarketDataType.QUOTE]) as stream:
        aiter(stream)
        await _read(stream)
        for number in range(LIMIT * 2):
            broker.publish(make.QUOTE, make.quote(number))
        await _some_turns()
        assert await _read(stream) == [make.quote(LIMIT * 2 - 1)]


async def test_handlers_and_add_ons_get_the_same_object(
    new_broker: NewBroker, make: "Make", eventually: "Eventually"
) -> None:
    watched: list[Event] = []
    handled: list[Event] = []

    class Watcher:
        @hookimpl
        def tradeforge_event(self, event: Event) -> None:
            watched.append(event)

    broker = new_broker(plugins=Plugins([Watcher()], installed=False))
    await broker.connect()
    broker.on_event(handled.append)
    async with broker.subscribe_market_data("ABC", [TRADE]) as stream:
        aiter(stream)
        await _read(stream)
        _fill(broker, make, HALF)
        await _some_turns()
        read = await _read(stream)
        await eventually(lambda: _lags(handled))
    (mine,) = _lags(read)
    assert mine.subscriber == "iterator"  # the handler has caught up by itself
    assert any(one is mine for one in handled)
    assert any(one is mine for one in watched)


async def test_a_handler_that_is_late_hears_it_itself(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    handled: list[Event] = []
    may_go_on = asyncio.Event()

    async def slow(event: Event) -> None:
        await may_go_on.wait()
        handled.append(event)

    broker.on_event(slow)
    await broker.subscribe_market_data("ABC", [TRADE])
    _fill(broker, make, HALF + 5)
    await _some_turns()
    (late,) = (one for one in broker.health.subscribers if one.is_late)
    assert late.name.endswith("slow")
    may_go_on.set()
    await eventually(lambda: _lags(handled))
    assert _lags(handled)[0].subscriber == late.name


async def test_a_warning_never_detaches_whom_it_warns(
    broker: "FakeProvider", make: "Make", clock: ManualClock
) -> None:
    async with broker.subscribe_user_data("1", [UserDataType.ORDER_UPDATE]) as stream:
        aiter(stream)
        await _read(stream)
        for number in range(LIMIT):
            broker.publish(make.ORDER, make.order_update(str(number)))
        await _some_turns()
        clock.advance(2)
        await _some_turns()
        assert len(await _read(stream)) == LIMIT
        assert not stream._queue or not stream._queue.has_ended


async def test_a_subscriber_who_was_detached_is_not_late_any_more(
    broker: "FakeProvider", make: "Make", clock: ManualClock
) -> None:
    async with broker.subscribe_user_data("1", [UserDataType.ORDER_UPDATE]) as stream:
        aiter(stream)
        for number in range(HALF + 10):
            broker.publish(make.ORDER, make.order_update(str(number)))
        await _some_turns()
        assert _is_late(broker)
        for number in range(HALF + 10, 2 * HALF + 20):
            broker.publish(make.ORDER, make.order_update(str(number)))
        clock.advance(0.25)
        await _some_turns()
        assert not _is_late(broker)
        with pytest.raises(SubscriberOverflow):
            await anext(stream)


async def test_it_is_json_and_back(broker: "FakeProvider", make: "Make", trades: Reader) -> None:
    _fill(broker, make, HALF)
    await _some_turns()
    (lag,) = _lags(await _read(trades))
    assert from_json(Event, to_json(lag)) == lag
