"""A proxy that does to the connections of a client what a bad network does."""

from tradeforge_testing.proxy.faults import (
    Cut,
    Delay,
    Direction,
    Drop,
    Fault,
    Hold,
    NextConnection,
    NextRequest,
    Now,
    Slice,
    Throttle,
    When,
)
from tradeforge_testing.proxy.proxy import FaultProxy

__all__ = [
    "Cut",
    "Delay",
    "Direction",
    "Drop",
    "Fault",
    "FaultProxy",
    "Hold",
    "NextConnection",
    "NextRequest",
    "Now",
    "Slice",
    "Throttle",
    "When",
]
