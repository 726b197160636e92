"""From the messages of a public socket to events: what each channel means, and what was before."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec.structs
from attrs import evolve, field, frozen

from tradeforge_bybit import _checks, _frames, _wire
from tradeforge_bybit._frames import BookRow, CandleRow, Frame, MarketTradeRow
from tradeforge_bybit._mapping import side_of, to_ticker
from tradeforge_core import (
    Bar,
    BarEvent,
    BarSpan,
    DecodeError,
    DepthLevel,
    Event,
    MarketDataType,
    MarketTradeEvent,
    QuoteEvent,
    Ticker,
    TickerEvent,
    Topic,
)
from tradeforge_core.kit import constructors
from tradeforge_core.kit.constructors import Levels

_SNAPSHOT = "snapshot"
_RESTARTED = 1
"""The number of a book that begins anew, whatever the type of its message."""


class Lost(Exception):
    """Changes of the topic's book are missing: only the whole of it can make it right."""


@frozen
class Memory:
    """What outlives a connection: which trades of the market were told already."""

    _trades: dict[str, dict[str, None]] = field(factory=dict)

    def is_new(self, contract_id: str, trade_id: str) -> bool:
        seen = self._trades.setdefault(contract_id, {})
        if trade_id in seen:
            return False
        seen[trade_id] = None
        if len(seen) > _MOST_TRADES:
            del seen[next(iter(seen))]
        return True


_MOST_TRADES = 4096
"""Of a contract; one message has 1024 at most, and what is repeated is repeated soon."""


class MarketReader:
    """Reads the data of one connection. Tickers and books are changes: it knows what was."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._quotes: dict[str, QuoteEvent] = {}
        """By the contract's symbol; all else is by the channel."""
        self._tickers: dict[str, _wire.TickerRow] = {}
        self._numbers: dict[str, int] = {}
        """Of the newest change of each book."""
        self._closed: dict[str, int] = {}
        """When the newest closed bar began."""
        self._readers: Mapping[object, Callable[[Topic, Frame, datetime], Iterable[Event]]] = {
            MarketDataType.QUOTE: self._quote,
            MarketDataType.DEPTH: self._depth,
            MarketDataType.TRADE: self._trades,
            MarketDataType.TICKER: self._ticker,
            MarketDataType.BAR: self._bars,
        }

    def read(self, topic: Topic, frame: Frame, received: datetime) -> Iterable[Event]:
        """The events that a message has for a topic. Raises `DecodeError` and `Lost`."""
        return self._readers[topic.kind](topic, frame, received)

    def forget(self, channel: str) -> None:
        """It begins: what was known before it may be old."""
        self._numbers.pop(channel, None)
        self._closed.pop(channel, None)
        self._tickers.pop(channel, None)
        if channel.startswith("orderbook.1."):
            self._quotes.pop(_symbol(channel), None)

    # --- quotes ---

    def _quote(self, topic: Topic, frame: Frame, received: datetime) -> Iterable[QuoteEvent]:
        before = self._quotes.get(_symbol(frame.topic))
        make = self._with_last if frame.topic.startswith("tickers.") else self._with_book
        made = make(topic, frame, received, before)
        if made is None:
            return ()
        self._quotes[_symbol(frame.topic)] = made
        return (made,)

    def _with_book(
        self, topic: Topic, frame: Frame, received: datetime, before: QuoteEvent | None
    ) -> QuoteEvent | None:
        """None if it is no news: a book that rests is told again every three seconds."""
        row: BookRow = _frames.decode(_book, frame)
        last = None if before is None else before.last
        bid, ask, time = _best(row.b, "b"), _best(row.a, "a"), frame.cts or frame.ts
        is_known = before is not None and (bid, ask) == (before.bid, before.ask)
        if is_known and self._numbers.get(frame.topic) == row.u:
            return None
        self._numbers[frame.topic] = row.u
        return _new_quote(topic.key, bid, ask, last, time, received, row)

    def _with_last(
        self, topic: Topic, frame: Frame, received: datetime, before: QuoteEvent | None
    ) -> QuoteEvent | None:
        """With the last price, which the book does not say; None if it is no news."""
        ticker = self._merge(topic, frame)
        if ticker is None or ticker.last == (None if before is None else before.last):
            return None
        bid, ask = (None, None) if before is None else (before.bid, before.ask)
        return _new_quote(topic.key, bid, ask, ticker.last, frame.ts, received, ticker.raw)

    # --- the book ---

    def _depth(self, topic: Topic, frame: Frame, received: datetime) -> Iterable[Event]:
        row: BookRow = _frames.decode(_book, frame)
        _check_levels(row)
        time = _time(frame.cts or frame.ts, "cts")
        is_whole = frame.type == _SNAPSHOT or row.u == _RESTARTED
        if not is_whole and not self._follows(frame.topic, row.u):
            return ()
        self._numbers[frame.topic] = row.u
        return (
            constructors.new_depth(
                topic.key, is_whole, _levels_of, time, received, row, row.u, _digits_of
            ),
        )

    def _follows(self, channel: str, number: int) -> bool:
        """Whether it is the next change; the last one again is passed over. Raises `Lost`."""
        last = self._numbers.get(channel)
        if last is not None and number == last + 1:
            return True
        if number == last:
            return False
        self._numbers.pop(channel, None)
        raise Lost

    # --- trades ---

    def _trades(self, topic: Topic, frame: Frame, received: datetime) -> list[MarketTradeEvent]:
        rows: list[MarketTradeRow] = _frames.decode(_trade_rows, frame)
        made = [(row.i, _to_trade(topic.key, row, received)) for row in rows]
        return [trade for name, trade in made if self._memory.is_new(topic.key, name)]

    # --- tickers ---

    def _ticker(self, topic: Topic, frame: Frame, received: datetime) -> Iterable[TickerEvent]:
        ticker = self._merge(topic, frame)
        if ticker is None:
            return ()
        return (TickerEvent(ticker=ticker, time=_time(frame.ts, "ts"), received=received),)

    def _merge(self, topic: Topic, frame: Frame) -> Ticker | None:
        """The ticker by now; None for a change of what nobody knows.

        Two topics may read the same message: it changes nothing to merge it twice.
        """
        row: _wire.TickerRow = _frames.decode(_ticker, frame)
        before = row if frame.type == _SNAPSHOT else self._tickers.get(frame.topic)
        if before is None:
            return None
        whole = merged(before, row)
        ticker = to_ticker(topic.key, whole)
        self._tickers[frame.topic] = whole  # once it is known to be understood
        return evolve(ticker, raw=row)

    # --- bars ---

    def _bars(self, topic: Topic, frame: Frame, received: datetime) -> list[BarEvent]:
        """A closed bar does not change: what comes of it later is not passed on."""
        rows: list[CandleRow] = _frames.decode(_candles, frame)
        made = [(row, _to_bar(topic.key, row)) for row in sorted(rows, key=_begins)]
        events = []
        for row, bar in made:
            if row.start <= self._closed.get(frame.topic, -1):
                continue
            if row.confirm:
                self._closed[frame.topic] = row.start
            time = _time(row.timestamp or frame.ts, "timestamp")
            span = topic.span or BarSpan()
            events.append(BarEvent(bar=bar, span=span, time=time, received=received))
        return events


_NO_SESSION = (None,) * 6
"""A market that never closes has no volume, open, high, low and change of a session."""


def merged(before: _wire.TickerRow, row: _wire.TickerRow) -> _wire.TickerRow:
    """The ticker after a change: a member that is not there is as it was, an empty one is none."""
    told = ((name, getattr(row, name)) for name in row.__struct_fields__)
    return msgspec.structs.replace(before, **{name: one for name, one in told if one is not None})


_PLAIN = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")


def _check_levels(row: BookRow) -> None:
    """So that nothing can be wrong with them when somebody looks. Raises `DecodeError`."""
    plain = _PLAIN.fullmatch
    for price, size in (*row.b, *row.a):
        if plain(price) is None or plain(size) is None:
            raise DecodeError("a level of the book is no price and no size", path="$.data")


def _levels_of(row: BookRow) -> Levels:
    return _levels(row.b), _levels(row.a), None, None


def _levels(pairs: list[tuple[str, str]]) -> tuple[DepthLevel, ...]:
    return tuple(DepthLevel(_checks.number(p, "b"), _checks.number(s, "b")) for p, s in pairs)


def _digits_of(row: BookRow) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return row.b, row.a


def _best(side: list[tuple[str, str]], member: str) -> Decimal | None:
    """None for an empty side."""
    return _checks.positive(side[0][0], member) if side else None


def _new_quote(
    contract_id: str,
    bid: Decimal | None,
    ask: Decimal | None,
    last: Decimal | None,
    milliseconds: int | None,
    received: datetime,
    raw: object,
) -> QuoteEvent:
    time = _time(milliseconds, "ts")
    return constructors.new_quote(contract_id, bid, ask, last, *_NO_SESSION, time, received, raw)


def _symbol(channel: str) -> str:
    return channel.rpartition(".")[2]


def _to_trade(contract_id: str, row: MarketTradeRow, received: datetime) -> MarketTradeEvent:
    return constructors.new_market_trade(
        contract_id,
        _checks.number(row.p, "p"),
        _checks.size(row.v, "v"),
        side_of(row.S, "S"),
        _checks.time(row.T, "T"),
        received,
        row,
    )


def _to_bar(contract_id: str, row: CandleRow) -> Bar:
    return Bar(
        contract_id=contract_id,
        time=_checks.time(row.start, "start"),
        open=_checks.number(row.open, "open"),
        high=_checks.number(row.high, "high"),
        low=_checks.number(row.low, "low"),
        close=_checks.number(row.close, "close"),
        volume=_checks.size(row.volume, "volume"),
        partial=not row.confirm,
    )


def _begins(row: CandleRow) -> int:
    return row.start


def _time(milliseconds: int | None, member: str) -> datetime | None:
    return None if milliseconds is None else _checks.time(milliseconds, member)


_book = _frames.decoder(BookRow)
_trade_rows = _frames.decoder(list[MarketTradeRow])
_ticker = _frames.decoder(_wire.TickerRow)
_candles = _frames.decoder(list[CandleRow])
