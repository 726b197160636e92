"""The skeleton of a venue that tells its news over SignalR hubs; needs the extra `sandbox`."""

from tradeforge_testing.sandbox.signalr.chaos import hub_faults
from tradeforge_testing.sandbox.signalr.connection import HubLimits
from tradeforge_testing.sandbox.signalr.event_faults import EventFault
from tradeforge_testing.sandbox.signalr.hub import Channel, Hub, Silence
from tradeforge_testing.sandbox.signalr.messages import Outgoing, Topic
from tradeforge_testing.sandbox.signalr.routes import Door, hub_routes

__all__ = [
    "Channel",
    "Door",
    "EventFault",
    "Hub",
    "HubLimits",
    "Outgoing",
    "Silence",
    "Topic",
    "hub_faults",
    "hub_routes",
]
