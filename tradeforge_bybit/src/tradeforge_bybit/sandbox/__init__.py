"""A local Bybit: its v5 API over a simulated exchange."""

from typing import TYPE_CHECKING

from tradeforge_bybit.sandbox.sandbox import BybitSandbox, create
from tradeforge_testing.sandbox.planned_faults import Fault

if TYPE_CHECKING:
    from tradeforge_bybit.sandbox.chaos import BybitChaos


def chaos_venue(seed: int) -> "BybitChaos":
    """A Bybit to be put through chaos: `tradeforge chaos` looks for this name."""
    from tradeforge_bybit.sandbox.chaos import BybitChaos

    return BybitChaos(seed)


__all__ = ["BybitSandbox", "Fault", "chaos_venue", "create"]
