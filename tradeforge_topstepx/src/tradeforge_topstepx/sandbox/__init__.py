"""A local TopStepX: the ProjectX Gateway API over a simulated exchange."""

from typing import TYPE_CHECKING, Any

from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_testing.sandbox.signalr.connection import HubLimits
from tradeforge_testing.sandbox.signalr.event_faults import EventFault
from tradeforge_testing.sandbox.signalr.hub import Silence
from tradeforge_topstepx.sandbox.hubs import Hubs
from tradeforge_topstepx.sandbox.limits import RateLimit, RateLimits
from tradeforge_topstepx.sandbox.sandbox import TopStepXSandbox, create

if TYPE_CHECKING:
    from tradeforge_core.kit.clock import Clock
    from tradeforge_topstepx.sandbox.chaos import TopStepXChaos
    from tradeforge_topstepx.sandbox.replay import GatewayReplay


def chaos_venue(seed: int) -> "TopStepXChaos":
    """A gateway to be put through chaos: `tradeforge chaos` looks for this name."""
    from tradeforge_topstepx.sandbox.chaos import TopStepXChaos

    return TopStepXChaos(seed)


def replay_venue(recording: Any, clock: "Clock") -> "GatewayReplay":
    """A gateway that says what was recorded: `tradeforge replay` looks for this name."""
    from tradeforge_topstepx.sandbox.replay import GatewayReplay

    return GatewayReplay(recording, clock)


__all__ = [
    "EventFault",
    "Fault",
    "HubLimits",
    "Hubs",
    "RateLimit",
    "RateLimits",
    "Silence",
    "TopStepXSandbox",
    "chaos_venue",
    "create",
    "replay_venue",
]
