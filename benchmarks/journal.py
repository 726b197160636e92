"""What it costs to have an order on record before it leaves, beside a bare append and fdatasync.

Both write to the same disk in turns, one order at a time and many at once; printed are the medians
of the milliseconds, the 99th percentiles, and the ratio of the medians to that of the bare append.
Only ratios within one run mean something.
"""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_core.orders.intents import Intent, Operation
from tradeforge_core.orders.journal import Journal

_ORDER = json.dumps({"side": "buy", "type": "limit", "size": "1", "limit_price": "21000.25"})
_RECORD = b"x" * 512  # as long as what the journal has to say about an order


@contextmanager
def appending(file: Path) -> Iterator[Callable[[], float]]:
    """Appends a record and waits for the disk; tells the seconds."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append() -> float:
        began = perf_counter()
        os.write(descriptor, _RECORD)
        os.fdatasync(descriptor)
        return perf_counter() - began

    try:
        yield append
    finally:
        os.close(descriptor)


async def order(journal: Journal) -> float:
    """Brings a new order to where its bytes may leave; tells the seconds."""
    now = datetime.now(UTC)
    intent = Intent(
        id=new_client_order_id(now),
        operation=Operation.PLACE,
        account_id="1",
        contract_id="CON.F.US.MNQ.H26",
        details=_ORDER,
        made_at=now,
    )
    began = perf_counter()
    journal.begin(intent)
    await journal.hand_off(intent.id, now)
    return perf_counter() - began


async def measure(folder: Path, orders: int, at_once: int) -> dict[str, list[float]]:
    """The seconds of each, by what was done."""
    times: dict[str, list[float]] = {"append": [], "one": [], "many": []}
    journal = await Journal.open(folder / "1.sqlite3", clock=SystemClock())
    with appending(folder / "bare") as append:
        for number in count(1):
            times["append"].append(append())
            times["one"].append(await order(journal))
            if number % at_once == 0:
                times["many"] += await asyncio.gather(*(order(journal) for _ in range(at_once)))
            if number >= orders:
                break
    await journal.close()
    return times


def rows(times: dict[str, list[float]], at_once: int) -> list[dict[str, object]]:
    names = {
        "append": "append + fdatasync",
        "one": "begin + hand_off",
        "many": f"the same, {at_once} at once",
    }
    base = median(times["append"])
    return [
        {
            "what": name,
            "p50_ms": round(median(times[key]) * 1e3, 3),
            "p99_ms": round(quantiles(times[key], n=100)[-1] * 1e3, 3),
            "ratio": round(median(times[key]) / base, 2),
        }
        for key, name in names.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000, help="orders one at a time")
    parser.add_argument("--at-once", type=int, default=64, help="orders in flight together")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else a temporary one")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        times = asyncio.run(measure(Path(folder), given.orders, given.at_once))
    found = rows(times, given.at_once)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'':24} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>6}")
    for row in found:
        print(f"{row['what']:24} {row['p50_ms']:8} {row['p99_ms']:8} {row['ratio']:6}")


if __name__ == "__main__":
    main()
