"""Memory over a million events: what the process holds after the warm-up, and at the end.

The events go the way of live data: over a real connection to a hub in another process, through the
reader, the switchboard and a queue, into the hands of a user who lets go of them.
"""

import argparse
import asyncio
import gc
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.market import market
from benchmarks.messages import END, START, TARGETS, subscribed
from benchmarks.stream_decode import hub

_BURST = 256
_LOOKS = 40
"""How often it is looked what the process holds."""


def resident_kib() -> int:
    """What the process holds in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


async def measure(url: str, kind: str, count: int, warmup: int, pause: float) -> dict[str, Any]:
    wish = {"kind": kind, "count": count, "warmup": warmup, "burst": _BURST, "pause": pause}
    events, held = 0, [0]
    async with market(f"{url}?{urlencode(wish)}") as subscribe:
        async with subscribe(kind, subscribed(_BURST)) as stream:
            async for event in stream:
                contract_id = getattr(event, "contract_id", None)
                events += contract_id is not None
                if contract_id == START:
                    events, held = 0, [resident_kib()]
                elif contract_id == END:
                    break
                elif events >= len(held) * count / _LOOKS:
                    held.append(resident_kib())
            held.append(resident_kib())
    return {
        "kind": kind,
        "events": events - 1,
        "after_warmup_kib": held[0],
        "at_the_end_kib": held[-1],
        "growth_kib": held[-1] - held[0],
        "slope_kib": _slope(held),
    }


def _slope(held: Sequence[int]) -> int:
    """What was added from the first half to the second at their peaks, for all of the time.

    How much waits at one moment is chance, and is in what is held at the end; it is not in this.
    """
    half = len(held) // 2
    return 2 * (max(held[half:]) - max(held[:half])) if half else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--count", type=int, default=1_000_000, help="messages of each kind")
    parser.add_argument("--warmup", type=int, default=50_000, help="messages before those")
    parser.add_argument("--pause", type=float, default=0.005, help="seconds between two bursts")
    parser.add_argument("--seconds", type=float, default=600, help="that each kind may take")
    parser.add_argument("--most", type=int, help="KiB of slope above which it fails")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    with hub() as url:
        rows = [asyncio.run(_in_time(url, kind, given)) for kind in given.kinds]
    print(json.dumps(rows, indent=2) if given.json else _table(rows))
    if given.most is not None and any(row["slope_kib"] > given.most for row in rows):
        raise SystemExit(f"memory grows by more than {given.most} KiB")


async def _in_time(url: str, kind: str, given: argparse.Namespace) -> dict[str, Any]:
    async with asyncio.timeout(given.seconds):
        return await measure(url, kind, given.count, given.warmup, given.pause)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    head = f"{'':8} {'events':>9} {'KiB before':>11} {'KiB after':>10} {'growth':>7} {'slope':>7}"
    return "\n".join([head, *map(_line, rows)])


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['kind']:8} {row['events']:9} {row['after_warmup_kib']:11}"
        f" {row['at_the_end_kib']:10} {row['growth_kib']:7} {row['slope_kib']:7}"
    )


if __name__ == "__main__":
    main()
