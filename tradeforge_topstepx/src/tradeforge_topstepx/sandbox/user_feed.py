"""What the user hub tells: orders, fills, positions and balances."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tradeforge_core.enums import OrderType
from tradeforge_testing.exchange import (
    AccountChanged,
    Exchange,
    ExchangeEvent,
    Fill,
    FillMade,
    OrderChanged,
    PositionChanged,
)
from tradeforge_testing.sandbox.signalr.messages import Outgoing, Topic
from tradeforge_topstepx.sandbox import wire
from tradeforge_topstepx.sandbox.literals import hub_time
from tradeforge_topstepx.sandbox.timing import Timing
from tradeforge_topstepx.sandbox.wire import Row

NEW, CHANGED, REMOVED = 0, 1, 2


class UserFeed:
    """Tells in the order of the venue, with its repetitions.

    Market order: order, trade, order, position, account. Any other: order, trade, position,
    account. After a trade that closes comes the one that opened, again; accounts come twice.
    """

    def __init__(self, exchange: Exchange, timing: Timing | None = None) -> None:
        self._exchange = exchange
        self._timing = timing
        self._held_back: Fill | None = None
        self._newest_fill = 0
        self._tell: dict[type[Any], Callable[[Any], list[Outgoing]]] = {
            OrderChanged: self._order,
            FillMade: self._fill,
            PositionChanged: self._position,
            AccountChanged: self._account,
        }

    def take(self, event: ExchangeEvent) -> list[Outgoing]:
        tell = self._tell.get(type(event))
        return tell(event) if tell else []

    def _order(self, event: OrderChanged) -> list[Outgoing]:
        order = event.order
        fill, self._held_back = self._held_back, None
        instrument = self._exchange.instruments[order.instrument_id]
        row = partial(wire.order, order, instrument, hub_time)
        after = self._timing.before(order) if self._timing else 0.0
        message = _message("Order", order.account_id, CHANGED, row, after)
        return [message, *(self._trades(fill) if fill else [])]

    def _fill(self, event: FillMade) -> list[Outgoing]:
        fill = event.fill
        if fill.id <= self._newest_fill:  # it was voided, or one before it was
            return [_trade(fill, CHANGED)]
        self._newest_fill = fill.id
        order = self._exchange.order(fill.account_id, fill.order_id)
        if order.type is OrderType.MARKET:
            after = self._timing.before_fill(order.id) if self._timing else 0.0
            return self._trades(fill, after)
        self._held_back = fill
        return []

    def _trades(self, fill: Fill, after: float = 0.0) -> list[Outgoing]:
        opening = self._opening_of(fill)
        again = [] if opening is None else [_trade(opening, NEW)]
        return [_trade(fill, NEW, after), *again]

    def _opening_of(self, fill: Fill) -> Fill | None:
        """The last fill that opened what this one closes."""
        if fill.realized_pnl is None:
            return None
        earlier = (
            one
            for one in reversed(self._exchange.fills(fill.account_id))
            if one.id < fill.id and one.instrument_id == fill.instrument_id
        )
        return next((one for one in earlier if one.realized_pnl is None and not one.voided), None)

    def _position(self, event: PositionChanged) -> list[Outgoing]:
        position = event.position
        name = wire.display_name(self._exchange.instruments[position.instrument_id])
        row = partial(wire.position, position, name, hub_time)
        action = CHANGED if position.size else REMOVED
        return [_message("Position", position.account_id, action, row)]

    def _account(self, event: AccountChanged) -> list[Outgoing]:
        return [_message("Account", None, CHANGED, partial(wire.account, event.account))] * 2


def _trade(fill: Fill, action: int, after: float = 0.0) -> Outgoing:
    row = partial(wire.trade, fill, hub_time)
    return _message("Trade", fill.account_id, action, row, after)


def _message(
    kind: str, key: int | None, action: int, row: Callable[[], Row], after: float = 0.0
) -> Outgoing:
    return Outgoing(
        Topic(f"GatewayUser{kind}", key),
        lambda: [{"action": action, "data": wire.without_nulls(row())}],
        after=after,
    )
