"""A simulator: whole programs, client and server, in virtual time and without a network.

What sleeps an hour takes no time at all, and the same seed gives the same run.
"""

from tradeforge_testing.sim.loop import Deadlock, VirtualClock, VirtualLoop, simulate
from tradeforge_testing.sim.network import MemoryNetwork

__all__ = ["Deadlock", "MemoryNetwork", "VirtualClock", "VirtualLoop", "simulate"]
