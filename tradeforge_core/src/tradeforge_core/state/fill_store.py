"""The fills of one provider, each once, by the order they belong to."""

from decimal import Decimal, localcontext

from tradeforge_core.models import Trade
from tradeforge_core.state.merge import joined_trade

_Key = tuple[str, str]


class FillStore:
    def __init__(self) -> None:
        self._fills: dict[_Key, Trade] = {}
        self._by_order: dict[str, dict[_Key, None]] = {}
        self._filled: dict[str, Decimal] = {}

    def __len__(self) -> int:
        return len(self._fills)

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._by_order

    def add(self, trade: Trade) -> list[Trade]:
        """What this trade replaces, if it was known, and what is known of it now.

        Nothing if it says nothing new.
        """
        key = (trade.account_id, trade.id)
        old = self._fills.get(key)
        new = trade if old is None else joined_trade(old, trade)
        if new == old:
            return []
        if old is not None:
            self._detach(key, old)
        self._attach(key, new)
        return [new] if old is None else [old, new]

    def find(self, key: _Key) -> Trade | None:
        return self._fills.get(key)

    def all(self) -> list[Trade]:
        return list(self._fills.values())

    def of(self, order_id: str) -> list[Trade]:
        """The fills of an order, oldest first."""
        fills = [self._fills[key] for key in self._by_order.get(order_id, ())]
        return sorted(fills, key=_age)

    def filled(self, order_id: str) -> Decimal:
        """The sum of the order's fills that are not voided."""
        return self._filled.get(order_id, Decimal(0))

    def forget(self, order_id: str) -> None:
        self._filled.pop(order_id, None)
        for key in self._by_order.pop(order_id, ()):
            del self._fills[key]

    def _attach(self, key: _Key, trade: Trade) -> None:
        self._fills[key] = trade
        self._by_order.setdefault(trade.order_id, {})[key] = None
        self._count(trade, trade.size)

    def _detach(self, key: _Key, trade: Trade) -> None:
        keys = self._by_order[trade.order_id]
        del keys[key]
        self._count(trade, trade.size.copy_negate())
        if not keys:
            self.forget(trade.order_id)

    def _count(self, trade: Trade, size: Decimal) -> None:
        if not trade.voided:
            with localcontext() as context:
                context.prec = _WIDE  # a sum that rounds would depend on the order
                self._filled[trade.order_id] = self.filled(trade.order_id) + size


_WIDE = 120
"""Enough for any sum of sizes that `models.exact` lets through."""


def _age(trade: Trade) -> tuple[bool, object, int, str]:
    """Fills without a time come last; venues count their ids up, `9` before `10`."""
    return (trade.time is None, trade.time, len(trade.id), trade.id)
