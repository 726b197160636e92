"""Time, as something that is handed in, so that a test can hold it in its hand."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards; for deadlines and ages."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


_current: ContextVar[Clock | None] = ContextVar("tradeforge_clock", default=None)


def current_clock() -> Clock:
    """The clock of whoever is given none: the machine's, except where `using` says so."""
    return _current.get() or SystemClock()


@contextmanager
def using(clock: Clock) -> Iterator[None]:
    """What is made inside, also by tasks begun there, goes by this clock: for simulations."""
    token = _current.set(clock)
    try:
        yield
    finally:
        _current.reset(token)
