"""Those who wait for the venue to confirm a subscription, or to let go of one."""

import asyncio
from collections.abc import Set

from attrs import define, field

from tradeforge_core.errors import Disconnected, TradeForgeError
from tradeforge_core.events import Topic


@define(eq=False)
class Waiter:
    topics: frozenset[Topic]
    """What is to be confirmed; none for the next answer of any kind."""
    done: "asyncio.Future[None]" = field(factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, error: TradeForgeError | None = None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Waiters:
    def __init__(self) -> None:
        self._waiting: list[Waiter] = []

    async def wait(self, topics: frozenset[Topic], seconds: float) -> None:
        """Return once they are confirmed. Raises `TimeoutError`, and what `fail` is given."""
        waiter = Waiter(topics)
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter.done
        finally:
            self._waiting.remove(waiter)

    def asking(self, topic: Topic) -> list[Waiter]:
        return [waiter for waiter in self._waiting if topic in waiter.topics]

    def confirm(self, confirmed: Set[Topic]) -> None:
        for waiter in self._waiting:
            if waiter.topics <= confirmed:
                waiter.settle()

    def refuse(self, topic: Topic, error: TradeForgeError) -> None:
        for waiter in self.asking(topic):
            waiter.settle(error)

    def lose_connection(self) -> None:
        """No answer will come any more; what is to be confirmed still can be, by the next one."""
        for waiter in self._waiting:
            if not waiter.topics:
                waiter.settle(Disconnected("the connection was lost"))

    def fail(self, error: TradeForgeError) -> None:
        for waiter in self._waiting:
            waiter.settle(error)
