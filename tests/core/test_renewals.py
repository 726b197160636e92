"""A book that lost some changes: the venue is asked for the whole of it, and not too often."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG

from tradeforge_core import (
    BookState,
    DepthEvent,
    Event,
    Gap,
    GapCause,
    MarketDataType,
    OrderBook,
    StreamConnectionStatus,
    Subscription,
    Topic,
    VenueError,
)
from tradeforge_core.streams.queue import LIMIT
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

DEPTH, TRADE = MarketDataType.DEPTH, MarketDataType.TRADE
SUBSCRIBE, UNSUBSCRIBE = "subscribe depth ABC", "unsubscribe depth ABC"
LIVE, SUBSCRIBING = StreamConnectionStatus.LIVE, StreamConnectionStatus.SUBSCRIBING


@pytest.fixture
def book() -> OrderBook:
    return OrderBook("ABC")


async def _until(events: Subscription[Any], kind: type[Any]) -> Any:
    async with asyncio.timeout(HANG):
        while not isinstance(event := await anext(events), kind):
            pass
    return event


def _lose_a_record(broker: "FakeProvider", *topics: Topic) -> None:
    gap = Gap(
        stream="depth", cause=GapCause.DECODE_ERROR, topics=topics, received=broker._clock.now()
    )
    broker._switchboard.publish_health(gap, topics)


async def _settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


async def test_a_message_that_was_not_understood_is_followed_by_a_whole_book(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", clock: ManualClock, book: OrderBook
) -> None:
    async with broker.subscribe_market_data("ABC", [DEPTH]) as depth:
        broker.publish(make.DEPTH, make.depth({"1": 1}, reset=True))
        book.apply(await _until(depth, DepthEvent))
        since = clock.now()
        clock.advance(1)
        _lose_a_record(broker, make.DEPTH)
        hold = venue.hold(make.DEPTH)
        told = [await _until(depth, Gap) for _ in range(2)]
        assert [gap.cause for gap in told] == [GapCause.DECODE_ERROR, GapCause.RENEWED]
        assert (told[1].topics, told[1].since, told[1].until) == ((make.DEPTH,), since, None)
        clock.advance(1)
        hold.set()
        closed = await _until(depth, Gap)
        assert (closed.cause, closed.since, closed.until) == (GapCause.RENEWED, since, clock.now())
        for event in (*told, closed):
            book.apply(event)
            assert book.state is not BookState.LIVE
        broker.publish(make.DEPTH, make.depth({"2": 1}, reset=True))
        book.apply(await _until(depth, DepthEvent))
        assert book.state is BookState.LIVE
        assert venue.log[1:] == [SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBE]
        assert broker.status is LIVE


async def test_a_slow_subscriber_gets_a_whole_book_and_so_do_the_others(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.subscribe_market_data("ABC", [DEPTH]) as slow:
        for _ in range(LIMIT + 1):
            broker.publish(make.DEPTH, make.depth({"1": 1}))
        await eventually(lambda: venue.count(SUBSCRIBE) == 2)
        causes = [(await _until(slow, Gap)).cause for _ in range(3)]
        assert causes == [GapCause.OVERFLOW, GapCause.RENEWED, GapCause.RENEWED]

        def renewed() -> list[bool]:
            gaps = (one for one in seen if isinstance(one, Gap))
            return [gap.is_open for gap in gaps if gap.cause is GapCause.RENEWED]

        await eventually(lambda: renewed() == [True, False])


async def test_a_slow_handler_gets_a_whole_book(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    may_go_on = asyncio.Event()

    @broker.on_event
    async def slow(event: Event) -> None:
        await may_go_on.wait()

    await broker.subscribe_market_data("ABC", [DEPTH])
    for _ in range(LIMIT + 1):
        broker.publish(make.DEPTH, make.depth({"1": 1}))
    await eventually(lambda: venue.count(SUBSCRIBE) == 2)
    may_go_on.set()


async def test_who_comes_later_gets_a_whole_book_too(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("ABC", [DEPTH]):
        await _settle()
        assert (venue.count(SUBSCRIBE), venue.count(UNSUBSCRIBE)) == (1, 0)
        async with broker.subscribe_market_data("ABC", [DEPTH]) as second:
            await eventually(lambda: venue.count(SUBSCRIBE) == 2)
            broker.publish(make.DEPTH, make.depth({"2": 1}, reset=True))
            assert (await _until(second, DepthEvent)).reset


async def test_only_books_are_asked_for_anew(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE, MarketDataType.QUOTE]):
        _lose_a_record(broker, make.TRADE, make.QUOTE, make.DEPTH)
        await _settle()
        assert not [line for line in venue.log if line.startswith("unsubscribe")]


async def test_it_is_no_storm(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    async with broker.subscribe_market_data("ABC", [DEPTH]):
        hold = venue.hold(make.DEPTH)
        for _ in range(100):
            _lose_a_record(broker, make.DEPTH)
            await asyncio.sleep(0)
        assert (venue.count(UNSUBSCRIBE), venue.count(SUBSCRIBE)) == (1, 1)
        hold.set()
        await eventually(lambda: venue.count(SUBSCRIBE) == 2)
        _lose_a_record(broker, make.DEPTH)
        await _settle()
        clock.advance(9)
        await _settle()
        assert (venue.count(UNSUBSCRIBE), venue.count(SUBSCRIBE)) == (1, 2)
        clock.advance(1)
        await eventually(lambda: venue.count(SUBSCRIBE) == 3)
        clock.advance(100)
        await _settle()
        assert (venue.count(UNSUBSCRIBE), venue.count(SUBSCRIBE)) == (2, 3)


async def test_what_is_lost_before_the_confirmation_is_asked_for_after_it(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    hold = venue.hold(make.DEPTH)
    subscription = broker.subscribe_market_data("ABC", [DEPTH])
    adding = asyncio.create_task(subscription.__aenter__())
    await eventually(lambda: SUBSCRIBE in venue.log)
    _lose_a_record(broker, make.DEPTH)
    hold.set()
    await adding
    await eventually(lambda: venue.count(SUBSCRIBE) == 2)
    await subscription.__aexit__()


async def test_a_book_that_the_venue_refuses_anew_is_not_live(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    errors: list[Exception] = []
    broker.on_error(errors.append)
    async with broker.subscribe_market_data("ABC", [DEPTH]) as depth:
        venue.refusals[make.DEPTH] = VenueError("not any more")
        _lose_a_record(broker, make.DEPTH)
        await eventually(lambda: errors and broker.status is SUBSCRIBING)
        del venue.refusals[make.DEPTH]
        await eventually(lambda: broker.status is LIVE)
        gaps = [await _until(depth, Gap) for _ in range(3)]
        assert [gap.is_open for gap in gaps] == [False, True, False]
        assert len(venue.links) == 1


async def test_a_new_connection_brings_a_whole_book_anyway(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("ABC", [DEPTH]) as depth:
        venue.hold(make.DEPTH)
        _lose_a_record(broker, make.DEPTH)
        await eventually(lambda: UNSUBSCRIBE in venue.log)
        _lose_a_record(broker, make.DEPTH)
        venue.holds.clear()
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)
        await _settle()
        assert venue.count(SUBSCRIBE) == 2
        gaps = [await _until(depth, Gap) for _ in range(4)]
        assert gaps[-1].cause is GapCause.DISCONNECTED
        assert not gaps[-1].is_open


async def test_what_nobody_wants_any_more_is_not_asked_for_anew(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.subscribe_market_data("DEF", [DEPTH]):
        async with broker.subscribe_market_data("ABC", [DEPTH]):
            hold = venue.hold(make.DEPTH)
            _lose_a_record(broker, make.DEPTH)
            await _settle()
            hold.set()
        _lose_a_record(broker, make.DEPTH)
        await _settle()
        assert venue.count(SUBSCRIBE) == venue.count(UNSUBSCRIBE)
        assert make.DEPTH not in venue.link.subscribed
