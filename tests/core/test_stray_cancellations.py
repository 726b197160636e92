"""A provider whose own work is cancelled somewhere: to a stream that is a fault like any other."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import MarketDataType, StatusChanged, StreamConnectionStatus, TradeForgeError

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE = MarketDataType.QUOTE
STRAY: Any = asyncio.CancelledError("of something that the provider waited for")


async def _live_again(stream: Any) -> None:
    async with asyncio.timeout(5):
        async for event in stream:
            if isinstance(event, StatusChanged) and event.generation == 2:
                if event.status is StreamConnectionStatus.LIVE:
                    return


async def test_a_reader_that_is_cancelled_is_a_connection_that_is_lost(
    broker: "FakeProvider", venue: "FakeVenue"
) -> None:
    async with broker.subscribe_market_data("ABC", QUOTE) as quotes:
        venue.link.end(STRAY)
        await _live_again(quotes)


async def test_a_first_connection_that_is_cancelled_is_told_to_who_asked(
    broker: "FakeProvider", venue: "FakeVenue"
) -> None:
    venue.open_errors.append(STRAY)
    with pytest.raises(TradeForgeError, match="the market stream failed"):
        async with asyncio.timeout(5), broker.subscribe_market_data("ABC", QUOTE):
            pass


async def test_a_later_connection_that_is_cancelled_is_made_again(
    broker: "FakeProvider", venue: "FakeVenue"
) -> None:
    async with broker.subscribe_market_data("ABC", QUOTE) as quotes:
        venue.open_errors.append(STRAY)
        venue.link.lose()
        async with asyncio.timeout(5):
            async for event in quotes:
                if isinstance(event, StatusChanged) and event.generation == 3:
                    if event.status is StreamConnectionStatus.LIVE:
                        break


async def test_a_subscription_that_is_cancelled_is_told_to_who_asked(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    venue.refusals[make.QUOTE] = STRAY
    with pytest.raises(TradeForgeError, match="the market stream failed"):
        async with asyncio.timeout(5), broker.subscribe_market_data("ABC", QUOTE):
            pass


async def test_leaving_is_not_kept_by_it(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    async with broker.subscribe_market_data("ABC", QUOTE):
        venue.link.end(STRAY)
        async with asyncio.timeout(5):
            await broker.disconnect()
    assert broker.status is StreamConnectionStatus.IDLE
