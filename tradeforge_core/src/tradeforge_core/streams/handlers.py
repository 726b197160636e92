"""Handlers of the user: each has a queue and a task of its own, so none can harm another."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from tradeforge_core.errors import HandlerFailed, TradeForgeError
from tradeforge_core.kit.clock import Clock
from tradeforge_core.streams.queue import EventQueue, Filling, Overflowed
from tradeforge_core.streams.stopwatch import Stopwatch

_log = logging.getLogger("tradeforge_core")


class HandlerRunner:
    """Calls one handler with one event after the other, and reports what it raises."""

    def __init__(
        self,
        handler: Callable[[Any], object],
        clock: Clock,
        report: Callable[[TradeForgeError], None],
        overflowed: Overflowed = lambda topics: None,
        filling: Filling = lambda queue: None,
        blocked: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._clock = clock
        self._overflowed = overflowed
        self._filling = filling
        self._handler = handler
        self._report = report
        self.queue = self._new_queue()
        self.stopwatch = Stopwatch(self.name, clock, blocked)

    @property
    def name(self) -> str:
        return f"handler {getattr(self._handler, '__qualname__', repr(self._handler))}"

    def finish(self) -> None:
        """Let the handler see what waits, and no more."""
        self.queue.end(_Finished("the provider was disconnected"))

    def begin(self) -> Coroutine[Any, Any, None]:
        """The work until `finish`, or until the handler was too slow for data not to be lost.

        It has a queue of its own: what an earlier connection left behind is not for this one.
        """
        if self.queue.has_ended:
            self.queue = self._new_queue()
        return self._work(self.queue)

    def _new_queue(self) -> EventQueue:
        return EventQueue(
            self._clock, overflowed=self._overflowed, filling=self._filling, name=self.name
        )

    async def _work(self, queue: EventQueue) -> None:
        while True:
            try:
                event = await queue.get()
            except _Finished:
                return
            except TradeForgeError as reason:
                return self._report(reason)
            await self._call(event)

    async def _call(self, event: object) -> None:
        try:
            answer = self.stopwatch.call(self._handler, event)
            if inspect.iscoroutine(answer):
                await self.stopwatch.wait(answer)
            elif inspect.isawaitable(answer):
                await answer
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._failed(error)  # of something that the handler waited for
        except Exception as error:  # noqa: BLE001  # a handler must not end the stream
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        failure = HandlerFailed(f"the {self.name} failed: {error!r}")
        failure.__cause__ = error
        self._report(failure)


class _Finished(TradeForgeError):
    """Made anew for each end: an error holds on to whoever it was raised in."""


def log_failure(error: TradeForgeError) -> None:
    """What becomes of the failure of who would be told of failures."""
    _log.error("%s", error, exc_info=error)
