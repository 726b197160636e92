"""Memory over a million events: what the process holds after the warm-up, and at the end.

The events go the way of live data: over a real connection to a hub in another process, through the
reader, the switchboard and a queue, into the hands of a user who lets go of them.
"""

import argparse
import asyncio
import gc
import json
import os
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.market import market
from benchmarks.messages import END, START, TARGETS, subscribed
from benchmarks.stream_decode import hub

_BURST = 256


def resident_kib() -> int:
    """What the process holds in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


async def measure(url: str, kind: str, count: int, warmup: int, pause: float) -> dict[str, object]:
    wish = {"kind": kind, "count": count, "warmup": warmup, "burst": _BURST, "pause": pause}
    events, before = 0, 0
    async with market(f"{url}?{urlencode(wish)}") as subscribe:
        async with subscribe(kind, subscribed(_BURST)) as stream:
            async for event in stream:
                contract_id = getattr(event, "contract_id", None)
                events += contract_id is not None
                if contract_id == START:
                    events, before = 0, resident_kib()
                elif contract_id == END:
                    break
            after = resident_kib()
    return {
        "kind": kind,
        "events": events - 1,
        "after_warmup_kib": before,
        "at_the_end_kib": after,
        "growth_kib": after - before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--count", type=int, default=1_000_000, help="messages of each kind")
    parser.add_argument("--warmup", type=int, default=50_000, help="messages before those")
    parser.add_argument("--pause", type=float, default=0.005, help="seconds between two bursts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    with hub() as url:
        rows = [
            asyncio.run(measure(url, kind, given.count, given.warmup, given.pause))
            for kind in given.kinds
        ]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'':8} {'events':>9} {'KiB before':>11} {'KiB after':>10} {'growth':>7}")
    for row in rows:
        print(
            f"{row['kind']:8} {row['events']:9} {row['after_warmup_kib']:11}"
            f" {row['at_the_end_kib']:10} {row['growth_kib']:7}"
        )


if __name__ == "__main__":
    main()
