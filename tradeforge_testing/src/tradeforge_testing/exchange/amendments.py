"""What is wrong with a modification: a table of questions, asked in this order."""

from collections.abc import Callable
from decimal import Decimal

from attrs import evolve, field, frozen
from attrs.converters import optional

from tradeforge_core.models import exact
from tradeforge_testing.exchange.checks import is_price, is_size, is_stop_on_wrong_side
from tradeforge_testing.exchange.order_types import CHANGEABLE_PRICES, LIMITS
from tradeforge_testing.exchange.records import ExchangeOrder, Instrument
from tradeforge_testing.exchange.refusal import Reject
from tradeforge_testing.exchange.trailing import trail_ticks, trailing


@frozen(kw_only=True)
class Amendment:
    """What is to change in an order (None: nothing), and what the change meets."""

    order: ExchangeOrder
    instrument: Instrument
    rests: bool
    market_open: bool
    last_ticks: int
    size: int | None
    limit_price: Decimal | None = field(converter=optional(exact))
    stop_price: Decimal | None = field(converter=optional(exact))
    trail_price: Decimal | None = field(converter=optional(exact))

    @property
    def new_size(self) -> int:
        return self.order.size if self.size is None else self.size

    @property
    def keeps_place(self) -> bool:
        """Whether only the size of an order in the book shrinks."""
        amended, order = self.amended(), self.order
        is_same_price = amended.limit_price == order.limit_price
        return order.type in LIMITS and is_same_price and amended.size < order.size

    def amended(self) -> ExchangeOrder:
        """The order with the new values."""
        amended = evolve(
            self.order,
            size=self.new_size,
            limit_price=_either(self.limit_price, self.order.limit_price),
            stop_price=_either(self.stop_price, self.order.stop_price),
        )
        if self.trail_price is None:
            return amended
        return trailing(amended, self.instrument, self.trail_price, self.last_ticks)


def _either(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    return old if new is None else new


def find_amendment_fault(amendment: Amendment) -> Reject | None:
    """The first reason to refuse the modification, None if it is good."""
    return next((reason for reason, is_so in _FAULTS.items() if is_so(amendment)), None)


def _is_bad_size(amendment: Amendment) -> bool:
    size = amendment.new_size
    return not is_size(size) or size <= amendment.order.filled_size


def _has_foreign_price(amendment: Amendment) -> bool:
    own = CHANGEABLE_PRICES.get(amendment.order.type, frozenset())
    foreign = frozenset().union(*CHANGEABLE_PRICES.values()) - own
    return any(getattr(amendment, name) is not None for name in foreign)


def _is_off_tick(amendment: Amendment) -> bool:
    prices = amendment.limit_price, amendment.stop_price
    return not all(price is None or is_price(amendment.instrument, price) for price in prices)


def _is_trail_off_tick(amendment: Amendment) -> bool:
    price = amendment.trail_price
    return price is not None and not is_price(amendment.instrument, price)


def _is_wrong_stop(amendment: Amendment) -> bool:
    if amendment.trail_price is not None:
        last = amendment.last_ticks
        return not trail_ticks(amendment.instrument, amendment.trail_price, last)
    if amendment.stop_price is None:
        return False
    ticks = amendment.instrument.to_ticks(amendment.stop_price)
    return is_stop_on_wrong_side(amendment.order.direction, ticks, amendment.last_ticks)


_FAULTS: dict[Reject, Callable[[Amendment], bool]] = {
    Reject.ORDER_NOT_WORKING: lambda it: not it.rests,
    Reject.MARKET_CLOSED: lambda it: not it.market_open,
    Reject.BAD_SIZE: _is_bad_size,
    Reject.UNSUPPORTED_TYPE: _has_foreign_price,
    Reject.PRICE_OFF_TICK: _is_off_tick,
    Reject.TRAIL_OFF_TICK: _is_trail_off_tick,
    Reject.STOP_ON_WRONG_SIDE: _is_wrong_stop,
}
