"""What the public sockets tell of the market: a moment after it happened, and in its order."""

from collections import defaultdict
from typing import Any

from attrs import define, field

from tradeforge_bybit.sandbox.candles import Candle, amounts, candles, following, opening
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.lines import Line, Lines, Message
from tradeforge_bybit.sandbox.literals import milliseconds, text
from tradeforge_bybit.sandbox.market_rows import Row, levels, pushed_trade, ticker_row
from tradeforge_bybit.sandbox.venue import Print, Venue
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange import DepthChanged, ExchangeEvent, MarketTrade, QuoteChanged
from tradeforge_testing.exchange.rows import from_second
from tradeforge_testing.sandbox.pacer import Pacer

DEPTHS = (1, 50, 200, 1000)
_MOMENT = 0.02
_AGAIN = 3.0
_CANDLE = 1.0
"""Seconds between two messages of a candle, however much is traded."""
_MOST_TRADES = 1024
_SPOT_TICKER = (
    "symbol",
    "lastPrice",
    "highPrice24h",
    "lowPrice24h",
    "prevPrice24h",
    "volume24h",
    "turnover24h",
    "price24hPcnt",
    "usdIndexPrice",
)
Side = dict[str, str]


@define
class _Told:
    """What was told of an instrument last: the levels at each depth, the ticker, the candles."""

    books: dict[int, tuple[Side, Side]] = field(factory=dict)
    whole: tuple[Side, Side] = ({}, {})
    top_update: int = 0
    top_time: float = 0.0
    ticker: Row = field(factory=dict)
    candles: dict[str, Candle] = field(factory=dict)
    candle_times: dict[str, float] = field(factory=dict)
    trades: list[Print] = field(factory=list)
    is_dirty: bool = False


class MarketFeed:
    def __init__(self, venue: Venue, clock: Clock) -> None:
        self.pacer = Pacer(clock)
        self._venue = venue
        self._clock = clock
        self._lines: dict[str, Lines] = {}
        self._told: defaultdict[str, _Told] = defaultdict(_Told)
        self._changed: set[str] = set()
        venue.settle_books = self.settle

    def serve(self, category: str, lines: Lines) -> None:
        self._lines[category] = lines

    # What happens

    def take(self, event: ExchangeEvent) -> None:
        match event:
            case DepthChanged(instrument_id):
                self._told[instrument_id].is_dirty = True
            case MarketTrade(instrument_id):
                self._keep_print(instrument_id)
            case QuoteChanged(quote):
                instrument_id = quote.instrument_id
            case _:
                return
        if instrument_id not in self._changed:
            self._changed.add(instrument_id)
            self.pacer.put(self.settle, after=_MOMENT)

    def _keep_print(self, instrument_id: str) -> None:
        last = self._venue.last_print(instrument_id)
        if last is not None:
            self._told[instrument_id].trades.append(last)

    def settle(self) -> None:
        """Tell now what is still to be told."""
        changed, self._changed = self._changed, set()
        for instrument_id in sorted(changed):
            self._tell(self._venue.listings[instrument_id], self._told[instrument_id])

    def beat(self) -> None:
        """Tell what does not wait for the market: tops that stand still, candles that end."""
        for category, lines in self._lines.items():
            for topic in sorted(lines.topics()):
                kind, _, rest = topic.partition(".")
                listing = self._venue.listing(category, rest.rpartition(".")[2])
                assert listing is not None  # checked when it was subscribed
                told = self._told[listing.instrument.id]
                if topic == f"orderbook.1.{listing.symbol}":
                    if self._clock.monotonic() - told.top_time >= _AGAIN:
                        self._tell_top(listing, told)
                elif kind == "kline":
                    self._tell_candle(listing, told, topic, rest.partition(".")[0])

    def _tell(self, listing: Listing, told: _Told) -> None:
        topics = self._lines[listing.category].topics()
        trades, told.trades = told.trades, []
        if told.is_dirty:
            told.is_dirty = False
            self._tell_books(listing, told, topics)
        self._tell_trades(listing, trades)
        self._tell_ticker(listing, told, topics)
        for topic in sorted(topics) if trades else ():
            kind, _, rest = topic.partition(".")
            if kind == "kline" and rest.endswith(f".{listing.symbol}"):
                if self._clock.monotonic() - told.candle_times.get(topic, -_CANDLE) >= _CANDLE:
                    self._tell_candle(listing, told, topic, rest.partition(".")[0])

    def begin(self, category: str, line: Line, topic: str) -> None:
        """Tell a new listener how it is now; trades and candles begin with the next one."""
        kind, _, rest = topic.partition(".")
        detail, _, symbol = rest.rpartition(".")
        listing = self._venue.listing(category, symbol)
        assert listing is not None  # checked when it was subscribed
        told = self._told[listing.instrument.id]
        if kind == "orderbook":
            told.books[int(detail)] = self._book(listing, int(detail))
            told.top_update = told.top_update or self._venue.book_numbers(listing).update
            self._say([line], self._book_message(listing, told, int(detail), told.top_update))
        elif kind == "tickers":
            told.ticker = self._ticker(listing)
            self._say([line], self._ticker_message(listing, "snapshot", told.ticker))

    # The book

    def _tell_books(self, listing: Listing, told: _Told, topics: set[str]) -> None:
        whole = self._book(listing, DEPTHS[-1])
        if whole == told.whole:  # what came is gone again
            return
        told.whole = whole
        numbers = self._venue.book_numbers(listing)
        numbers.update += 1
        numbers.sequence = self._venue.serial()
        for depth in DEPTHS[1:]:
            if f"orderbook.{depth}.{listing.symbol}" in topics:
                self._tell_changes(listing, told, depth)
        top = self._book(listing, 1)
        if top != told.books.get(1):
            told.books[1] = top
            told.top_update = numbers.update
            self._tell_top(listing, told)

    def _tell_top(self, listing: Listing, told: _Told) -> None:
        """The same again has the same number."""
        told.top_time = self._clock.monotonic()
        lines = self._wanting(listing, f"orderbook.1.{listing.symbol}")
        if lines:
            told.books[1] = self._book(listing, 1)
            self._say(lines, self._book_message(listing, told, 1, told.top_update))

    def _tell_changes(self, listing: Listing, told: _Told, depth: int) -> None:
        before, now = told.books.get(depth, ({}, {})), self._book(listing, depth)
        told.books[depth] = now
        bids, asks = (_changes(old, new) for old, new in zip(before, now, strict=True))
        topic = f"orderbook.{depth}.{listing.symbol}"
        update = self._venue.book_numbers(listing).update
        data = self._book_data(listing, bids, asks, update)
        self._say(self._wanting(listing, topic), self._book_envelope(topic, "delta", data))

    def _book(self, listing: Listing, depth: int) -> tuple[Side, Side]:
        bids, asks = self._venue.exchange.depth(listing.instrument.id)
        return _side(listing, bids[:depth]), _side(listing, asks[:depth])

    def _book_message(self, listing: Listing, told: _Told, depth: int, update: int) -> Message:
        bids, asks = (_listed(side) for side in told.books[depth])
        if depth > 1:
            update = self._venue.book_numbers(listing).update
        data = self._book_data(listing, bids, asks, update)
        return self._book_envelope(f"orderbook.{depth}.{listing.symbol}", "snapshot", data)

    def _book_data(
        self, listing: Listing, bids: list[list[str]], asks: list[list[str]], update: int
    ) -> Row:
        sequence = self._venue.book_numbers(listing).sequence
        return {"s": listing.symbol, "b": bids, "a": asks, "u": update, "seq": sequence}

    def _book_envelope(self, topic: str, kind: str, data: Row) -> Message:
        now = self._venue.now
        return {"topic": topic, "type": kind, "ts": now, "data": data, "cts": now}

    def restart_book(self, listing: Listing) -> None:
        """Number the book from one again, and tell the whole of it."""
        self.settle()
        self._venue.book_numbers(listing).update = 1
        told = self._told[listing.instrument.id]
        for depth in DEPTHS[1:]:
            told.books[depth] = self._book(listing, depth)
            lines = self._wanting(listing, f"orderbook.{depth}.{listing.symbol}")
            self._say(lines, self._book_message(listing, told, depth, 1))

    def skip_book(self, listing: Listing) -> None:
        """Lose the next change of the book: its number is not told, nor what it was."""
        self.settle()
        self._venue.book_numbers(listing).update += 1

    # Trades, tickers, candles

    def _tell_trades(self, listing: Listing, trades: list[Print]) -> None:
        topic = f"publicTrade.{listing.symbol}"
        lines = self._wanting(listing, topic)
        for start in range(0, len(trades) if lines else 0, _MOST_TRADES):
            rows = [pushed_trade(listing, one) for one in trades[start : start + _MOST_TRADES]]
            message = {"topic": topic, "type": "snapshot", "ts": self._venue.now, "data": rows}
            self._say(lines, message)

    def _tell_ticker(self, listing: Listing, told: _Told, topics: set[str]) -> None:
        """Contracts tell what has changed, spot tells all of it."""
        topic = f"tickers.{listing.symbol}"
        if topic not in topics:
            return
        before, told.ticker = told.ticker, self._ticker(listing)
        changed = {key: one for key, one in told.ticker.items() if before.get(key) != one}
        if not changed:
            return
        is_whole = listing.is_spot or not before
        rows = told.ticker if is_whole else {"symbol": listing.symbol, **changed}
        kind = "snapshot" if is_whole else "delta"
        self._say(self._wanting(listing, topic), self._ticker_message(listing, kind, rows))

    def _ticker(self, listing: Listing) -> Row:
        row = ticker_row(self._venue, listing)
        if listing.is_spot:
            return {key: row[key] for key in _SPOT_TICKER}
        last = self._venue.last_print(listing.instrument.id)
        return {**row, "tickDirection": "ZeroPlusTick" if last is None else last.direction}

    def _ticker_message(self, listing: Listing, kind: str, row: Row) -> Message:
        return {
            "topic": f"tickers.{listing.symbol}",
            "type": kind,
            "data": row,
            "cs": self._venue.book_numbers(listing).sequence,
            "ts": self._venue.now,
        }

    def _tell_candle(self, listing: Listing, told: _Told, topic: str, interval: str) -> None:
        """The one that is open, after the one that has ended if it was not told to be complete."""
        before = told.candles.get(topic)
        start = self._opened(interval) if before is None else before.start
        found = candles(self._venue, listing, interval, start=start, end=None, limit=2)
        ended = [one for one in found if self._is_over(one, interval)]
        rows = [
            self._candle_row(listing, one, interval, confirm=True)
            for one in ended
            if before is not None and before.start == one.start
        ]
        current = [one for one in found if one not in ended]
        if current and current[-1] != before:
            told.candles[topic] = current[-1]
            rows.append(self._candle_row(listing, current[-1], interval, confirm=False))
        elif rows:
            del told.candles[topic]
        if rows:
            told.candle_times[topic] = self._clock.monotonic()
            message = {"topic": topic, "type": "snapshot", "ts": self._venue.now, "data": rows}
            self._say(self._wanting(listing, topic), message)

    def _opened(self, interval: str) -> int:
        """When the candle of now did, in milliseconds."""
        return milliseconds(opening(self._clock.now(), interval))

    def _is_over(self, candle: Candle, interval: str) -> bool:
        return _end(candle, interval) <= milliseconds(self._clock.now())

    def _candle_row(
        self, listing: Listing, candle: Candle, interval: str, *, confirm: bool
    ) -> dict[str, Any]:
        bar = candle.bar
        volume, turnover = amounts(listing, bar)
        return {
            "start": candle.start,
            "end": _end(candle, interval) - 1,
            "interval": interval,
            "open": text(bar.open),
            "close": text(bar.close),
            "high": text(bar.high),
            "low": text(bar.low),
            "volume": text(volume),
            "turnover": text(turnover),
            "confirm": confirm,
            "timestamp": self._venue.now,
        }

    def _wanting(self, listing: Listing, topic: str) -> list[Line]:
        return self._lines[listing.category].wanting(topic)

    def _say(self, lines: list[Line], message: Message) -> None:
        for lines_of in self._lines.values():
            for line in lines_of.everybody():
                if line in lines:
                    lines_of.say(line, message)


def _end(candle: Candle, interval: str) -> int:
    """When the next one opens, in milliseconds."""
    return milliseconds(following(from_second(candle.start // 1000), interval))


def _side(listing: Listing, rows: Any) -> Side:
    return {price: size for price, size in levels(listing, rows)}


def _listed(side: Side) -> list[list[str]]:
    return [[price, size] for price, size in side.items()]


def _changes(before: Side, now: Side) -> list[list[str]]:
    gone = [[price, "0"] for price in before if price not in now]
    return gone + [[price, size] for price, size in now.items() if before.get(price) != size]
