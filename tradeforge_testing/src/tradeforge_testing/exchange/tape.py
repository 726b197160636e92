"""What was printed since the market started."""

from bisect import bisect_left

from tradeforge_testing.exchange.rows import Row


class Tape:
    """The session's figures and one row for each second with a print, in whole ticks."""

    def __init__(self, ticks: int) -> None:
        self.open = self.high = self.low = self.last = ticks
        self.volume = 0
        self._rows: list[Row] = []

    def record(self, second: int, ticks: int, size: int) -> None:
        self.last = ticks
        self.high = max(self.high, ticks)
        self.low = min(self.low, ticks)
        self.volume += size
        self._record_row(second, ticks, size)

    def _record_row(self, second: int, ticks: int, size: int) -> None:
        if not self._rows or second > self._rows[-1].second:
            self._rows.append(Row(second, ticks, ticks, ticks, ticks, size))
            return
        # Also where a clock was set back: rows stay in order, and the print is not lost.
        row = self._rows[-1]
        high, low = max(row.high, ticks), min(row.low, ticks)
        self._rows[-1] = Row(row.second, row.open, high, low, ticks, row.volume + size)

    def rows(self, start: int, end: int) -> list[Row]:
        """The rows of the seconds from `start` up to, not including, `end`."""
        first = bisect_left(self._rows, start, key=_second)
        return self._rows[first : bisect_left(self._rows, end, key=_second)]


def _second(row: Row) -> int:
    return row.second
