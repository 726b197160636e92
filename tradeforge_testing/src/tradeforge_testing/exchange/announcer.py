"""Tells the listeners what happened, in the order in which it happened."""

from collections import deque
from collections.abc import Callable

from tradeforge_testing.exchange.events import ExchangeEvent

Listener = Callable[[ExchangeEvent], None]


class Announcer:
    """A queue between what happens and who is told.

    `tell` only queues, so that a listener never sees, or acts on, an exchange that is half way
    through a trade. What a listener causes is told after what is queued already.
    """

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}
        self._queue: deque[ExchangeEvent] = deque()
        self._telling = False

    def listen(self, listener: Listener) -> Callable[[], None]:
        key = object()
        self._listeners[key] = listener
        return lambda: self._leave(key)

    def _leave(self, key: object) -> None:
        self._listeners.pop(key, None)

    def tell(self, event: ExchangeEvent) -> None:
        self._queue.append(event)

    def flush(self) -> None:
        """Tell all that is queued; does nothing when called by a listener."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._queue:
                self._tell_all(self._queue.popleft())
        finally:
            self._telling = False

    def _tell_all(self, event: ExchangeEvent) -> None:
        for listener in list(self._listeners.values()):
            listener(event)
