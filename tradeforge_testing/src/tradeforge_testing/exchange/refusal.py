"""Why the exchange says no."""

from enum import StrEnum


class Reject(StrEnum):
    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    INACTIVE_INSTRUMENT = "inactive_instrument"
    """It is listed and can be looked up; it has no market any more."""
    MARKET_CLOSED = "market_closed"
    BAD_SIZE = "bad_size"
    """Not a whole number above zero or, on modify, not above what is filled already."""
    PRICE_OFF_TICK = "price_off_tick"
    """Not a multiple of the tick size above zero."""
    MISSING_PRICE = "missing_price"
    STOP_ON_WRONG_SIDE = "stop_on_wrong_side"
    """The last trade is at or beyond the trigger already."""
    DUPLICATE_TAG = "duplicate_tag"
    ACCOUNT_CANNOT_TRADE = "account_cannot_trade"
    UNSUPPORTED_TYPE = "unsupported_type"
    """No such order type or, on modify, a price that the type of the order does not have."""
    INSUFFICIENT_FUNDS = "insufficient_funds"
    """The balance does not pay the fees; an order that only reduces a position is exempt."""
    UNKNOWN_ORDER = "unknown_order"
    """No such order on this account."""
    ORDER_NOT_WORKING = "order_not_working"
    NO_POSITION = "no_position"
    BAD_CLOSE_SIZE = "bad_close_size"
    """Not a whole number from one to the size of the position."""


class Refused(Exception):
    """Nothing was done; `reason` says why."""

    def __init__(self, reason: Reject) -> None:
        super().__init__(reason.value)
        self.reason = reason
