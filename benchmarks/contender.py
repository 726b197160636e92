"""One client in a process of its own: subscribes, takes every message, and prints what it cost.

Each hands its events to a function of the user that does next to nothing. pysignalr changes the
`websockets` of its whole process: that is the first reason for a process each.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.messages import END, START, SUBSCRIBE, TARGETS, subscribed


class Meter:
    """What the user does with an event: notes when the first and the last one came."""

    def __init__(self) -> None:
        self.events = 0
        self.seconds = 0.0
        self._began = 0.0
        self.done = asyncio.Event()

    def take(self, contract_id: str) -> None:
        self.events += 1
        if contract_id == START:
            self.events = 0
            self._began = time.process_time()
        elif contract_id == END:
            self.seconds = time.process_time() - self._began
            self.events -= 1
            self.done.set()


async def pysignalr_dicts(url: str, kind: str, burst: int, meter: Meter) -> None:
    async def take(arguments: Any) -> None:
        meter.take(arguments[0])

    await signalr(url, kind, burst, meter.done, take)


async def pysignalr_pydantic(url: str, kind: str, burst: int, meter: Meter) -> None:
    from benchmarks.pydantic_models import MODELS

    validate = MODELS[kind].model_validate

    async def take(arguments: Any) -> None:
        event = validate({"contract_id": arguments[0], "data": arguments[1]})
        meter.take(event.contract_id)

    await signalr(url, kind, burst, meter.done, take)


async def signalr(
    url: str, kind: str, burst: int, done: asyncio.Event, take: Callable[[Any], Awaitable[None]]
) -> None:
    """Take every message with the client of pysignalr until it is done."""
    from pysignalr.client import SignalRClient

    client = SignalRClient(url)
    client.on(TARGETS[kind], take)

    async def subscribe() -> None:
        for contract_id in subscribed(burst):
            await client.send(SUBSCRIBE[kind], [contract_id])  # type: ignore[list-item]

    client.on_open(subscribe)
    running = asyncio.create_task(client.run())
    await done.wait()
    running.cancel()
    await asyncio.wait([running])


async def tradeforge_default(url: str, kind: str, burst: int, meter: Meter) -> None:
    sys.modules["picows"] = None  # type: ignore[assignment]  # as where it is not installed
    await tradeforge_fast(url, kind, burst, meter)


async def tradeforge_fast(url: str, kind: str, burst: int, meter: Meter) -> None:
    """The whole way to the user: hub, reader, switchboard, queue, `async for`."""
    from benchmarks.market import market

    async with market(url) as subscribe:
        async with subscribe(kind, subscribed(burst)) as events:
            async for event in events:
                contract_id = getattr(event, "contract_id", None)
                if contract_id is not None:
                    meter.take(contract_id)
                    if meter.done.is_set():
                        break


async def tradeforge_levels(url: str, kind: str, burst: int, meter: Meter) -> None:
    """The same by a user who looks at the levels of the book: they are made only then."""
    from benchmarks.market import market
    from tradeforge_core import DepthEvent

    async with market(url) as subscribe:
        async with subscribe(kind, subscribed(burst)) as events:
            async for event in events:
                if isinstance(event, DepthEvent):
                    _ = event.bids, event.asks
                    meter.take(event.contract_id)
                    if meter.done.is_set():
                        break


LEVELS = "tradeforge[fast], levels"
CONTENDERS = {
    "pysignalr": pysignalr_dicts,
    "pysignalr + pydantic": pysignalr_pydantic,
    "tradeforge": tradeforge_default,
    "tradeforge[fast]": tradeforge_fast,
    LEVELS: tradeforge_levels,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("url")
    parser.add_argument("kind", choices=TARGETS)
    parser.add_argument("burst", type=int)
    given = parser.parse_args()

    async def run() -> Meter:
        meter = Meter()
        await CONTENDERS[given.name](given.url, given.kind, given.burst, meter)
        return meter

    meter = asyncio.run(run())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": meter.seconds, "events": meter.events, "most_kib": most}))


if __name__ == "__main__":
    main()
