"""What it costs to hand one event to 1, 10 and 100 subscribers, each with its own `async for`.

Every event reaches every subscriber before the next ones are handed over: `alone` each by itself,
so that everybody is woken for it, and `burst` 64 at once, as a socket that is read delivers them.
Printed are medians of the microseconds of processor time for one event, all subscribers together,
rounds in turns, and the ratio to TradeForge. Only ratios within one run mean something.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from time import process_time
from typing import Any

from tradeforge_core import Event, MarketDataType, MarketTradeEvent, OrderSide, Subscription, Topic
from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.plugins import Plugins
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_core.streams.switchboard import Switchboard

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPIC = Topic(MarketDataType.TRADE, "A")
BURSTS = {"alone": 1, "burst": 64}


class Tally:
    """How many events have reached a subscriber, whichever."""

    def __init__(self) -> None:
        self.taken = 0


Publish = Callable[[Event], None]
Contender = Callable[[int, Tally], Any]


class _Quiet(StreamLink):
    """A connection over which nothing comes by itself."""

    heard_at = NOW

    async def open(self) -> None: ...

    async def listen(self) -> None:
        await asyncio.Event().wait()

    async def subscribe(self, topic: Topic, began: Began) -> None:
        began(NOW)

    async def unsubscribe(self, topic: Topic) -> None: ...

    async def close(self) -> None: ...


async def _nothing() -> None: ...


@asynccontextmanager
async def tradeforge(subscribers: int, tally: Tally) -> AsyncIterator[Publish]:
    board = Switchboard(
        "bench",
        lambda stream: _Quiet(),
        lambda topic: "market",
        plugins=Plugins(installed=False),
        clock=SystemClock(),
        backoff=Backoff(),
        timeouts=StreamTimeouts(),
    )
    board.start()

    async def read(events: Subscription[Any]) -> None:
        async for event in events:
            tally.taken += isinstance(event, MarketTradeEvent)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(board.close)
        streams = [
            await stack.enter_async_context(Subscription[Any](board, (TOPIC,), _nothing))
            for _ in range(subscribers)
        ]
        async with _running([read(one) for one in streams]):
            yield lambda event: board.publish(TOPIC, event)


@asynccontextmanager
async def asyncio_queues(subscribers: int, tally: Tally) -> AsyncIterator[Publish]:
    """The plain way: a bounded queue for each, which `get` is awaited of."""
    queues = [asyncio.Queue[Event](8192) for _ in range(subscribers)]

    async def read(queue: asyncio.Queue[Event]) -> None:
        while True:
            await queue.get()
            tally.taken += 1

    def publish(event: Event) -> None:
        for queue in queues:
            queue.put_nowait(event)

    async with _running([read(queue) for queue in queues]):
        yield publish


@asynccontextmanager
async def tasks(subscribers: int, tally: Tally) -> AsyncIterator[Publish]:
    """A task for each callback of each event: no queue, no order, no bound."""
    alive: set[asyncio.Task[None]] = set()

    async def take(event: Event) -> None:
        tally.taken += 1

    def publish(event: Event) -> None:
        for _ in range(subscribers):
            task = asyncio.create_task(take(event))
            alive.add(task)
            task.add_done_callback(alive.discard)

    yield publish


@asynccontextmanager
async def _running(work: list[Any]) -> AsyncIterator[None]:
    running = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.wait(running)


CONTENDERS: dict[str, Contender] = {
    "tradeforge": tradeforge,
    "asyncio.Queue": asyncio_queues,
    "a task each": tasks,
}


async def seconds(make: Contender, subscribers: int, burst: int, events: int) -> float:
    """Of processor time, for all events."""
    trade = MarketTradeEvent(
        contract_id="A",
        price=Decimal(1),
        size=Decimal(1),
        aggressor=OrderSide.BUY,
        time=NOW,
        received=datetime.now(UTC),
    )
    tally = Tally()
    async with make(subscribers, tally) as publish:
        await _hand_over(publish, trade, tally, subscribers, burst, burst * 2)
        began = process_time()
        await _hand_over(publish, trade, tally, subscribers, burst, events)
        return process_time() - began


async def _hand_over(
    publish: Publish, trade: Event, tally: Tally, subscribers: int, burst: int, events: int
) -> None:
    for _ in range(events // burst):
        due = tally.taken + burst * subscribers
        for _ in range(burst):
            publish(trade)
        while tally.taken < due:  # noqa: ASYNC110  # an event of its own would be part of the cost
            await asyncio.sleep(0)


def measure(counts: list[int], events: int, rounds: int) -> list[dict[str, Any]]:
    times: dict[tuple[int, str, str], list[float]] = {}
    for _ in range(rounds):
        for count in counts:
            share = max(events // count // 64, 1) * 64
            for way, burst in BURSTS.items():
                for name, make in CONTENDERS.items():
                    found = asyncio.run(seconds(make, count, burst, share)) / share
                    times.setdefault((count, way, name), []).append(found)
    return [
        {
            "subscribers": count,
            "way": way,
            "by": name,
            "microseconds": round(median(found) * 1e6, 2),
            "ratio": round(median(found) / median(times[count, way, "tradeforge"]), 2),
        }
        for (count, way, name), found in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--events", type=int, default=100_000, help="handed over in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    rows = measure(given.subscribers, given.events, given.rounds)
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'subscribers':>11} {'':6} {'':14} {'µs/event':>9} {'ratio':>6}")
    for row in rows:
        print(
            f"{row['subscribers']:11} {row['way']:6} {row['by']:14}"
            f" {row['microseconds']:9} {row['ratio']:6}"
        )


if __name__ == "__main__":
    main()
