"""Take profits and stop losses of single orders: legs of the exchange, as large as what filled."""

from collections.abc import Iterator
from decimal import Decimal

from attrs import frozen

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.answers import parameter_error
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.slips import Slip
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing.exchange import (
    ExchangeEvent,
    ExchangeOrder,
    ExchangePosition,
    Leg,
    PositionChanged,
)
from tradeforge_testing.exchange.checks import closable

TAKE_PROFIT, STOP_LOSS = "TakeProfit", "StopLoss"
CLEARED = "CancelByTpSlTsClear"
_OTHER_CAME = {
    TAKE_PROFIT: "CancelByOCOTpCanceledBySlTriggered",
    STOP_LOSS: "CancelByOCOSlCanceledByTpTriggered",
}
_SHORT = {TAKE_PROFIT: "tp", STOP_LOSS: "sl"}


@frozen
class PartialExit:
    leg: Leg
    slip: Slip


def partial_exits(venue: Venue, said: Said, slip: Slip, side: OrderSide) -> dict[str, PartialExit]:
    """What the order brings along once it fills; nothing where its exits are the position's."""
    if slip.tpsl_mode != "Partial":
        return {}
    prices = {TAKE_PROFIT: slip.take_profit, STOP_LOSS: slip.stop_loss}
    return {
        kind: _exit(venue, said, slip, side, kind, price)
        for kind, price in prices.items()
        if price is not None
    }


def _exit(
    venue: Venue, said: Said, slip: Slip, side: OrderSide, kind: str, price: Decimal
) -> PartialExit:
    limit = _limit(said, _SHORT[kind])
    is_long = side is OrderSide.BUY
    tag = f"~{venue.serial()}"
    leg = Leg(
        None,
        OrderType.STOP if limit is None else OrderType.STOP_LIMIT,
        price=price,
        limit_price=limit,
        rising=is_long == (kind == TAKE_PROFIT),
        reduce_only=True,
        tag=tag,
    )
    return PartialExit(leg, _slip(slip, tag, kind, limit))


def _limit(said: Said, short: str) -> Decimal | None:
    if say.one_of(said, f"{short}OrderType", ("Market", "Limit"), "Market") == "Market":
        return None
    limit = say.price(said, f"{short}LimitPrice")
    if limit is None:
        raise parameter_error(f"{short}LimitPrice is required")
    return limit


def _slip(of: Slip, tag: str, kind: str, limit: Decimal | None) -> Slip:
    return Slip(
        tag=tag,
        link_id="",
        parent_link_id=of.link_id,
        order_type="Market" if limit is None else "Limit",
        time_in_force="IOC" if limit is None else "GTC",
        last_price=of.last_price,
        trigger_by=of.tp_trigger_by if kind == TAKE_PROFIT else of.sl_trigger_by,
        tpsl_mode="Partial",
        create_type=f"CreateByPartial{kind}",
        stop_order_type=f"Partial{kind}",
        close_on_trigger=True,
        cancel_type=_OTHER_CAME[kind],
    )


@frozen
class PartialExits:
    """Keeps them within the position: what would close more than is held is cut, or goes."""

    _venue: Venue

    def take(self, event: ExchangeEvent) -> None:
        if isinstance(event, PositionChanged):
            for leg in list(self._waiting(event.position)):
                self._fit(leg, closable(leg.side, self._venue.held(_key_of(leg))))

    def _waiting(self, position: ExchangePosition) -> Iterator[ExchangeOrder]:
        for one in self._venue.exchange.orders(self._venue.account.id):
            if one.parent_id is not None and _key_of(one) == _key_of(position) and _waits(one):
                yield one

    def _fit(self, leg: ExchangeOrder, most: int) -> None:
        exchange = self._venue.exchange
        if not most:
            self._venue.change_slip(leg, cancel_type=CLEARED)
            exchange.cancel(leg.account_id, leg.id)
        elif leg.remaining_size > most:
            exchange.modify(leg.account_id, leg.id, size=leg.filled_size + most)


def _key_of(record: ExchangeOrder | ExchangePosition) -> tuple[str, OrderSide | None]:
    return record.instrument_id, record.hedge_side


def _waits(leg: ExchangeOrder) -> bool:
    return leg.status is OrderStatus.WORKING and not leg.triggered
