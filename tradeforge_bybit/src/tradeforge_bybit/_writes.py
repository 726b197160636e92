"""How orders, changes and cancels leave, whatever carries them: once, and an exit patiently."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from tradeforge_bybit._budgets import Budgets
from tradeforge_bybit._endpoints import Endpoint
from tradeforge_bybit._errors import Kind, kind_of
from tradeforge_core import NotSent, OrderRejected, TradeForgeError, VenueError
from tradeforge_core.kit.budget import Lane, RateBudget, lane_of_reads, reads_go
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
        """Once, whatever becomes of it; the time is measured anew where it was wrong.

        Only an exit goes again, after the venue's word that nothing was done.
        """
        urgent = endpoint.urgent or lane_of_reads() is Lane.URGENT
        try:
            if urgent:
                return await self._patiently(endpoint, body, once)
            return await once(Lane.WRITE)
        except VenueError as error:
            if not is_of_clock(error):
                raise
            with reads_go(Lane.URGENT if urgent else lane_of_reads()):
                await self.try_to_measure_time()
            if not urgent:
                raise  # its price may be gone
        return await self._patiently(endpoint, body, once)

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
            except (NotSent, OrderRejected) as error:
                pause = _pause_after(error, budget)
                if pause is None or self._clock.monotonic() + pause > until:
                    raise
            await self._clock.sleep(pause)


def _pause_after(error: NotSent | OrderRejected, budget: RateBudget) -> float | None:
    """Seconds until there may be room; None where there was room."""
    if isinstance(error, NotSent):
        return max(budget.seconds_until_room(Lane.URGENT), _LEAST_PAUSE)
    if _is_of(error, Kind.TOO_MANY):  # others with the same key count as well: as the venue says
        return max(budget.seconds_until_room(Lane.READ), _LEAST_PAUSE)
    return None


def is_of_clock(error: VenueError) -> bool:
    """Whether a request was refused for the time that it bears."""
    return _is_of(error, Kind.CLOCK)


def _is_of(error: VenueError, kind: Kind) -> bool:
    return isinstance(error.code, int) and kind_of(error.code) is kind
