"""Remembers where each order is: the venue wants the category and the symbol beside its id."""

from attrs import evolve, frozen

from tradeforge_bybit import _wire
from tradeforge_bybit._names import Place
from tradeforge_core import Order

_MOST = 100_000
_OWN_NAMES = ("tpslOrder", "OcoOrder", "BidirectionalTpslOrder")
"""Kinds of orders that wait at spot, and are looked for by the name that their rows have."""


@frozen
class OrderPlace:
    """`filter` is the kind of order that spot tells apart; None where that is not needed."""

    place: Place
    filter: str | None = None


class Places:
    """By the order's id, and by its client order id; what is oldest is forgotten first."""

    def __init__(self) -> None:
        self._by_id: dict[str, OrderPlace] = {}
        self._ids: dict[str, str | None] = {}
        """By client order id; None for one that was looked for in vain."""

    def find(self, order_id: str) -> OrderPlace | None:
        return self._by_id.get(order_id)

    def note(self, order: Order) -> Order:
        """The same order, whose place is known from now on; an exit with its entry, if known."""
        category, _, symbol = order.contract_id.partition(":")
        place = Place(category, symbol)  # of a category that is not offered, too
        where = OrderPlace(place, _filter_of(order) if place.category == "spot" else None)
        self._note(order.id, where)
        if order.client_order_id is not None:
            self._note(order.client_order_id, where)
            self._note_id(order.client_order_id, order.id)
        if entry_name := _entry_name(order):
            self._note(entry_name, where)  # that of its exits, which are of contracts only
        entry_id = self._ids.get(entry_name)
        return order if entry_id is None else evolve(order, parent_order_id=entry_id)

    def unknown_entry(self, order: Order) -> str | None:
        """The name of the entry of an exit, if that is all that is known of it."""
        name = _entry_name(order)
        return name if name and name not in self._ids else None

    def give_up(self, client_order_id: str) -> None:
        """The venue knows no such order any more: nobody has to look again."""
        if client_order_id not in self._ids:
            self._note_id(client_order_id, None)

    def expect(self, client_order_id: str | None, place: Place) -> None:
        """An order of this name is about to be there."""
        if client_order_id is not None:
            self._note(client_order_id, OrderPlace(place))

    def _note_id(self, name: str, order_id: str | None) -> None:
        self._ids.pop(name, None)
        self._ids[name] = order_id
        if len(self._ids) > _MOST:
            del self._ids[next(iter(self._ids))]

    def _note(self, key: str, where: OrderPlace) -> None:
        self._by_id.pop(key, None)
        self._by_id[key] = where
        if len(self._by_id) > _MOST:
            del self._by_id[next(iter(self._by_id))]


def _entry_name(order: Order) -> str:
    """Exits name the order that brought them along, by the name that it was given."""
    return order.raw.parentOrderLinkId or "" if isinstance(order.raw, _wire.OrderRow) else ""


def _filter_of(order: Order) -> str | None:
    kind = getattr(order.raw, "stopOrderType", None)
    if kind in _OWN_NAMES:
        return str(kind)
    return "StopOrder" if kind == "Stop" or order.stop_price is not None else None
