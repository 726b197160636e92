"""Ends the running command cleanly when a signal asks for it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Terminated(Exception):
    """SIGTERM arrived; whatever was open is closed by now."""


def run(job: Coroutine[Any, Any, T]) -> T:
    """What `job` returns. Ctrl-C and SIGTERM first let it clean up.

    Raises `KeyboardInterrupt` after the one, `Terminated` after the other.
    """
    try:
        return asyncio.run(_ending_on_sigterm(job))
    except asyncio.CancelledError:
        raise Terminated from None


async def _ending_on_sigterm(job: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(job)
    with suppress(NotImplementedError):  # Windows has no SIGTERM to handle
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


async def while_painting(
    work: Coroutine[Any, Any, T], paint: Callable[[], None], *, every: float = 0.1
) -> T:
    """What `work` returns, with `paint` called every so many seconds and once at the end."""
    worker = asyncio.ensure_future(work)
    try:
        while not worker.done():
            paint()
            await asyncio.wait([worker], timeout=every)
        paint()
        return await worker
    finally:
        worker.cancel()
        await asyncio.wait([worker])
