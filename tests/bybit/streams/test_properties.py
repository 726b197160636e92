"""What holds of tickers, books and messages of Bybit, whatever comes and however damaged it is."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.bybit.streams.socket_venue import book, candle, candles, private, ticker, top, trades
from tests.bybit.streams.test_account import fill_row, order_row, position_row

from tradeforge_bybit import _frames, _mapping
from tradeforge_bybit._account_events import AccountReader
from tradeforge_bybit._market_events import Lost, MarketReader
from tradeforge_core import (
    BookState,
    DecodeError,
    DepthEvent,
    Event,
    MarketDataType,
    OrderBook,
    Ticker,
    TickerEvent,
    Topic,
    UserDataType,
)
from tradeforge_testing.fuzzing import fuzz

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BTC = "linear:BTCUSDT"
CASES = 3_000
_ALLOWED = (DecodeError, Lost)
MEMBERS = ("lastPrice", "markPrice", "fundingRate", "openInterest", "bid1Size", "volume24h")
FIGURES = ("last", "mark", "funding_rate", "open_interest", "bid_size", "volume_24h")

texts = st.decimals(min_value=Decimal("0.01"), max_value=10**6, places=2).map(str)
changes = st.dictionaries(st.sampled_from(MEMBERS), texts | st.just(""))


def read(reader: MarketReader, kind: MarketDataType, message: Any) -> list[Event]:
    frame = _frames.read(json.dumps(message).encode())
    return list(reader.read(Topic(kind, BTC), frame, NOW))


@given(changes, st.lists(changes, max_size=8))
def test_a_ticker_is_what_was_told_last_of_each_figure(
    first: dict[str, str], more: list[dict[str, str]]
) -> None:
    reader, known = MarketReader(), dict(first)
    (told,) = read(reader, MarketDataType.TICKER, ticker("snapshot", **first))
    for change in more:
        known |= change
        (told,) = read(reader, MarketDataType.TICKER, ticker(**change))
    assert isinstance(told, TickerEvent)
    for member, figure in zip(MEMBERS, FIGURES, strict=True):
        text = known.get(member)
        assert getattr(told.ticker, figure) == (Decimal(text) if text else None)
    assert told.ticker == Ticker(
        contract_id=BTC, **{name: getattr(told.ticker, name) for name in FIGURES}
    )


prices = st.integers(1, 40)
level_changes = st.lists(
    st.tuples(st.booleans(), prices, st.integers(0, 3)), min_size=1, max_size=5
)


@given(st.lists(level_changes, max_size=20), st.sets(st.integers(0, 19), max_size=3))
def test_a_book_is_the_venue_s_or_says_that_it_is_not(
    steps: list[list[tuple[bool, int, int]]], dropped: set[int]
) -> None:
    """Bids are at 1 to 40 and asks at 101 to 140: it never crosses."""
    reader, kept = MarketReader(), OrderBook(BTC)
    true: dict[bool, dict[int, int]] = {True: {}, False: {}}
    for event in read(reader, MarketDataType.DEPTH, book(5, kind="snapshot")):
        kept.apply(event)
    is_whole = True
    for number, step in enumerate(steps):
        rows: dict[bool, dict[int, int]] = {True: {}, False: {}}
        for is_bid, price, size in step:
            rows[is_bid][price if is_bid else 100 + price] = size
        for is_bid in (True, False):
            true[is_bid] |= rows[is_bid]
        if number in dropped:
            is_whole = False
            continue
        message = book(6 + number, _rows(rows[True]), _rows(rows[False]))
        try:
            for event in read(reader, MarketDataType.DEPTH, message):
                assert is_whole, "a change was passed on behind a loss"
                kept.apply(event)
        except Lost:
            assert not is_whole
    if is_whole:
        assert kept.state is BookState.LIVE
        bids = [(int(one.price), int(one.size)) for one in kept.bids(99)]
        assert bids == sorted(((p, s) for p, s in true[True].items() if s), reverse=True)
        asks = [(int(one.price), int(one.size)) for one in kept.asks(99)]
        assert asks == sorted((p, s) for p, s in true[False].items() if s)


def _rows(levels: dict[int, int]) -> list[tuple[str, str]]:
    return [(str(price), str(size)) for price, size in levels.items()]


MARKET = {
    MarketDataType.QUOTE: [top(5, "99.5", "100.5"), ticker("snapshot", lastPrice="100.25")],
    MarketDataType.DEPTH: [
        book(7, [("99", "1"), ("98", "2")], [("101", "3")], kind="snapshot"),
        book(1, [("99", "0")], [("101.5", "3")]),
    ],
    MarketDataType.TRADE: [trades(("a", "100", "1"), ("b", "100.5", "0.001"))],
    MarketDataType.TICKER: [
        ticker("snapshot", lastPrice="100", fundingRate="-0.0001", nextFundingTime="1700000000000")
    ],
    MarketDataType.BAR: [candles(candle(0, "101", confirm=True), candle(1, "102"))],
}
ACCOUNT = {
    UserDataType.ORDER_UPDATE: [private("order", order_row("New"), order_row("Filled"))],
    UserDataType.USER_TRADE: [private("execution", fill_row(), fill_row("e-2"))],
    UserDataType.POSITION_UPDATE: [private("position", position_row("2", 10, positionIdx=1))],
    UserDataType.ACCOUNT_UPDATE: [
        private("wallet", {"totalWalletBalance": "1000.25", "coin": [{"coin": "USDT"}]})
    ],
}


def test_damaged_messages_of_the_market_are_events_or_a_named_error() -> None:
    for kind, messages in MARKET.items():

        def take(message: bytes, kind: MarketDataType = kind) -> Iterable[Event]:
            events = MarketReader().read(Topic(kind, BTC), _frames.read(message), NOW)
            for event in events:
                if isinstance(event, DepthEvent):
                    assert event.bids is not None, "its levels can be made"
            return events

        found = fuzz(take, messages, cases=CASES, seed=7, may_raise=_ALLOWED)
        assert found.understood > 0
        assert found.refused > 0


def test_damaged_messages_of_the_account_are_events_or_a_named_error() -> None:
    for kind, messages in ACCOUNT.items():

        def take(message: bytes, kind: UserDataType = kind) -> Iterable[Event]:
            reader = AccountReader(
                "7", lambda row: _mapping.to_account(row, "7", simulated=True, may_trade=True)
            )
            return list(reader.read(Topic(kind, "7"), _frames.read(message), NOW))

        found = fuzz(take, messages, cases=CASES, seed=7, may_raise=_ALLOWED)
        assert found.understood > 0
        assert found.refused > 0
