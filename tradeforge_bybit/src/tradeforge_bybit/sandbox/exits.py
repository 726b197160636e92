"""Take profits and stop losses of whole positions: orders of the venue's own that follow them."""

from collections.abc import Iterator
from decimal import Decimal

from attrs import define, field

from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.partial_exits import CLEARED, STOP_LOSS, TAKE_PROFIT
from tradeforge_bybit.sandbox.slips import Slip
from tradeforge_bybit.sandbox.venue import ExitPrices, PositionKey, Venue
from tradeforge_core.enums import OrderSide, OrderType, TimeInForce
from tradeforge_testing.exchange import (
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    PositionChanged,
    Reject,
    Ticket,
)


@define
class Exits:
    """An exit is a stop that only reduces, for the whole position, on either side of the market."""

    _venue: Venue
    _orders: dict[tuple[PositionKey, str], int] = field(factory=dict)

    def take(self, event: ExchangeEvent) -> None:
        """Protect what an order with exits has filled, and follow the position."""
        match event:
            case FillMade(fill) if not fill.voided:
                order = self._venue.exchange.order(fill.account_id, fill.order_id)
                slip = self._venue.slip(order)
                if slip.tpsl_mode != "Partial" and (slip.take_profit or slip.stop_loss):
                    key = order.instrument_id, order.hedge_side
                    self.protect(key, {TAKE_PROFIT: slip.take_profit, STOP_LOSS: slip.stop_loss})
            case PositionChanged(position):
                self._follow((position.instrument_id, position.hedge_side))

    def protect(self, key: PositionKey, prices: ExitPrices) -> None:
        """Put the exits there, in place of those of before; None leaves one as it is."""
        for kind, price in prices.items():
            if price is not None and price != self._venue.exits.get(key, {}).get(kind):
                self.clear(key, kind)
                self._place(key, kind, price)

    def clear(self, key: PositionKey, kind: str) -> None:
        """Cancel the exit, if there is one."""
        self._venue.exits.get(key, {}).pop(kind, None)
        order_id = self._orders.pop((key, kind), None)
        if order_id is None:
            return
        order = self._order(order_id)
        if not order.status.is_final:
            self._venue.change_slip(order, cancel_type=CLEARED)
            self._venue.exchange.cancel(order.account_id, order.id)

    def _follow(self, key: PositionKey) -> None:
        held = self._held(key)
        for kind, order in list(self._working(key)):
            if order.status.is_final or not held:
                self.clear(key, kind)
            elif order.size != abs(held) and not order.triggered:
                self._venue.exchange.modify(order.account_id, order.id, size=abs(held))

    def _working(self, key: PositionKey) -> Iterator[tuple[str, ExchangeOrder]]:
        for (of, kind), order_id in self._orders.items():
            if of == key:
                yield kind, self._order(order_id)

    def _order(self, order_id: int) -> ExchangeOrder:
        return self._venue.exchange.order(self._venue.account.id, order_id)

    def _held(self, key: PositionKey) -> int:
        return self._venue.held(key)

    def _place(self, key: PositionKey, kind: str, price: Decimal) -> None:
        held = self._held(key)
        if not held:
            return
        listing = self._venue.listings[key[0]]
        slip = self._slip(listing, kind)
        ticket = self._ticket(key, held, kind, price, slip)
        if self._venue.exchange.fault(ticket) is Reject.STOP_ON_WRONG_SIDE:
            ticket = _at_once(ticket)  # the market is there already
        self._venue.keep(slip)
        order = self._venue.exchange.place(ticket)
        if not order.status.is_final:
            self._orders[key, kind] = order.id
            self._venue.exits.setdefault(key, {})[kind] = price

    def _slip(self, listing: Listing, kind: str) -> Slip:
        return Slip(
            tag=f"~{self._venue.serial()}",
            link_id="",
            order_type="Market",
            time_in_force="IOC",
            last_price=self._venue.exchange.quote(listing.instrument.id).last,
            trigger_by="LastPrice",
            tpsl_mode="Full",
            create_type=f"CreateBy{kind}",
            stop_order_type=kind,
            close_on_trigger=True,
        )

    def _ticket(self, key: PositionKey, held: int, kind: str, price: Decimal, slip: Slip) -> Ticket:
        is_long = held > 0
        return Ticket(
            account_id=self._venue.account.id,
            instrument_id=key[0],
            side=OrderSide.SELL if is_long else OrderSide.BUY,
            type=OrderType.STOP,
            size=abs(held),
            stop_price=price,
            tag=slip.tag,
            rising=is_long == (kind == TAKE_PROFIT),
            time_in_force=TimeInForce.IOC,
            reduce_only=True,
            hedge_side=key[1],
        )


def _at_once(ticket: Ticket) -> Ticket:
    return Ticket(
        account_id=ticket.account_id,
        instrument_id=ticket.instrument_id,
        side=ticket.side,
        type=OrderType.MARKET,
        size=ticket.size,
        tag=ticket.tag,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        hedge_side=ticket.hedge_side,
    )
