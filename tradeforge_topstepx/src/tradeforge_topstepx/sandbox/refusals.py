"""What each endpoint calls the refusals of the exchange: a code of its own, and maybe a text."""

from collections.abc import Mapping

from tradeforge_testing.exchange import Reject

Refusals = Mapping[Reject, tuple[int, str | None]]

UNAVAILABLE = "Trading is currently unavailable. The instrument is not in an active trading status."
INVALID_SIZE = "Invalid order size."
MISSING_PRICE = "Price not set."
NOT_ALIGNED = "Price is not aligned to tick size."
TRAIL_OFF_TICK = f"Invalid trail price. {NOT_ALIGNED}"
NO_LAST_PRICE = "Cannot trail without a last price"
POSITION_BRACKETS = (
    "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
)

# The words in braces are for `place_texts` to fill in, as are the texts of the bracket ticks.
PLACE: Refusals = {
    Reject.UNKNOWN_ACCOUNT: (1, None),
    Reject.MARKET_CLOSED: (2, UNAVAILABLE),
    Reject.BAD_SIZE: (2, INVALID_SIZE),
    Reject.PRICE_OFF_TICK: (2, "Invalid {price}. " + NOT_ALIGNED),
    Reject.MISSING_PRICE: (2, MISSING_PRICE),
    Reject.STOP_ON_WRONG_SIDE: (2, "Invalid {price}"),
    Reject.DUPLICATE_TAG: (2, "Specified custom tag is already in use"),
    Reject.UNSUPPORTED_TYPE: (2, "Invalid order type ({type})"),
    Reject.TRAIL_MISSING: (2, "Trail Distance not set."),
    Reject.TRAIL_OFF_TICK: (2, TRAIL_OFF_TICK),
    Reject.TRAIL_TOO_FAR: (2, "Trail Distance exceeds maximum (1000)"),
    Reject.NO_LAST_PRICE: (2, NO_LAST_PRICE),
    Reject.BRACKETS_DISABLED: (2, POSITION_BRACKETS),
    Reject.BAD_STOP_LOSS_TYPE: (2, "Invalid stop loss type ({stop_loss_type})"),
    Reject.BAD_TAKE_PROFIT_TYPE: (2, "Invalid take profit type ({take_profit_type})"),
    Reject.BAD_STOP_LOSS_SIGN: (2, None),
    Reject.BAD_TAKE_PROFIT_SIGN: (2, None),
    Reject.STOP_LOSS_TOO_NEAR: (2, None),
    Reject.TAKE_PROFIT_TOO_NEAR: (2, None),
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
    Reject.PRICE_OFF_TICK: (3, f"Invalid price. {NOT_ALIGNED}"),
    Reject.STOP_ON_WRONG_SIDE: (3, "Invalid stop price"),
    Reject.UNSUPPORTED_TYPE: (3, None),
    Reject.TRAIL_OFF_TICK: (3, TRAIL_OFF_TICK),
    Reject.NO_LAST_PRICE: (3, NO_LAST_PRICE),
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
