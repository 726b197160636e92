"""What is wrong with a ticket: a table of questions, asked in this order."""

from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing.exchange.leg_checks import LEG_FAULTS
from tradeforge_testing.exchange.order_types import GIVEN_PRICES, SUPPORTED
from tradeforge_testing.exchange.records import ExchangeAccount, Instrument, Ticket
from tradeforge_testing.exchange.refusal import Refused, Reject
from tradeforge_testing.exchange.trailing import trail_ticks

_FARTHEST_TRAIL = 1000


@frozen(kw_only=True)
class Situation:
    """A ticket and what it meets."""

    ticket: Ticket
    account: ExchangeAccount
    instrument: Instrument
    market_open: bool
    tag_is_known: bool
    position_size: int
    has_last: bool
    last_ticks: int
    available: Decimal
    """What the account has of the money that the order is paid with, and has not bound."""
    need: Decimal
    """How much of it the order binds."""


def find_fault(situation: Situation) -> Reject | None:
    """The first reason to reject the ticket, None if it is good."""
    return next((reason for reason, is_so in _FAULTS.items() if is_so(situation)), None)


def is_size(size: object) -> bool:
    """Whether it is a whole number above zero; True is not."""
    return isinstance(size, int) and not isinstance(size, bool) and size > 0


def is_stop_on_wrong_side(side: OrderSide, ticks: int, last_ticks: int) -> bool:
    return ticks <= last_ticks if side is OrderSide.BUY else ticks >= last_ticks


def _lacks_price(situation: Situation) -> bool:
    names = GIVEN_PRICES.get(situation.ticket.type, ())
    return any(getattr(situation.ticket, name) is None for name in names)


def _is_off_tick(situation: Situation) -> bool:
    prices = situation.ticket.limit_price, situation.ticket.stop_price
    return not all(price is None or is_price(situation.instrument, price) for price in prices)


def is_price(instrument: Instrument, price: Decimal) -> bool:
    try:
        return bool(instrument.to_ticks(price))
    except Refused:
        return False


def _trail_price(situation: Situation) -> Decimal | None:
    """What a trailing stop is to trail from; other types have no use for it."""
    ticket = situation.ticket
    return ticket.trail_price if ticket.type is OrderType.TRAILING_STOP else None


def _lacks_trail(situation: Situation) -> bool:
    ticket = situation.ticket
    return ticket.type is OrderType.TRAILING_STOP and ticket.trail_price is None


def _is_trail_off_tick(situation: Situation) -> bool:
    price = _trail_price(situation)
    return price is not None and not is_price(situation.instrument, price)


def _lacks_last(situation: Situation) -> bool:
    return _trail_price(situation) is not None and not situation.has_last


def _is_trail_too_far(situation: Situation) -> bool:
    price = _trail_price(situation)
    if price is None:
        return False
    return trail_ticks(situation.instrument, price, situation.last_ticks) > _FARTHEST_TRAIL


def _is_wrong_stop(situation: Situation) -> bool:
    ticket = situation.ticket
    if (price := _trail_price(situation)) is not None:
        return not trail_ticks(situation.instrument, price, situation.last_ticks)
    if ticket.type not in _TRIGGERED or ticket.stop_price is None:
        return False
    ticks = situation.instrument.to_ticks(ticket.stop_price)
    return is_stop_on_wrong_side(ticket.direction, ticks, situation.last_ticks)


_TRIGGERED = (OrderType.STOP, OrderType.STOP_LIMIT)


def _reduces_nothing(situation: Situation) -> bool:
    """A stop may wait for a position that there is not yet."""
    ticket = situation.ticket
    if not ticket.reduce_only or ticket.type in _TRIGGERED:
        return False
    return closable(ticket.side, situation.position_size) == 0


def closable(side: OrderSide, held: int) -> int:
    """How much of what is held an order of that side can close."""
    return max(held if side is OrderSide.SELL else -held, 0)


def _lacks_funds(situation: Situation) -> bool:
    ticket, instrument = situation.ticket, situation.instrument
    if instrument.has_margin:
        return situation.need > situation.available
    held = situation.position_size if ticket.side is OrderSide.SELL else -situation.position_size
    if ticket.size <= held:
        return False
    return ticket.size * (instrument.fee + instrument.commission) > situation.account.balance


def _is_supported(ticket: Ticket) -> bool:
    """Futures exchanges know no stop limit; where triggers have a direction, there are."""
    if ticket.type is OrderType.STOP_LIMIT:
        return ticket.rising is not None
    return ticket.type in SUPPORTED


def _of_ticket(is_so: Callable[[Ticket], bool]) -> Callable[[Situation], bool]:
    return lambda situation: is_so(situation.ticket)


_FAULTS: dict[Reject, Callable[[Situation], bool]] = {
    Reject.DUPLICATE_TAG: lambda it: it.tag_is_known,
    Reject.ACCOUNT_CANNOT_TRADE: lambda it: not it.account.can_trade,
    Reject.UNSUPPORTED_TYPE: lambda it: not _is_supported(it.ticket),
    Reject.INACTIVE_INSTRUMENT: lambda it: not it.instrument.active,
    Reject.MARKET_CLOSED: lambda it: not it.market_open,
    Reject.BAD_SIZE: lambda it: not is_size(it.ticket.size),
    Reject.MISSING_PRICE: _lacks_price,
    Reject.PRICE_OFF_TICK: _is_off_tick,
    Reject.TRAIL_MISSING: _lacks_trail,
    Reject.TRAIL_OFF_TICK: _is_trail_off_tick,
    Reject.NO_LAST_PRICE: _lacks_last,
    Reject.TRAIL_TOO_FAR: _is_trail_too_far,
    Reject.STOP_ON_WRONG_SIDE: _is_wrong_stop,
    Reject.BRACKETS_DISABLED: lambda it: it.ticket.has_legs and not it.account.auto_oco,
    **{reason: _of_ticket(is_so) for reason, is_so in LEG_FAULTS.items()},
    Reject.REDUCE_ONLY: _reduces_nothing,
    Reject.INSUFFICIENT_FUNDS: _lacks_funds,
}
