"""Which order types there are here, and which of their prices each has."""

from tradeforge_core.enums import OrderType

LIMITS = frozenset({OrderType.LIMIT, OrderType.JOIN_BID, OrderType.JOIN_ASK})
"""They trade at `limit_price` or better and wait in the book."""

STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
"""They wait outside the book until a trade reaches `stop_price`."""

SUPPORTED = LIMITS | STOPS | {OrderType.MARKET}

GIVEN_PRICES = {
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price", "rising"),
}
"""The prices that a ticket of this type cannot do without; a trail price has faults of its own."""

CHANGEABLE_PRICES = {
    **dict.fromkeys(LIMITS, frozenset({"limit_price"})),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"stop_price", "limit_price"}),
    OrderType.TRAILING_STOP: frozenset({"trail_price"}),
}
