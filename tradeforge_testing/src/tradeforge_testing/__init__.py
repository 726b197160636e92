"""The sandbox toolkit: a simulated exchange, and what a venue's sandbox is built from."""

from tradeforge_testing.clock import ManualClock

__all__ = ["ManualClock"]
