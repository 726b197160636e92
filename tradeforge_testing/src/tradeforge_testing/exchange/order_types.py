"""Which order types there are here, and which of their prices each has."""

from tradeforge_core.enums import OrderType

LIMITS = frozenset({OrderType.LIMIT, OrderType.JOIN_BID, OrderType.JOIN_ASK})
"""They trade at `limit_price` or better and wait in the book."""

STOPS = frozenset({OrderType.STOP, OrderType.TRAILING_STOP})
"""They wait outside the book until a trade reaches `stop_price`."""

SUPPORTED = LIMITS | STOPS | {OrderType.MARKET}

GIVEN_PRICES = {
    OrderType.LIMIT: "limit_price",
    OrderType.STOP: "stop_price",
}
"""The price that a ticket of this type cannot do without; a trail price has faults of its own."""

CHANGEABLE_PRICES = {
    **dict.fromkeys(LIMITS, "limit_price"),
    OrderType.STOP: "stop_price",
    OrderType.TRAILING_STOP: "trail_price",
}
