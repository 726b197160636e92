"""Lets things happen in the order they were handed in, each when its time has come."""

import asyncio
from collections import deque
from collections.abc import Callable

from tradeforge_core.kit.clock import Clock

_MOST_WAITING = 100_000


class Pacer:
    """Without a delay and with nothing waiting, what is handed in happens at once."""

    def __init__(self, clock: Clock) -> None:
        self.delay = 0.0
        """In seconds; what waits already keeps its time."""
        self._clock = clock
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._is_filled = asyncio.Event()
        self._last_due = 0.0

    def put(self, action: Callable[[], None], *, after: float = 0.0) -> None:
        """Have it happen `after` so many seconds more than the one before, and never before it."""
        now = self._clock.monotonic()
        due = self._last_due = max(self._last_due, now + self.delay) + after
        if due <= now and not self._waiting:
            action()
            return
        self._waiting.append((due, action))
        self._is_filled.set()
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()[1]()

    def forget(self) -> None:
        """Let nothing happen of what waits, and delay nothing."""
        self.delay = self._last_due = 0.0
        self._waiting.clear()

    async def run(self) -> None:
        while True:
            await self._is_filled.wait()
            self._is_filled.clear()
            while self._waiting:
                await self._clock.sleep(self._waiting[0][0] - self._clock.monotonic())
                self._release()

    def _release(self) -> None:
        now = self._clock.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting.popleft()[1]()
