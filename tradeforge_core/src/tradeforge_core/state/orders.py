"""The orders of a provider, as its users look at them."""

from collections.abc import Iterator

from tradeforge_core.errors import NotFound
from tradeforge_core.models import Order, OrderFamily, Trade
from tradeforge_core.state.order_store import OrderStore


class KnownOrders:
    """The orders that are known, open ones and the latest that ended; always as of now.

    Messages may come late, twice and in any order: an order never goes back from what was known.
    Its filled size is never less than the sum of its fills. Nothing here asks the venue.
    """

    def __init__(self, store: OrderStore) -> None:
        self._store = store

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[Order]:
        """Every order, in the order in which they became known."""
        return iter(self._store.all())

    def __contains__(self, order_id: object) -> bool:
        return isinstance(order_id, str) and self._store.find(order_id) is not None

    def __getitem__(self, order_id: str) -> Order:
        """The order as it is known now. Raises `NotFound`."""
        order = self._store.find(order_id)
        if order is None:
            raise NotFound(f"no order {order_id!r} is known here: `get_order` asks the venue")
        return order

    def get(self, order_id: str) -> Order:
        """The same as `orders[order_id]`. Raises `NotFound`."""
        return self[order_id]

    def by_client_id(self, client_order_id: str, account_id: str | None = None) -> Order:
        """The order that was placed under this id, of any account or of one. Raises `NotFound`."""
        named = self._store.named(client_order_id)
        found = [one for one in named if account_id in (None, one.account_id)]
        if not found:
            raise NotFound(
                f"no order with the client id {client_order_id!r} is known here: "
                "`find_order` asks the venue"
            )
        return min(found, key=_by_id)

    def open(self, account_id: str | None = None, contract_id: str | None = None) -> list[Order]:
        """Orders that have not ended, of all accounts and contracts or of one, oldest first."""
        return [
            one
            for one in self._store.open()
            if account_id in (None, one.account_id) and contract_id in (None, one.contract_id)
        ]

    def family(self, entry_id: str) -> OrderFamily:
        """The entry with its exits; of exits of one kind an open one. Raises `NotFound`."""
        legs = [one for one in self if one.parent_order_id == entry_id]
        legs.sort(key=lambda leg: (leg.status.is_final, _by_id(leg)))
        return OrderFamily.of(self[entry_id], legs)

    def fills(self, order_id: str) -> list[Trade]:
        """The fills of an order, oldest first, also before the order itself is known.

        A voided one is among them and counts for nothing. Raises `NotFound` where neither the order
        nor a fill of it is known.
        """
        if order_id not in self._store.fills:
            self.get(order_id)
        return self._store.fills.of(order_id)


def _by_id(order: Order) -> tuple[int, str]:
    """Venues count their ids up, `9` before `10`."""
    return (len(order.id), order.id)
