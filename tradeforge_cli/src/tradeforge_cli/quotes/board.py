"""What is known of each contract at this moment, and whether it can still be believed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum

from attrs import Factory, define

from tradeforge_core import (
    Contract,
    Gap,
    MarketDataType,
    MarketEvent,
    MarketHours,
    MarketState,
    NotFound,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    Topic,
)

_QUIET = 15.0
"""Seconds after which somebody who looks at a live price should know that it is an old one."""
_A_WHILE = 60.0
"""Seconds: who sends quotes is not called closed, whatever the table of hours says."""


class Trust(Enum):
    WAITING = "waiting"
    """No quote has come yet."""
    LIVE = "live"
    STALE = "stale"
    """The connection was lost after this quote: the market has moved on, unseen."""


@define
class QuoteRow:
    contract: Contract
    hours: MarketHours | None = None
    quote: QuoteEvent | None = None
    trust: Trust = Trust.WAITING
    gaps: int = 0

    def age(self, now: datetime) -> float | None:
        """Seconds since the quote was received."""
        return (now - self.quote.received).total_seconds() if self.quote else None

    def is_quiet(self, now: datetime) -> bool:
        """Whether nothing has come for a while, over a connection that is live."""
        age = self.age(now)
        return self.trust is Trust.LIVE and age is not None and age >= _QUIET

    def opens_at(self, now: datetime) -> datetime | None:
        """When the market opens, if it is closed and nothing has come for a while."""
        age = self.age(now)
        if self.hours is None or (age is not None and age < _A_WHILE):
            return None
        if self.hours.state(now) is not MarketState.CLOSED:
            return None
        try:
            return self.hours.next_open(now)
        except NotFound:  # the table ends before
            return None

    def distrust(self) -> None:
        if self.trust is Trust.LIVE:
            self.trust = Trust.STALE


@define
class StreamState:
    """`since` is when the stream went live, or when it was lost: attempts in between keep it."""

    status: StreamConnectionStatus
    since: datetime
    reason: str | None

    @property
    def is_live(self) -> bool:
        return self.status is StreamConnectionStatus.LIVE


@define
class QuoteBoard:
    rows: dict[str, QuoteRow]
    streams: dict[str, StreamState] = Factory(dict)
    last_gap: Gap | None = None
    last_note: str | None = None
    """The latest error or warning."""

    @classmethod
    def of(
        cls,
        contracts: Iterable[Contract],
        hours: Callable[[Contract], MarketHours | None] = lambda contract: None,
    ) -> "QuoteBoard":
        return cls({one.id: QuoteRow(one, hours(one)) for one in contracts})

    def take(self, event: MarketEvent) -> None:
        """Take in one event; kinds that a board of quotes has no use for change nothing."""
        if isinstance(event, QuoteEvent):
            self._take_quote(event)
        elif isinstance(event, StatusChanged):
            self._take_status(event)
        elif isinstance(event, Gap):
            self._take_gap(event)

    def note(self, text: str) -> None:
        """Take in an error or a warning."""
        self.last_note = text

    def _take_quote(self, event: QuoteEvent) -> None:
        row = self.rows[event.contract_id]
        row.quote = event
        row.trust = Trust.LIVE

    def _take_status(self, event: StatusChanged) -> None:
        state = StreamState(event.status, event.received, event.reason)
        before = self.streams.get(event.stream)
        if before is not None and not before.is_live and not state.is_live:
            state.since = before.since
            state.reason = event.reason or before.reason
        self.streams[event.stream] = state
        if not state.is_live:
            self._distrust(self.rows.values())

    def _take_gap(self, event: Gap) -> None:
        self.last_gap = event
        hit = [row for key, row in self.rows.items() if _topic(key) in event.topics]
        self._distrust(hit)
        for row in hit:
            row.gaps += not event.is_open  # it is told again when it has ended

    def _distrust(self, rows: Iterable[QuoteRow]) -> None:
        for row in rows:
            row.distrust()


def _topic(contract_id: str) -> Topic:
    return Topic(MarketDataType.QUOTE, contract_id)
