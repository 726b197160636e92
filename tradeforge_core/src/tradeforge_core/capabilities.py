"""What a provider can say it does; what it does not say raises `NotSupported` before any byte."""

from attrs import field, frozen

from tradeforge_core.enums import (
    BarUnit,
    MarketDataType,
    OrderType,
    TimeInForce,
    UserDataType,
)


@frozen(kw_only=True)
class Capabilities:
    """Everything is off until the provider declares it."""

    order_types: frozenset[OrderType] = field(default=frozenset(), converter=frozenset)
    times_in_force: frozenset[TimeInForce] = field(default=frozenset(), converter=frozenset)
    market_data: frozenset[MarketDataType] = field(default=frozenset(), converter=frozenset)
    user_data: frozenset[UserDataType] = field(default=frozenset(), converter=frozenset)
    bar_units: frozenset[BarUnit] = field(default=frozenset(), converter=frozenset)
