"""How orders, changes and cancels leave, whatever carries them: once, and an exit patiently."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from tradeforge_bybit._budgets import Budgets
from tradeforge_bybit._endpoints import Endpoint
from tradeforge_bybit._errors import Kind, kind_of
from tradeforge_core import NotSent, TradeForgeError, VenueError
from tradeforge_core.kit.budget import Lane, lane_of_reads
from tradeforge_core.kit.clock import Clock

R = TypeVar("R")

_LONGEST_EXIT = 8.0
"""Seconds that a cancel or a close waits for room."""
_LEAST_PAUSE = 0.05

Once = Callable[[Lane], Awaitable[R]]
"""Sends a request if there is room in this lane. Raises `NotSent` if there is none."""


class Writes:
    """`measure_time` is for when the venue says that something bears the wrong time."""

    def __init__(
        self, budgets: Budgets, clock: Clock, measure_time: Callable[[], Awaitable[None]]
    ) -> None:
        self.budgets = budgets
        self._measure_time = measure_time
        self._clock = clock

    async def send(self, endpoint: Endpoint[Any], body: dict[str, Any], once: Once[R]) -> R:
        """Once, whatever becomes of it; the time is measured anew where it was wrong."""
        urgent = endpoint.urgent or lane_of_reads() is Lane.URGENT
        try:
            if urgent:
                return await self._patiently(endpoint, body, once)
            return await once(Lane.WRITE)
        except VenueError as error:
            if is_of_clock(error):
                await self.try_to_measure_time()
            raise

    async def try_to_measure_time(self) -> None:
        """Where it fails, the next request says the same, and is told the same."""
        with suppress(TradeForgeError):
            await self._measure_time()

    async def _patiently(self, endpoint: Endpoint[Any], body: dict[str, Any], once: Once[R]) -> R:
        """Many exits at once are more than a second has room for, and late is better than never."""
        budget = self.budgets.of(endpoint, body.get("category"))
        until = self._clock.monotonic() + _LONGEST_EXIT
        while True:
            try:
                return await once(Lane.URGENT)
            except NotSent:  # it found no room: nothing has left
                wait = max(budget.seconds_until_room(Lane.URGENT), _LEAST_PAUSE)
                if self._clock.monotonic() + wait > until:
                    raise
            await self._clock.sleep(wait)


def is_of_clock(error: VenueError) -> bool:
    """Whether a request was refused for the time that it bears."""
    return isinstance(error.code, int) and kind_of(error.code) is Kind.CLOCK
