"""What an order was asked to be, in the words of this venue: what the exchange need not know."""

from decimal import Decimal

from attrs import frozen

from tradeforge_core.enums import OrderType
from tradeforge_testing.exchange import ExchangeOrder

CONDITIONAL, TPSL = "StopOrder", "tpslOrder"
"""What an `orderFilter` calls orders with a trigger; spot keeps the two apart."""


@frozen(kw_only=True)
class Slip:
    """`link_id` is the name that is shown; `tag` the one that the exchange has for the order."""

    tag: str
    link_id: str
    parent_link_id: str = ""
    """That of the order which an exit protects."""
    order_type: str
    time_in_force: str
    qty: Decimal | None = None
    """The money, where an order of spot counts that."""
    price: Decimal | None = None
    """The farthest price of a market order."""
    market_unit: str = ""
    last_price: Decimal | None = None
    trigger_by: str = ""
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: str = ""
    sl_trigger_by: str = ""
    tpsl_mode: str = ""
    create_type: str = "CreateByUser"
    stop_order_type: str = ""
    close_on_trigger: bool = False
    cancel_type: str = "CancelByUser"
    is_leverage: str = ""


def slip_of(order: ExchangeOrder) -> Slip:
    """For an order that nobody has asked for with words of this venue."""
    is_market = order.type in (OrderType.MARKET, OrderType.STOP, OrderType.TRAILING_STOP)
    return Slip(
        tag=order.tag or "",
        link_id=order.tag or "",
        order_type="Market" if is_market else "Limit",
        time_in_force="IOC" if is_market else _time_in_force(order),
    )


def _time_in_force(order: ExchangeOrder) -> str:
    if order.post_only:
        return "PostOnly"
    return "GTC" if order.time_in_force is None else order.time_in_force.upper()
