"""The order book that keeps itself: what `order_book` of a provider gives."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tradeforge_core.books.order_book import BookState, OrderBook
from tradeforge_core.errors import Disconnected, TradeForgeError
from tradeforge_core.events import DepthEvent, Topic

if TYPE_CHECKING:
    from tradeforge_core.streams.switchboard import Switchboard


class LiveOrderBook(OrderBook):
    """`async with` it: it follows the market until the block is left.

    It has no backlog and no task: each event is in it as soon as it is received. When it is crossed
    or a change is missing, the venue is asked for the whole of it, at most every ten seconds. Once
    left it is STALE.
    """

    def __init__(
        self, switchboard: "Switchboard", topic: Topic, check: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(topic.key)
        self._switchboard = switchboard
        self._check_contract = check
        self._waiters: set[asyncio.Future[None]] = set()
        self._end: TradeForgeError | None = Disconnected("it begins by `async with`", sent=False)

    async def __aenter__(self) -> "LiveOrderBook":
        await self._check_contract()
        if self._switchboard.holds(self):
            raise RuntimeError("this book is in use already: make one for each use")
        self._end = None
        self._switchboard.join(self, (self._topic,))
        try:
            await self._switchboard.acquire(self, (self._topic,))
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._leave()
        await self._switchboard.release(self)

    async def changed(self) -> None:
        """Wait for the next change of the levels or of the state.

        Changes while nobody waits are not kept: the book always is the newest. Raises
        `Disconnected` after `disconnect()`, and once the book is left.
        """
        self._raise_end()
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
        self._raise_end()

    def _raise_end(self) -> None:
        if self._end is not None:
            raise self._end.with_traceback(None)  # of this time, and not of each before it

    async def live(self) -> None:
        """Wait until it may be read. Raises as `changed`."""
        while self.state is not BookState.LIVE:
            await self.changed()

    def _leave(self) -> None:
        self._switchboard.detach(self, (self._topic,))
        self.end(Disconnected("it was left, and follows the market no more", sent=False))

    # --- what the switchboard calls ---

    def put(self, topic: Topic, event: Any) -> None:
        before = self.state
        self.apply(event)
        if self.state is BookState.STALE and isinstance(event, DepthEvent):
            if event.reset or before is not BookState.STALE:
                self._switchboard.renew((topic,))
        self._wake()

    def put_health(self, event: Any) -> None:
        self.apply(event)
        self._wake()

    def end(self, reason: TradeForgeError) -> None:
        self._end = self._end or reason
        self._stop(BookState.STALE, str(reason))
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
