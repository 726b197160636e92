"""What feeds the orders, fills and positions of one provider, from streams and answers alike."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tradeforge_core.events import (
    AccountUpdateEvent,
    Event,
    OrderUpdateEvent,
    PositionUpdateEvent,
    UserTradeEvent,
)
from tradeforge_core.models import Account, Order, Position, Trade
from tradeforge_core.state.changes import Changes, Item, Key, key_of
from tradeforge_core.state.digest import canonical, digest
from tradeforge_core.state.order_store import OrderStore
from tradeforge_core.state.orders import KnownOrders
from tradeforge_core.state.position_store import PositionStore, Source
from tradeforge_core.state.positions import KnownPositions


class Ledger:
    """One provider's state. The same evidence in any order, and repeated, gives the same state.

    `as_of` is when something was true for certain: when a message of a stream was received, when
    the request for an answer of the venue was begun. `on_change` is called with every order that
    is known differently, after all of the news has been taken in.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[Order], object] | None = None,
        most_ended_orders: int = 10_000,
        most_fills: int = 100_000,
    ) -> None:
        self._orders = OrderStore(most_ended_orders, most_fills)
        self._positions = PositionStore()
        self._accounts: dict[str, tuple[datetime, str, Account]] = {}
        self._on_change = on_change
        self.orders = KnownOrders(self._orders)
        self.positions = KnownPositions(self._positions)
        self.touched: dict[type[Item], dict[Key, None]] = {Order: {}, Trade: {}, Position: {}}
        """What has changed, until somebody has looked at it and takes it out."""

    def touch(self, *items: Item) -> None:
        """Have somebody look at these."""
        for item in items:
            touched = self.touched[type(item)]
            touched[key_of(item)] = None
            if len(touched) > _MOST_TOUCHED:
                del touched[next(iter(touched))]

    def find(self, kind: type[Item], key: Key) -> Item | None:
        """The order, fill or position as it is known, None if it is not."""
        if kind is Order:
            return self._orders.find(key[1])
        return self._orders.fills.find(key[:2]) if kind is Trade else self._positions.find(*key)

    def take(self, event: Event) -> Changes:
        """What an event of a user stream changes; those of the market change nothing."""
        taker = _TAKERS.get(type(event))
        return Changes() if taker is None else taker(self, event)

    def saw_order(self, order: Order, as_of: datetime) -> Changes:
        return self._told(self._orders.add_order(order, as_of))

    def saw_open_orders(self, account_id: str, orders: Iterable[Order], as_of: datetime) -> Changes:
        """Take in all open orders of the account, suspended ones among them.

        An open order that is missing is not closed by that: `questionable` has it from now on,
        until it is seen again or has ended.
        """
        changes = [self._orders.add_order(one, as_of) for one in orders]
        self._orders.listed(account_id, as_of)
        return self._told(Changes(orders=tuple(one for some in changes for one in some.orders)))

    def questionable(self, account_id: str) -> list[Order]:
        """Open orders that were known before the latest list of them and are missing from it.

        They have ended without a word, or the list is behind: look each one up.
        """
        return self._orders.questionable(account_id)

    def saw_trade(self, trade: Trade) -> Changes:
        return self._told(self._orders.add_trade(trade))

    def saw_position(self, position: Position, as_of: datetime) -> Changes:
        return self._told(self._positions.add(position, as_of, Source.NEWS))

    def saw_positions(
        self, account_id: str, positions: Iterable[Position], as_of: datetime
    ) -> Changes:
        """Take in all open positions of the account: whatever is missing is flat as of then."""
        return self._told(self._positions.add_list(account_id, list(positions), as_of))

    def position_heard_at(self, key: Key) -> datetime | None:
        """When the latest message about this position alone came."""
        return self._positions.heard_at(key)

    def saw_account(self, account: Account, as_of: datetime) -> Changes:
        old = self._accounts.get(account.id)
        new = (as_of, canonical(account), account)
        if old is not None and old[:2] >= new[:2]:
            return Changes()
        self._accounts[account.id] = new
        return Changes() if old is not None and old[2] == account else Changes(accounts=(account,))

    @property
    def fills(self) -> list[Trade]:
        """Every fill that is known, in the order in which they became known."""
        return self._orders.fills.all()

    @property
    def all_positions(self) -> list[Position]:
        """Every position that something was said of, flat ones too."""
        return self._positions.all()

    def state_hash(self) -> str:
        """A digest of everything known: equal states have equal ones, also in another process.

        When something was learned takes no part in it.
        """
        return digest(self.everything())

    def everything(self) -> list[Account | Order | Trade | Position]:
        """All that is known, orders by their messages alone."""
        accounts = [account for _, _, account in self._accounts.values()]
        orders, fills = self._orders.all_said(), self._orders.fills.all()
        return [*accounts, *orders, *fills, *self._positions.all()]

    def _told(self, changes: Changes) -> Changes:
        self.touch(*changes.orders, *changes.fills, *changes.positions)
        if self._on_change is not None:
            for order in changes.orders:
                self._on_change(order)
        return changes


_MOST_TOUCHED = 200_000
"""Of each kind; more than the ledger knows."""

_TAKERS: dict[type, Callable[[Ledger, Any], Changes]] = {
    AccountUpdateEvent: lambda ledger, event: ledger.saw_account(event.account, event.received),
    OrderUpdateEvent: lambda ledger, event: ledger.saw_order(event.order, event.received),
    PositionUpdateEvent: lambda ledger, event: ledger.saw_position(event.position, event.received),
    UserTradeEvent: lambda ledger, event: ledger.saw_trade(event.trade),
}
