"""A book whose venue numbers its changes, over real sockets: one is lost, or comes twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.patience import HANG
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tradeforge_core import (
    BookNotLive,
    BookState,
    DepthEvent,
    DepthLevel,
    Disconnected,
    Event,
    Gap,
    GapCause,
    LiveOrderBook,
    MarketDataType,
    StreamConnectionStatus,
    Topic,
)
from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.kit.websocket import WebSocket
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider

pytestmark = pytest.mark.usefixtures("websocket_library")

Message = dict[str, Any]


class NumberedVenue:
    """Speaks JSON: a subscription gets the whole book, and then every change with its number."""

    def __init__(self) -> None:
        self.url = ""
        self.number = 100
        self.bids = {"99": "1", "98": "2"}
        self.subscriptions = 0
        self._lines: set[ServerConnection] = set()

    async def talk(self, line: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in line:
                await self._answer(line, json.loads(text)["op"])

    async def _answer(self, line: ServerConnection, operation: str) -> None:
        self._lines.discard(line)
        await line.send(json.dumps({"op": "done"}))
        if operation == "subscribe":
            self.subscriptions += 1
            await line.send(json.dumps(self._message(self.bids, whole=True)))
            self._lines.add(line)

    def _message(self, bids: dict[str, str], *, whole: bool = False) -> Message:
        return {"number": self.number, "whole": whole, "bids": list(bids.items())}

    async def change(self, price: str, size: str, *, times: int = 1) -> None:
        """Set a bid, and tell it so often: not at all is a loss on the way."""
        self.number += 1
        self.bids[price] = size
        message = json.dumps(self._message({price: size}))
        for line in self._lines:
            for _ in range(times):
                await line.send(message)

    async def cut(self) -> None:
        for line in tuple(self._lines):
            line.transport.abort()
        self._lines.clear()


class NumberedLink(StreamLink):
    """One connection to it."""

    def __init__(self, url: str, publish: Callable[[Topic, Event], None]) -> None:
        self._url = url
        self._publish = publish
        self._clock = SystemClock()
        self._answers: asyncio.Queue[None] = asyncio.Queue()
        self._lost: asyncio.Future[Disconnected] = asyncio.get_running_loop().create_future()
        self._heard_at = self._clock.now()
        self._socket: WebSocket | None = None
        self._began: Began = lambda at: None

    @property
    def heard_at(self) -> datetime:
        return self._heard_at

    async def open(self) -> None:
        self._socket = await WebSocket.open(
            self._url, {}, received=self._take, lost=self._lost.set_result
        )

    async def listen(self) -> None:
        raise await self._lost

    async def subscribe(self, topic: Topic, began: Began) -> None:
        self._began = began  # told where the answer is read: the book comes right behind it
        await self._ask("subscribe")

    async def unsubscribe(self, topic: Topic) -> None:
        self._began = lambda at: None
        await self._ask("unsubscribe")

    async def _ask(self, operation: str) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps({"op": operation}))
        await self._answers.get()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    def _take(self, messages: list[bytes]) -> None:
        self._heard_at = self._clock.now()
        for message in map(json.loads, messages):
            if "op" in message:
                self._began(self._heard_at)
                self._answers.put_nowait(None)
            else:
                self._publish(Topic(MarketDataType.DEPTH, "ABC"), self._event(message))

    def _event(self, message: Message) -> DepthEvent:
        return DepthEvent(
            contract_id="ABC",
            reset=message["whole"],
            bids=tuple(_level(*pair) for pair in message["bids"]),
            asks=(_level("101", "5"),),
            best_bid=None,
            best_ask=None,
            time=None,
            received=self._heard_at,
            sequence=message["number"],
        )


def _level(price: str, size: str) -> DepthLevel:
    return DepthLevel(Decimal(price), Decimal(size))


@pytest.fixture
async def numbered() -> AsyncIterator[NumberedVenue]:
    venue = NumberedVenue()
    async with serve(venue.talk, "127.0.0.1", 0) as server:
        venue.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield venue


@pytest.fixture
async def broker(
    new_broker: Callable[..., "FakeProvider"],
    numbered: NumberedVenue,
    monkeypatch: pytest.MonkeyPatch,
) -> "FakeProvider":
    broker = new_broker(clock=SystemClock(), timeouts=StreamTimeouts(renew=0.2))
    link = lambda stream: NumberedLink(numbered.url, broker.publish)  # noqa: E731
    monkeypatch.setattr(broker.venue, "make_link", link)
    await broker.connect()
    return broker


async def _until(book: LiveOrderBook, reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG):
        while not reached():
            await book.changed()


def _is_right(book: LiveOrderBook, venue: NumberedVenue) -> bool:
    return book.state is BookState.LIVE and book.bids(9) == sorted(
        (_level(price, size) for price, size in venue.bids.items()), reverse=True
    )


async def test_changes_in_their_order_are_followed(
    broker: "FakeProvider", numbered: NumberedVenue
) -> None:
    async with broker.order_book("ABC") as book:
        await book.live()
        for size in range(1, 30):
            await numbered.change("97", str(size))
        await _until(book, lambda: book.sequence == 129)
        assert _is_right(book, numbered)
    assert numbered.subscriptions == 1


async def test_a_number_that_is_missing_is_noticed_and_the_whole_book_is_asked_for(
    broker: "FakeProvider", numbered: NumberedVenue
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    async with broker.order_book("ABC") as book:
        await book.live()
        await numbered.change("99", "7", times=0)
        await numbered.change("98", "3")
        await _until(book, lambda: book.state is not BookState.LIVE)
        assert book.reason in ("change 102 came after 100", "gap: renewed")
        with pytest.raises(BookNotLive):
            book.best_bid()
        assert book.best_bid(stale_ok=True) == _level("99", "1"), "what was known before"
        await _until(book, lambda: book.state is BookState.LIVE)
        assert _is_right(book, numbered)
        assert book.sequence == 102
        assert broker.status is StreamConnectionStatus.LIVE
    assert numbered.subscriptions == 2
    gaps = [event for event in seen if isinstance(event, Gap)]
    assert {gap.cause for gap in gaps} == {GapCause.RENEWED}
    assert not gaps[-1].is_open


async def test_a_change_that_comes_twice_is_one(
    broker: "FakeProvider", numbered: NumberedVenue
) -> None:
    async with broker.order_book("ABC") as book:
        await book.live()
        await numbered.change("99", "7", times=3)
        await numbered.change("97", "4")
        await _until(book, lambda: book.sequence == 102)
        assert _is_right(book, numbered)
    assert numbered.subscriptions == 1


async def test_what_is_lost_again_and_again_is_whole_in_the_end(
    broker: "FakeProvider", numbered: NumberedVenue
) -> None:
    async with broker.order_book("ABC") as book:
        await book.live()
        for size in range(1, 4):
            await numbered.change("99", str(size), times=0)
            await numbered.change("98", str(size))
            await _until(book, lambda: book.state is not BookState.LIVE)
            await _until(book, lambda: book.state is BookState.LIVE)
            assert _is_right(book, numbered)
    assert numbered.subscriptions == 4


async def test_what_changed_while_there_was_no_connection_is_in_the_next_book(
    broker: "FakeProvider", numbered: NumberedVenue
) -> None:
    async with broker.order_book("ABC") as book:
        await book.live()
        await numbered.cut()
        await numbered.change("99", "9")
        await _until(book, lambda: book.state is not BookState.LIVE)
        await _until(book, lambda: book.state is BookState.LIVE)
        assert _is_right(book, numbered)
        assert book.sequence == 101
