"""A connection that is made, lost and made again, as its subscribers see it."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG

from tradeforge_core import (
    AuthenticationError,
    Disconnected,
    Event,
    Gap,
    MarketDataType,
    RequestTimeout,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    Topic,
    TradeForgeError,
    VenueError,
)
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make, UntilIdle

QUOTE, TRADE = MarketDataType.QUOTE, MarketDataType.TRADE
IDLE, CONNECTING, SUBSCRIBING, LIVE, RECONNECTING, CLOSED = StreamConnectionStatus


async def _next(subscription: Subscription[Any], count: int) -> list[Event]:
    async with asyncio.timeout(HANG):
        return [await anext(subscription) for _ in range(count)]


def _statuses(events: list[Event]) -> list[StreamConnectionStatus]:
    return [event.status for event in events if isinstance(event, StatusChanged)]


async def test_the_first_connection(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    assert broker.status is IDLE
    async with broker.subscribe_market_data(["ABC"], [QUOTE]) as quotes:
        assert broker.status is LIVE
        broker.publish(make.QUOTE, make.quote(1))
        *changes, quote = await _next(quotes, 4)
        assert _statuses(changes) == [CONNECTING, SUBSCRIBING, LIVE]
        assert quote == make.quote(1)
    assert venue.log == ["open market", "subscribe quote ABC", "unsubscribe quote ABC"]


async def test_each_connection_has_the_next_number(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    changes: list[StatusChanged] = []
    broker.on_status_change(changes.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        for number in (2, 3, 4):
            venue.link.lose()
            await eventually(lambda number=number: len(venue.links) == number)  # type: ignore[misc]
            await eventually(lambda: broker.status is LIVE)
    live = [change.generation for change in changes if change.status is LIVE]
    assert live == [1, 2, 3, 4]
    assert all(
        change.previous is before.status
        for before, change in zip(changes, changes[1:], strict=False)
    )


@pytest.mark.parametrize(
    "error",
    [
        Disconnected("refused", sent=False),
        AuthenticationError("who are you", code=401),
        RequestTimeout("too slow"),
        VenueError("maintenance"),
        ValueError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_of_the_first_contact_is_the_caller_s(
    broker: "FakeProvider",
    venue: "FakeVenue",
    error: Exception,
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    venue.open_errors = [error]
    expected = type(error) if isinstance(error, TradeForgeError) else TradeForgeError
    with pytest.raises(expected, match=str(error)):
        await broker.subscribe_market_data("ABC", [QUOTE])
    await eventually(lambda: broker.status is IDLE)
    assert len(venue.links) == 1
    assert venue.link.closed
    await broker.subscribe_market_data("ABC", [QUOTE])
    assert broker.status is LIVE


async def test_a_failure_after_a_life_is_repaired_without_end(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.open_errors = [Disconnected("still down") for _ in range(50)]
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 52)
        await eventually(lambda: broker.status is LIVE)
        assert all(link.closed for link in venue.links[:-1])


async def test_after_all_is_let_go_the_next_failure_is_a_first_contact_again(
    broker: "FakeProvider", venue: "FakeVenue", until_idle: "UntilIdle"
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        pass
    await until_idle(broker)
    venue.open_errors = [Disconnected("gone")]
    with pytest.raises(Disconnected, match="gone"):
        await broker.subscribe_market_data("ABC", [QUOTE])


async def test_when_nothing_is_wanted_the_connection_ends(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually", until_idle: "UntilIdle"
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)
    await until_idle(broker)
    assert venue.link.closed
    assert venue.readers_ended == 2
    seen.clear()
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        await eventually(lambda: len(seen) >= 3)
        assert not [event for event in seen if isinstance(event, Gap)]


async def test_a_reader_that_just_ends_is_a_loss(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.link.end(None)
        await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)


async def test_a_bug_in_a_link_is_reported_and_survived(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    errors: list[TradeForgeError] = []
    broker.on_error(errors.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.link.end(ValueError("a bug"))
        await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)
        await eventually(lambda: errors)
        assert "the market stream failed: ValueError('a bug')" in str(errors[0])
        assert isinstance(errors[0].__cause__, ValueError)


async def test_a_link_that_cannot_be_made_or_closed_does_not_end_the_stream(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    errors: list[TradeForgeError] = []
    broker.on_error(errors.append)
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.make_error = KeyError("no such url")
        venue.close_error = OSError("cannot close")
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)
        await eventually(lambda: len(errors) == 2)
        venue.close_error = None


async def test_a_connection_that_is_not_made_in_time(
    new_broker: Callable[..., "FakeProvider"], venue: "FakeVenue"
) -> None:
    broker = new_broker(timeouts=StreamTimeouts(connect=0.01))
    await broker.connect()
    venue.may_open.clear()
    with pytest.raises(RequestTimeout, match=r"no connection within 0\.01 s"):
        await broker.subscribe_market_data("ABC", [QUOTE])
    assert venue.link.closed


async def test_the_wait_before_an_attempt_is_the_clock_s(
    new_broker: Callable[..., "FakeProvider"],
    venue: "FakeVenue",
    eventually: "Eventually",
    clock: ManualClock,
) -> None:
    class Fixed(Backoff):
        def delay(self, failures: int) -> float:
            return 10.0 * failures

    broker = new_broker(backoff=Fixed())
    await broker.connect()
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        venue.link.lose()
        await eventually(lambda: broker.status is RECONNECTING and clock._sleepers)
        clock.advance(9)
        assert len(venue.links) == 1
        clock.advance(1)
        await eventually(lambda: broker.status is LIVE)
        clock.advance(31)  # a life long enough to start the count anew
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 3 and broker.status is LIVE)


async def test_the_old_connection_says_nothing_after_the_new_one_began(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    """What a reader still has in hand when its connection ends comes before the next one."""
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.subscribe_market_data("ABC", [TRADE]):
        first = venue.link
        close = first.close

        async def late() -> None:
            broker.publish(make.TRADE, make.trade("1.25"))
            await close()

        first.close = late  # type: ignore[method-assign]
        first.lose()
        await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)
        broker.publish(make.TRADE, make.trade(2))
        await eventually(lambda: make.trade(2) in seen)
    connected = next(
        number
        for number, event in enumerate(seen)
        if isinstance(event, StatusChanged) and (event.generation, event.status) == (2, CONNECTING)
    )
    assert seen.index(make.trade("1.25")) < connected < seen.index(make.trade(2))


async def test_without_a_handler_errors_go_to_the_log(
    broker: "FakeProvider",
    venue: "FakeVenue",
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "tradeforge_core"):
        async with broker.subscribe_market_data("ABC", [QUOTE]):
            venue.link.end(ValueError("a bug"))
            await eventually(lambda: len(venue.links) == 2 and broker.status is LIVE)
    assert "ValueError('a bug')" in caplog.text


async def test_the_status_is_that_of_the_worst_stream(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    async with (
        broker.subscribe_market_data("ABC", [QUOTE]),
        broker.subscribe_market_data("ABC", [MarketDataType.DEPTH]),
    ):
        assert broker.status is LIVE
        venue.may_open.clear()
        venue.links[0].lose()
        await eventually(lambda: broker.status is CONNECTING)
        assert [link.stream for link in venue.links] == ["market", "depth", "market"]
        venue.may_open.set()
        await eventually(lambda: broker.status is LIVE)


def test_topics_sort_whatever_they_are_made_of(make: "Make") -> None:
    assert sorted([make.ORDER, make.QUOTE]) == [make.ORDER, make.QUOTE]
    assert Topic(QUOTE, "ABC") == make.QUOTE
