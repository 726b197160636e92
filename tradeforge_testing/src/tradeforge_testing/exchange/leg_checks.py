"""What is wrong with the legs of a ticket: a table of questions, asked in this order."""

from collections.abc import Callable

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing.exchange.order_types import STOPS
from tradeforge_testing.exchange.records import Leg, Ticket
from tradeforge_testing.exchange.refusal import Reject

_NEAREST = 4  # ticks
_STOP_LOSSES = STOPS - {OrderType.STOP_LIMIT}
_TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def _is_bad_stop_loss_type(ticket: Ticket) -> bool:
    return _has_other_type(ticket.stop_loss, _STOP_LOSSES)


def _is_bad_take_profit_type(ticket: Ticket) -> bool:
    return _has_other_type(ticket.take_profit, frozenset({OrderType.LIMIT}))


def _has_other_type(leg: Leg | None, types: frozenset[OrderType]) -> bool:
    if leg is None:
        return False
    return leg.type not in (types if leg.price is None else _TRIGGERED)


def _gain(ticket: Ticket, leg: Leg | None) -> int | None:
    """What one contract wins when the leg fills, in ticks; a leg with a price does not say."""
    if leg is None or leg.ticks is None:
        return None
    return leg.ticks if ticket.side is OrderSide.BUY else -leg.ticks


def _is_stop_loss_a_gain(ticket: Ticket) -> bool:
    gain = _gain(ticket, ticket.stop_loss)
    return gain is not None and gain >= 0


def _is_take_profit_a_loss(ticket: Ticket) -> bool:
    gain = _gain(ticket, ticket.take_profit)
    return gain is not None and gain <= 0


def _is_near(leg: Leg | None) -> bool:
    return leg is not None and leg.ticks is not None and abs(leg.ticks) < _NEAREST


LEG_FAULTS: dict[Reject, Callable[[Ticket], bool]] = {
    Reject.BAD_STOP_LOSS_TYPE: _is_bad_stop_loss_type,
    Reject.BAD_TAKE_PROFIT_TYPE: _is_bad_take_profit_type,
    Reject.BAD_STOP_LOSS_SIGN: _is_stop_loss_a_gain,
    Reject.BAD_TAKE_PROFIT_SIGN: _is_take_profit_a_loss,
    Reject.STOP_LOSS_TOO_NEAR: lambda ticket: _is_near(ticket.stop_loss),
    Reject.TAKE_PROFIT_TOO_NEAR: lambda ticket: _is_near(ticket.take_profit),
}
