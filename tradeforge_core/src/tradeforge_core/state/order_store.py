"""The orders of one provider with their fills: what messages say, joined."""

from datetime import datetime

from attrs import frozen

from tradeforge_core.models import Order, Trade
from tradeforge_core.state.changes import Changes
from tradeforge_core.state.fill_store import FillStore
from tradeforge_core.state.merge import Sighting, joined, with_fills


@frozen
class _Entry:
    said: Sighting
    """What its messages say together."""
    seen_at: datetime
    """When the latest of them was true."""
    shown: Order
    """What they say, with what its fills prove."""


class OrderStore:
    """Forgets orders that have ended, the earliest ended first, once it is beyond a limit.

    Fills are forgotten with their order. Those of an order that nobody has told of yet count as
    those of one that has ended; nothing of an open order is ever forgotten.
    """

    def __init__(self, most_ended: int, most_fills: int) -> None:
        self.fills = FillStore()
        self._most_ended = most_ended
        self._most_fills = most_fills
        self._entries: dict[str, _Entry] = {}
        self._open: dict[str, None] = {}
        self._ended: dict[str, None] = {}
        self._by_client_id: dict[str, dict[str, None]] = {}
        self._listed_at: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, order_id: str) -> Order | None:
        entry = self._entries.get(order_id)
        return None if entry is None else entry.shown

    def all(self) -> list[Order]:
        """Every order, in the order in which they became known."""
        return [entry.shown for entry in self._entries.values()]

    def all_said(self) -> list[Order]:
        """The same by their messages alone, without what their fills prove."""
        return [entry.said.order for entry in self._entries.values()]

    def open(self) -> list[Order]:
        return [self._entries[order_id].shown for order_id in self._open]

    def named(self, client_order_id: str) -> list[Order]:
        known = self._by_client_id.get(client_order_id, ())
        return [self._entries[order_id].shown for order_id in known]

    def questionable(self, account_id: str) -> list[Order]:
        """Open orders that the latest complete list should have had and did not have."""
        listed_at = self._listed_at.get(account_id)
        if listed_at is None:
            return []
        return [
            entry.shown
            for entry in map(self._entries.__getitem__, self._open)
            if entry.shown.account_id == account_id and entry.seen_at < listed_at
        ]

    def add_order(self, order: Order, as_of: datetime) -> Changes:
        old = self._entries.get(order.id)
        new = Sighting(order, as_of)
        if old is None:
            self._ended.pop(order.id, None)  # its fills came first
            self._put(new, as_of)
        else:
            self._put(joined(old.said, new), max(old.seen_at, as_of))
        changed = self._changed(order.id, None if old is None else old.shown)
        self._forget_beyond_limits()
        return Changes(orders=changed)

    def add_trade(self, trade: Trade) -> Changes:
        told = self.fills.add(trade)
        if not told:
            return Changes()
        changed: dict[str, Order] = {}
        for order_id in {one.order_id: None for one in told}:
            changed |= {one.id: one for one in self._refresh(order_id)}
        self._forget_beyond_limits()
        return Changes(fills=(told[-1],), orders=tuple(changed.values()))

    def listed(self, account_id: str, as_of: datetime) -> None:
        """A complete list of the account's open orders, true as of then, has been added."""
        self._listed_at[account_id] = max(as_of, self._listed_at.get(account_id, as_of))

    def _refresh(self, order_id: str) -> tuple[Order, ...]:
        """Show the order with the fills it has now."""
        old = self._entries.get(order_id)
        if old is None:
            self._ended.setdefault(order_id)
            return ()
        self._put(old.said, old.seen_at)
        return self._changed(order_id, old.shown)

    def _put(self, said: Sighting, seen_at: datetime) -> None:
        order_id = said.order.id
        shown = with_fills(said.order, self.fills.filled(order_id))
        self._unname(order_id)
        self._entries[order_id] = _Entry(said, seen_at, shown)
        self._name(shown)
        if shown.status.is_final:
            self._open.pop(order_id, None)
            self._ended.setdefault(order_id)
        else:
            self._open.setdefault(order_id)

    def _name(self, order: Order) -> None:
        if order.client_order_id is not None:
            self._by_client_id.setdefault(order.client_order_id, {})[order.id] = None

    def _unname(self, order_id: str) -> None:
        entry = self._entries.get(order_id)
        if entry is None or entry.shown.client_order_id is None:
            return
        namesakes = self._by_client_id[entry.shown.client_order_id]
        del namesakes[order_id]
        if not namesakes:
            del self._by_client_id[entry.shown.client_order_id]

    def _changed(self, order_id: str, before: Order | None) -> tuple[Order, ...]:
        shown = self._entries[order_id].shown
        return () if shown == before else (shown,)

    def _forget_beyond_limits(self) -> None:
        while self._ended and (
            len(self._ended) > self._most_ended or len(self.fills) > self._most_fills
        ):
            self._forget(next(iter(self._ended)))

    def _forget(self, order_id: str) -> None:
        del self._ended[order_id]
        self.fills.forget(order_id)
        self._unname(order_id)
        self._entries.pop(order_id, None)
