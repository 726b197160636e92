"""What is wrong with a ticket: a table of questions, asked in this order."""

from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing.exchange.records import ExchangeAccount, Instrument, Ticket
from tradeforge_testing.exchange.refusal import Refused, Reject

_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP})


@frozen(kw_only=True)
class Situation:
    """A ticket and what it meets."""

    ticket: Ticket
    account: ExchangeAccount
    instrument: Instrument
    market_open: bool
    tag_is_known: bool
    position_size: int
    last_ticks: int


def find_fault(situation: Situation) -> Reject | None:
    """The first reason to reject the ticket, None if it is good."""
    return next((reason for reason, is_so in _FAULTS.items() if is_so(situation)), None)


def is_size(size: object) -> bool:
    """Whether it is a whole number above zero; True is not."""
    return isinstance(size, int) and not isinstance(size, bool) and size > 0


def is_stop_on_wrong_side(side: OrderSide, ticks: int, last_ticks: int) -> bool:
    return ticks <= last_ticks if side is OrderSide.BUY else ticks >= last_ticks


def _lacks_price(situation: Situation) -> bool:
    ticket = situation.ticket
    needed = {OrderType.LIMIT: ticket.limit_price, OrderType.STOP: ticket.stop_price}
    return ticket.type in needed and needed[ticket.type] is None


def _is_off_tick(situation: Situation) -> bool:
    prices = situation.ticket.limit_price, situation.ticket.stop_price
    return not all(price is None or is_price(situation.instrument, price) for price in prices)


def is_price(instrument: Instrument, price: Decimal) -> bool:
    try:
        return bool(instrument.to_ticks(price))
    except Refused:
        return False


def _is_wrong_stop(situation: Situation) -> bool:
    ticket = situation.ticket
    if ticket.type is not OrderType.STOP or ticket.stop_price is None:
        return False
    ticks = situation.instrument.to_ticks(ticket.stop_price)
    return is_stop_on_wrong_side(ticket.side, ticks, situation.last_ticks)


def _lacks_funds(situation: Situation) -> bool:
    ticket, instrument = situation.ticket, situation.instrument
    held = situation.position_size if ticket.side is OrderSide.SELL else -situation.position_size
    if ticket.size <= held:
        return False
    return ticket.size * (instrument.fee + instrument.commission) > situation.account.balance


_FAULTS: dict[Reject, Callable[[Situation], bool]] = {
    Reject.DUPLICATE_TAG: lambda it: it.tag_is_known,
    Reject.ACCOUNT_CANNOT_TRADE: lambda it: not it.account.can_trade,
    Reject.UNSUPPORTED_TYPE: lambda it: it.ticket.type not in _TYPES,
    Reject.INACTIVE_INSTRUMENT: lambda it: not it.instrument.active,
    Reject.MARKET_CLOSED: lambda it: not it.market_open,
    Reject.BAD_SIZE: lambda it: not is_size(it.ticket.size),
    Reject.MISSING_PRICE: _lacks_price,
    Reject.PRICE_OFF_TICK: _is_off_tick,
    Reject.STOP_ON_WRONG_SIDE: _is_wrong_stop,
    Reject.INSUFFICIENT_FUNDS: _lacks_funds,
}
