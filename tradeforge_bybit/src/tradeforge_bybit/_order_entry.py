"""The way that orders, changes and cancels take to the venue: REST, or a socket of their own."""

from typing import Any, Protocol

from attrs import evolve

from tradeforge_bybit import _orders, _wire
from tradeforge_bybit._places import OrderPlace
from tradeforge_core import NotFound


class OrderEntry(Protocol):
    """Each call is one write, once. What comes back says that it was taken in, and no more.

    All raise `OrderRejected`, `NotFound`, `NotSent`, and what leaves the outcome unknown.
    """

    async def create(self, body: dict[str, Any]) -> _wire.AckResult: ...

    async def amend(self, body: dict[str, Any]) -> None: ...

    async def cancel(self, body: dict[str, Any]) -> None: ...


async def cancel(entry: OrderEntry, where: OrderPlace, order_id: str) -> None:
    """Raises as the entry does."""
    try:
        await entry.cancel(_orders.to_cancel(where, order_id))
    except NotFound:  # nothing was done: it may have triggered, and is a plain order since
        if where.filter is None:
            raise
        await entry.cancel(_orders.to_cancel(evolve(where, filter=None), order_id))
