"""Orders, fills and positions in a few words."""

from decimal import Decimal

from tradeforge_cli.figures import price_text, size_text
from tradeforge_core import Contract, Order, OrderType, Position, Trade


def order_text(order: Order, contract: Contract | None) -> str:
    """Such as `BUY 1 limit 29,490.00`."""
    side, size = order.side.upper(), size_text(order.size)
    price = order.limit_price if order.limit_price is not None else order.stop_price
    if order.type is OrderType.MARKET or price is None:
        return f"{side} {size} {order.type}"
    return f"{side} {size} {order.type} {price_text(price, _tick(contract))}"


def trade_text(trade: Trade, contract: Contract | None) -> str:
    """Such as `BUY 2 @ 29,539.75`."""
    price = price_text(trade.price, _tick(contract))
    return f"{trade.side.upper()} {size_text(trade.size)} @ {price}"


def position_text(position: Position | None, contract: Contract | None) -> str:
    """Such as `long 2 @ 29,539.75`, or `flat`."""
    if position is None or position.is_flat:
        return "flat"
    direction = "long" if position.size > 0 else "short"
    price = price_text(position.average_price, _tick(contract))
    return f"{direction} {size_text(abs(position.size))} @ {price}"


def _tick(contract: Contract | None) -> Decimal:
    return contract.tick_size if contract else _A_HUNDREDTH


_A_HUNDREDTH = Decimal("0.01")
