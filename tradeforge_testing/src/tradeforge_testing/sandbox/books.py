"""What reads are answered from: the exchange itself, or a copy that is behind it."""

from collections import deque
from collections.abc import Iterable
from typing import Protocol, TypeVar

from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeEvent,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    FillMade,
    OrderChanged,
    PositionChanged,
    Refused,
    Reject,
)

Record = TypeVar("Record", ExchangeOrder, Fill, ExchangePosition)


class Books(Protocol):
    """Orders, fills and positions; each raises `Refused` for an account that there is not."""

    def orders(self, account_id: int) -> list[ExchangeOrder]: ...

    def order(self, account_id: int, order_id: int) -> ExchangeOrder: ...

    def fills(self, account_id: int) -> list[Fill]: ...

    def positions(self, account_id: int) -> list[ExchangePosition]: ...


class Replica:
    """The books as they are when it is made, and after that as it is told."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        ids = [account.id for account in exchange.accounts()]
        self._orders = {one.id: one for id_ in ids for one in exchange.orders(id_)}
        self._fills = {one.id: one for id_ in ids for one in exchange.fills(id_)}
        self._positions = {one.id: one for id_ in ids for one in exchange.positions(id_)}

    def orders(self, account_id: int) -> list[ExchangeOrder]:
        return self._of(account_id, self._orders.values())

    def order(self, account_id: int, order_id: int) -> ExchangeOrder:
        for order in self.orders(account_id):
            if order.id == order_id:
                return order
        raise Refused(Reject.UNKNOWN_ORDER)

    def fills(self, account_id: int) -> list[Fill]:
        return self._of(account_id, self._fills.values())

    def positions(self, account_id: int) -> list[ExchangePosition]:
        return [one for one in self._of(account_id, self._positions.values()) if one.size]

    def tell(self, event: ExchangeEvent) -> None:
        match event:
            case OrderChanged(order):
                self._orders[order.id] = order
            case FillMade(fill):
                self._fills[fill.id] = fill
            case PositionChanged(position):
                self._positions[position.id] = position

    def _of(self, account_id: int, records: Iterable[Record]) -> list[Record]:
        """Those of the account, in ascending order of id."""
        owner = self._exchange.account(account_id).id
        return sorted((one for one in records if one.account_id == owner), key=lambda one: one.id)


class Lag:
    """Books that hear of everything so many seconds later, from now on and until it is ended."""

    def __init__(self, exchange: Exchange, clock: Clock, seconds: float) -> None:
        self._replica = Replica(exchange)
        self._clock = clock
        self._seconds = seconds
        self._coming: deque[tuple[float, ExchangeEvent]] = deque()
        self.end = exchange.listen(self._hear)

    def books(self) -> Books:
        now = self._clock.monotonic()
        while self._coming and self._coming[0][0] <= now:
            self._replica.tell(self._coming.popleft()[1])
        return self._replica

    def _hear(self, event: ExchangeEvent) -> None:
        if isinstance(event, OrderChanged | FillMade | PositionChanged):
            self.books()  # so that never more waits than what is too new
            self._coming.append((self._clock.monotonic() + self._seconds, event))
