"""The holes in the data over real sockets: where they begin and end, and what comes behind them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import msgspec
from websockets.asyncio.server import ServerConnection, serve

from tradeforge_core import (
    BookState,
    Contract,
    Event,
    Gap,
    MarketDataType,
    MarketTradeEvent,
    OrderBook,
    Settings,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
)
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_topstepx._signalr import HubLimits
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import EventFault, Silence, TopStepXSandbox

E = TypeVar("E")
RS = "\x1e"


async def until(
    events: AsyncIterator[Any], kind: type[E], wanted: Callable[[E], bool] = lambda event: True
) -> E:
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind) and wanted(event):
                return event
    raise AssertionError("an iterator must not just stop")


def lost(change: StatusChanged) -> bool:
    return change.status is StreamConnectionStatus.RECONNECTING


def impatient(sandbox: TopStepXSandbox, **changes: str) -> TopStepXProvider:
    """A provider that comes back fast, and takes half a second of silence for a dead hub."""
    config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings | changes))
    return TopStepXProvider(
        config,
        backoff=Backoff(base=0.01, cap=0.05, attempts_a_minute=1000, random=Random(7)),
        timeouts=StreamTimeouts(connect=0.5),
        hub_limits=HubLimits(server_timeout=0.5, watch_every=0.05),
    )


async def test_a_hub_that_falls_silent_is_missed_from_its_last_word_on(
    sandbox: TopStepXSandbox,
) -> None:
    async with impatient(sandbox) as broker:
        contract = await broker.get_contract_by_symbol("MNQ")
        async with broker.subscribe_market_data(contract.id, [MarketDataType.TRADE]) as trades:
            heard = await until(trades, MarketTradeEvent)
            sandbox.mute_hubs(silence=Silence.EVERYTHING)
            noticed = await until(trades, StatusChanged, lost)
            sandbox.mute_hubs(silence=None)
            gap = await until(trades, Gap)
            assert gap.since is not None
            assert gap.until is not None
            assert heard.received <= gap.since <= noticed.received - timedelta(seconds=0.4)
            behind = await until(trades, MarketTradeEvent)
            assert noticed.received < gap.until <= behind.received


Answer = Callable[[ServerConnection, str], Awaitable[None]]
"""What a hub does with a call of this id."""


@asynccontextmanager
async def hub_that(*answers: Answer) -> AsyncIterator[str]:
    """The address of a hub; each of its connections has the next answer, and the last for good."""
    left = list(answers)

    async def run(connection: ServerConnection) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        await connection.recv()
        await connection.send("{}" + RS)
        async for frame in connection:
            call = msgspec.json.decode(str(frame).removesuffix(RS))
            if call["type"] == 1:
                await answer(connection, call["invocationId"])

    async with serve(run, "127.0.0.1", 0, compression=None) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hubs/market"


def completion(call_id: str, error: str | None = None) -> str:
    record = {"type": 3, "invocationId": call_id} | ({} if error is None else {"error": error})
    return msgspec.json.encode(record).decode() + RS


async def confirm(connection: ServerConnection, call_id: str) -> None:
    await connection.send(completion(call_id))


async def test_data_before_its_confirmation_comes_behind_the_gap(sandbox: TopStepXSandbox) -> None:
    async def confirm_and_go(connection: ServerConnection, call_id: str) -> None:
        await confirm(connection, call_id)
        await connection.close()

    async def data_first(connection: ServerConnection, call_id: str) -> None:
        row = {"price": 1, "volume": 1, "type": 0, "timestamp": "2026-03-02T14:30:00+00:00"}
        trade = {"type": 1, "target": "GatewayTrade", "arguments": [contract.id, [row]]}
        await connection.send(msgspec.json.encode(trade).decode() + RS + completion(call_id))

    async with (
        hub_that(confirm_and_go, data_first) as url,
        impatient(sandbox, TS_MARKET_HUB_URL=url) as broker,
    ):
        contract = await broker.get_contract_by_symbol("MNQ")
        async with broker.subscribe_market_data(contract.id, [MarketDataType.TRADE]) as trades:
            seen: list[Any] = []
            while len(seen) < 2:
                event = await until(trades, object)
                seen += [] if isinstance(event, StatusChanged) else [event]
    gap, trade = seen
    assert isinstance(gap, Gap)
    assert isinstance(trade, MarketTradeEvent)
    assert gap.until == trade.received


async def test_a_subscription_that_the_hub_refuses_again_is_asked_for_until_it_is_not(
    sandbox: TopStepXSandbox,
) -> None:
    errors: list[TradeForgeError] = []
    answers = iter([None, "too busy", "still too busy", None, None])

    async def answer(connection: ServerConnection, call_id: str) -> None:
        error = next(answers)
        await connection.send(completion(call_id, error))

    async def confirm_and_go(connection: ServerConnection, call_id: str) -> None:
        await answer(connection, call_id)
        await connection.close()

    async with (
        hub_that(confirm_and_go, answer) as url,
        impatient(sandbox, TS_MARKET_HUB_URL=url) as broker,
    ):
        broker.on_error(errors.append)
        contract = await broker.get_contract_by_symbol("MNQ")
        subscription = broker.subscribe_market_data(contract.id, [MarketDataType.TRADE])
        async with subscription as trades:
            opened = await until(trades, Gap)
            assert opened.is_open
            assert broker.status is StreamConnectionStatus.SUBSCRIBING
            closed = await until(trades, Gap)
            assert (closed.topics, closed.since) == (opened.topics, opened.since)
            assert not closed.is_open
            live = await until(trades, StatusChanged)
            assert (live.status, live.generation) == (StreamConnectionStatus.LIVE, 2)
    assert [str(error) for error in errors] == [
        "the hub refused: too busy",
        "the hub refused: still too busy",
    ]


async def test_a_book_is_whole_again_after_a_record_that_was_not_understood(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    book, theirs = OrderBook(contract.id), OrderBook(contract.id)
    async with (
        broker.subscribe_market_data(contract.id, [MarketDataType.DEPTH]) as depth,
        broker.subscribe_market_data(contract.id, [MarketDataType.DEPTH]) as other,
    ):
        await follow(depth, book, BookState.LIVE)
        await follow(other, theirs, BookState.LIVE)
        sandbox.fail_events("GatewayDepth", EventFault.MALFORMED)
        for one, of_one in ((depth, book), (other, theirs)):
            await follow(one, of_one, BookState.STALE)
            await follow(one, of_one, BookState.LIVE)
        bids, asks = book.bids(5), book.asks(5)
        assert len(bids) == len(asks) == 5
        assert bids[0].price < asks[0].price
        assert broker.status is StreamConnectionStatus.LIVE


async def test_a_book_is_whole_again_after_its_reader_was_too_slow(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    book = OrderBook(contract.id)
    async with broker.subscribe_market_data(contract.id, [MarketDataType.DEPTH]) as depth:
        await follow(depth, book, BookState.LIVE)
        assert depth._queue is not None
        depth._queue._limit = 5
        async with asyncio.timeout(10):
            while not depth.dropped:  # noqa: ASYNC110  # it is the hub that makes it so
                await asyncio.sleep(0)
        depth._queue._limit = 1000
        await follow(depth, book, BookState.STALE)
        await follow(depth, book, BookState.LIVE)
        assert len(book.bids(5)) == len(book.asks(5)) == 5


async def follow(depth: AsyncIterator[Event], book: OrderBook, state: BookState) -> None:
    """Give the book its events until it is in this state."""
    async with asyncio.timeout(10):
        while book.state is not state:
            book.apply(await anext(depth))
