"""What the venue says of an order it does not take: its texts name what was sent."""

from collections.abc import Mapping
from typing import Any

from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing.exchange import Reject
from tradeforge_topstepx.sandbox.bodies import BracketLeg, PlaceOrder
from tradeforge_topstepx.sandbox.literals import SIDES, TYPE_NAMES, TYPES
from tradeforge_topstepx.sandbox.refusals import PLACE

_STOP_LOSS = "Invalid stop loss ticks ({stop_loss_ticks}). "
_TAKE_PROFIT = "Invalid take profit ticks ({take_profit_ticks}). "
_NEAR = "Price should be at least 4 ticks away."
_LOW_STOP_LOSS = _STOP_LOSS + "Stop loss tick value should be at least 4 ticks."
_LOW_TAKE_PROFIT = _TAKE_PROFIT + "Take profit tick value should be at least 4 ticks."
_BUY, _SELL = SIDES[OrderSide.BUY], SIDES[OrderSide.SELL]

# Ticks above zero only have to be four or more, so that one text serves two faults.
_OF_SIDE: Mapping[Reject, Mapping[int, str]] = {
    Reject.BAD_STOP_LOSS_SIGN: {
        _BUY: _STOP_LOSS + "Ticks should be less than zero when longing.",
        _SELL: _LOW_STOP_LOSS,
    },
    Reject.STOP_LOSS_TOO_NEAR: {_BUY: _STOP_LOSS + _NEAR, _SELL: _LOW_STOP_LOSS},
    Reject.BAD_TAKE_PROFIT_SIGN: {
        _BUY: _LOW_TAKE_PROFIT,
        _SELL: _TAKE_PROFIT + "Ticks should be less than zero when going short.",
    },
    Reject.TAKE_PROFIT_TOO_NEAR: {_BUY: _LOW_TAKE_PROFIT, _SELL: _TAKE_PROFIT + _NEAR},
}
_PRICES = {
    TYPES[OrderType.LIMIT]: "limit price",
    TYPES[OrderType.STOP]: "stop price",
    TYPES[OrderType.TRAILING_STOP]: "trail price",
}


def place_text(reject: Reject, body: PlaceOrder) -> str | None:
    """The text that goes with this rejection of what `body` asks for, if any."""
    text = _OF_SIDE[reject][body.side] if reject in _OF_SIDE else PLACE[reject][1]
    return text and text.format(**_words(body))


def _words(body: PlaceOrder) -> dict[str, Any]:
    return {
        "price": _PRICES.get(body.type, "price"),
        "type": type_name(body.type),
        **_leg_words("stop_loss", body.stopLossBracket),
        **_leg_words("take_profit", body.takeProfitBracket),
    }


def _leg_words(name: str, leg: BracketLeg | None) -> dict[str, Any]:
    return {f"{name}_ticks": leg.ticks, f"{name}_type": type_name(leg.type)} if leg else {}


def type_name(code: int) -> str:
    """As .NET writes a value of an enumeration: by its name or, if it has none, as a number."""
    return TYPE_NAMES.get(code, str(code))
