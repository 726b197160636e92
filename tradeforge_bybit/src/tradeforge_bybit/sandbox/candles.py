"""Candles of every interval, made of the bars that the exchange has."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from attrs import evolve, frozen

from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.literals import milliseconds, text
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_testing.exchange import Bar
from tradeforge_testing.exchange.rows import EPOCH

_DAY = 86_400
INTERVALS: Mapping[str, int] = {
    **{str(minutes): 60 * minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": _DAY,
    "W": 7 * _DAY,
    "M": 31 * _DAY,
}
"""In seconds; a month has at most so many."""
_EARLIEST = timedelta(days=365)


@frozen(kw_only=True)
class Candle:
    """`start` in milliseconds."""

    start: int
    bar: Bar


def opening(time: datetime, interval: str) -> datetime:
    """When the candle opens that the moment is in: weeks on Monday, months on the first."""
    if interval == "M":
        return time.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if interval == "W":
        midnight = time.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=midnight.weekday())
    span = timedelta(seconds=INTERVALS[interval])
    return time - (time - EPOCH) % span


def following(start: datetime, interval: str) -> datetime:
    """When the next candle opens."""
    if interval == "M":
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(seconds=INTERVALS[interval])


def candles(
    venue: Venue,
    listing: Listing,
    interval: str,
    *,
    start: int | None,
    end: int | None,
    limit: int,
) -> list[Candle]:
    """At most `limit`, ascending: the first from `start` on, or the last before `end`."""
    now = venue.clock.now()
    last = now if end is None else min(_time(end), now)
    span = timedelta(seconds=INTERVALS[interval])
    if start is None:
        first = last - span * limit
    else:
        first = max(_time(start), now - _EARLIEST)
        if end is None:
            last = min(last, first + span * limit)
    first = max(first, now - _EARLIEST)
    if last < first:
        return []
    made = _made(venue, listing, interval, first, last)
    found = [one for one in made if one.start >= milliseconds(first)]
    return found[:limit] if start is not None and end is None else found[-limit:]


def _made(
    venue: Venue, listing: Listing, interval: str, first: datetime, last: datetime
) -> list[Candle]:
    """Those that open from `first` up to `last`, which is included."""
    seconds = _DAY if interval in ("W", "M") else INTERVALS[interval]
    begin = opening(first, interval)
    count = int((last - begin) / timedelta(seconds=seconds)) + 2
    bars = venue.exchange.bars(
        listing.instrument.id,
        start=begin,
        end=last + timedelta(seconds=1),
        seconds=seconds,
        limit=count,
    )
    merged: dict[datetime, Bar] = {}
    for bar in bars:
        at = opening(bar.time.astimezone(UTC), interval)
        merged[at] = _joined(merged[at], bar) if at in merged else bar
    return [Candle(start=milliseconds(at), bar=bar) for at, bar in merged.items()]


def _joined(one: Bar, two: Bar) -> Bar:
    return evolve(
        one,
        high=max(one.high, two.high),
        low=min(one.low, two.low),
        close=two.close,
        volume=one.volume + two.volume,
    )


def _time(moment: int) -> datetime:
    return EPOCH + timedelta(milliseconds=moment)


def amounts(listing: Listing, bar: Bar) -> tuple[Decimal, Decimal]:
    """Volume and turnover: what is counted, and what it was worth."""
    middle = (bar.high + bar.low) / 2
    value = listing.instrument.value(bar.volume, middle)
    return listing.instrument.to_size(bar.volume), value.quantize(Decimal("0.0001"))


def row_of(listing: Listing, candle: Candle) -> list[str]:
    """As `kline` has it."""
    bar = candle.bar
    volume, turnover = amounts(listing, bar)
    numbers = (bar.open, bar.high, bar.low, bar.close, volume, turnover)
    return [str(candle.start), *map(text, numbers)]
