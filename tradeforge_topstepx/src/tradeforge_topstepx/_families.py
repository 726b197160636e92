"""Which exit belongs to which entry, for gateways that do not say so by its id.

Those from before the middle of 2026 mark an exit by its tag alone: that of its entry with an end.
"""

from collections.abc import Iterable

import attrs

from tradeforge_core import Order, OrderType

_ENDS = {
    "-SL": frozenset({OrderType.STOP, OrderType.TRAILING_STOP}),
    "-TP": frozenset({OrderType.LIMIT}),
}


def entry_tag(order: Order) -> str | None:
    """The client id of the entry of what looks like an exit and does not name its parent."""
    tag = order.client_order_id
    if tag is None or order.parent_order_id is not None:
        return None
    ends = (end for end, types in _ENDS.items() if tag.endswith(end) and order.type in types)
    return next((tag.removesuffix(end) for end in ends), None)


def is_name_of_exit(client_order_id: str | None) -> bool:
    """Whether the gateway itself gives such names, to the exits of brackets."""
    return client_order_id is not None and client_order_id.endswith(tuple(_ENDS))


def adopted(orders: Iterable[Order], entries: Iterable[Order]) -> list[Order]:
    """The orders, with the id of its entry on each exit that has one among `entries`."""
    by_tag = {entry.client_order_id: entry for entry in entries}
    return [_adopted(order, by_tag.get(entry_tag(order) or "")) for order in orders]


def _adopted(order: Order, entry: Order | None) -> Order:
    if entry is None or (entry.contract_id, entry.side) != (order.contract_id, order.side.opposite):
        return order
    return attrs.evolve(order, parent_order_id=entry.id)
