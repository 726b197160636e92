"""Candles in whole ticks and epoch seconds, and how small ones make large ones."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600


class Row(NamedTuple):
    """A candle; `second` is when it opened. A tuple because there are half a million in a year."""

    second: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def to_second(time: datetime) -> int:
    return (time - EPOCH) // timedelta(seconds=1)


def from_second(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def merge(rows: Iterable[Row], seconds: int) -> Iterator[Row]:
    """One row per bucket of `seconds` since the epoch, from rows in ascending order."""
    for bucket, group in groupby(rows, lambda row: row.second // seconds):
        yield _merge_bucket(bucket * seconds, list(group))


def _merge_bucket(second: int, rows: list[Row]) -> Row:
    return Row(
        second,
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        sum(row.volume for row in rows),
    )
