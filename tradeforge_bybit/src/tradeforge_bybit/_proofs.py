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

_FIRST_PAUSE, _MOST_PAUSE = 0.02, 0.5
LONGEST = 5.0
"""Seconds to wait for proof; then the outcome is unknown, and the core goes on looking."""

Look = Callable[[], Awaitable[Order | None]]
"""Asks the venue for the order as it is; None while it is not shown."""
Says = Callable[[Order], bool]
"""Whether an order proves something. Raises `OrderRejected`."""


class Proofs:
    """What the stream has shown of orders that somebody waits for."""

    def __init__(self, clock: Clock) -> None:
        self.longest = LONGEST
        self._clock = clock
        self._awaited: dict[str, _Sighting] = {}

    def saw(self, order: Order) -> None:
        """The private stream showed this order, or an answer did."""
        sighting = self._awaited.get(order.id)
        if sighting is not None:
            sighting.show(order)

    async def of(self, order_id: str, look: Look, says: Says) -> Order:
        """The order as soon as it `says` enough.

        Raises what `says` raises, and `RequestTimeout` where nothing was proven in time.
        """
        sighting = self._awaited.setdefault(order_id, _Sighting())
        sighting.waiting += 1
        until = self._clock.monotonic() + self.longest
        try:
            for pause in _pauses():
                for order in (sighting.take(), await self._looked(look)):
                    if order is not None and says(order):
                        return order
                left = until - self._clock.monotonic()
                if left <= 0:
                    break
                await first_of(sighting.shown.wait(), self._clock.sleep(min(pause, left)))
        finally:
            sighting.waiting -= 1
            if not sighting.waiting:
                self._awaited.pop(order_id, None)
        raise RequestTimeout(
            f"order {order_id}: the venue has taken the request in, and has not shown in"
            f" {self.longest:g} s what became of it"
        )

    async def _looked(self, look: Look) -> Order | None:
        """None for a look that failed: it proves nothing."""
        try:
            with reads_go(Lane.SEARCH):
                return await look()
        except TradeForgeError:
            return None


class _Sighting:
    """The latest that the stream has shown of one order."""

    def __init__(self) -> None:
        self.waiting = 0
        self.shown = asyncio.Event()
        self._order: Order | None = None

    def show(self, order: Order) -> None:
        self._order = order
        self.shown.set()

    def take(self) -> Order | None:
        self.shown.clear()
        return self._order


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
