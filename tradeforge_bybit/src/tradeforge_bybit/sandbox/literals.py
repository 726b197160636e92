"""How this venue writes: numbers as texts, times in milliseconds, and its words for ours."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import Reject
from tradeforge_testing.exchange.rows import EPOCH

_FAMILY = UUID("5a6f2c1e-47b3-4d19-8e55-000000000000").int
_FILL_FAMILY = UUID("751c8dba-bdeb-5d0c-9dd3-000000000000").int
_FILLS = 2_110_000_000_000_000_000
_SNOWFLAKE = 1_609_920_528_000_000_000

SIDES = {OrderSide.BUY: "Buy", OrderSide.SELL: "Sell"}
SIDE_OF = {word: side for side, word in SIDES.items()}

DERIVATIVE_CODES: dict[Reject, tuple[int, str]] = {
    Reject.DUPLICATE_TAG: (110072, "OrderLinkedID is duplicate"),
    Reject.ACCOUNT_CANNOT_TRADE: (10005, "Permission denied, please check your API key."),
    Reject.INACTIVE_INSTRUMENT: (110074, "This contract is not live"),
    Reject.MARKET_CLOSED: (110066, "Trading is currently not allowed."),
    Reject.BAD_SIZE: (10001, "Qty invalid"),
    Reject.MISSING_PRICE: (10001, "params error: price required"),
    Reject.PRICE_OFF_TICK: (10001, "params error: price invalid"),
    Reject.STOP_ON_WRONG_SIDE: (110092, "expect Rising, but trigger_price <= current"),
    Reject.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reject.INSUFFICIENT_FUNDS: (110007, "ab not enough for new order"),
    Reject.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reject.ORDER_NOT_WORKING: (110001, "order not exists or too late to cancel"),
}
SPOT_CODES: dict[Reject, tuple[int, str]] = {
    **DERIVATIVE_CODES,
    Reject.DUPLICATE_TAG: (170141, "Duplicate clientOrderId"),
    Reject.BAD_SIZE: (170137, "Order volume decimal too long"),
    Reject.PRICE_OFF_TICK: (170134, "Order price has too many decimals."),
    Reject.INSUFFICIENT_FUNDS: (170131, "Insufficient balance."),
    Reject.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Reject.ORDER_NOT_WORKING: (170213, "Order does not exist."),
}


def text(number: Decimal) -> str:
    """Without an exponent, and without zeros at its end."""
    return f"{number.normalize():f}" if number else "0"


def milliseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)


def order_id_text(order_id: int, *, spot: bool) -> str:
    """Contracts have a UUID, spot has a long number."""
    return str(_SNOWFLAKE + order_id) if spot else str(UUID(int=_FAMILY | order_id))


def fill_id_text(fill_id: int, *, spot: bool) -> str:
    return str(_FILLS + fill_id) if spot else str(UUID(int=_FILL_FAMILY | fill_id))
