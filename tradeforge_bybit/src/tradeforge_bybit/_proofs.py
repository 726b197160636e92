"""Waits for proof of what the venue has only taken in: its answer to a write is no acceptance.

The private stream is the fastest proof, and the venue is asked as well, more and more slowly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from tradeforge_core import Order, OrderRejected, OrderStatus, RequestTimeout, TradeForgeError
from tradeforge_core.kit.budget import Lane, reads_go
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import first_of
from tradeforge_core.requests import OrderChange
from tradeforge_core.state import KnownOrders

_FIRST_PAUSE, _MOST_PAUSE = 0.02, 0.5
LONGEST = 5.0
"""Seconds to wait for proof; then the outcome is unknown, and the core goes on looking."""

Look = Callable[[], Awaitable[Order | None]]
"""Asks the venue for the order as it is; None while it is not shown."""
Says = Callable[[Order], bool]
"""Whether an order proves something. Raises `OrderRejected`."""


class Proofs:
    """Waits for the stream and for looks at once; `known` are the orders that were seen so far.

    They have what the stream has shown before the answer to the request came.
    """

    def __init__(self, known: KnownOrders, clock: Clock) -> None:
        self.longest = LONGEST
        self._known = known
        self._clock = clock
        self._awaited: dict[str, _Awaited] = {}

    def saw(self, order: Order) -> None:
        """The private stream showed this order, and it is known by now."""
        awaited = self._awaited.get(order.id)
        if awaited is not None:
            awaited.shown.set()

    async def of(self, order_id: str, look: Look, says: Says) -> Order:
        """The order as soon as it `says` enough.

        Raises what `says` raises, and `RequestTimeout` where nothing was proven in time.
        """
        awaited = self._awaited.setdefault(order_id, _Awaited())
        awaited.waiting += 1
        until = self._clock.monotonic() + self.longest
        try:
            for pause in _pauses():
                awaited.shown.clear()
                if (known := self._seen(order_id)) is not None and says(known):
                    return known
                if (found := await self._looked(look)) is not None and says(found):
                    return found
                left = until - self._clock.monotonic()
                if left <= 0:
                    break
                await first_of(awaited.shown.wait(), self._clock.sleep(min(pause, left)))
        finally:
            awaited.waiting -= 1
            if not awaited.waiting:
                self._awaited.pop(order_id, None)
        raise RequestTimeout(
            f"order {order_id}: the venue has taken the request in, and has not shown in"
            f" {self.longest:g} s what became of it"
        )

    def _seen(self, order_id: str) -> Order | None:
        return self._known[order_id] if order_id in self._known else None

    async def _looked(self, look: Look) -> Order | None:
        """None for a look that failed: it proves nothing."""
        try:
            with reads_go(Lane.SEARCH):
                return await look()
        except TradeForgeError:
            return None


class _Awaited:
    """An order that somebody waits for, and whether there is news of it."""

    def __init__(self) -> None:
        self.waiting = 0
        self.shown = asyncio.Event()


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _MOST_PAUSE)


def is_taken(order: Order) -> bool:
    """Whether the venue has put it to work. Raises `OrderRejected` where it has refused it."""
    if order.status is OrderStatus.REJECTED:
        raise OrderRejected(_refusal(order), order_id=order.id)
    return order.status is not OrderStatus.PENDING


def is_cancelled(order: Order) -> bool:
    """Raises `OrderRejected` where it has ended in another way."""
    if order.status.is_final and order.status is not OrderStatus.CANCELLED:
        raise OrderRejected(f"order {order.id} is {order.status} already")
    return order.status is OrderStatus.CANCELLED


def is_filled(order: Order) -> bool:
    """Raises `OrderRejected` where it has ended without filling in full."""
    if order.status.is_final and order.status is not OrderStatus.FILLED:
        raise OrderRejected(
            f"order {order.id} is {order.status}: {order.filled_size:f} of {order.size:f} filled"
            f" ({_reason(order)})",
            order_id=order.id,
        )
    return order.status is OrderStatus.FILLED


def has(change: OrderChange) -> Says:
    """Whether an order is as the change wants it; it raises where it has ended without that."""

    def says(order: Order) -> bool:
        wanted = ((getattr(change, one), getattr(order, one)) for one in _CHANGEABLE)
        if all(value is None or value == there for value, there in wanted):
            return True
        if order.status.is_final:
            raise OrderRejected(f"order {order.id} is {order.status}, without the change")
        return False

    return says


_CHANGEABLE = ("size", "limit_price", "stop_price")


def _refusal(order: Order) -> str:
    return f"the venue took order {order.id} in and refused it: {_reason(order)}"


def _reason(order: Order) -> str:
    """In the venue's own words."""
    return getattr(order.raw, "rejectReason", None) or "it does not say why"
