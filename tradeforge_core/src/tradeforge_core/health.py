"""How a provider is at one moment: what `provider.health` gives."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from tradeforge_core.enums import GapCause, StreamConnectionStatus
from tradeforge_core.events import Topic
from tradeforge_core.kit.budget import RateBudget


@frozen(kw_only=True)
class StreamHealth:
    """One connection to the venue, and what it has been through since the provider was made."""

    name: str
    status: StreamConnectionStatus
    generation: int
    """Which connection it is, counted from 1; 0 before the first attempt."""
    connected_since: datetime | None
    """None while there is no connection."""
    heard_at: datetime | None
    """When the newest frame of any kind came; None while there is no connection."""
    reconnects: int
    """How often a lost connection was made anew."""
    gaps: dict[GapCause, int]
    """How many gaps have been told, by cause; one that still goes on is counted when it ends."""
    seconds_stale: float
    """For how long, in all, it was relied on and not live."""


@frozen(kw_only=True)
class SubscriberHealth:
    """One iterator or one handler, and its queue."""

    name: str
    """`iterator`, or `handler` and the qualified name of the function."""
    topics: tuple[Topic, ...]
    """What an iterator is for; none for a handler, which gets all."""
    waiting: int
    """Events in its queue."""
    limit: int
    """How many may wait there."""
    lag: float
    """The age in seconds of the event that it would get next; 0 if none waits."""
    conflated: int
    """Quotes that were replaced by a newer one before they were read."""
    dropped: int
    """Events of the market that were dropped because the queue was full."""
    is_late: bool
    """Whether a `Lag` was told of it that has not ended."""
    has_ended: bool
    """Whether it gets no more: it was detached, or the provider was disconnected."""
    slow_calls: int = 0
    """How often a handler has blocked the event loop for more than a tenth of a second."""
    longest_block: float = 0.0
    """The longest time in seconds that a handler has blocked the event loop."""


@frozen(kw_only=True)
class BudgetHealth:
    """One request limit of the venue, as it is kept here."""

    name: str
    used: int
    limit: int
    window: float
    """In seconds."""


@frozen(kw_only=True)
class Health:
    """All of a provider, without a request to the venue."""

    provider: str
    time: datetime
    status: StreamConnectionStatus
    """The worst of any stream."""
    streams: tuple[StreamHealth, ...]
    subscribers: tuple[SubscriberHealth, ...]
    unknown_outcomes: int
    """Requests that were sent and of which nobody knows what became."""
    oldest_unknown: float
    """The age in seconds of the oldest of them; 0 if there is none."""
    halted: bool
    """Whether the kill switch refuses new orders."""
    loop_lag: float
    """How late the event loop was at the latest look, in seconds."""
    longest_loop_lag: float
    stalls: int
    """How often it was late by more than a tenth of a second."""
    stale: tuple[Topic, ...] = ()
    """Topics of which data was expected and does not come."""
    budgets: tuple[BudgetHealth, ...] = ()


def budgets_health(budgets: Mapping[str, RateBudget]) -> tuple[BudgetHealth, ...]:
    return tuple(
        BudgetHealth(name=name, used=one.used, limit=one.limit, window=one.window)
        for name, one in budgets.items()
    )
