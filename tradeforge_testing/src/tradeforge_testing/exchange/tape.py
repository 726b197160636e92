"""What was printed since the market started."""

from bisect import bisect_left

from tradeforge_testing.exchange.rows import HOUR, Row


class Tape:
    """The session's figures and a row for each second and hour with a print, in whole ticks."""

    def __init__(self, ticks: int) -> None:
        self.open = self.high = self.low = self.last = ticks
        self.volume = 0
        self._seconds: list[Row] = []
        self._hours: list[Row] = []

    def record(self, second: int, ticks: int, size: int) -> None:
        self.last = ticks
        self.high = max(self.high, ticks)
        self.low = min(self.low, ticks)
        self.volume += size
        _record(self._seconds, second, ticks, size)
        _record(self._hours, second // HOUR * HOUR, ticks, size)

    def rows(self, start: int, end: int, seconds: int) -> list[Row]:
        """The rows that open from `start` up to, not including, `end`.

        Hours if `seconds` is a multiple of them, or else seconds.
        """
        rows = self._hours if seconds % HOUR == 0 else self._seconds
        return rows[bisect_left(rows, start, key=_second) : bisect_left(rows, end, key=_second)]


def _record(rows: list[Row], second: int, ticks: int, size: int) -> None:
    if not rows or second > rows[-1].second:
        rows.append(Row(second, ticks, ticks, ticks, ticks, size))
        return
    # Also where a clock was set back: rows stay in order, and the print is not lost.
    row = rows[-1]
    high, low = max(row.high, ticks), min(row.low, ticks)
    rows[-1] = Row(row.second, row.open, high, low, ticks, row.volume + size)


def _second(row: Row) -> int:
    return row.second
