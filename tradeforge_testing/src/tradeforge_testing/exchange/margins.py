"""What of an account's money is bound: by positions, and by orders that are not filled yet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from attrs import field, frozen

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.floor import Floor
from tradeforge_testing.exchange.ledger import Ledger
from tradeforge_testing.exchange.order_types import STOPS
from tradeforge_testing.exchange.records import (
    ExchangeOrder,
    ExchangePosition,
    Instrument,
    Kind,
    Ticket,
)

_DEFAULT_LEVERAGE = Decimal(10)
_DIGITS = Decimal("0.00000001")


@frozen
class Margins:
    """Asked before an order is taken, and by who shows a wallet."""

    floor: Floor
    ledger: Ledger
    blotter: Blotter
    _leverages: dict[tuple[int, str], Decimal] = field(factory=dict)

    def leverage(self, account_id: int, instrument_id: str) -> Decimal:
        return self._leverages.get((account_id, instrument_id), _DEFAULT_LEVERAGE)

    def set_leverage(self, account_id: int, instrument_id: str, leverage: Decimal) -> None:
        self._leverages[account_id, instrument_id] = leverage

    def available(self, account_id: int, coin: str) -> Decimal:
        bound = self.of_orders(account_id).get(coin, Decimal(0))
        bound += self.of_positions(account_id).get(coin, Decimal(0))
        return self.ledger.account(account_id).has(coin) - bound

    def of_orders(self, account_id: int, kind: Kind | None = None) -> Mapping[str, Decimal]:
        """By coin. An order that waits for its trigger, or only reduces, binds nothing."""
        return _summed(
            self._of_order(one)
            for one in self.blotter.orders(account_id)
            if not one.status.is_final and kind in (None, self._kind(one))
        )

    def _kind(self, order: ExchangeOrder) -> Kind:
        return self.floor.market(order.instrument_id).instrument.kind

    def of_positions(self, account_id: int) -> Mapping[str, Decimal]:
        """By coin."""
        held = self.ledger.positions(account_id)
        return _summed((self._money(one), self.of_position(one)) for one in held)

    def of_position(self, position: ExchangePosition) -> Decimal:
        instrument = self.floor.market(position.instrument_id).instrument
        if not instrument.has_margin:
            return Decimal(0)
        value = instrument.value(abs(position.size), position.average_price)
        leverage = self.leverage(position.account_id, instrument.id)
        return (value / leverage).quantize(_DIGITS)

    def need(self, ticket: Ticket, held: int) -> tuple[str, Decimal]:
        """What the order would bind: the coin, and how much of it."""
        market = self.floor.market(ticket.instrument_id)
        if ticket.type in STOPS or ticket.reduce_only:
            return market.instrument.money, Decimal(0)
        price = ticket.limit_price or market.quote.last
        closing = held if ticket.side is OrderSide.SELL else -held
        opening = ticket.size - min(ticket.size, max(closing, 0))
        return self._bound(market.instrument, ticket.account_id, ticket.side, opening, price)

    def _of_order(self, order: ExchangeOrder) -> tuple[str, Decimal]:
        market = self.floor.market(order.instrument_id)
        if order.reduce_only or (order.type in STOPS and not order.triggered):
            return market.instrument.money, Decimal(0)
        price = order.limit_price or market.quote.last
        size = order.remaining_size
        return self._bound(market.instrument, order.account_id, order.side, size, price)

    def _bound(
        self, instrument: Instrument, account_id: int, side: OrderSide, lots: int, price: Decimal
    ) -> tuple[str, Decimal]:
        if instrument.kind is Kind.SPOT and side is OrderSide.SELL:
            return instrument.base, instrument.to_size(lots)
        if not instrument.has_margin:
            return instrument.money, Decimal(0)
        value = instrument.value(lots, price)
        if instrument.kind is not Kind.SPOT:
            value = value / self.leverage(account_id, instrument.id) + value * instrument.taker_rate
        return instrument.money, value.quantize(_DIGITS)

    def _money(self, position: ExchangePosition) -> str:
        return self.floor.market(position.instrument_id).instrument.money


def _summed(amounts: Iterable[tuple[str, Decimal]]) -> Mapping[str, Decimal]:
    summed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for coin, amount in amounts:
        summed[coin] += amount
    return summed
