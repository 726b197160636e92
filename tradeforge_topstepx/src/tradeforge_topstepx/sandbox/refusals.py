"""What each endpoint calls the refusals of the exchange: a code of its own, and maybe a text."""

from collections.abc import Mapping

from tradeforge_core.enums import OrderType
from tradeforge_testing.exchange import Reject

Refusals = Mapping[Reject, tuple[int, str | None]]

UNAVAILABLE = "Trading is currently unavailable. The instrument is not in an active trading status."
INVALID_SIZE = "Invalid order size."
INVALID_STOP = "Invalid stop price"
MISSING_PRICE = "Price not set."
OFF_TICK = "Invalid price. Price is not aligned to tick size."
UNSUPPORTED = "Invalid order type."

PLACE: Refusals = {
    Reject.UNKNOWN_ACCOUNT: (1, None),
    Reject.MARKET_CLOSED: (2, UNAVAILABLE),
    Reject.BAD_SIZE: (2, INVALID_SIZE),
    Reject.PRICE_OFF_TICK: (2, OFF_TICK),
    Reject.MISSING_PRICE: (2, MISSING_PRICE),
    Reject.STOP_ON_WRONG_SIDE: (2, INVALID_STOP),
    Reject.DUPLICATE_TAG: (2, "Specified custom tag is already in use"),
    Reject.UNSUPPORTED_TYPE: (2, UNSUPPORTED),
    Reject.INSUFFICIENT_FUNDS: (3, None),
    Reject.UNKNOWN_INSTRUMENT: (8, None),
    Reject.INACTIVE_INSTRUMENT: (9, None),
    Reject.ACCOUNT_CANNOT_TRADE: (10, None),
}
MODIFY: Refusals = {
    Reject.UNKNOWN_ACCOUNT: (1, None),
    Reject.UNKNOWN_ORDER: (2, None),
    Reject.ORDER_NOT_WORKING: (3, None),
    Reject.MARKET_CLOSED: (3, UNAVAILABLE),
    Reject.BAD_SIZE: (3, INVALID_SIZE),
    Reject.PRICE_OFF_TICK: (3, OFF_TICK),
    Reject.STOP_ON_WRONG_SIDE: (3, INVALID_STOP),
    Reject.UNSUPPORTED_TYPE: (3, None),
}
CANCEL: Refusals = {
    Reject.UNKNOWN_ACCOUNT: (1, None),
    Reject.UNKNOWN_ORDER: (2, None),
    Reject.ORDER_NOT_WORKING: (5, None),
}
CLOSE: Refusals = {
    Reject.UNKNOWN_ACCOUNT: (1, None),
    Reject.NO_POSITION: (2, None),
    Reject.UNKNOWN_INSTRUMENT: (3, None),
    Reject.INACTIVE_INSTRUMENT: (4, None),
    Reject.MARKET_CLOSED: (5, None),
    Reject.ACCOUNT_CANNOT_TRADE: (8, None),
}
# Not the codes of a whole close: from 5 on each is one higher.
CLOSE_PART: Refusals = {
    **CLOSE,
    Reject.BAD_CLOSE_SIZE: (5, None),
    Reject.MARKET_CLOSED: (6, None),
    Reject.ACCOUNT_CANNOT_TRADE: (9, None),
}
LIST: Refusals = {Reject.UNKNOWN_ACCOUNT: (1, None)}
FIND: Refusals = {Reject.UNKNOWN_ACCOUNT: (1, None), Reject.UNKNOWN_ORDER: (1, None)}

_PRICE_NAMES = {OrderType.LIMIT: "limit", OrderType.STOP: "stop"}


def naming_the_price(text: str | None, type: OrderType) -> str | None:
    """The text with the name of the price that an order of this type has."""
    name = _PRICE_NAMES.get(type)
    return text.replace("Invalid price", f"Invalid {name} price") if text and name else text
