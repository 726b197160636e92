"""What the provider can do: the conformance kit tries all of it."""

from tradeforge_bybit._channels import LIVE_BARS
from tradeforge_core import (
    BarUnit,
    Capabilities,
    MarketDataType,
    OrderType,
    TimeInForce,
    UserDataType,
    VenueClass,
)

CAPABILITIES = Capabilities(
    # an orderLinkId is refused a second time, and finds its order in any status
    venue_class=VenueClass.A,
    order_types=frozenset(
        {OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT}
    ),
    brackets=True,
    brackets_from_fill=False,
    reduce_only=True,
    post_only=True,
    quote_size=True,
    times_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    bar_units=frozenset({BarUnit.MINUTE, BarUnit.HOUR, BarUnit.DAY, BarUnit.WEEK, BarUnit.MONTH}),
    market_data=frozenset(MarketDataType),
    live_bars=LIVE_BARS,
    user_data=frozenset(UserDataType),
)
