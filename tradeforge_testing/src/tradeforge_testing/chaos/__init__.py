"""Chaos: a trading program, a venue and a network that fail in every way that is known.

Each run is a seed. What must hold whatever happens is checked against the venue's own books.
"""

from tradeforge_testing.chaos.faults import Action, ChaosFault
from tradeforge_testing.chaos.run import Verdict, run_simulated, run_wired
from tradeforge_testing.chaos.venue import ChaosVenue

__all__ = ["Action", "ChaosFault", "ChaosVenue", "Verdict", "run_simulated", "run_wired"]
