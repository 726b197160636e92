"""Time, as something that is handed in, so that a test can hold it in its hand."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock, aware UTC; it never goes back."""

    def monotonic(self) -> float:
        """Seconds that never go backwards; for deadlines and ages."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock."""


def _machine_time() -> datetime:
    return datetime.now(UTC)


class SteadyTime:
    """The wall clock of the machine, but that it never goes back: what comes later is later.

    A clock that is set back is caught up with at half the speed of time.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = _machine_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._shown = datetime.min.replace(tzinfo=UTC)
        self._set_back: tuple[float, datetime] | None = None
        """When it was noticed, and what was shown then."""

    def now(self) -> datetime:
        now = self._wall()
        if now < self._shown:
            now = self._slowly()
        else:
            self._set_back = None
        self._shown = now
        return now

    def _slowly(self) -> datetime:
        at = self._monotonic()
        since, shown = self._set_back = self._set_back or (at, self._shown)
        return shown + timedelta(seconds=(at - since) / 2)


_steady = SteadyTime()
"""One for all: what two clocks of this process say has an order."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return _steady.now()

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
