"""The skeletons of a venue on this machine: a new sandbox is the skin over one of them."""

from tradeforge_testing.sandbox.books import Books, Lag, Replica
from tradeforge_testing.sandbox.desk import Desk
from tradeforge_testing.sandbox.faults import FaultScript, Spoil, Spoiled
from tradeforge_testing.sandbox.json_chaos import JsonChaos
from tradeforge_testing.sandbox.json_sandbox import Handler, JsonSandbox
from tradeforge_testing.sandbox.server import LoopbackServer

__all__ = [
    "Books",
    "Desk",
    "FaultScript",
    "Handler",
    "JsonChaos",
    "JsonSandbox",
    "Lag",
    "LoopbackServer",
    "Replica",
    "Spoil",
    "Spoiled",
]
