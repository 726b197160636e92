"""How long a trade takes from the sender's socket to the user's code, at a steady rate.

The sender is a process of its own on the same machine, and writes the time into each message just
before it sends it; the user's code looks at the same clock first of all. Each client takes so many
messages a second, one message per frame, in turns; printed are medians of the rounds, in
microseconds, and the ratio of the p50 to TradeForge. Only ratios within one run mean something.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.util import find_spec
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from benchmarks.contender import signalr
from benchmarks.messages import END, START
from benchmarks.stream_decode import hub

BURST = 16
"""Contracts that the messages are of, in turns."""
KIND = "trades"


class Delays:
    """What the user does with an event: notes how old it is."""

    def __init__(self) -> None:
        self.microseconds: list[float] = []
        self.done = asyncio.Event()

    def take(self, contract_id: str, sent: datetime | None) -> None:
        now = time.time()
        if contract_id == END:
            self.done.set()
        elif contract_id == START:
            self.microseconds.clear()
        elif sent is not None:
            self.microseconds.append((now - sent.timestamp()) * 1e6)


async def tradeforge(url: str, delays: Delays) -> None:
    sys.modules["picows"] = None  # type: ignore[assignment]  # as where it is not installed
    await tradeforge_fast(url, delays)


async def tradeforge_fast(url: str, delays: Delays) -> None:
    from benchmarks.market import market
    from benchmarks.messages import subscribed
    from tradeforge_core import MarketTradeEvent

    async with market(url) as subscribe:
        async with subscribe(KIND, subscribed(BURST)) as events:
            async for event in events:
                if isinstance(event, MarketTradeEvent):
                    delays.take(event.contract_id, event.time)
                    if delays.done.is_set():
                        break


async def pysignalr_dicts(url: str, delays: Delays) -> None:
    async def take(arguments: Any) -> None:
        contract_id, (trade,) = arguments
        delays.take(contract_id, datetime.fromisoformat(trade["timestamp"]))

    await signalr(url, KIND, BURST, delays.done, take)


async def pysignalr_pydantic(url: str, delays: Delays) -> None:
    from benchmarks.pydantic_models import MODELS

    validate: Any = MODELS[KIND].model_validate

    async def take(arguments: Any) -> None:
        event = validate({"contract_id": arguments[0], "data": arguments[1]})
        delays.take(event.contract_id, event.data[0].time)

    await signalr(url, KIND, BURST, delays.done, take)


CLIENTS: dict[str, Callable[[str, Delays], Awaitable[None]]] = {
    "tradeforge": tradeforge,
    "tradeforge[fast]": tradeforge_fast,
    "pysignalr": pysignalr_dicts,
    "pysignalr + pydantic": pysignalr_pydantic,
}
_NEEDS = {"pysignalr + pydantic": "pydantic", "tradeforge[fast]": "picows"}


def run_client(name: str, url: str) -> list[float]:
    """The delays of every message, in microseconds."""

    async def run() -> Delays:
        delays = Delays()
        await CLIENTS[name](url, delays)
        return delays

    return asyncio.run(run()).microseconds


def one_run(name: str, url: str, rate: int, seconds: float) -> tuple[float, float, int]:
    """The p50, the p99, and how many messages came."""
    wish = {"kind": KIND, "count": int(rate * seconds), "warmup": rate // 2, "burst": BURST}
    address = f"{url}?{urlencode(wish | {'rate': rate})}"
    command = [sys.executable, "-m", "benchmarks.latency", "--client", name, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 10 * seconds)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found: list[float] = json.loads(done.stdout)
    return median(found), quantiles(found, n=100)[98], len(found)


def measure(rates: list[int], seconds: float, rounds: int) -> list[dict[str, Any]]:
    names = [one for one in CLIENTS if one not in _NEEDS or find_spec(_NEEDS[one])]
    runs: dict[tuple[int, str], list[tuple[float, float, int]]] = {}
    with hub() as url:
        for _ in range(rounds):
            for rate in rates:
                for name in names:
                    runs.setdefault((rate, name), []).append(one_run(name, url, rate, seconds))
    return [
        {
            "rate": rate,
            "client": name,
            "p50": round(median(p50 for p50, _, _ in found)),
            "p99": round(median(p99 for _, p99, _ in found)),
            "ratio": round(
                median(p50 for p50, _, _ in found)
                / median(p50 for p50, _, _ in runs[rate, "tradeforge"]),
                2,
            ),
            "delivered": round(min(count for _, _, count in found) / int(rate * seconds), 4),
        }
        for (rate, name), found in runs.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--seconds", type=float, default=3, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--client", nargs=2, metavar=("NAME", "URL"), help="be this client")
    given = parser.parse_args()
    if given.client:
        print(json.dumps(run_client(*given.client)))
        return
    rows = measure(given.rates, given.seconds, given.rounds)
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'per second':>10} {'client':22} {'p50, µs':>8} {'p99, µs':>8} {'ratio':>6} delivered")
    for row in rows:
        print(
            f"{row['rate']:10} {row['client']:22} {row['p50']:8} {row['p99']:8}"
            f" {row['ratio']:6} {row['delivered']}"
        )


if __name__ == "__main__":
    main()
