"""The way that orders, changes and cancels take to the venue: REST, or a socket of their own."""

from typing import Any, Protocol

from tradeforge_bybit import _wire


class OrderEntry(Protocol):
    """Each call is one write, once. What comes back says that it was taken in, and no more.

    All raise `OrderRejected`, `NotFound`, `NotSent`, and what leaves the outcome unknown.
    """

    async def create(self, body: dict[str, Any]) -> _wire.AckResult: ...

    async def amend(self, body: dict[str, Any]) -> None: ...

    async def cancel(self, body: dict[str, Any]) -> None: ...
