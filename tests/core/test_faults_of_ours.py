"""A fault in the supervision itself ends every iterator with an error, and nothing in silence."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG

from tradeforge_core import (
    Event,
    MarketDataType,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    TradeForgeError,
    UserDataType,
)
from tradeforge_core.streams.backoff import Backoff

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE, TRADE, DEPTH = MarketDataType.QUOTE, MarketDataType.TRADE, MarketDataType.DEPTH
BUG = ZeroDivisionError("a bug")


class _Broken(Backoff):
    def delay(self, failures: int) -> float:
        raise BUG


@contextmanager
def _fault(venue: "FakeVenue") -> Iterator[None]:
    """The connection is lost, and what the provider then says of it raises."""
    venue.heard_error = BUG
    venue.link.lose()
    try:
        yield
    finally:
        venue.heard_error = None


async def _end_of(stream: Subscription[Any]) -> TradeForgeError:
    """What the iterator ends with."""
    with pytest.raises(TradeForgeError, match="the market stream failed") as ended:
        async with asyncio.timeout(HANG):
            async for _ in stream:
                pass
    assert ended.value.__cause__ is BUG
    return ended.value


async def test_every_iterator_of_the_stream_is_told(
    broker: "FakeProvider", venue: "FakeVenue", eventually: "Eventually"
) -> None:
    errors: list[TradeForgeError] = []
    broker.on_error(errors.append)
    async with (
        broker.subscribe_market_data("ABC", QUOTE) as quotes,
        broker.subscribe_market_data(["ABC", "DEF"], [QUOTE, TRADE]) as others,
    ):
        with _fault(venue):
            assert await _end_of(quotes) is await _end_of(others)
        assert broker.status is StreamConnectionStatus.CLOSED
    await eventually(lambda: errors)
    assert [error.__cause__ for error in errors] == [BUG]
    assert venue.link.closed, "nothing of it stays open"


async def test_the_last_that_is_told_is_that_the_stream_is_closed_and_why(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    changes: list[StatusChanged] = []
    broker.on_status_change(changes.append)
    heard: list[Event] = []
    async with broker.subscribe_market_data("ABC", QUOTE) as quotes:
        with _fault(venue), pytest.raises(TradeForgeError, match="the market stream failed"):
            async with asyncio.timeout(HANG):
                async for event in quotes:
                    heard.append(event)
    await eventually(lambda: changes[-1] == heard[-1])
    assert changes[-1].status is StreamConnectionStatus.CLOSED
    assert changes[-1].topics == (make.QUOTE,)
    assert "ZeroDivisionError('a bug')" in str(changes[-1].reason)


async def test_a_fault_between_two_connections_is_told_too(
    new_broker: Callable[..., "FakeProvider"], venue: "FakeVenue"
) -> None:
    broker = new_broker(backoff=_Broken())
    await broker.connect()
    async with broker.subscribe_market_data("ABC", QUOTE) as quotes:
        venue.link.lose()
        await _end_of(quotes)


async def test_other_streams_go_on(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with (
        broker.subscribe_user_data("1", UserDataType.ORDER_UPDATE) as orders,
        broker.subscribe_market_data("ABC", QUOTE) as quotes,
    ):
        with _fault(venue):
            await _end_of(quotes)
        broker.publish(make.ORDER, make.order_update())
        async with asyncio.timeout(HANG):
            while await anext(orders) != make.order_update():
                pass


async def test_who_waits_for_a_confirmation_is_told(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make", eventually: "Eventually"
) -> None:
    venue.hold(make.OTHER_QUOTE)
    async with broker.subscribe_market_data("ABC", QUOTE):
        waiting = asyncio.ensure_future(_subscribe(broker, "DEF"))
        await eventually(lambda: venue.count("subscribe quote DEF"))
        with _fault(venue), pytest.raises(TradeForgeError, match="the market stream failed"):
            async with asyncio.timeout(HANG):
                await waiting


async def _subscribe(broker: "FakeProvider", contract_id: str) -> None:
    await broker.subscribe_market_data(contract_id, QUOTE)


async def test_a_book_that_keeps_itself_is_told(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.order_book("ABC") as book:
        broker.publish(make.DEPTH, make.depth({"99": 1}, {"101": 1}, reset=True))
        changing = asyncio.ensure_future(book.changed())
        await asyncio.sleep(0)
        with _fault(venue), pytest.raises(TradeForgeError, match="the depth stream failed"):
            async with asyncio.timeout(HANG):
                await changing
                await book.changed()
        assert book.state.value == "stale"


async def test_who_subscribes_anew_has_a_connection_again(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    await broker.subscribe_market_data("ABC", TRADE)  # it stood, and has to be asked for again
    async with broker.subscribe_market_data("ABC", QUOTE) as quotes:
        with _fault(venue):
            await _end_of(quotes)
    async with broker.subscribe_market_data("ABC", [QUOTE, TRADE]) as again:
        assert broker.status is StreamConnectionStatus.LIVE
        broker.publish(make.QUOTE, make.quote(3))
        async with asyncio.timeout(HANG):
            while await anext(again) != make.quote(3):
                pass
    assert len(venue.links) == 2
    assert venue.link.began.keys() == {make.QUOTE, make.TRADE}
