"""What `subscribe_market_data` and `subscribe_user_data` give."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tradeforge_core.events import Event, Topic
from tradeforge_core.streams.queue import EventQueue

if TYPE_CHECKING:
    from tradeforge_core.streams.switchboard import Switchboard

E = TypeVar("E", bound=Event)


class Subscription(Generic[E]):
    """Topics of live data, in two ways of use.

    `await` it: the data goes to the handlers, until it is unsubscribed. `async with` it: iterate
    over the events, and leaving the block unsubscribes. The iterator has a bounded queue of its
    own and ends only with an error that says why.
    """

    def __init__(
        self,
        switchboard: "Switchboard",
        topics: tuple[Topic, ...],
        check: Callable[[], Awaitable[None]],
    ) -> None:
        self.topics = topics
        self._check = check
        self._switchboard = switchboard
        self._queue: EventQueue | None = None
        self._active = False

    def __await__(self) -> Generator[Any, None, "Subscription[E]"]:
        return self._stand().__await__()

    async def __aenter__(self) -> "Subscription[E]":
        await self._check()
        if self._switchboard.holds(self._queue):
            raise RuntimeError("this subscription is in use already: make one for each use")
        self._active = True
        queue = self._listen()
        try:
            await self._switchboard.acquire(queue, self.topics)
        except BaseException:
            self._stop_listening()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        queue = self._stop_listening()
        if queue is not None:
            await self._switchboard.release(queue)

    def __aiter__(self) -> "Subscription[E]":
        self._listen()
        return self

    def __anext__(self) -> Coroutine[Any, Any, E]:
        """The next event. Raises `Disconnected` after `disconnect()`, and `SubscriberOverflow`."""
        queue: Any = self._queue
        if queue is None:
            queue = self._listen()
        next_event: Coroutine[Any, Any, E] = queue.get()
        return next_event

    @property
    def conflated(self) -> int:
        """How many quotes, tickers and open bars were replaced by newer ones before being read."""
        return 0 if self._queue is None else self._queue.conflated

    @property
    def dropped(self) -> int:
        """How many market events were dropped, each time with a `Gap` in their place."""
        return 0 if self._queue is None else self._queue.dropped

    async def _stand(self) -> "Subscription[E]":
        await self._check()
        await self._switchboard.stand(self.topics)
        self._active = True
        return self

    def _listen(self) -> EventQueue:
        if not self._active:
            raise RuntimeError("a subscription begins by `await` or `async with`")
        if self._queue is None:
            self._queue = self._switchboard.attach(self.topics)
        return self._queue

    def _stop_listening(self) -> EventQueue | None:
        queue, self._queue = self._queue, None
        if queue is not None:
            self._switchboard.detach(queue, self.topics)
            self._active = False
        return queue
