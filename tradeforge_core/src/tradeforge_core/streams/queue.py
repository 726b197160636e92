"""One subscriber's backlog: bounded, with a policy for each kind of data.

Quotes conflate to the newest, because each holds the whole quote. Of trades and depth the whole
backlog is dropped and a `Gap` takes its place. Orders, fills, positions and accounts are never
dropped: the subscriber is detached with `SubscriberOverflow` instead.
"""

import asyncio
from collections import deque
from typing import NamedTuple

from tradeforge_core.enums import GapCause, MarketDataType
from tradeforge_core.errors import SubscriberOverflow, TradeForgeError
from tradeforge_core.events import Event, Gap, Topic
from tradeforge_core.kit.clock import Clock

LIMIT = 8192


Item = Event | TradeForgeError
"""Handlers of errors have queues too."""


class _Entry(NamedTuple):
    topic: Topic | None
    slot: list[Item]
    """A list of one, so that a quote can be replaced where it waits."""


class EventQueue:
    """Written by the reader of a connection without waiting, read by one subscriber."""

    def __init__(self, clock: Clock, *, limit: int = LIMIT) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: deque[_Entry] = deque()
        self._quotes: dict[Topic, list[Item]] = {}
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
        slot = self._quotes.get(topic)
        if slot is not None:
            slot[0] = event
            self.conflated += 1
            return
        if self._has_room():
            self._append(topic, event)

    def put_health(self, event: Item) -> None:
        """Add a health event; no later quote is moved to before it."""
        if self._end is None and self._has_room():
            self._quotes.clear()
            self._append(None, event)

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
        topic, slot = self._entries.popleft()
        if topic is not None and self._quotes.get(topic) is slot:
            del self._quotes[topic]
        if slot[0] is self._overflow:
            self._overflow = None
        return slot[0]

    def _append(self, topic: Topic | None, event: Item) -> None:
        slot: list[Item] = [event]
        self._entries.append(_Entry(topic, slot))
        if topic is not None and topic.kind is MarketDataType.QUOTE:
            self._quotes[topic] = slot
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
        earlier, topics = self._overflow, {entry.topic: None for entry in market if entry.topic}
        kept = (entry for entry in self._entries if not _is_market(entry))
        self._entries = deque(entry for entry in kept if entry.slot[0] is not earlier)
        self._quotes.clear()
        self.dropped += len(market)
        self._overflow = Gap(
            stream="subscriber",
            cause=GapCause.OVERFLOW,
            topics=(*(dict.fromkeys(earlier.topics) | topics if earlier else topics),),
            dropped=len(market) + (earlier.dropped or 0 if earlier else 0),
            received=self._clock.now(),
        )
        self._append(None, self._overflow)

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
    return entry.topic is not None and isinstance(entry.topic.kind, MarketDataType)
