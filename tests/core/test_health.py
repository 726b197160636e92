"""`provider.health`: at any time, in numbers that are so."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tradeforge_core import (
    DecodeError,
    GapCause,
    Health,
    JournalKind,
    LookUps,
    MarketDataType,
    OrderRequest,
    OrderSafety,
    OrderSide,
    StreamConnectionStatus,
    StreamHealth,
    SubscriberHealth,
    SubscriberOverflow,
    TransportError,
    UserDataType,
    from_json,
    to_json,
)
from tradeforge_core.streams.queue import LIMIT
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

LIVE = StreamConnectionStatus.LIVE
TRADE = MarketDataType.TRADE
NewBroker = Callable[..., "FakeProvider"]


def _stream(broker: "FakeProvider", name: str = "market") -> StreamHealth:
    (found,) = (one for one in broker.health.streams if one.name == name)
    return found


def _subscriber(broker: "FakeProvider", name: str = "iterator") -> SubscriberHealth:
    (found,) = (one for one in broker.health.subscribers if one.name == name)
    return found


async def test_it_can_be_read_before_the_first_connect(new_broker: NewBroker) -> None:
    health = new_broker().health
    assert (health.provider, health.status) == ("fake", StreamConnectionStatus.IDLE)
    assert health.streams == health.subscribers == health.budgets == ()
    assert (health.unknown_outcomes, health.oldest_unknown, health.halted) == (0, 0.0, False)


async def test_and_after_the_last_disconnect(broker: "FakeProvider") -> None:
    broker.on_event(print)
    await broker.subscribe_market_data("ABC", [TRADE])
    await broker.disconnect()
    assert _stream(broker).status is StreamConnectionStatus.CLOSED
    assert _stream(broker).connected_since is _stream(broker).heard_at is None
    assert _subscriber(broker, "handler print").has_ended


async def test_a_live_stream(
    broker: "FakeProvider", venue: "FakeVenue", clock: ManualClock
) -> None:
    began = clock.now()
    await broker.subscribe_market_data("ABC", [TRADE])
    clock.advance(3)
    venue.link.ping()
    clock.advance(4)
    stream = _stream(broker)
    assert (stream.status, stream.generation) == (LIVE, 1)
    assert stream.connected_since == began
    assert stream.heard_at is not None
    assert (clock.now() - stream.heard_at).total_seconds() == 4
    assert (stream.reconnects, stream.gaps, stream.seconds_stale) == (0, {}, 0.0)


async def test_a_stream_that_was_lost_and_came_back(
    broker: "FakeProvider", venue: "FakeVenue", clock: ManualClock, eventually: "Eventually"
) -> None:
    await broker.subscribe_market_data("ABC", [TRADE])
    venue.may_open.clear()
    venue.link.lose()
    await eventually(lambda: venue.count("open market") == 2)
    clock.advance(2)
    assert _stream(broker).status is StreamConnectionStatus.CONNECTING
    assert _stream(broker).connected_since is _stream(broker).heard_at is None
    assert _stream(broker).seconds_stale == 2.0
    venue.may_open.set()
    await eventually(lambda: _stream(broker).status is LIVE)
    clock.advance(5)
    stream = _stream(broker)
    assert (stream.generation, stream.reconnects) == (2, 1)
    assert stream.gaps == {GapCause.DISCONNECTED: 1}
    assert stream.seconds_stale == 2.0


async def test_an_attempt_that_fails_is_no_reconnect(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    await broker.subscribe_market_data("ABC", [TRADE])
    venue.open_errors += [TransportError("no"), TransportError("no")]
    venue.link.lose()
    await eventually(lambda: _stream(broker).generation == 4 and broker.status is LIVE)
    assert _stream(broker).reconnects == 1


async def test_a_subscription_that_waits_to_be_read(
    broker: "FakeProvider", make: "Make", clock: ManualClock
) -> None:
    types = [TRADE, MarketDataType.QUOTE]
    async with broker.subscribe_market_data("ABC", types) as stream:
        aiter(stream)
        while stream._queue:
            await anext(stream)
        broker.publish(make.QUOTE, make.quote(1))
        broker.publish(make.QUOTE, make.quote(2))
        broker.publish(make.TRADE, make.trade())
        clock.advance(0.5)
        one = _subscriber(broker)
        assert (one.topics, one.waiting, one.limit) == (stream.topics, 2, LIMIT)
        assert (one.conflated, one.dropped, one.lag) == (1, 0, 0.5)
        assert not one.has_ended
    assert broker.health.subscribers == ()


async def test_a_subscriber_that_was_detached_is_seen(broker: "FakeProvider", make: "Make") -> None:
    async with broker.subscribe_user_data("1", [UserDataType.ORDER_UPDATE]) as stream:
        for number in range(LIMIT + 1):
            broker.publish(make.ORDER, make.order_update(str(number)))
        assert _subscriber(broker).has_ended
        with pytest.raises(SubscriberOverflow):
            await anext(stream)


async def test_unknown_outcomes_and_their_age(
    new_broker: NewBroker, clock: ManualClock, eventually: "Eventually"
) -> None:
    look_ups = LookUps(deadline=1.0, settle=1e6)
    broker = new_broker(safety=OrderSafety(journal=JournalKind.MEMORY, look_ups=look_ups))
    await broker.connect()
    broker.write_error = TransportError("the answer is lost")
    broker.look_error = TransportError("nothing comes through")
    placing = asyncio.ensure_future(
        broker.place_order(OrderRequest.market("1", "ABC", OrderSide.BUY, 1))
    )
    await eventually(lambda: broker.health.unknown_outcomes == 1)
    before = broker.health.oldest_unknown
    clock.advance(60)
    assert broker.health.oldest_unknown == before + 60
    placing.cancel()
    await broker.disconnect()
    assert broker.health.unknown_outcomes == 0


async def test_a_halt_is_seen(new_broker: NewBroker) -> None:
    broker = new_broker(safety=OrderSafety(journal=JournalKind.MEMORY))
    broker.halt("enough for today")
    assert broker.health.halted
    broker.resume()
    assert not broker.health.halted


async def test_it_is_json_and_back(broker: "FakeProvider", make: "Make") -> None:
    broker.on_event(print)
    async with broker.subscribe_market_data("ABC", [TRADE]):
        broker.publish(make.TRADE, make.trade())
        health = broker.health
        assert from_json(Health, to_json(health)) == health


@pytest.mark.parametrize("lag", ['"1"', "true", "null"])
async def test_what_is_no_number_is_refused(broker: "FakeProvider", lag: str) -> None:
    text = to_json(broker.health).replace('"loop_lag": 0.0', f'"loop_lag": {lag}')
    with pytest.raises(DecodeError, match="loop_lag"):
        from_json(Health, text)
