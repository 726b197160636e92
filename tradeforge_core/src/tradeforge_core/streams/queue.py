"""One subscriber's backlog: bounded, with a policy for each kind of data.

Quotes conflate to the newest, because each holds the whole quote. Of trades and depth the whole
backlog is dropped and a `Gap` takes its place. Orders, fills, positions and accounts are never
dropped: the subscriber is detached with `SubscriberOverflow` instead.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from tradeforge_core.enums import GapCause, MarketDataType
from tradeforge_core.errors import SubscriberOverflow, TradeForgeError
from tradeforge_core.events import Event, Gap, Topic
from tradeforge_core.kit.clock import Clock

LIMIT = 8192


Item = Event | TradeForgeError
"""Handlers of errors have queues too."""


Overflowed = Callable[[tuple[Topic, ...]], None]
"""Hears what market data was dropped; it must neither wait nor raise."""


_Entry = list[Any]
"""A topic or None, and an `Item`; a list, so that a quote can be replaced where it waits."""

_QUOTE = MarketDataType.QUOTE


class EventQueue:
    """Written by the reader of a connection without waiting, read by one subscriber."""

    def __init__(
        self, clock: Clock, *, limit: int = LIMIT, overflowed: Overflowed = lambda topics: None
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._overflowed = overflowed
        self._entries: deque[_Entry] = deque()
        self._quotes: dict[Topic, _Entry] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._end: TradeForgeError | None = None
        self._overflow: Gap | None = None
        """The `Gap` of an overflow, while it waits."""
        self.conflated = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more."""
        return self._end is not None

    def put(self, topic: Topic, event: Item) -> None:
        """Add data, by the policy of its kind."""
        if self._end is not None:
            return
        if topic.kind is not _QUOTE:
            if self._has_room():
                self._append([topic, event])
            return
        entry = self._quotes.get(topic)
        if entry is not None:
            entry[1] = event
            self.conflated += 1
        elif self._has_room():
            entry = self._quotes[topic] = [topic, event]
            self._append(entry)

    def put_health(self, event: Item) -> None:
        """Add a health event; no later quote is moved to before it."""
        if self._end is None and self._has_room():
            self._quotes.clear()
            self._append([None, event])

    def end(self, reason: TradeForgeError) -> None:
        """Let the subscriber read what waits, and then raise `reason` for ever."""
        if self._end is None:
            self._end = reason
        self._wake()

    async def get(self) -> Item:
        """The next event. Raises the reason once the queue has ended and is empty."""
        while not self._entries:
            if self._end is not None:
                raise self._end
            await self._wait()
        entry = self._entries.popleft()
        topic: Topic | None = entry[0]
        item: Item = entry[1]
        if topic is not None and topic.kind is _QUOTE and self._quotes.get(topic) is entry:
            del self._quotes[topic]
        if item is self._overflow:
            self._overflow = None
        return item

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        if self._waiter is not None:
            self._wake()

    def _has_room(self) -> bool:
        if len(self._entries) < self._limit:
            return True
        market = [entry for entry in self._entries if _is_market(entry)]
        if market:
            self._drop(market)
        else:
            self._detach()
        return bool(market)

    def _drop(self, market: list[_Entry]) -> None:
        """Drop all market data; whoever is this late is served best by the newest.

        A `Gap` of an earlier overflow that still waits becomes part of the new one: the queue stays
        bounded.
        """
        earlier, topics = self._overflow, dict.fromkeys(topic for topic, _ in market)
        kept = (entry for entry in self._entries if not _is_market(entry))
        self._entries = deque(entry for entry in kept if entry[1] is not earlier)
        self._quotes.clear()
        self.dropped += len(market)
        self._overflow = Gap(
            stream="subscriber",
            cause=GapCause.OVERFLOW,
            topics=(*(dict.fromkeys(earlier.topics) | topics if earlier else topics),),
            dropped=len(market) + (earlier.dropped or 0 if earlier else 0),
            received=self._clock.now(),
        )
        self._append([None, self._overflow])
        self._overflowed(self._overflow.topics)

    def _detach(self) -> None:
        self._entries.clear()
        self.end(
            SubscriberOverflow(
                f"{self._limit} events waited and none of them may be dropped: subscribe again"
                " and read orders, positions and balances anew"
            )
        )

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("two tasks read one subscription: give each its own")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _is_market(entry: _Entry) -> bool:
    return entry[0] is not None and isinstance(entry[0].kind, MarketDataType)
