"""What the venue confirmed once and refuses after a loss: told, asked for again, and told again."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG

from tradeforge_core import (
    Event,
    Gap,
    MarketDataType,
    MarketTradeEvent,
    RequestTimeout,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    TradeForgeError,
    VenueError,
)
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE, TRADE = MarketDataType.QUOTE, MarketDataType.TRADE
LIVE, SUBSCRIBING = StreamConnectionStatus.LIVE, StreamConnectionStatus.SUBSCRIBING
SUBSCRIBE = "subscribe quote ABC"


class Tens(Backoff):
    """Ten seconds after the first failure, twenty after the second."""

    def delay(self, failures: int) -> float:
        return 10.0 * failures


@pytest.fixture
async def broker(new_broker: Callable[..., "FakeProvider"], clock: ManualClock) -> "FakeProvider":
    """Connected; every connection counts as a steady one, so a loss is mended at once."""
    broker = new_broker(backoff=Tens(steady_after=0, attempts_a_minute=1000))
    await broker.connect()
    return broker


async def _until(events: Subscription[Any], kind: type[Any]) -> Any:
    async with asyncio.timeout(HANG):
        while not isinstance(event := await anext(events), kind):
            pass
    return event


async def test_it_is_an_open_gap_that_ends_with_the_next_confirmation(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    errors: list[TradeForgeError] = []
    broker.on_error(errors.append)
    async with broker.subscribe_market_data("ABC", [QUOTE, TRADE]) as events:
        since = clock.now()
        clock.advance(5)
        venue.refusals[make.QUOTE] = VenueError("not any more")
        venue.link.lose()
        opened = await _until(events, Gap)
        assert (opened.topics, opened.since, opened.until) == ((make.QUOTE,), since, None)
        assert opened.is_open
        assert (await _until(events, Gap)).topics == (make.TRADE,)
        await eventually(lambda: errors)
        assert errors == [venue.refusals[make.QUOTE]]
        broker.publish(make.TRADE, make.trade())
        assert await anext(events) == make.trade()
        assert broker.status is SUBSCRIBING

        clock.advance(10)
        await eventually(lambda: len(errors) == 2)
        assert broker.status is SUBSCRIBING
        del venue.refusals[make.QUOTE]
        clock.advance(19)
        await asyncio.sleep(0)
        assert make.QUOTE not in venue.link.subscribed
        clock.advance(1)
        closed = await anext(events)
        assert isinstance(closed, Gap)
        assert (closed.topics, closed.since, closed.until) == ((make.QUOTE,), since, clock.now())
        assert not closed.is_open
        live = await anext(events)
        assert isinstance(live, StatusChanged)
        assert (live.status, broker.status) == (LIVE, LIVE)
        assert len(venue.links) == 2


async def test_nobody_asks_for_what_nobody_wants_any_more(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]) as events:
        async with broker.subscribe_market_data("ABC", [QUOTE]):
            venue.refusals[make.QUOTE] = VenueError("not any more")
            venue.link.lose()
            await eventually(lambda: venue.count(SUBSCRIBE) == 2)
            await eventually(lambda: make.TRADE in venue.link.subscribed)
            assert broker.status is SUBSCRIBING
        await eventually(lambda: broker.status is LIVE)
        clock.advance(1000)
        broker.publish(make.TRADE, make.trade())
        await _until(events, MarketTradeEvent)
    assert venue.count(SUBSCRIBE) == 2


async def test_who_asks_now_is_told_and_who_relied_on_it_is_too(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    errors: list[TradeForgeError] = []
    broker.on_error(errors.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]) as first:
        venue.may_open.clear()
        venue.refusals[make.QUOTE] = VenueError("not any more")
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2)
        second = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
        await asyncio.sleep(0)
        venue.may_open.set()
        with pytest.raises(VenueError, match="not any more"):
            await second
        assert (await _until(first, Gap)).is_open
        await eventually(lambda: errors)
        del venue.refusals[make.QUOTE]
        await broker.subscribe_market_data("ABC", [QUOTE])  # whoever asks need not wait
        assert not (await _until(first, Gap)).is_open


async def _stand(subscription: Subscription[Any]) -> None:
    await subscription


async def test_a_loss_during_it_makes_the_gap_longer_and_tells_it_no_second_time(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        since = clock.now()
        venue.refusals[make.QUOTE] = VenueError("not any more")
        for count in (2, 3):
            clock.advance(1)
            venue.link.lose()
            await eventually(lambda count=count: venue.count(SUBSCRIBE) == count)  # type: ignore[misc]
            await eventually(lambda: broker.status is SUBSCRIBING)
        del venue.refusals[make.QUOTE]
        clock.advance(100)
        await eventually(lambda: broker.status is LIVE)
        gaps = [event for event in seen if isinstance(event, Gap)]
        assert [(gap.since, gap.until) for gap in gaps] == [(since, None), (since, clock.now())]


async def test_data_in_spite_of_a_refusal_begins_a_new_gap(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]) as events:
        since, hold = clock.now(), venue.hold(make.QUOTE)
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and make.QUOTE in venue.link.began)
        clock.advance(1)
        venue.link.ping()
        venue.link.began[make.QUOTE](clock.now())
        venue.refusals[make.QUOTE] = VenueError("after all not")
        hold.set()
        gaps = [await _until(events, Gap) for _ in range(2)]
        now = clock.now()
        assert [(gap.since, gap.until) for gap in gaps] == [(since, now), (now, None)]


async def test_a_venue_that_does_not_answer_is_asked_over_a_new_connection_whoever_asks(
    new_broker: Callable[..., "FakeProvider"],
    venue: "FakeVenue",
    make: "Make",
    eventually: "Eventually",
) -> None:
    broker = new_broker(timeouts=StreamTimeouts(confirm=0.02))
    await broker.connect()
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.may_open.clear()
        hold = venue.hold(make.QUOTE)
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2)
        asking = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
        await asyncio.sleep(0)
        venue.may_open.set()
        with pytest.raises(RequestTimeout):
            await asking
        await eventually(lambda: len(venue.links) == 3)
        hold.set()
        await eventually(lambda: broker.status is LIVE)
