"""A venue's request limit, kept on this side: the library must never be the one that exceeds it."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from enum import Enum

from tradeforge_core.errors import NotSent
from tradeforge_core.kit.clock import Clock

_MOST_LIMIT = 100_000
"""A venue that allows more has made a mistake, and it would be counted one by one."""
_MOST_COOL_DOWN = 60.0
"""Seconds; a venue that asks for more, by mistake or malice, is asked again after this."""


class RateBudget:
    """At most `limit` requests in any `window` seconds, wherever the window begins.

    A request counts from when it is sent until `window` seconds after its answer: the venue saw it
    somewhere in between, so its own count can never be higher. `reserve` of the requests are kept
    for what is urgent: cancels and closes. Where there is a limit for all kinds of requests beside
    the one for this kind, they count `within` that, too.
    """

    def __init__(
        self,
        limit: int,
        window: float,
        *,
        clock: Clock,
        reserve: int = 0,
        within: "RateBudget | None" = None,
    ) -> None:
        if not 0 <= reserve < limit:
            raise ValueError(f"a reserve of {reserve} leaves nothing of {limit} requests")
        self.limit = limit
        self.window = window
        self._reserve = reserve
        self._within = within
        self._clock = clock
        self._in_flight = 0
        self._answered: deque[float] = deque()
        self._blocked_until = 0.0

    @property
    def used(self) -> int:
        """How many of the requests count at this moment."""
        horizon = self._clock.monotonic() - self.window
        while self._answered and self._answered[0] <= horizon:
            self._answered.popleft()
        return self._in_flight + len(self._answered)

    @property
    def is_idle(self) -> bool:
        """Whether nothing counts and nothing is held back."""
        return self.used == 0 and self._clock.monotonic() >= self._blocked_until

    @asynccontextmanager
    async def slot(self, lane: "Lane") -> AsyncIterator[None]:
        """Room for one request, for as long as it takes.

        A read waits for it. Raises `NotSent` for a write that finds none: an order that waits in a
        queue would leave at a price that is gone.
        """
        async with nullcontext() if self._within is None else self._within.slot(lane):
            async with self._own_slot(lane):
                yield

    @asynccontextmanager
    async def _own_slot(self, lane: "Lane") -> AsyncIterator[None]:
        while not self._has_room(lane):
            if lane is not Lane.READ:
                raise NotSent(
                    f"the venue's limit of {self.limit} requests in {self.window:g} s is used up;"
                    f" there is room in {self.seconds_until_room(lane):.1f} s"
                )
            await self._clock.sleep(max(self.seconds_until_room(lane), _POLL))
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._answered.append(self._clock.monotonic())

    def heard(self, limit: int, left: int) -> None:
        """The venue says with an answer what its limit is, and how much of it is left.

        A limit that is not above the reserve is not believed. What is missing beside our own
        requests is taken for requests of others, that were answered now.
        """
        if limit <= self._reserve or limit > _MOST_LIMIT:
            return
        self.limit = limit
        others = min(limit - left, limit) - self.used
        self._answered.extend(self._clock.monotonic() for _ in range(others))

    def cool_down(self, seconds: float | None) -> None:
        """The venue said that it was too much: be silent for `seconds`, or for a whole window.

        What is urgent is tried all the same, as are searches: what is refused costs nothing.
        """
        pause = self.window if seconds is None else min(max(seconds, 0.0), _MOST_COOL_DOWN)
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + pause)

    def seconds_until_room(self, lane: "Lane") -> float:
        """At the earliest; 0 if there is room now."""
        now = self._clock.monotonic()
        room_at = self._room_at(lane, now)
        return (room_at if lane in _NEVER_SILENT else max(room_at, self._blocked_until)) - now

    def _room_at(self, lane: "Lane", now: float) -> float:
        excess = self.used - self._allowed(lane) + 1
        if excess <= 0:
            return now
        if excess > len(self._answered):  # only answers can make room, and they take their time
            return now + _POLL
        return self._answered[excess - 1] + self.window

    def _has_room(self, lane: "Lane") -> bool:
        cooled = lane in _NEVER_SILENT or self._clock.monotonic() >= self._blocked_until
        return cooled and self.used < self._allowed(lane)

    def _allowed(self, lane: "Lane") -> int:
        return self.limit if lane is Lane.URGENT else self.limit - self._reserve


class Lane(Enum):
    """How a request may use a budget."""

    READ = "waits for room"
    WRITE = "goes now or never"
    SEARCH = "goes now or never, also in a cool-down: looks for what became of a request"
    URGENT = "as a search, and may use the reserve: cancels, closes, logins"


_NEVER_SILENT = (Lane.SEARCH, Lane.URGENT)

_lane_of_reads: ContextVar[Lane] = ContextVar("lane_of_reads", default=Lane.READ)


@contextmanager
def reads_go(lane: Lane) -> Iterator[None]:
    """Let every read in the block, and in the tasks it starts, use this lane.

    A look before a write must not make the write late, and one before an exit must not wait.
    """
    before = _lane_of_reads.set(lane)
    try:
        yield
    finally:
        _lane_of_reads.reset(before)


def lane_of_reads() -> Lane:
    """The lane for a read at this place."""
    return _lane_of_reads.get()


_POLL = 0.05
"""Seconds between looks while requests in flight hold all the room."""
