"""Tasks with an owner: none is forgotten, and none dies of its caller's cancellation."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar, cast

from tradeforge_core.errors import Disconnected

T = TypeVar("T")

_log = logging.getLogger("tradeforge_core")


async def to_the_end(work: Coroutine[Any, Any, T], *, name: str) -> T:
    """The result of `work`; a cancellation of whoever waits comes after its end.

    For what must not be left half done, takes a bounded time, and waits for no code of users.
    """
    task = asyncio.create_task(work, name=name)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


async def first_of(work: Awaitable[T], limit: Awaitable[object]) -> T | None:
    """The result of `work`, or None if `limit` ended first; the other one is cancelled."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(limit)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return None if tasks[0].cancelled() else cast(T, tasks[0].result())


def stop_if_cancelled() -> None:
    """A cancellation that comes together with an error is hidden by it in a `TaskGroup`."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def not_cancelled(work: Awaitable[T]) -> T:
    """The result of `work`. Raises `RuntimeError` where it was cancelled, and its caller was not.

    Whoever waits for a task that somebody else has cancelled is told so by a `CancelledError`,
    which would end the caller as if that was wanted, and in silence.
    """
    try:
        return await work
    except asyncio.CancelledError as error:
        stop_if_cancelled()
        raise RuntimeError("what it waited for was cancelled") from error


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error in the group that is not a group itself."""
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error


class TaskOwner:
    """Owns tasks until they end or until it is closed; closing joins every one."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run `work` in a task of its own."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def run(self, work: Coroutine[Any, Any, T], *, name: str) -> T:
        """The result of `work`, which goes on even if the caller is cancelled while waiting.

        Raises `Disconnected` if `close` ended the work: the caller itself was not cancelled.
        """
        return await self.result_of(self.start(work, name=name))

    async def result_of(self, task: asyncio.Task[T]) -> T:
        """As `run`, of what was started before."""
        await asyncio.wait([task])
        if task.cancelled():
            raise Disconnected(f"{task.get_name()} was ended by disconnect()")
        return task.result()

    async def close(self, *, grace: float = 0.0) -> None:
        """Wait `grace` seconds for what runs, cancel the rest, and return once all have ended."""
        try:
            if grace and (tasks := self._others()):
                await asyncio.wait(tasks, timeout=grace)
        finally:
            await self._end_all()

    async def _end_all(self) -> None:
        """Join every task; a cancellation of whoever waits comes after that, or soon.

        Not always after it: a task that is to be joined may itself wait for whoever joins it.
        """
        told: set[asyncio.Task[Any]] = set()
        interrupted: asyncio.CancelledError | None = None
        while tasks := self._others():  # one that ends may have started another
            for task in tasks - told:
                task.cancel()
            told |= tasks
            try:
                _, left = await asyncio.wait(tasks, timeout=_SOON if interrupted else None)
            except asyncio.CancelledError as error:
                interrupted = error
            else:
                if left:
                    break
        if interrupted is not None:
            raise interrupted

    def _others(self) -> set[asyncio.Task[Any]]:
        return self._tasks - {asyncio.current_task()}

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # whoever awaits the task gets the error; this is for the case that nobody does
            _log.debug("the task %s ended with %r", task.get_name(), type(error).__name__)


_SOON = 0.5
"""Seconds that the tasks have to end once whoever closes them is cancelled."""
