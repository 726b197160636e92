"""What a change of an order means for what the account may come to hold."""

from decimal import Decimal

from tradeforge_core.models import Order, OrderRequest
from tradeforge_core.requests import OrderChange

_PRICES = ("limit_price", "stop_price", "trail_distance")


def growth(order: Order, change: OrderChange, name: str) -> OrderRequest | None:
    """What the change adds to the size, as an order of this name; None if it adds nothing."""
    if change.size is None or change.size <= order.size:
        return None
    return _as_request(order, change.size - order.size, name)


def changed(order: Order, change: OrderChange) -> OrderRequest:
    """What of the order is still to fill, as if it were placed anew."""
    return _as_request(order, (change.size or order.size) - order.filled_size, None)


def only_shrinks(order: Order, change: OrderChange) -> bool:
    prices = (getattr(change, name) for name in _PRICES)
    smaller = change.size is not None and change.size < order.size
    return smaller and all(price is None for price in prices)


def are_one_exit(one: Order, other: Order) -> bool:
    """Whether they are the same order, or exits of which one ends when the other one fills."""
    linked = one.id == other.linked_order_id or other.id == one.linked_order_id
    of_one_entry = one.parent_order_id is not None and one.parent_order_id == other.parent_order_id
    return one.id == other.id or linked or of_one_entry


def _as_request(order: Order, size: Decimal, name: str | None) -> OrderRequest:
    return OrderRequest(
        account_id=order.account_id,
        contract_id=order.contract_id,
        side=order.side,
        type=order.type,
        size=size,
        client_order_id=name,
    )
