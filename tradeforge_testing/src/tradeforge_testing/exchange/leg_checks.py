"""What is wrong with the legs of a ticket: a table of questions, asked in this order."""

from collections.abc import Callable

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing.exchange.order_types import STOPS
from tradeforge_testing.exchange.records import Leg, Ticket
from tradeforge_testing.exchange.refusal import Reject

_NEAREST = 4  # ticks
_STOP_LOSSES = STOPS - {OrderType.STOP_LIMIT}


def _is_bad_stop_loss_type(ticket: Ticket) -> bool:
    return ticket.stop_loss is not None and ticket.stop_loss.type not in _STOP_LOSSES


def _is_bad_take_profit_type(ticket: Ticket) -> bool:
    return ticket.take_profit is not None and ticket.take_profit.type is not OrderType.LIMIT


def _gain(ticket: Ticket, leg: Leg) -> int:
    """What one contract wins when the leg fills, in ticks."""
    return leg.ticks if ticket.side is OrderSide.BUY else -leg.ticks


def _is_stop_loss_a_gain(ticket: Ticket) -> bool:
    return ticket.stop_loss is not None and _gain(ticket, ticket.stop_loss) >= 0


def _is_take_profit_a_loss(ticket: Ticket) -> bool:
    return ticket.take_profit is not None and _gain(ticket, ticket.take_profit) <= 0


def _is_near(leg: Leg | None) -> bool:
    return leg is not None and abs(leg.ticks) < _NEAREST


LEG_FAULTS: dict[Reject, Callable[[Ticket], bool]] = {
    Reject.BAD_STOP_LOSS_TYPE: _is_bad_stop_loss_type,
    Reject.BAD_TAKE_PROFIT_TYPE: _is_bad_take_profit_type,
    Reject.BAD_STOP_LOSS_SIGN: _is_stop_loss_a_gain,
    Reject.BAD_TAKE_PROFIT_SIGN: _is_take_profit_a_loss,
    Reject.STOP_LOSS_TOO_NEAR: lambda ticket: _is_near(ticket.stop_loss),
    Reject.TAKE_PROFIT_TOO_NEAR: lambda ticket: _is_near(ticket.take_profit),
}
