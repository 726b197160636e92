"""The messages of the hub on loopback, in the spelling of the gateway, with values that move."""

import json
import time
from collections.abc import Sequence

TARGETS = {"quotes": "GatewayQuote", "depth": "GatewayDepth", "trades": "GatewayTrade"}
SUBSCRIBE = {
    "quotes": "SubscribeContractQuotes",
    "depth": "SubscribeContractMarketDepth",
    "trades": "SubscribeContractTrades",
}

START, END = "CON.START", "CON.END"
"""The contracts of the first message that counts, and of the one after the last."""

_TIME = "2026-08-19T20:51:31.{:07d}+00:00"
_LEVELS = 10
UNSTAMPED = _TIME.format(0).encode()
"""The time in a message number 0."""


def contracts(count: int) -> list[str]:
    """One for each message of a burst: a newer quote must not take the place of an older one."""
    return [f"CON.F.US.C{number:03d}.Z26" for number in range(count)]


def subscribed(count: int) -> Sequence[str]:
    return (*contracts(count), START, END)


def record(kind: str, contract_id: str, number: int) -> bytes:
    """One message, with the separator of records."""
    message = {"type": 1, "target": TARGETS[kind], "arguments": [contract_id, _DATA[kind](number)]}
    return json.dumps(message, separators=(",", ":")).encode() + b"\x1e"


def stamp(nanoseconds: int) -> bytes:
    """A time since the epoch as the gateway writes it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{begin}.{rest // 100:07d}+00:00".encode()


def _price(quarters: int) -> int | float:
    """As the gateway writes it: a whole price has no point."""
    return quarters // 4 if quarters % 4 == 0 else quarters / 4


def _quote(number: int) -> object:
    return {
        "symbol": "F.US.MNQ",
        "lastPrice": _price(118189 + number % 40),
        "bestBid": _price(118188 + number % 40),
        "bestAsk": _price(118190 + number % 40),
        "volume": 120_000 + number,
        "lastUpdated": _TIME.format(number),
        "timestamp": _TIME.format(0),
    }


def _depth(number: int) -> object:
    return [
        {
            "timestamp": _TIME.format(number),
            "type": 1 + level % 2,
            "price": _price(118189 + (number + level) % 80),
            "volume": (number + level) % 30,
            "currentVolume": level,
        }
        for level in range(_LEVELS)
    ]


def _trades(number: int) -> object:
    return [
        {
            "symbolId": "F.US.MES",
            "price": _price(30922 + number % 40),
            "timestamp": _TIME.format(number),
            "type": number % 2,
            "volume": 1 + number % 9,
            "contractId": "CON.F.US.MES.Z26",
        }
    ]


_DATA = {"quotes": _quote, "depth": _depth, "trades": _trades}
