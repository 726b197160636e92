"""Who can be given the events of a topic."""

from typing import Any, Protocol

from tradeforge_core.errors import TradeForgeError
from tradeforge_core.events import Topic


class Subscriber(Protocol):
    """Who gets events as they come; no method may wait or raise."""

    def put(self, topic: Topic, event: Any) -> None: ...

    def put_health(self, event: Any) -> None: ...

    def end(self, reason: TradeForgeError) -> None: ...
