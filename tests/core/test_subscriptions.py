"""Who wants what of the venue: one subscription there for all who share it here."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG

from tradeforge_core import (
    Disconnected,
    MarketDataType,
    NotFound,
    NotSupported,
    RequestTimeout,
    StreamConnectionStatus,
    SubscriberOverflow,
    Subscription,
    UserDataType,
    VenueError,
)
from tradeforge_core.streams.queue import LIMIT
from tradeforge_core.streams.supervisor import StreamTimeouts

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE, TRADE, DEPTH = MarketDataType.QUOTE, MarketDataType.TRADE, MarketDataType.DEPTH
LIVE, RECONNECTING = StreamConnectionStatus.LIVE, StreamConnectionStatus.RECONNECTING
SUBSCRIBE, UNSUBSCRIBE = "subscribe quote ABC", "unsubscribe quote ABC"


async def _until(subscription: Subscription[Any], wanted: object) -> None:
    async with asyncio.timeout(HANG):
        while await anext(subscription) != wanted:
            pass


async def test_two_subscribers_share_one_subscription_at_the_venue(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]) as first:
        async with broker.subscribe_market_data(["ABC"], [QUOTE]) as second:
            broker.publish(make.QUOTE, make.quote(1))
            await _until(first, make.quote(1))
            await _until(second, make.quote(1))
        assert UNSUBSCRIBE not in venue.log
        broker.publish(make.QUOTE, make.quote(2))
        await _until(first, make.quote(2))
    assert (venue.count(SUBSCRIBE), venue.count(UNSUBSCRIBE)) == (1, 1)


async def test_what_was_awaited_and_what_was_entered_do_not_end_each_other(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    await broker.subscribe_market_data("ABC", [QUOTE])
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        pass
    assert UNSUBSCRIBE not in venue.log
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        await broker.unsubscribe_market_data("ABC", [QUOTE])
        assert UNSUBSCRIBE not in venue.log
    assert venue.count(UNSUBSCRIBE) == 1


async def test_awaiting_twice_is_taken_back_at_once(
    broker: "FakeProvider", venue: "FakeVenue"
) -> None:
    await broker.subscribe_market_data("ABC", [QUOTE])
    await broker.subscribe_market_data("ABC", [QUOTE])
    await broker.unsubscribe_market_data("ABC", [QUOTE])
    await broker.unsubscribe_market_data("ABC", [QUOTE])
    assert (venue.count(SUBSCRIBE), venue.count(UNSUBSCRIBE)) == (1, 1)


async def test_taking_back_what_nobody_wanted_is_harmless(
    broker: "FakeProvider", venue: "FakeVenue"
) -> None:
    await broker.unsubscribe_market_data("ABC", [QUOTE])
    await broker.unsubscribe_user_data("1", [UserDataType.ORDER_UPDATE])
    assert venue.log == []


async def test_only_what_was_asked_for_is_delivered(broker: "FakeProvider", make: "Make") -> None:
    async with (
        broker.subscribe_market_data("ABC", [QUOTE]) as quotes,
        broker.subscribe_market_data("ABC", [TRADE]) as trades,
    ):
        broker.publish(make.OTHER_QUOTE, make.quote(7, "DEF"))
        broker.publish(make.TRADE, make.trade(1))
        broker.publish(make.QUOTE, make.quote(1))
        await _until(quotes, make.quote(1))
        await _until(trades, make.trade(1))
        assert (quotes.conflated, quotes.dropped) == (0, 0)


async def test_user_data(broker: "FakeProvider", venue: "FakeVenue", make: "Make") -> None:
    async with broker.subscribe_user_data("1", [UserDataType.ORDER_UPDATE]) as orders:
        broker.publish(make.ORDER, make.order_update())
        await _until(orders, make.order_update())
    assert venue.log == ["open user", "subscribe order_update 1", "unsubscribe order_update 1"]


async def test_counters_stay_when_the_queue_is_empty(broker: "FakeProvider", make: "Make") -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]) as quotes:
        broker.publish(make.QUOTE, make.quote(1))
        broker.publish(make.QUOTE, make.quote(2))
        await _until(quotes, make.quote(2))
        assert (quotes.conflated, quotes.dropped) == (1, 0)


async def test_a_slow_subscriber_of_orders_is_detached_and_others_are_not(
    broker: "FakeProvider", make: "Make"
) -> None:
    types = [UserDataType.ORDER_UPDATE]
    async with (
        broker.subscribe_user_data("1", types) as slow,
        broker.subscribe_user_data("1", types) as fast,
    ):
        for number in range(LIMIT + 1):
            broker.publish(make.ORDER, make.order_update(str(number)))
            await _until(fast, make.order_update(str(number)))
        with pytest.raises(SubscriberOverflow):
            await anext(slow)


# --- what the venue refuses, or is slow with ---


async def test_a_refusal_is_the_caller_s_and_nothing_is_left(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    venue.refusals[make.QUOTE] = VenueError("no data for you", code=5)
    for _ in range(2):
        with pytest.raises(VenueError, match="no data for you"):
            await broker.subscribe_market_data("ABC", [QUOTE])
    with pytest.raises(VenueError, match="no data for you"):
        async with broker.subscribe_market_data("ABC", [QUOTE]):
            pytest.fail("must not be entered")
    del venue.refusals[make.QUOTE]
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        assert make.QUOTE in venue.link.subscribed
    await eventually(lambda: not venue.link.subscribed)


async def test_a_refusal_of_one_does_not_hurt_the_others(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]) as trades:
        venue.refusals[make.QUOTE] = VenueError("no")
        with pytest.raises(VenueError):
            await broker.subscribe_market_data("ABC", [QUOTE])
        broker.publish(make.TRADE, make.trade())
        await _until(trades, make.trade())
        assert len(venue.links) == 1


async def test_of_two_topics_one_refused_neither_is_kept(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("DEF", [QUOTE]):
        venue.refusals[make.QUOTE] = VenueError("no")
        with pytest.raises(VenueError):
            await broker.subscribe_market_data("ABC", [QUOTE, TRADE])
        await eventually(lambda: venue.link.subscribed == {make.OTHER_QUOTE})


@pytest.mark.parametrize("error", [Disconnected("lost"), ValueError("a bug")])
async def test_a_connection_that_breaks_while_subscribing_is_made_again(
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    eventually: "Eventually",
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]):
        venue.refusals[make.QUOTE] = error
        adding = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
        await eventually(lambda: len(venue.links) > 2)
        assert not adding.done()
        del venue.refusals[make.QUOTE]
        await adding
        await eventually(lambda: venue.link.subscribed == {make.QUOTE, make.TRADE})


async def _stand(subscription: Subscription[Any]) -> None:
    await subscription


async def test_what_is_added_during_an_outage_is_confirmed_after_it(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]):
        venue.may_open.clear()
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 2)
        adding = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not adding.done()
        venue.may_open.set()
        await adding
        assert venue.link.subscribed == {make.QUOTE, make.TRADE}


async def test_what_is_let_go_during_an_outage_is_not_wanted_after_it(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    await broker.subscribe_market_data("ABC", [QUOTE, TRADE])
    venue.may_open.clear()
    venue.link.lose()
    await eventually(lambda: len(venue.links) == 2)
    await broker.unsubscribe_market_data("ABC", [QUOTE])
    venue.may_open.set()
    await eventually(lambda: broker.status is LIVE)
    assert venue.link.subscribed == {make.TRADE}


async def test_one_topic_that_the_venue_is_slow_with_delays_no_other(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    hold = venue.hold(make.QUOTE)
    slow = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await broker.subscribe_market_data("ABC", [TRADE])
    await broker.subscribe_market_data("DEF", [QUOTE])
    await broker.unsubscribe_market_data("DEF", [QUOTE])
    assert not slow.done()
    hold.set()
    await slow
    assert venue.link.subscribed == {make.QUOTE, make.TRADE}


async def test_a_topic_that_is_never_confirmed_hurts_only_who_asked_for_it(
    new_broker: Callable[..., "FakeProvider"], venue: "FakeVenue", make: "Make"
) -> None:
    broker = new_broker(timeouts=StreamTimeouts(confirm=0.02))
    await broker.connect()
    async with broker.subscribe_market_data("ABC", [TRADE]) as trades:
        hold = venue.hold(make.QUOTE)
        with pytest.raises(RequestTimeout):
            await broker.subscribe_market_data("ABC", [QUOTE])
        broker.publish(make.TRADE, make.trade())
        await _until(trades, make.trade())
        hold.set()
        await broker.subscribe_market_data("ABC", [QUOTE])
        assert len(venue.links) == 1


async def test_a_topic_that_is_not_confirmed_again_is_tried_on_a_new_connection(
    new_broker: Callable[..., "FakeProvider"],
    venue: "FakeVenue",
    make: "Make",
    eventually: "Eventually",
) -> None:
    broker = new_broker(timeouts=StreamTimeouts(confirm=0.02))
    await broker.connect()
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        hold = venue.hold(make.QUOTE)
        venue.link.lose()
        await eventually(lambda: len(venue.links) == 3)
        hold.set()
        await eventually(lambda: broker.status is LIVE)


async def test_wanting_again_what_is_just_being_let_go(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    await broker.subscribe_market_data("ABC", [QUOTE, TRADE])
    hold = venue.hold(make.QUOTE)
    leaving = asyncio.create_task(broker.unsubscribe_market_data("ABC", [QUOTE]))
    await eventually(lambda: UNSUBSCRIBE in venue.log)
    coming = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(leaving, coming)
    assert make.QUOTE in venue.link.subscribed
    assert venue.log[-1] == SUBSCRIBE


# --- callers who go away ---


async def test_a_caller_who_goes_leaves_nothing_behind(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    await broker.subscribe_market_data("ABC", [TRADE])
    hold = venue.hold(make.QUOTE)
    for subscription in (_stand, _enter):
        caller = asyncio.create_task(subscription(broker.subscribe_market_data("ABC", [QUOTE])))
        await eventually(lambda: venue.log[-1] == SUBSCRIBE)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        hold.set()
        await eventually(lambda: venue.log[-1] == UNSUBSCRIBE)
        await eventually(lambda: venue.link.subscribed == {make.TRADE})
        hold.clear()
    assert not broker._switchboard._held
    assert set(broker._switchboard._subscribers) == set()


async def _enter(subscription: Subscription[Any]) -> None:
    async with subscription:
        await asyncio.Event().wait()


async def test_a_caller_who_goes_does_not_take_another_s_along(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    hold = venue.hold(make.QUOTE)
    first = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    second = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await eventually(lambda: SUBSCRIBE in venue.log)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    hold.set()
    await second
    await asyncio.sleep(0)
    assert make.QUOTE in venue.link.subscribed
    assert UNSUBSCRIBE not in venue.log


async def test_a_cancelled_reader_unsubscribes(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    seen: list[object] = []

    async def read() -> None:
        async with broker.subscribe_market_data("ABC", [QUOTE]) as quotes:
            async for event in quotes:
                seen.append(event)

    reader = asyncio.create_task(read())
    await eventually(lambda: len(seen) == 3)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert UNSUBSCRIBE in venue.log


async def test_leaving_is_cancelled_and_every_stream_is_let_go(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    """Two connections carry the topics: what is cancelled at the first must reach the second."""
    await broker.subscribe_market_data("DEF", [QUOTE, DEPTH])
    entered, leave = asyncio.Event(), asyncio.Event()

    async def use() -> None:
        async with broker.subscribe_market_data("ABC", [QUOTE, DEPTH]):
            entered.set()
            await leave.wait()

    user = asyncio.create_task(use())
    await entered.wait()
    hold = venue.hold(make.QUOTE)
    leave.set()
    await eventually(lambda: UNSUBSCRIBE in venue.log)
    user.cancel()
    with pytest.raises(asyncio.CancelledError):
        await user
    hold.set()
    await eventually(lambda: "unsubscribe depth ABC" in venue.log)


async def test_who_iterates_over_what_is_taken_back_is_told(
    broker: "FakeProvider", make: "Make"
) -> None:
    """No iterator waits for ever for what nobody sends any more."""
    subscription = await broker.subscribe_market_data("ABC", [QUOTE, TRADE])
    broker.publish(make.TRADE, make.trade(1))
    iterator = aiter(subscription)
    waiting = asyncio.create_task(anext(iterator))
    await asyncio.sleep(0)
    await broker.unsubscribe_market_data("ABC", [QUOTE])
    broker.publish(make.TRADE, make.trade(2))
    assert await waiting == make.trade(2)
    await broker.unsubscribe_market_data("ABC", [TRADE])
    with pytest.raises(Disconnected, match="taken back"):
        await anext(iterator)


# --- mistakes ---


async def test_iterating_before_the_beginning_is_a_mistake(broker: "FakeProvider") -> None:
    subscription = broker.subscribe_market_data("ABC", [QUOTE])
    with pytest.raises(RuntimeError, match="begins by `await` or `async with`"):
        aiter(subscription)
    with pytest.raises(RuntimeError, match="begins by"):
        await anext(subscription)


async def test_iterating_after_the_end_is_a_mistake(broker: "FakeProvider") -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]) as quotes:
        pass
    with pytest.raises(RuntimeError, match="begins by"):
        await anext(quotes)


async def test_entering_one_subscription_twice_is_a_mistake(
    broker: "FakeProvider", venue: "FakeVenue"
) -> None:
    subscription = broker.subscribe_market_data("ABC", [QUOTE])
    async with subscription:
        with pytest.raises(RuntimeError, match="in use already"):
            await subscription.__aenter__()
    assert venue.count(UNSUBSCRIBE) == 1
    async with subscription:
        pass


async def test_two_readers_of_one_subscription_are_a_mistake(broker: "FakeProvider") -> None:
    subscription = await broker.subscribe_market_data("ABC", [QUOTE])
    first = asyncio.create_task(anext(aiter(subscription)))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await anext(subscription)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.mark.parametrize(
    ("subscribe", "error", "said"),
    [
        (lambda b: b.subscribe_market_data([], [QUOTE]), ValueError, "at least one id"),
        (lambda b: b.subscribe_market_data("ABC", []), ValueError, "at least one id"),
        (
            lambda b: b.subscribe_user_data("1", [UserDataType.ACCOUNT_UPDATE]),
            NotSupported,
            "no stream of account_update",
        ),
        (lambda b: b.subscribe_market_data("NONE", [QUOTE]), NotFound, "no contract NONE"),
    ],
    ids=["no key", "no type", "not supported", "not found"],
)
async def test_what_cannot_be_subscribed(
    broker: "FakeProvider",
    venue: "FakeVenue",
    subscribe: Callable[..., Awaitable[object]],
    error: type[Exception],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        await subscribe(broker)
    assert venue.log == []


async def test_a_subscription_needs_a_connection(
    new_broker: Callable[..., "FakeProvider"], venue: "FakeVenue"
) -> None:
    broker = new_broker()
    for subscription in (
        broker.subscribe_market_data("ABC", [QUOTE]),
        broker.subscribe_user_data("1", [UserDataType.ORDER_UPDATE]),
    ):
        with pytest.raises(Disconnected, match="not connected yet"):
            await subscription
    assert venue.log == []


async def test_the_same_topic_named_twice_is_one(broker: "FakeProvider") -> None:
    subscription = broker.subscribe_market_data(["ABC", "ABC"], [QUOTE, QUOTE])
    assert len(subscription.topics) == 1


async def test_topics_of_one_kind_may_come_over_two_connections(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    broker.own_streams[make.OTHER_QUOTE] = "other"
    await broker.subscribe_market_data(["ABC", "DEF"], QUOTE)
    assert {link.stream: link.subscribed for link in venue.links} == {
        "market": {make.QUOTE},
        "other": {make.OTHER_QUOTE},
    }
    venue.links[1].lose()
    await broker.unsubscribe_market_data("ABC", QUOTE)
    assert venue.links[0].subscribed == set()
