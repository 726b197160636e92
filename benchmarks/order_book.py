"""What a change of an order book costs, beside other books that are installed here.

Each book takes the same changes with a check of their numbers, and the best two are compared after
each: a crossed book must be noticed. Printed are the medians of the microseconds of processor time
for one change, rounds in turns, and the ratio to TradeForge. Only ratios within one run mean
something. `decoded` is TradeForge with the JSON of the change, by msgspec; of TopStepX it is the
whole message of the gateway, which has five members for each level.
"""

import argparse
import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from statistics import median
from time import process_time
from typing import Any

import msgspec

from tradeforge_core import BookState, DepthLevel, OrderBook
from tradeforge_core.kit.constructors import Levels, new_depth
from tradeforge_topstepx._events import EventReader

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Pair = tuple[str, str]


class Change(msgspec.Struct, array_like=True):
    u: int
    b: list[Pair]
    a: list[Pair]


Book = Callable[[Change], None]


def changes(count: int, levels: int, seed: int = 7) -> list[Change]:
    """A whole book of 200 levels a side, and what follows: most of it near the best prices."""
    dice = random.Random(seed)
    found = [Change(0, [_pair(dice, -at, 0) for at in range(1, 201)], [])]
    found[0].a = [_pair(dice, at, 0) for at in range(1, 201)]
    for number in range(1, count + 1):
        near = [1 + int(dice.expovariate(1 / 40)) % 200 for _ in range(levels)]
        sides = [[_pair(dice, sign * at, 0.1) for at in near[half::2]] for half, sign in _SIDES]
        found.append(Change(number, *sides))
    return found


_SIDES = ((0, -1), (1, 1))


def _pair(dice: random.Random, ticks: int, removed: float) -> Pair:
    size = "0" if dice.random() < removed else f"{dice.random() * 9 + 0.001:.3f}"
    return f"{20000 + ticks * 0.25:.2f}", size


def _levels_of(change: Change) -> Levels:
    bids, asks = (
        tuple(DepthLevel(Decimal(price), Decimal(size)) for price, size in side)
        for side in (change.b, change.a)
    )
    return bids, asks, None, None


def _digits_of(change: Change) -> tuple[list[Pair], list[Pair]]:
    return change.b, change.a


def tradeforge() -> Book:
    book = OrderBook("A")

    def take(change: Change) -> None:
        book.apply(new_depth("A", not change.u, _levels_of, NOW, NOW, change, change.u, _digits_of))
        assert book.state is BookState.LIVE

    return take


def tradeforge_decimals() -> Book:
    """As with a venue whose digits are not handed on: every level becomes decimals."""
    book = OrderBook("A")

    def take(change: Change) -> None:
        book.apply(new_depth("A", not change.u, _levels_of, NOW, NOW, change, change.u))
        assert book.state is BookState.LIVE

    return take


def ccxt_pro() -> Book:
    """Floats, level by level into its own book; without its look-ups of the market."""
    book = import_module("ccxt.async_support.base.ws.order_book").OrderBook()
    book["nonce"] = -1

    def take(change: Change) -> None:
        assert change.u == book["nonce"] + 1
        for side, pairs in ((book["asks"], change.a), (book["bids"], change.b)):
            for price, size in pairs:
                side.storeArray([float(price), float(size)])
        book["nonce"] = change.u
        assert book["bids"][0][0] < book["asks"][0][0]

    return take


def order_book_package() -> Book:
    """Decimals, as its manual shows it; the best is the first of each side."""
    book = import_module("order_book").OrderBook()
    last = -1

    def take(change: Change) -> None:
        nonlocal last
        assert change.u == last + 1
        last = change.u
        for side, pairs in ((book.asks, change.a), (book.bids, change.b)):
            for text, digits in pairs:
                price, size = Decimal(text), Decimal(digits)
                if size:
                    side[price] = size
                elif price in side:
                    del side[price]
        assert book.bids.index(0)[0] < book.asks.index(0)[0]

    return take


BOOKS: dict[str, Callable[[], Book]] = {
    "tradeforge": tradeforge,
    "tradeforge, decimals": tradeforge_decimals,
    "ccxt.pro": ccxt_pro,
    "order-book": order_book_package,
}


def seconds(make: Callable[[], Book], feed: list[Change]) -> float:
    take = make()
    take(feed[0])
    began = process_time()
    for change in feed[1:]:
        take(change)
    return process_time() - began


def seconds_with_json(feed: list[Change]) -> float:
    decode = msgspec.json.Decoder(Change).decode
    messages, take = [msgspec.json.encode(change) for change in feed], tradeforge()
    take(feed[0])
    began = process_time()
    for message in messages[1:]:
        take(decode(message))
    return process_time() - began


def seconds_of_topstepx(feed: list[Change]) -> float:
    """From the messages of the gateway: numbers in JSON, whole sizes, and no numbers of changes."""
    messages, reader, book = [_gateway(change) for change in feed], EventReader(), OrderBook("A")

    def take(message: bytes) -> None:
        read = reader.take(message, NOW)
        assert read is not None
        book.apply(read[1][0])
        assert book.state is BookState.LIVE

    take(messages[0])
    began = process_time()
    for message in messages[1:]:
        take(message)
    return process_time() - began


def _gateway(change: Change) -> bytes:
    rows = [
        {
            "timestamp": "2026-08-19T20:51:31.1234567+00:00",
            "type": kind,
            "price": float(price) if float(price) % 1 else int(float(price)),
            "volume": math.ceil(float(size) * 10),
            "currentVolume": 0,
        }
        for kind, side in ((2, change.b), (1, change.a))
        for price, size in side
    ]
    return json.dumps({"type": 1, "target": "GatewayDepth", "arguments": ["A", rows]}).encode()


def installed() -> dict[str, Callable[[], Book]]:
    found = {}
    for name, make in BOOKS.items():
        try:
            make()
        except ImportError:
            continue
        found[name] = make
    return found


def measure(levels: int, deltas: int, rounds: int) -> list[dict[str, Any]]:
    feed = changes(deltas, levels)
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, make in installed().items():
            times.setdefault(name, []).append(seconds(make, feed))
        times.setdefault("tradeforge, decoded", []).append(seconds_with_json(feed))
        times.setdefault("topstepx, decoded", []).append(seconds_of_topstepx(feed))
    base = median(times["tradeforge"])
    return [
        {
            "levels": levels,
            "book": name,
            "microseconds": round(median(found) / deltas * 1e6, 1),
            "per_second": round(deltas / median(found)),
            "ratio": round(median(found) / base, 2),
        }
        for name, found in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=20_000, help="changes in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    rows = [row for n in (20, 50) for row in measure(n, given.deltas, given.rounds)]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'levels':>6} {'':22} {'µs':>7} {'per second':>11} {'ratio':>6}")
    for row in rows:
        print(
            f"{row['levels']:6} {row['book']:22} {row['microseconds']:7}"
            f" {row['per_second']:11} {row['ratio']:6}"
        )


if __name__ == "__main__":
    main()
