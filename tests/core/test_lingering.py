"""A connection that nothing is wanted of is kept for a while: who comes back soon finds it open."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import (
    Disconnected,
    MarketDataType,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
)
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE = MarketDataType.QUOTE
IDLE, LIVE = StreamConnectionStatus.IDLE, StreamConnectionStatus.LIVE


async def _use(broker: "FakeProvider") -> None:
    async with broker.subscribe_market_data("ABC", [QUOTE]):
        assert broker.status is LIVE


async def _stand(subscription: Subscription[Any]) -> None:
    await subscription


async def _settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


async def test_one_subscription_after_the_other_shares_a_connection(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    changes: list[StatusChanged] = []
    broker.on_status_change(changes.append)
    for _ in range(5):
        await _use(broker)
    assert venue.count("subscribe quote ABC") == venue.count("unsubscribe quote ABC") == 5
    assert venue.count("open market") == 1
    await eventually(lambda: len(changes) == 3)
    assert (changes[-1].status, broker.status) == (LIVE, LIVE)


async def test_it_ends_when_nobody_has_come_back(
    broker: "FakeProvider", venue: "FakeVenue", clock: ManualClock, eventually: "Eventually"
) -> None:
    changes: list[StatusChanged] = []
    broker.on_status_change(changes.append)
    await _use(broker)
    await _settle()
    clock.advance(4)
    await _settle()
    await _use(broker)
    await _settle()
    clock.advance(4)
    await _settle()
    assert (broker.status, venue.link.closed) == (LIVE, False)
    clock.advance(1)
    await eventually(lambda: venue.link.closed and broker.status is IDLE)
    await eventually(lambda: changes[-1].status is IDLE)
    assert (changes[-1].reason, changes[-1].topics) == ("nothing is subscribed", ())
    assert venue.count("open market") == 1


async def test_disconnecting_does_not_wait_for_it(
    broker: "FakeProvider", venue: "FakeVenue", clock: ManualClock
) -> None:
    await _use(broker)
    await _settle()
    await broker.disconnect()
    assert venue.link.closed
    assert broker.status is IDLE


async def test_one_that_is_lost_is_not_made_again(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    changes: list[StatusChanged] = []
    broker.on_status_change(changes.append)
    await _use(broker)
    venue.link.lose()
    await eventually(lambda: broker.status is IDLE)
    assert len(venue.links) == 1
    await _use(broker)
    assert [change.status for change in changes].count(StreamConnectionStatus.RECONNECTING) == 0


async def test_who_comes_when_it_is_being_lost_gets_another_one(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    await _use(broker)
    hold = venue.hold(make.QUOTE)
    coming = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await eventually(lambda: venue.count("subscribe quote ABC") == 2)
    venue.link.lose()
    hold.set()
    await coming
    assert len(venue.links) == 2
    assert broker.status is LIVE


async def test_and_is_told_when_that_cannot_be_made(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    await _use(broker)
    venue.hold(make.QUOTE)
    venue.open_errors = [Disconnected("gone")]
    coming = asyncio.create_task(_stand(broker.subscribe_market_data("ABC", [QUOTE])))
    await eventually(lambda: venue.count("subscribe quote ABC") == 2)
    venue.link.lose()
    with pytest.raises(Disconnected, match="gone"):
        await coming
    await eventually(lambda: broker.status is IDLE)
