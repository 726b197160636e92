"""The whole state of a sandbox as JSON: the truth that a client is compared with."""

from collections.abc import Mapping
from typing import Any

from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.gate import Gate
from tradeforge_testing.sandbox.signalr.hub import Hub
from tradeforge_topstepx.sandbox.hubs import Hubs
from tradeforge_topstepx.sandbox.limits import RateGuard


def describe(
    exchange: Exchange, gate: Gate, guard: RateGuard, hubs: Mapping[Hubs, Hub]
) -> dict[str, Any]:
    """What the exchange knows, who is connected, and what was asked; decimals are texts."""
    return {
        "exchange": exchange.snapshot(),
        "hubs": {name.value: hub.state() for name, hub in hubs.items()},
        "requests": dict(gate.requests),
        "worst_rates": dict(guard.worst),
    }
