"""Looks at the event loop and at every queue, a few times a second: who is late, and how much."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from attrs import evolve

from tradeforge_core.events import Lag
from tradeforge_core.kit.clock import Clock
from tradeforge_core.streams.queue import EventQueue
from tradeforge_core.streams.stopwatch import SLOW

_log = logging.getLogger("tradeforge_core")

_BEAT = 0.25
"""Seconds between two looks."""
_OLD = 1.0
"""Seconds: what waits for longer makes its subscriber late."""
_GRAVE = 1.0
"""Seconds: a delay that nobody is named for is logged from here on; a busy machine makes less."""


class Watch:
    """Tells a `Lag` when a subscriber becomes late, and once more when it is no longer."""

    def __init__(
        self,
        clock: Clock,
        queues: Callable[[], Iterable[EventQueue]],
        tell: Callable[[Lag, EventQueue], None],
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._look = look
        self._clock = clock
        self._queues = queues
        self._tell = tell
        self._late: dict[EventQueue, Lag] = {}
        self._named = 0.0
        """What of the present delay was explained already, by the name of a handler."""
        self.loop_lag = 0.0
        self.longest_loop_lag = 0.0
        self.stalls = 0

    async def run(self) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            due = self._clock.monotonic() + _BEAT
            await self._clock.sleep(_BEAT)
            self._note_delay(self._clock.monotonic() - due)
            for queue in tuple(self._queues()):
                self.judge(queue)
            self._forget_the_ended()
            self._look()

    def is_late(self, queue: EventQueue) -> bool:
        return queue in self._late

    def judge(self, queue: EventQueue) -> None:
        """Tell if this subscriber has become late, or has caught up."""
        if queue.has_ended:
            return
        waiting, age = len(queue), queue.age
        lag = self._late.get(queue)
        if lag is None and (queue.is_filling or age > _OLD):
            self._late[queue] = begun = self._lag(queue, self._clock.now())
            self._tell(begun, queue)
        elif lag is not None and waiting * 4 < queue.limit and age <= _OLD:
            del self._late[queue]
            self._tell(evolve(self._lag(queue, lag.since), until=self._clock.now()), queue)

    def _lag(self, queue: EventQueue, since: datetime) -> Lag:
        return Lag(
            subscriber=queue.name,
            topics=queue.topics,
            waiting=len(queue),
            age=queue.age,
            since=since,
            received=self._clock.now(),
        )

    def _forget_the_ended(self) -> None:
        here = set(self._queues())
        for queue in [one for one in self._late if one.has_ended or one not in here]:
            del self._late[queue]

    # --- the event loop ---

    def name_block(self, seconds: float) -> None:
        """Somebody was named already for blocking the event loop this long."""
        self._named += seconds

    def _note_delay(self, seconds: float) -> None:
        named, self._named = self._named, 0.0
        self.loop_lag = max(seconds, 0.0)
        self.longest_loop_lag = max(self.longest_loop_lag, self.loop_lag)
        if self.loop_lag <= SLOW:
            return
        self.stalls += 1
        if self.loop_lag - named > _GRAVE:
            _log.warning(
                "the event loop was blocked for %.2f s, not by a handler: what your program does"
                " there without an await belongs in a thread",
                self.loop_lag - named,
            )
