"""Handlers of the user: each has a queue and a task of its own, so none can harm another."""

import inspect
from collections.abc import Callable
from typing import Any

from tradeforge_core.errors import HandlerFailed, TradeForgeError
from tradeforge_core.kit.clock import Clock
from tradeforge_core.streams.queue import EventQueue


class HandlerRunner:
    """Calls one handler with one event after the other, and reports what it raises."""

    def __init__(
        self,
        handler: Callable[[Any], object],
        clock: Clock,
        report: Callable[[TradeForgeError], None],
    ) -> None:
        self.queue = EventQueue(clock)
        self._clock = clock
        self._handler = handler
        self._report = report

    @property
    def name(self) -> str:
        return f"handler {getattr(self._handler, '__qualname__', repr(self._handler))}"

    def finish(self) -> None:
        """Let the handler see what waits, and no more."""
        self.queue.end(_FINISHED)

    async def run(self) -> None:
        """Work until `finish`, or until the handler was too slow for data that must not be lost."""
        while True:
            try:
                event = await self.queue.get()
            except TradeForgeError as reason:
                if reason is not _FINISHED:
                    self._report(reason)
                self.queue = EventQueue(self._clock)  # for the next connect
                return
            await self._call(event)

    async def _call(self, event: object) -> None:
        try:
            answer = self._handler(event)
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001  # a handler must not end the stream
            failure = HandlerFailed(f"the {self.name} failed: {error!r}")
            failure.__cause__ = error
            self._report(failure)


_FINISHED = TradeForgeError("the provider was disconnected")
