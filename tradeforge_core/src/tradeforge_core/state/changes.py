"""What a piece of news has changed."""

from attrs import frozen

from tradeforge_core.enums import OrderSide
from tradeforge_core.models import Account, Order, Position, Trade

Item = Order | Trade | Position
Key = tuple[str, str, OrderSide | None]
"""The account, the id of the thing within it, and of a hedged position which of two it is."""


def key_of(item: Item) -> Key:
    if isinstance(item, Position):
        return item.account_id, item.contract_id, item.hedge_side
    return item.account_id, item.id, None


@frozen(kw_only=True)
class Changes:
    """What is known differently now, each as it is now; false where the news was none."""

    orders: tuple[Order, ...] = ()
    fills: tuple[Trade, ...] = ()
    positions: tuple[Position, ...] = ()
    accounts: tuple[Account, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.orders or self.fills or self.positions or self.accounts)
