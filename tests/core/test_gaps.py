"""What is missing after a loss: from when until when it is told, and in which order."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.patience import HANG

from tradeforge_core import (
    Event,
    Gap,
    GapCause,
    MarketDataType,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    Topic,
)
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE, TRADE = MarketDataType.QUOTE, MarketDataType.TRADE
IDLE, CONNECTING, SUBSCRIBING, LIVE, RECONNECTING, CLOSED = StreamConnectionStatus


async def _next(subscription: Subscription[Any], count: int) -> list[Event]:
    async with asyncio.timeout(HANG):
        return [await anext(subscription) for _ in range(count)]


def _statuses(events: list[Event]) -> list[StreamConnectionStatus]:
    return [event.status for event in events if isinstance(event, StatusChanged)]


def _gap(topic: Topic, since: datetime, clock: ManualClock, *, generation: int = 2) -> Gap:
    """The one that is told now."""
    return Gap(
        stream="market",
        cause=GapCause.DISCONNECTED,
        topics=(topic,),
        since=since,
        until=clock.now(),
        generation=generation,
        received=clock.now(),
    )


async def test_a_loss_is_told_in_order_before_anything_new(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", clock: ManualClock
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE, TRADE]) as events:
        await _next(events, 3)
        clock.advance(40)
        venue.link.ping()
        last_heard = clock.now()
        clock.advance(30)
        broker.publish(make.TRADE, make.trade(1))
        venue.may_open.clear()
        venue.link.lose()
        trade, lost, connecting = await _next(events, 3)
        assert trade == make.trade(1)
        assert _statuses([lost, connecting]) == [RECONNECTING, CONNECTING]
        assert isinstance(lost, StatusChanged)
        assert lost.reason == "the line was cut"
        assert broker.status is CONNECTING
        clock.advance(5)
        venue.may_open.set()
        subscribing, *gaps, live = await _next(events, 4)
        assert _statuses([subscribing, live]) == [SUBSCRIBING, LIVE]
        assert gaps == [_gap(topic, last_heard, clock) for topic in (make.QUOTE, make.TRADE)]
    assert venue.links[0].closed


async def test_a_gap_ends_where_the_venue_confirms_its_topic(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE, TRADE]) as events:
        await _next(events, 3)
        since, hold = clock.now(), venue.hold(make.TRADE)
        clock.advance(2)
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and make.QUOTE in venue.link.subscribed)
        quotes = _gap(make.QUOTE, since, clock)
        clock.advance(3)
        hold.set()
        *_, first, second, live = await _next(events, 6)
        assert first == quotes
        assert second == _gap(make.TRADE, since, clock)
        assert _statuses([live]) == [LIVE]


async def test_data_that_comes_before_its_confirmation_comes_after_the_gap(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]) as events:
        await _next(events, 3)
        since, hold = clock.now(), venue.hold(make.TRADE)
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and make.TRADE in venue.link.began)
        clock.advance(3)
        told = _gap(make.TRADE, since, clock)
        venue.link.began[make.TRADE](clock.now())
        broker.publish(make.TRADE, make.trade(2))
        clock.advance(3)
        hold.set()
        *_, gap, trade, live = await _next(events, 6)
        assert (gap, trade) == (told, make.trade(2))
        assert _statuses([live]) == [LIVE]


async def test_a_loss_while_subscribing_leaves_to_each_topic_its_own_holes(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.subscribe_market_data("ABC", [QUOTE, TRADE]):
        first, hold = clock.now(), venue.hold(make.TRADE)
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and make.QUOTE in venue.link.subscribed)
        told = [_gap(make.QUOTE, first, clock)]
        clock.advance(3)
        venue.link.ping()
        second = clock.now()
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 3)
        clock.advance(3)
        hold.set()
        await eventually(lambda: broker.status is LIVE)
        await eventually(lambda: isinstance(seen[-1], StatusChanged) and seen[-1].status is LIVE)
        gaps = [event for event in seen if isinstance(event, Gap)]
        told += [
            _gap(make.QUOTE, second, clock, generation=3),
            _gap(make.TRADE, first, clock, generation=3),
        ]
        assert sorted(gaps, key=str) == sorted(told, key=str)


async def test_who_comes_during_an_outage_has_missed_nothing(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        async with broker.subscribe_market_data("ABC", [TRADE]):
            venue.may_open.clear()
            venue.link.lose()
            await eventually(lambda: len(venue.links) == 2)
        new = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [TRADE])))
        await asyncio.sleep(0)
        venue.may_open.set()
        await new
        await eventually(lambda: isinstance(seen[-1], StatusChanged) and seen[-1].status is LIVE)
        assert [one.topics for one in seen if isinstance(one, Gap)] == [(make.QUOTE,)]


async def _stand(subscription: Subscription[Any]) -> None:
    await subscription
