"""When a market with sessions is open, as far as a table says so with certainty."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from attrs import Factory, field, frozen

from tradeforge_core.errors import NotFound
from tradeforge_core.orders.limits import TradingDay

_DAY = timedelta(days=1)
_SATURDAY = 5


class MarketState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """The table does not say with certainty: an early close, a day that is not in it."""


@frozen(kw_only=True)
class Span:
    """From `opens` up to, and without, `closes`, on the clock of the zone."""

    opens: time
    closes: time
    eve: bool = False
    """Whether `opens` is on the evening before the trading day."""
    state: MarketState = MarketState.OPEN

    def on(self, day: date) -> tuple[datetime, datetime]:
        """Both ends, naive: the clock on the wall is what sessions go by."""
        first = day - _DAY if self.eve else day
        return datetime.combine(first, self.opens), datetime.combine(day, self.closes)


def _check_order(hours: "MarketHours", attribute: object, spans: tuple[Span, ...]) -> None:
    """Raises `ValueError` for spans that no clock goes through in this order."""
    times = [time for span in spans for time in span.on(date(2000, 1, 3))]
    starts_and_ends = list(pairwise(times))
    if any(one >= next_one for one, next_one in starts_and_ends[::2]) or times != sorted(times):
        raise ValueError(
            f"the hours of {hours.name} are not in order: each span ends after it begins and before"
            " the next one, on the same day; `eve` is for what begins on the evening before"
        )


def _check_days(
    hours: "MarketHours", attribute: object, special: Mapping[date, tuple[Span, ...]]
) -> None:
    for spans in special.values():
        _check_order(hours, attribute, spans)


@frozen(kw_only=True)
class MarketHours:
    """The hours of one market. Every time is aware; answers are UTC.

    They are known from `known_from` up to `known_until`: before and after, the state is UNKNOWN,
    and every call but `state` and `is_open` raises `NotFound`. Raises `ValueError` for spans that
    overlap or end before they begin.
    """

    name: str
    day: TradingDay
    """When a trading day begins, and the time zone that all hours are in."""
    first: date
    last: date
    """The trading days that the table is for, both included."""
    ordinary: tuple[Span, ...] = field(validator=_check_order)
    """Of each trading day from Monday to Friday."""
    between: MarketState = MarketState.CLOSED
    """What it is outside of the spans."""
    special: Mapping[date, tuple[Span, ...]] = field(
        default=Factory(dict), validator=_check_days, repr=False
    )
    """Of the days that are not ordinary; none means that the market is closed all day."""

    def state(self, at: datetime) -> MarketState:
        """Whether it is open then: UNKNOWN where the table is not certain."""
        times, states = self._timeline
        return states[bisect_right(times, _aware(at))]

    def is_open(self, at: datetime) -> bool:
        """Whether it is open then with certainty."""
        return self.state(at) is MarketState.OPEN

    def next_open(self, at: datetime) -> datetime:
        """When it opens next, after `at`."""
        return self._next(at, opens=True)

    def next_close(self, at: datetime) -> datetime:
        """When it next ceases to be open with certainty, after `at`."""
        return self._next(at, opens=False)

    def trading_day(self, at: datetime) -> date:
        """The day that `at` counts for: weekends and days without hours count for the next one."""
        self._require_known(at)
        # a day that begins in the evening has the name of the next one
        day = (self.day.began(at).replace(tzinfo=None) + _DAY / 2).date()
        while day <= self.last:
            if self._trades_on(day):
                return day
            day += _DAY
        raise self._unknown(at)

    @property
    def known_from(self) -> datetime:
        return self._beginning(self.first)

    @property
    def known_until(self) -> datetime:
        return self._beginning(self.last + _DAY)

    def _beginning(self, day: date) -> datetime:
        noon = datetime.combine(day, time(12), self.day.tzinfo)
        return self.day.began(noon).astimezone(UTC)

    def _next(self, at: datetime, *, opens: bool) -> datetime:
        self._require_known(at)
        times, states = self._timeline
        for place in range(bisect_right(times, at), len(times)):
            was, becomes = (one is MarketState.OPEN for one in states[place : place + 2])
            if (was, becomes) == (not opens, opens):
                return times[place]
        raise self._unknown(at)

    @cached_property
    def _timeline(self) -> tuple[list[datetime], list[MarketState]]:
        """When the state changes, and the states: the first one is that before the first time."""
        times: list[datetime] = []
        states = [MarketState.UNKNOWN]
        for at, state in self._changes():
            if state is not states[-1]:
                times.append(at)
                states.append(state)
        return times, states

    def _changes(self) -> Iterator[tuple[datetime, MarketState]]:
        """Every beginning of a state; some of them are the one that it has already."""
        reached = self.known_from
        for begins, ends, state in self._pieces():
            if begins > reached:
                yield reached, self.between
            yield begins, state
            reached = ends
        yield reached, self.between
        yield self.known_until, MarketState.UNKNOWN

    def _pieces(self) -> Iterator[tuple[datetime, datetime, MarketState]]:
        zone = self.day.tzinfo
        for number in range((self.last - self.first).days + 1):
            day = self.first + number * _DAY
            for span in self._spans(day):
                begins, ends = (one.replace(tzinfo=zone).astimezone(UTC) for one in span.on(day))
                yield begins, ends, span.state

    def _spans(self, day: date) -> tuple[Span, ...]:
        return self.special.get(day, self.ordinary) if day.weekday() < _SATURDAY else ()

    def _trades_on(self, day: date) -> bool:
        return bool(self._spans(day))

    def _require_known(self, at: datetime) -> None:
        if not self.known_from <= _aware(at) < self.known_until:
            raise self._unknown(at)

    def _unknown(self, at: datetime) -> NotFound:
        return NotFound(
            f"the hours of {self.name} are known for {self.first} to {self.last} only, which"
            f" does not answer for {at}: a newer version may have more"
        )


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: write datetime(..., tzinfo=UTC)")
    return at
