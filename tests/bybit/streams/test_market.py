"""The market of Bybit as its public sockets tell it."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

import pytest
from tests.bybit.streams.socket_venue import (
    SocketVenue,
    book,
    candle,
    candles,
    eventually,
    ticker,
    top,
    trades,
)

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    BarEvent,
    BarSpan,
    BarUnit,
    BookState,
    DepthEvent,
    Event,
    Gap,
    GapCause,
    MarketDataType,
    MarketTradeEvent,
    NotFound,
    NotSupported,
    QuoteEvent,
    RequestTimeout,
    StreamConnectionStatus,
    TickerEvent,
    VenueError,
)

BTC, ETH, SPOT = "linear:BTCUSDT", "linear:ETHUSDT", "spot:BTCUSDT"
QUOTE, DEPTH, TRADE = MarketDataType.QUOTE, MarketDataType.DEPTH, MarketDataType.TRADE
TICKER, BAR = MarketDataType.TICKER, MarketDataType.BAR
BOOK = "orderbook.50.BTCUSDT"

E = TypeVar("E")


def of(kind: type[E], events: Iterable[object]) -> list[E]:
    return [one for one in events if isinstance(one, kind)]


# --- subscribing ---


async def test_what_is_wanted_at_once_is_asked_for_together(
    broker: BybitProvider, sockets: SocketVenue
) -> None:
    await broker.subscribe_market_data([BTC, ETH], [QUOTE, DEPTH, TRADE, BarSpan(size=5)])
    named = sockets.asked("subscribe")
    assert all(len(names) <= 10 for names in named)
    assert sorted(name for names in named for name in names) == sorted(
        name.format(symbol)
        for symbol in ("BTCUSDT", "ETHUSDT")
        for name in ("orderbook.1.{}", "tickers.{}", BOOK.replace("BTCUSDT", "{}"))
        + ("publicTrade.{}", "kline.5.{}")
    )
    assert len(named) <= 2
    numbers = [said["req_id"] for _, said in sockets.requests if said["op"] == "subscribe"]
    assert len(set(numbers)) == len(numbers)
    assert broker.status is StreamConnectionStatus.LIVE


async def test_each_category_has_a_connection_of_its_own(
    broker: BybitProvider, sockets: SocketVenue
) -> None:
    await broker.subscribe_market_data([BTC, SPOT, "inverse:BTCUSD"], TRADE)
    assert sorted(path for path, _ in sockets.lines) == [
        "/public/inverse",
        "/public/linear",
        "/public/spot",
    ]


async def test_a_refusal_is_told_and_harms_nobody_who_asked_at_the_same_time(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    sockets.refused = {BOOK}
    with pytest.raises(VenueError, match="refused to subscribe orderbook.50.BTCUSDT: error:handl"):
        await broker.subscribe_market_data(BTC, [DEPTH, TRADE])
    await broker.subscribe_market_data(BTC, TRADE)
    await sockets.tell(trades(("a", "100", "1")))
    await eventually(lambda: of(MarketTradeEvent, heard))
    assert BOOK not in sockets.channels


async def test_two_kinds_share_a_channel_as_long_as_one_needs_it(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    sockets.snapshots["tickers.BTCUSDT"] = [ticker("snapshot", lastPrice="100", markPrice="99")]
    await broker.subscribe_market_data(BTC, QUOTE)
    await broker.subscribe_market_data(BTC, TICKER)
    assert sum(names.count("tickers.BTCUSDT") for names in sockets.asked("subscribe")) == 1
    await sockets.tell(ticker(markPrice="98"))
    await eventually(lambda: of(TickerEvent, heard))
    assert of(TickerEvent, heard)[-1].ticker.last == 100, "known from before it was wanted"
    await broker.unsubscribe_market_data(BTC, QUOTE)
    assert sockets.channels == {"tickers.BTCUSDT"}
    await broker.unsubscribe_market_data(BTC, TICKER)
    assert sockets.channels == set()


async def test_a_contract_that_there_is_not_is_not_found(
    broker: BybitProvider, sockets: SocketVenue
) -> None:
    with pytest.raises(NotFound):
        await broker.subscribe_market_data("linear:NOPE", QUOTE)
    with pytest.raises(NotSupported, match="no live bars of 7 minute"):
        await broker.subscribe_market_data(BTC, BarSpan(BarUnit.MINUTE, 7))
    assert sockets.requests == []


async def test_a_confirmation_that_does_not_come_is_an_error(
    broker: BybitProvider, sockets: SocketVenue
) -> None:
    await broker.subscribe_market_data(BTC, TRADE)
    sockets.is_mute = True
    subscribing = asyncio.ensure_future(broker.subscribe_market_data(BTC, DEPTH).__aenter__())
    await eventually(lambda: len(sockets.asked("subscribe")) > 1)
    pings = len(sockets.asked("ping"))
    await eventually(lambda: len(sockets.asked("ping")) > pings)
    assert not subscribing.done(), "it must not return before the venue has confirmed"
    sockets.is_mute = False  # pings are answered again: the line is alive, and the answer is lost
    with pytest.raises(RequestTimeout, match="did not answer subscribe in 1 s"):
        await subscribing
    await broker.subscribe_market_data(BTC, DEPTH)
    assert BOOK in sockets.channels


# --- quotes ---


@pytest.mark.parametrize("is_early", [False, True])
async def test_a_quote_is_the_book_of_one_level_with_the_last_price(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event], is_early: bool
) -> None:
    sockets.is_early = is_early
    sockets.snapshots["orderbook.1.BTCUSDT"] = [top(5, "99.5", "100.5")]
    sockets.snapshots["tickers.BTCUSDT"] = [ticker("snapshot", lastPrice="100.0")]
    await broker.subscribe_market_data(BTC, QUOTE)
    await sockets.tell(top(6, "99.6", "100.4"), top(6, "99.6", "100.4"))
    await eventually(
        lambda: of(QuoteEvent, heard)[-1:] and of(QuoteEvent, heard)[-1].bid == Decimal("99.6")
    )
    quote = of(QuoteEvent, heard)[-1]
    assert (quote.bid, quote.ask, quote.last) == (
        Decimal("99.6"),
        Decimal("100.4"),
        Decimal("100.0"),
    )
    assert (quote.contract_id, quote.volume, quote.open) == (BTC, None, None)
    assert quote.time is not None
    assert not of(Gap, heard), "a repeated snapshot is no loss"
    assert [one.bid for one in of(QuoteEvent, heard)].count(quote.bid) == 1, "and no news"


async def test_an_empty_side_of_the_book_is_no_price(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    await broker.subscribe_market_data(BTC, QUOTE)
    channel = "orderbook.1.BTCUSDT"
    await sockets.tell(book(3, [("99", "1")], kind="snapshot", channel=channel))
    await eventually(lambda: of(QuoteEvent, heard))
    assert (of(QuoteEvent, heard)[0].bid, of(QuoteEvent, heard)[0].ask) == (Decimal(99), None)


# --- the book ---


async def test_a_book_follows_its_changes(broker: BybitProvider, sockets: SocketVenue) -> None:
    sockets.snapshots[BOOK] = [book(7, [("99", "1"), ("98", "2")], [("101", "3")], kind="snapshot")]
    async with broker.order_book(BTC) as kept:
        await kept.live()
        await sockets.tell(book(8, [("98", "0"), ("97.5", "4")]), book(9, [], [("100.5", "1")]))
        await eventually(lambda: kept.sequence == 9)
        assert [str(one.price) for one in kept.bids(9)] == ["99", "97.5"]
        assert [str(one.price) for one in kept.asks(9)] == ["100.5", "101"]
        await sockets.tell(book(1, [("50", "1")], [("51", "1")]))
        await eventually(lambda: kept.sequence == 1)
        assert [str(one.price) for one in kept.bids(9)] == ["50"], "the count began anew"
        await sockets.tell(book(2, [("50.5", "1")]), book(2, [("50.5", "1")]))
        await eventually(lambda: kept.sequence == 2)
        await sockets.tell(book(40, [("60", "1")], [("61", "1")], kind="snapshot"))
        await eventually(lambda: kept.sequence == 40)
        assert kept.state is BookState.LIVE
    assert len(sockets.asked("subscribe")) == 1


@pytest.mark.parametrize("after", [9, 6, 20])
async def test_a_gap_has_that_book_alone_subscribed_anew(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event], after: int
) -> None:
    await broker.subscribe_market_data(BTC, [DEPTH, TRADE])
    sockets.snapshots[BOOK] = [book(100, [("99", "7")], [("101", "1")], kind="snapshot")]
    await sockets.tell(book(7, [("99", "1")], [("101", "1")], kind="snapshot"))
    await sockets.tell(book(after, [("98", "1")]), book(after + 1, [("97", "1")]))
    await eventually(lambda: [one for one in of(DepthEvent, heard) if one.sequence == 100])
    assert [one.sequence for one in of(DepthEvent, heard)] == [7, 100], "nothing behind the loss"
    async with broker.order_book(BTC) as kept:
        await eventually(lambda: kept.sequence == 100)
        assert [(str(one.price), one.size) for one in kept.bids(9)] == [("99", 7)]
    assert sockets.asked("unsubscribe")[0] == [BOOK]
    assert {one.cause for one in of(Gap, heard)} == {GapCause.RENEWED}
    assert {one.topics[0].kind for one in of(Gap, heard)} == {DEPTH}
    assert {path for path, _ in sockets.lines} == {"/public/linear"}
    assert broker.health.streams[0].generation == 1, "nobody else lost anything"


async def test_a_crossed_book_is_asked_for_again(
    broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.snapshots[BOOK] = [book(7, [("99", "1")], [("101", "3")], kind="snapshot")]
    async with broker.order_book(BTC) as kept:
        await kept.live()
        await sockets.tell(book(8, [("102", "1")]))
        await eventually(lambda: len(sockets.asked("unsubscribe")) == 1)
        await eventually(lambda: kept.state is BookState.LIVE)
        assert str(kept.best_bid()) == "DepthLevel(price=Decimal('99'), size=Decimal('1'))"


# --- trades, tickers, bars ---


async def test_trades_come_oldest_first_and_once(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    await broker.subscribe_market_data(BTC, TRADE)
    await sockets.tell(trades(("a", "100", "1"), ("b", "100.5", "0.001")))
    await sockets.tell(trades(("b", "100.5", "0.001"), ("c", "101", "2")))
    await eventually(lambda: len(of(MarketTradeEvent, heard)) == 3)
    sockets.cut()
    await eventually(lambda: len(sockets.asked("subscribe")) == 2 and sockets.channels)
    await sockets.tell(trades(("c", "101", "2"), ("d", "102", "2")))
    await eventually(lambda: len(of(MarketTradeEvent, heard)) == 4)
    assert [str(one.price) for one in of(MarketTradeEvent, heard)] == ["100", "100.5", "101", "102"]


async def test_a_change_of_a_ticker_leaves_the_rest_as_it_was(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    sockets.snapshots["tickers.BTCUSDT"] = [
        ticker("snapshot", lastPrice="100", fundingRate="0.0001", openInterest="5", indexPrice="99")
    ]
    await broker.subscribe_market_data(BTC, TICKER)
    await sockets.tell(ticker(fundingRate="-0.0002", indexPrice=""))
    await eventually(lambda: len(of(TickerEvent, heard)) == 2)
    found = of(TickerEvent, heard)[-1].ticker
    assert (found.last, found.funding_rate, found.open_interest) == (100, Decimal("-0.0002"), 5)
    assert (found.index, found.bid) == (None, None)


async def test_a_change_of_a_ticker_that_nobody_knows_is_not_told(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    await broker.subscribe_market_data(BTC, TICKER)
    await sockets.tell(ticker(markPrice="1"), ticker("snapshot", lastPrice="2"))
    await eventually(lambda: of(TickerEvent, heard))
    (told,) = of(TickerEvent, heard)
    assert (told.ticker.last, told.ticker.mark) == (2, None)


async def test_the_closing_bar_and_the_new_one_in_one_message(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    await broker.subscribe_market_data(BTC, BAR)
    await sockets.tell(candles(candle(0, "101")))
    await sockets.tell(candles(candle(1, "102"), candle(0, "101.5", confirm=True)))
    await sockets.tell(candles(candle(0, "99", confirm=True)), candles(candle(1, "103")))
    await eventually(lambda: of(BarEvent, heard) and of(BarEvent, heard)[-1].bar.close == 103)
    told = [(str(one.bar.close), one.bar.partial) for one in of(BarEvent, heard)]
    assert ("101.5", False) in told
    assert not {one for one in told if one[0] == "99"}, "a closed bar does not change"
    assert of(BarEvent, heard)[0].span == BarSpan()


# --- what goes wrong ---


async def test_a_message_that_is_not_understood_is_left_out_and_told(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    errors: list[object] = []
    broker.on_error(errors.append)
    await broker.subscribe_market_data(BTC, [TRADE, BAR])
    await sockets.tell(
        "{", '{"id":"7","data":[]}', trades(("a", "1e5", "x")), trades(("b", "100", "1"))
    )
    await eventually(lambda: of(MarketTradeEvent, heard) and len(errors) == 3)
    gaps = of(Gap, heard)
    assert [one.cause for one in gaps] == [GapCause.DECODE_ERROR] * 3
    assert [len(one.topics) for one in gaps] == [2, 2, 1]
    assert broker.status is StreamConnectionStatus.LIVE


async def test_a_silent_venue_is_given_up_and_pings_are_no_silence(
    broker: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    await broker.subscribe_market_data(BTC, TRADE)
    await eventually(lambda: len(sockets.asked("ping")) > 5)
    assert not of(Gap, heard), "whoever answers pings is alive"
    sockets.is_mute = True
    await eventually(lambda: broker.status is not StreamConnectionStatus.LIVE)
    sockets.is_mute = False
    await eventually(lambda: of(Gap, heard))
    (gap,) = of(Gap, heard)
    assert gap.cause is GapCause.DISCONNECTED
    await eventually(lambda: broker.status is StreamConnectionStatus.LIVE)


async def test_what_a_connection_holds_is_bounded_as_the_venue_wants_it(
    broker: BybitProvider, sockets: SocketVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeforge_bybit._links.MOST_LETTERS", 30)
    await broker.subscribe_market_data(BTC, TRADE)
    with pytest.raises(VenueError, match="takes 30 letters .* it would be 39"):
        await broker.subscribe_market_data(BTC, DEPTH)
