"""How often a client may ask: a sliding window for each of the two limits of the venue."""

from collections import deque
from collections.abc import Mapping
from math import ceil

from attrs import frozen

from tradeforge_core.kit.clock import Clock

BARS, OTHERS = "bars", "others"


@frozen
class RateLimit:
    """So many requests, in any span of so many seconds."""

    requests: int
    seconds: float


@frozen(kw_only=True)
class RateLimits:
    """The limits of the venue; there is one user here, so that his tokens share them."""

    bars: RateLimit = RateLimit(50, 30)
    others: RateLimit = RateLimit(200, 60)
    """Of everything else, logins included; the ping and the hubs are not counted."""
    retry_after: bool = False
    """Whether a 429 says in how many seconds there is room again."""


class Window:
    """The requests of the last seconds: all that came, and those that were let in."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.worst = 0
        """The most that ever came within the span of the window."""
        self._came: deque[float] = deque()
        self._let_in: deque[float] = deque()

    def admit(self, now: float) -> float:
        """Count a request; the seconds until there is room for it, zero if it is let in."""
        for times in (self._came, self._let_in):
            _forget(times, now - self.limit.seconds)
        self._came.append(now)
        self.worst = max(self.worst, len(self._came))
        if len(self._let_in) >= self.limit.requests:
            return self._seconds_to_wait(now)
        self._let_in.append(now)
        return 0

    def _seconds_to_wait(self, now: float) -> float:
        # A limit of no requests at all never has room; the whole span is as good an answer as any.
        leaves = self._let_in[0] if self._let_in else now
        return leaves + self.limit.seconds - now


def _forget(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()


class RateGuard:
    """Counts every request that a limit is about, and says which of them are too many."""

    def __init__(self, limits: RateLimits | None, clock: Clock) -> None:
        self._clock = clock
        self.set(limits)

    def set(self, limits: RateLimits | None) -> None:
        """Begin to count anew. With None nothing is refused, and counted as at the venue."""
        self.limits = limits
        measured = limits or RateLimits()
        self._windows = {BARS: Window(measured.bars), OTHERS: Window(measured.others)}

    @property
    def worst(self) -> Mapping[str, int]:
        """For each limit, the most requests there were within its span."""
        return {name: window.worst for name, window in self._windows.items()}

    def refusal(self, name: str | None) -> dict[str, str] | None:
        """The headers of the 429 for this request, or None: there is room for it."""
        seconds = 0.0 if name is None else self._windows[name].admit(self._clock.monotonic())
        if self.limits is None or not seconds:
            return None
        return {"Retry-After": str(ceil(seconds))} if self.limits.retry_after else {}
