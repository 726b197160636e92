"""A local Bybit: its v5 API over a simulated exchange."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tradeforge_bybit.sandbox.sandbox import BybitSandbox, create
from tradeforge_testing.sandbox.planned_faults import Fault

if TYPE_CHECKING:
    from tradeforge_bybit.sandbox.chaos import BybitChaos
    from tradeforge_testing.conformance import Known


def chaos_venue(seed: int) -> "BybitChaos":
    """A Bybit to be put through chaos: `tradeforge chaos` looks for this name."""
    from tradeforge_bybit.sandbox.chaos import BybitChaos

    return BybitChaos(seed)


def conformance_known() -> "Mapping[str, Known]":
    """What of the contract the venue has no word for."""
    from tradeforge_testing.conformance import Known, Why

    link = "https://bybit-exchange.github.io/docs/v5/order/execution"
    return {"TF-FIL-040": Known(Why.VENUE, "no word of the API takes a fill back", link)}


__all__ = ["BybitSandbox", "Fault", "chaos_venue", "conformance_known", "create"]
