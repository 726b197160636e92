"""The book that keeps itself, over real sockets, while the venue loses and spoils its changes."""

import asyncio
from collections.abc import Callable

from tradeforge_core import (
    LiveOrderBook,
)


async def _until(book: LiveOrderBook, reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            await book.changed()


def _is_whole(book: LiveOrderBook) -> bool:
    bids, asks = book.bids(5), book.asks(5)
    return len(bids) == len(asks) == 5 and bids[0].price < asks[0].price
