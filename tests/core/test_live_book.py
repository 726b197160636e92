"""The book that keeps itself: it follows, asks for the whole of it, and ends with a reason."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import pytest
from tests.patience import HANG

from tradeforge_core import (
    BookNotLive,
    BookState,
    DepthLevel,
    Disconnected,
    MarketDataType,
    NotSupported,
    VenueError,
)

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

SUBSCRIBE, UNSUBSCRIBE = "subscribe depth ABC", "unsubscribe depth ABC"


async def test_it_follows_without_being_read(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    async with broker.order_book("ABC") as book:
        assert book.state is BookState.STALE
        waiting = asyncio.create_task(book.live())
        await asyncio.sleep(0)
        broker.publish(make.DEPTH, make.depth({"1": 1}, {"3": 1}, reset=True))
        broker.publish(make.DEPTH, make.depth({"2": 5}))
        assert book.best_bid() == DepthLevel(Decimal(2), Decimal(5))
        async with asyncio.timeout(HANG):
            await waiting
    assert make.DEPTH not in venue.link.subscribed
    with pytest.raises(BookNotLive, match="it was left"):
        book.best_bid()


async def test_every_waiter_hears_of_a_change(broker: "FakeProvider", make: "Make") -> None:
    async with broker.order_book("ABC") as book:
        waiting = [asyncio.create_task(book.changed()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        broker.publish(make.DEPTH, make.depth({"1": 1}, reset=True))
        async with asyncio.timeout(HANG):
            await asyncio.gather(*waiting[1:])
        assert not book._waiters


@pytest.mark.parametrize("broken", ["crossed", "crossed from the start", "a number is missing"])
async def test_it_asks_for_the_whole_of_it_alone(
    broken: str,
    broker: "FakeProvider",
    venue: "FakeVenue",
    make: "Make",
    eventually: "Eventually",
) -> None:
    async with broker.order_book("ABC") as book, broker.order_book("DEF"):
        whole = make.depth({"1": 1}, {"3": 1}, reset=True)
        events = {
            "crossed": [whole, make.depth({"3": 1})],
            "crossed from the start": [make.depth({"3": 1}, {"3": 1}, reset=True)],
            "a number is missing": [
                attrs.evolve(whole, sequence=4),
                attrs.evolve(make.depth({"2": 1}), sequence=6),
            ],
        }[broken]
        for event in events:
            broker.publish(make.DEPTH, event)
        assert book.state is BookState.STALE
        await eventually(lambda: venue.count(SUBSCRIBE) == 2)
        await eventually(lambda: book.state is BookState.RESYNCING)
        assert (venue.count(UNSUBSCRIBE), venue.count("unsubscribe depth DEF")) == (1, 0)
        broker.publish(make.DEPTH, whole)
        assert book.spread() == 2


async def test_disconnecting_ends_the_waiting_with_the_reason(
    broker: "FakeProvider", make: "Make"
) -> None:
    async with broker.order_book("ABC") as book:
        waiting = asyncio.create_task(book.changed())
        await asyncio.sleep(0)
        await broker.disconnect()
        await waiting  # the end of the stream was a change
        for wait in (book.changed, book.live):
            with pytest.raises(Disconnected):
                await wait()
        assert book.state is BookState.STALE


async def test_it_can_be_used_again_but_not_twice_at_once(
    broker: "FakeProvider", make: "Make"
) -> None:
    book = broker.order_book("ABC")
    for _ in range(2):
        async with book:
            with pytest.raises(RuntimeError, match="in use already"):
                await book.__aenter__()
            assert book.state is BookState.STALE
            broker.publish(make.DEPTH, make.depth({"1": 1}, reset=True))
            assert book.best_bid() is not None


async def test_a_refused_book_leaves_nothing_behind(
    broker: "FakeProvider", venue: "FakeVenue", make: "Make"
) -> None:
    venue.refusals[make.DEPTH] = VenueError("no")
    with pytest.raises(VenueError):
        await broker.order_book("ABC").__aenter__()
    assert not broker._switchboard._subscribers


async def test_without_depth_nothing_leaves(
    broker: "FakeProvider", venue: "FakeVenue", monkeypatch: pytest.MonkeyPatch
) -> None:
    able = attrs.evolve(broker.capabilities, market_data=frozenset({MarketDataType.QUOTE}))
    monkeypatch.setattr(type(broker), "capabilities", able)
    with pytest.raises(NotSupported):
        broker.order_book("ABC")
    assert not venue.log


async def test_nobody_waits_for_ever_for_a_book_that_was_left(
    broker: "FakeProvider", make: "Make"
) -> None:
    async with broker.order_book("ABC") as book:
        broker.publish(make.DEPTH, make.depth({"1": 1}, {"3": 1}, reset=True))
        waiting = [asyncio.create_task(one()) for one in (book.changed, book.changed)]
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        for task in waiting:
            with pytest.raises(Disconnected, match="it was left"):
                await task
        with pytest.raises(Disconnected, match="it was left"):
            await book.live()
    async with broker.order_book("ABC") as again:
        broker.publish(make.DEPTH, make.depth({"1": 1}, {"3": 1}, reset=True))
        await again.live()


async def test_nobody_waits_for_ever_for_a_book_that_has_not_begun(broker: "FakeProvider") -> None:
    book = broker.order_book("ABC")
    with pytest.raises(Disconnected, match="it begins by `async with`"):
        async with asyncio.timeout(5):
            await book.changed()


async def test_a_book_can_be_used_again(broker: "FakeProvider", make: "Make") -> None:
    book = broker.order_book("ABC")
    for _ in range(2):
        async with book:
            waiting = asyncio.create_task(book.live())
            await asyncio.sleep(0)
            broker.publish(make.DEPTH, make.depth({"1": 1}, {"3": 1}, reset=True))
            async with asyncio.timeout(5):
                await waiting
