"""The market of one instrument: its book, its tape, its history, and what of it is public."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from random import Random

from attrs import frozen

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.book import Book
from tradeforge_testing.exchange.crowd import Crowd
from tradeforge_testing.exchange.events import DepthChanged, QuoteChanged
from tradeforge_testing.exchange.history import History
from tradeforge_testing.exchange.records import Bar, Instrument, Level, Quote
from tradeforge_testing.exchange.rows import Row, from_second, merge, to_second
from tradeforge_testing.exchange.stops import Stops
from tradeforge_testing.exchange.tape import Tape

_SIDES = (OrderSide.BUY, OrderSide.SELL)
_CENT = Decimal("0.01")
_MINUTE = 60


@frozen
class _Top:
    """What a quote is made of, in whole ticks."""

    bid: int
    ask: int
    last: int
    volume: int


class Market:
    def __init__(self, instrument: Instrument, *, seed: int, now: datetime) -> None:
        name, ticks = f"{seed}:{instrument.id}", instrument.to_ticks(instrument.start_price)
        self.instrument = instrument
        self.book = Book()
        self.stops = Stops()
        self.takers: list[int] = []
        """Orders that take what the book offers as soon as it offers something, oldest first."""
        self.due: list[int] = []
        """Entries whose legs are to follow their fills, oldest first."""
        self.crowd = Crowd(self.book, Random(f"{name}:live"), ticks, instrument.liquidity)
        self.tape = Tape(ticks)
        self._history = History(seed=name, start=to_second(now), ticks=ticks)
        self._shown = self._levels()
        self._top = self._make_top()
        self.quote = self._make_quote(now)

    def rests(self, order_id: int) -> bool:
        """Whether the order waits in the book or for its trigger."""
        return order_id in self.book or order_id in self.stops

    @property
    def has_last(self) -> bool:
        """Whether it has ever traded."""
        return not self.instrument.newly_listed or self.tape.volume > 0

    # What is public

    def publish(self, now: datetime) -> list[DepthChanged | QuoteChanged]:
        """What changed in the book since the last call; levels that are gone come first."""
        events: list[DepthChanged | QuoteChanged] = [*self._publish_depth(now)]
        top = self._make_top()
        if top != self._top:
            self._top = top
            self.quote = self._make_quote(now)
            events.append(QuoteChanged(self.quote))
        return events

    def _publish_depth(self, now: datetime) -> list[DepthChanged]:
        levels, shown = self._levels(), self._shown
        self._shown = levels
        gone = [
            self._level_event(side, ticks, 0, now)
            for side in _SIDES
            for ticks in shown[side]
            if ticks not in levels[side]
        ]
        return gone + [
            self._level_event(side, ticks, size, now)
            for side in _SIDES
            for ticks, size in levels[side].items()
            if shown[side].get(ticks) != size
        ]

    def _level_event(self, side: OrderSide, ticks: int, size: int, now: datetime) -> DepthChanged:
        price = self.instrument.to_price(ticks)
        return DepthChanged(self.instrument.id, side, price, size, now)

    def _levels(self) -> dict[OrderSide, dict[int, int]]:
        return {side: self.book.levels(side) for side in _SIDES}

    def depth(self) -> tuple[list[Level], list[Level]]:
        bids, asks = (sorted(self.book.levels(side).items()) for side in _SIDES)
        return self._to_levels(bids[::-1]), self._to_levels(asks)

    def _to_levels(self, sizes: list[tuple[int, int]]) -> list[Level]:
        return [Level(self.instrument.to_price(ticks), size) for ticks, size in sizes]

    # The quote

    def bid(self) -> int:
        """The best bid, or where it would be if there is none."""
        best, ask = self.book.best(OrderSide.BUY), self.book.best(OrderSide.SELL)
        if best is not None:
            return best
        return min(self.tape.last, ask or self.tape.last) - 1

    def ask(self) -> int:
        """The best ask, or where it would be if there is none."""
        best, bid = self.book.best(OrderSide.SELL), self.book.best(OrderSide.BUY)
        if best is not None:
            return best
        return max(self.tape.last, bid or self.tape.last) + 1

    def _make_top(self) -> _Top:
        return _Top(self.bid(), self.ask(), self.tape.last, self.tape.volume)

    def _make_quote(self, now: datetime) -> Quote:
        price, tape = self.instrument.to_price, self.tape
        change = tape.last - tape.open
        return Quote(
            instrument_id=self.instrument.id,
            bid=price(self._top.bid),
            ask=price(self._top.ask),
            last=price(tape.last),
            volume=tape.volume,
            open=price(tape.open),
            high=price(tape.high),
            low=price(tape.low),
            change=price(change),
            change_percent=round(Fraction(change * 10_000, tape.open)) * _CENT,
            time=now,
        )

    # Where it would trade

    def heading(self, ticks: int) -> OrderSide:
        """The side of the taker that brings the market to that price."""
        return OrderSide.SELL if ticks <= self.bid() else OrderSide.BUY

    def next_station(self, side: OrderSide, target: int) -> int:
        """The first price on the way to the target where a user's order waits, or the target."""
        order, stop = self.book.best_of_users(side.opposite), self.stops.next_trigger(side)
        stations = [target, *(each for each in (order, stop) if each is not None)]
        # A trigger may lie behind the quote already; the way goes forward from the quote only.
        if side is OrderSide.BUY:
            return max(min(stations), self.bid() + 1)
        return min(max(stations), self.ask() - 1)

    # Bars

    def bars(self, start: int, end: int, seconds: int, limit: int) -> list[Bar]:
        """The newest `limit` bars that open from `start` up to, not including, `end`."""
        start = -(-start // seconds) * seconds
        end = -(-end // seconds) * seconds
        # History has rows in every minute, so going back further than this cannot be needed.
        enough = min(self._history.end, end) - (limit + 1) * max(seconds, _MINUTE)
        history = self._past(max(start, enough // seconds * seconds), end, seconds)
        rows = merge(chain(history, self.tape.rows(start, end, seconds)), seconds)
        return [self._to_bar(row) for row in list(rows)[-limit:]]

    def _past(self, start: int, end: int, seconds: int) -> Iterable[Row]:
        """The rows from before the market started."""
        if self.instrument.newly_listed:
            return ()
        return self._history.rows(start, end, seconds)

    def _to_bar(self, row: Row) -> Bar:
        price = self.instrument.to_price
        return Bar(
            time=from_second(row.second),
            open=price(row.open),
            high=price(row.high),
            low=price(row.low),
            close=price(row.close),
            volume=row.volume,
        )
