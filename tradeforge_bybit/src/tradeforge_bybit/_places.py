"""Remembers where each order is: the venue wants the category and the symbol beside its id."""

from attrs import frozen

from tradeforge_bybit._names import Place
from tradeforge_core import Order, OrderType

_MOST = 100_000
_WAITING = (OrderType.STOP, OrderType.STOP_LIMIT)


@frozen
class OrderPlace:
    """`filter` is the kind of order that spot tells apart; None where that is not needed."""

    place: Place
    filter: str | None = None


class Places:
    """By the order's id, and by its client order id; what is oldest is forgotten first."""

    def __init__(self) -> None:
        self._by_id: dict[str, OrderPlace] = {}

    def find(self, order_id: str) -> OrderPlace | None:
        return self._by_id.get(order_id)

    def note(self, order: Order) -> Order:
        """The same order, whose place is known from now on."""
        category, _, symbol = order.contract_id.partition(":")
        place = Place(category, symbol)  # of a category that is not offered, too
        waits = place.category == "spot" and order.type in _WAITING
        where = OrderPlace(place, "StopOrder" if waits else None)
        self._note(order.id, where)
        if order.client_order_id is not None:
            self._note(order.client_order_id, where)
        return order

    def expect(self, client_order_id: str | None, place: Place) -> None:
        """An order of this name is about to be there."""
        if client_order_id is not None:
            self._note(client_order_id, OrderPlace(place))

    def _note(self, key: str, where: OrderPlace) -> None:
        self._by_id.pop(key, None)
        self._by_id[key] = where
        if len(self._by_id) > _MOST:
            del self._by_id[next(iter(self._by_id))]
