"""Measures for how long a handler keeps the event loop to itself."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from tradeforge_core.kit.clock import Clock

_log = logging.getLogger("tradeforge_core")

SLOW = 0.1
"""Seconds: who blocks the event loop for longer is named."""
_SILENCE = 10.0
"""Seconds between two warnings about the same handler; in between it is only counted."""


class Stopwatch:
    """Of one handler."""

    def __init__(self, name: str, clock: Clock, blocked: Callable[[float], None]) -> None:
        self._name = name
        self._clock = clock
        self._blocked = blocked
        self._quiet_until = 0.0
        self.slow_calls = 0
        self.longest_block = 0.0

    def call(self, handler: Callable[[Any], object], event: object) -> object:
        """What the handler answers."""
        began = self._clock.monotonic()
        try:
            return handler(event)
        finally:
            self._note(self._clock.monotonic() - began)

    async def wait(self, answer: Coroutine[Any, Any, object]) -> None:
        """Wait for it; every stretch between two of its waits is measured by itself."""
        await _Stretches(answer, self)

    def _note(self, seconds: float) -> None:
        if seconds > self.longest_block:
            self.longest_block = seconds
        if seconds > SLOW:
            self._note_block(seconds)

    def _note_block(self, seconds: float) -> None:
        self.slow_calls += 1
        self._blocked(seconds)
        now = self._clock.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _SILENCE
            _log.warning(
                "the %s blocked the event loop for %.2f s (%d times so far): while it does,"
                " nothing is received and no order leaves",
                self._name,
                seconds,
                self.slow_calls,
            )


class _Stretches(Awaitable[object]):
    """Awaits a coroutine as `await` does, and measures each step of it."""

    def __init__(self, work: Coroutine[Any, Any, object], stopwatch: Stopwatch) -> None:
        self._work = work
        self._stopwatch = stopwatch

    def __await__(self) -> Generator[Any, Any, object]:
        step: Callable[[Any], Any] = self._work.send
        value: Any = None
        while True:
            try:
                waits_for = self._stopwatch.call(step, value)
            except StopIteration as end:
                return end.value
            try:
                step, value = self._work.send, (yield waits_for)
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is for the handler
                step, value = self._work.throw, error
