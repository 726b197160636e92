"""The prices before the market started, made from the seed when somebody asks for them."""

from collections.abc import Iterator
from random import Random

from tradeforge_testing.exchange.rows import HOUR, Row, merge

_MINUTE = 60
_CHUNK_MINUTES = 24 * 60
_CHUNK = _CHUNK_MINUTES * _MINUTE
_CHUNKS = 365
_KEPT_CHUNKS = 40  # of those made, so that a year of bars does not stay in memory

HISTORY_SECONDS = _CHUNKS * _CHUNK


class History:
    """A year of minutes up to the full minute before the market started.

    Each minute opens where the one before closed, and the last closes at the price where the
    market starts. Counting from the start, every day has a fixed price at its two ends and a
    walk of its own between them, so that any day can be made without the others.
    """

    def __init__(self, *, seed: str, start: int, ticks: int) -> None:
        self.end = start // _MINUTE * _MINUTE
        self._seed = seed
        self._ticks = ticks
        self._step = max(1, ticks // 20_000)
        self._anchors = [ticks]
        self._chunks: dict[int, list[Row]] = {}
        self._hours_of: dict[int, list[Row]] = {}

    def rows(self, start: int, end: int, seconds: int) -> Iterator[Row]:
        """Rows that open from `start` up to, not including, `end`.

        The largest of hours, minutes and seconds of which `seconds` is a multiple; an hour is cut
        in two where one made day ends.
        """
        if seconds % HOUR == 0:
            yield from self._hours(start, end)
            return
        for minute in self._minutes(start // _MINUTE * _MINUTE, end):
            rows = [minute] if seconds % _MINUTE == 0 else self._split(minute)
            yield from (row for row in rows if start <= row.second < end)

    def _minutes(self, start: int, end: int) -> Iterator[Row]:
        for number in self._numbers(start, end):
            yield from (row for row in self._chunk(number) if start <= row.second < end)

    def _hours(self, start: int, end: int) -> Iterator[Row]:
        for number in self._numbers(start, end):
            if number not in self._hours_of:  # kept, since a day of minutes takes long to make
                self._hours_of[number] = list(merge(self._chunk(number), HOUR))
            yield from (row for row in self._hours_of[number] if start <= row.second < end)

    def _numbers(self, start: int, end: int) -> range:
        """The chunks in which the span lies, the oldest first."""
        start = max(start, self.end - HISTORY_SECONDS)
        oldest = (self.end - start - 1) // _CHUNK
        newest = max(0, (self.end - end) // _CHUNK)
        return range(oldest, newest - 1, -1)

    def _chunk(self, number: int) -> list[Row]:
        """The day that ends `number` days before the market started."""
        if number not in self._chunks:
            if len(self._chunks) >= _KEPT_CHUNKS:
                del self._chunks[next(iter(self._chunks))]
            self._chunks[number] = self._make_chunk(number)
        return self._chunks[number]

    def _make_chunk(self, number: int) -> list[Row]:
        random = Random(f"{self._seed}:day:{number}").random
        step, target, price = self._step, self._anchor(number), self._anchor(number + 1)
        second = self.end - (number + 1) * _CHUNK
        rows = []
        for left in range(_CHUNK_MINUTES, 0, -1):
            start = price
            price = target if left == 1 else _walk(price, target, left, step, random())
            high = max(start, price) + int(random() * (step + 1))
            low = max(1, min(start, price) - int(random() * (step + 1)))
            rows.append(Row(second, start, high, low, price, 10 + int(random() * 190)))
            second += _MINUTE
        return rows

    def _anchor(self, number: int) -> int:
        """The price `number` days before the market started."""
        while len(self._anchors) <= number:
            random = Random(f"{self._seed}:anchor:{len(self._anchors)}")
            reach = max(4, self._ticks // 200)
            price = self._anchors[-1] + random.randint(-reach, reach)
            self._anchors.append(max(1, price))
        return self._anchors[number]

    def _split(self, minute: Row) -> list[Row]:
        """Four seconds that make the minute: its open, its two extremes, its close."""
        random = Random(f"{self._seed}:minute:{minute.second}")
        prices = [minute.open, minute.high, minute.low, minute.close]
        seconds = [0, *sorted(random.sample(range(1, _MINUTE - 1), 2)), _MINUTE - 1]
        quarter = minute.volume // 4
        volumes = [quarter, quarter, quarter, minute.volume - 3 * quarter]
        return [
            Row(minute.second + second, price, price, price, price, volume)
            for second, price, volume in zip(seconds, prices, volumes, strict=True)
        ]


def _walk(price: int, target: int, left: int, step: int, chance: float) -> int:
    """One step at random, and one towards the target that grows as the minutes run out."""
    noise = int(chance * (2 * step + 1)) - step
    return max(1, price + noise + int((target - price) / left))
