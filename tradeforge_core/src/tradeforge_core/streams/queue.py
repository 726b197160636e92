"""One subscriber's backlog: bounded, with a policy for each kind of data.

Quotes and tickers conflate to the newest, because each is whole; so does a bar, until it is closed:
a closed one is told. Of all market data the whole backlog is dropped where there is no room, and a
`Gap` takes its place. Orders, fills, positions and accounts are never
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


Filling = Callable[["EventQueue"], None]
"""Hears that half of the room is used; it must neither wait nor raise."""


_Entry = list[Any] | tuple[Any, Any]
"""A topic or None, and an `Item`. That of a quote, a ticker or a bar is a list, so that a newer one
can take its place where it waits, and the next one can use the list again."""

_READ = object()
"""Stands in the entry of what conflates and was read."""

_QUOTE, _TICKER, _BAR = MarketDataType.QUOTE, MarketDataType.TICKER, MarketDataType.BAR


class EventQueue:
    """Written by the reader of a connection without waiting, read by one subscriber."""

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int = LIMIT,
        overflowed: Overflowed = lambda topics: None,
        filling: Filling = lambda queue: None,
        name: str = "iterator",
        topics: tuple[Topic, ...] = (),
    ) -> None:
        self.name = name
        self.topics = topics
        self._clock = clock
        self._limit = limit
        self._overflowed = overflowed
        self._filling = filling
        self._half = limit // 2
        self._entries: deque[_Entry] = deque()
        self._newest: dict[Topic, list[Any]] = {}
        """The newest entry of each topic that conflates, whether it waits or not."""
        self._waiter: asyncio.Future[None] | None = None
        self._end: TradeForgeError | None = None
        self._overflow: Gap | None = None
        """The `Gap` of an overflow, while it waits."""
        self.conflated = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def is_filling(self) -> bool:
        """Whether half of the room is used."""
        return len(self._entries) >= self._half

    @property
    def age(self) -> float:
        """Seconds since the event that is read next was received; 0 if none waits."""
        received = getattr(self._entries[0][1], "received", None) if self._entries else None
        return 0.0 if received is None else max((self._clock.now() - received).total_seconds(), 0.0)

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more."""
        return self._end is not None

    def put(self, topic: Topic, event: Item) -> None:
        """Add data, by the policy of its kind."""
        if self._end is not None:
            return
        kind = topic[0]
        if kind is _QUOTE or kind is _TICKER:
            self._put_newest(topic, event)
        elif kind is _BAR:
            self._put_bar(topic, event)
        elif len(self._entries) < self._limit or self._make_room():
            self._append((topic, event))

    def _put_bar(self, topic: Topic, event: Any) -> None:
        """A bar that another one follows, or that is closed, keeps its place."""
        entry = self._newest.get(topic)
        if entry is not None and entry[1] is not _READ:
            waiting = entry[1].bar
            if not waiting.partial or waiting.time != event.bar.time:
                del self._newest[topic]
        self._put_newest(topic, event)

    def _put_newest(self, topic: Topic, event: Item) -> None:
        entry = self._newest.get(topic)
        if entry is not None and entry[1] is not _READ:
            entry[1] = event
            self.conflated += 1
        elif len(self._entries) < self._limit or self._make_room():
            if entry is None:
                entry = self._newest[topic] = [topic, event]
            else:
                entry[1] = event
            self._append(entry)

    def put_health(self, event: Item) -> None:
        """Add a health event; nothing that comes later is moved to before it."""
        if self._end is None and (len(self._entries) < self._limit or self._make_room()):
            self._newest.clear()
            self._append([None, event])

    def put_warning(self, event: Item) -> None:
        """Add a health event that is not worth losing anything for."""
        if len(self._entries) < self._limit:
            self.put_health(event)

    def end(self, reason: TradeForgeError) -> None:
        """Let the subscriber read what waits, and then raise `reason` for ever."""
        if self._end is None:
            self._end = reason
        self._wake()

    async def get(self) -> Item:
        """The next event. Raises the reason once the queue has ended and is empty."""
        while not self._entries:
            if self._end is not None:
                raise self._end.with_traceback(None)  # of this time, and not of each before it
            await self._wait()
        entry = self._entries.popleft()
        topic, item = entry
        if topic is None:
            if item is self._overflow:
                self._overflow = None
        elif type(entry) is list:
            entry[1] = _READ
        return item  # type: ignore[no-any-return]

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        waiting = len(self._entries)
        if waiting == 1:  # else whoever waited is awake already
            self._wake()
        elif waiting == self._half:
            self._filling(self)

    def _make_room(self) -> bool:
        """Whether there is room now: all market data makes it, and nothing else does."""
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
        self._newest.clear()
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
