"""What a provider can say it does; what it does not say raises `NotSupported` before any byte."""

from attrs import frozen

from tradeforge_core.enums import (
    BarUnit,
    MarketDataType,
    OrderType,
    TimeInForce,
    UserDataType,
    VenueClass,
)
from tradeforge_core.models import BarSpan


@frozen(kw_only=True)
class Capabilities:
    """Everything is off until the provider declares it."""

    venue_class: VenueClass = VenueClass.C
    """What is guaranteed for an order whose answer is lost."""
    order_types: frozenset[OrderType] = frozenset()
    brackets: bool = False
    """An order may bring a stop loss and a take profit along."""
    bracket_min_ticks: int = 1
    """How near to the entry an exit may be."""
    brackets_from_fill: bool = True
    """Exits stand at their distances from the fill; else from where it was expected: `Bracket`."""
    reduce_only: bool = False
    """An order can be kept from opening or turning a position."""
    post_only: bool = False
    """A limit order can be kept from taking what the book offers: it rests, or is refused."""
    quote_size: bool = False
    """The size of a market buy may count what is paid."""
    times_in_force: frozenset[TimeInForce] = frozenset()
    market_data: frozenset[MarketDataType] = frozenset()
    user_data: frozenset[UserDataType] = frozenset()
    bar_units: frozenset[BarUnit] = frozenset()
    """Of the bars that can be asked for."""
    live_bars: frozenset[BarSpan] = frozenset()
    """Of the bars that are streamed, where `market_data` has them."""
