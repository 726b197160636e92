"""How tests wait: for what must come, and for the disk while the clock of the test stands still."""

import asyncio
from collections.abc import Iterable

from tradeforge_core import Provider
from tradeforge_core.orders.journals import Journals

HANG = 60.0
"""Seconds, so many that no busy machine needs them: only what hangs takes so long."""


async def settle(providers: Iterable[Provider]) -> None:
    """Let everything happen that needs no time; what is written down is on the disk."""
    for _ in range(3):
        for _ in range(10):
            await asyncio.sleep(0)
        for one in providers:
            if one._office is not None:
                await _written(one._office.journals)


async def _written(journals: Journals) -> None:
    if opening := list(journals._opening.values()):
        await asyncio.wait(opening)
    for journal in journals.opened():
        await journal.flush()
