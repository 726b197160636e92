"""What a stream has been through, added up from the health events that it told."""

from collections import Counter
from datetime import datetime

from tradeforge_core.enums import GapCause, StreamConnectionStatus
from tradeforge_core.events import Gap, StatusChanged

_AT_REST = frozenset({StreamConnectionStatus.IDLE, StreamConnectionStatus.CLOSED})
_WITHOUT_CONNECTION = _AT_REST | {
    StreamConnectionStatus.CONNECTING,
    StreamConnectionStatus.RECONNECTING,
}


class StreamTally:
    def __init__(self) -> None:
        self.status = StreamConnectionStatus.IDLE
        self.generation = 0
        self.connected_since: datetime | None = None
        self.reconnects = 0
        self.gaps: Counter[GapCause] = Counter()
        self._stale_seconds = 0.0
        self._stale_since: float | None = None
        self._lost = False
        """Whether the next connection replaces one that was lost."""

    def seconds_stale(self, now: float) -> float:
        """Until `now`, by the monotonic clock."""
        running = 0.0 if self._stale_since is None else now - self._stale_since
        return self._stale_seconds + running

    def saw_gap(self, gap: Gap) -> None:
        if not gap.is_open:
            self.gaps[gap.cause] += 1

    def saw_status(self, change: StatusChanged, now: float) -> None:
        self.status, self.generation = change.status, change.generation
        self._note_connection(change)
        self._note_staleness(change, now)

    def _note_connection(self, change: StatusChanged) -> None:
        if change.status in _WITHOUT_CONNECTION:
            self.connected_since = None
        elif self.connected_since is None:
            self.connected_since = change.received
            self.reconnects += self._lost
            self._lost = False
        if change.status in _AT_REST:
            self._lost = False
        elif change.status is StreamConnectionStatus.RECONNECTING:
            self._lost = True

    def _note_staleness(self, change: StatusChanged, now: float) -> None:
        if change.previous is StreamConnectionStatus.LIVE:
            self._stale_since = now
        if change.status in _AT_REST or change.status is StreamConnectionStatus.LIVE:
            self._stale_seconds = self.seconds_stale(now)
            self._stale_since = None
