"""A clock that stands still until it is told to move."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


class ManualClock:
    """A `Clock` for tests: `advance` moves it and wakes the sleepers whose time has come.

    It begins at `start`, an aware time, by default on a Monday at 14:30 UTC.
    """

    def __init__(self, start: datetime = _START) -> None:
        if start.tzinfo is None:
            raise ValueError(f"{start} has no time zone: write datetime(..., tzinfo=UTC)")
        self._start = start.astimezone(UTC)
        self._elapsed = timedelta()
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []
        self._naps = 0

    def now(self) -> datetime:
        return self._start + self._elapsed

    def monotonic(self) -> float:
        """The seconds it was advanced by in all."""
        return self._elapsed.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was advanced by `seconds`; at once if that is not above zero."""
        until = self._elapsed + timedelta(seconds=seconds)
        if until <= self._elapsed:
            return await asyncio.sleep(0)
        waked = asyncio.get_running_loop().create_future()
        self._naps += 1
        heapq.heappush(self._sleepers, (until, self._naps, waked))
        await waked

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` in one go; sleepers wake in the order of their deadlines."""
        if seconds < 0:
            raise ValueError(f"time does not go back: cannot advance by {seconds} seconds")
        self._elapsed += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            waked = heapq.heappop(self._sleepers)[2]
            if not waked.done():
                waked.set_result(None)
