"""Recordings played again: the same provider code, the same messages, the same state at the end."""

from tradeforge_testing.replay.recording import Line, Recording
from tradeforge_testing.replay.run import Difference, Replayed, run_replay

__all__ = ["Difference", "Line", "Recording", "Replayed", "run_replay"]
