"""CPU time per market message, from the bytes on the wire to an event in the user's hands.

Real clients take the same messages from the same hub on loopback, in turns; printed are the
medians of the rounds and their ratios to pysignalr + pydantic. Only ratios within one run mean
something.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median
from urllib.parse import urlencode

from benchmarks.contender import CONTENDERS, LEVELS
from benchmarks.messages import TARGETS

BASE = "pysignalr + pydantic"


@contextmanager
def hub() -> Iterator[str]:
    """The address of a hub in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.hub"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/hub"
        finally:
            process.terminate()


def contenders() -> list[str]:
    """Those whose libraries are installed."""
    needs = {"pysignalr + pydantic": "pydantic", "tradeforge[fast]": "picows", LEVELS: "picows"}
    return [name for name in CONTENDERS if name not in needs or find_spec(needs[name])]


def cost(name: str, url: str, kind: str, given: argparse.Namespace) -> tuple[float, float]:
    """Microseconds of CPU per message, and the share of messages that reached the user."""
    wish = {"count": given.count, "warmup": given.warmup, "burst": given.burst}
    address = f"{url}?{urlencode(wish | {'kind': kind, 'pause': given.pause})}"
    command = [sys.executable, "-m", "benchmarks.contender", name, address, kind, str(given.burst)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    result = json.loads(done.stdout)
    sent = given.count // given.burst * given.burst
    return result["seconds"] / sent * 1e6, result["events"] / sent


def measure(given: argparse.Namespace) -> list[dict[str, object]]:
    names = contenders()
    runs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with hub() as url:
        for _ in range(given.rounds):
            for kind in given.kinds:
                for name in names:
                    if name == LEVELS and kind != "depth":
                        continue
                    runs.setdefault((kind, name), []).append(cost(name, url, kind, given))
    rows = []
    for (kind, name), found in runs.items():
        base = median(one for one, _ in runs.get((kind, BASE), found))
        typical = median(one for one, _ in found)
        rows.append(
            {
                "kind": kind,
                "client": name,
                "microseconds": round(typical, 2),
                "ratio": round(typical / base, 3),
                "delivered": round(min(share for _, share in found), 4),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=20_480, help="messages that count")
    parser.add_argument("--warmup", type=int, default=5_120, help="messages before those")
    parser.add_argument("--burst", type=int, default=256, help="messages sent at once")
    parser.add_argument("--pause", type=float, default=0.004, help="seconds between two bursts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    rows = measure(given)
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'':8} {'client':24} {'µs/message':>10} {'ratio':>7} {'delivered':>10}")
    for row in rows:
        print(
            f"{row['kind']:8} {row['client']:24} {row['microseconds']:10} {row['ratio']:7}"
            f" {row['delivered']:10}"
        )


if __name__ == "__main__":
    main()
