"""Exits that an order brings along: the venue wants prices where the contract has distances."""

from decimal import Decimal

from tradeforge_bybit._checks import price_or_none
from tradeforge_bybit._names import Place
from tradeforge_bybit._rest import Rest
from tradeforge_core import Bracket, InvalidOrder, NotSent, NotSupported, OrderRequest, OrderSide


def check_bracket(bracket: Bracket, place: Place) -> None:
    """Raises `NotSupported` for exits that the venue does not have."""
    if place.category == "spot":
        raise NotSupported("spot has no brackets: only linear and inverse contracts do")
    if bracket.trailing:
        raise NotSupported("a stop loss of bybit does not trail: leave trailing out")


async def exit_words(rest: Rest, request: OrderRequest, place: Place) -> dict[str, str]:
    """What the body of an order says of its exits; nothing for one without.

    Each is as large as what the order fills, and when one fills the other ends: that is the
    venue's mode `Partial`. In `Full` they would be those of the whole position.
    """
    bracket = request.bracket
    if bracket is None:
        return {}
    base, sign = await _base(rest, request, place), _SIGNS[request.side]
    words = {"tpslMode": "Partial"}
    if bracket.take_profit is not None:
        words["takeProfit"] = _price("take_profit", base + sign * bracket.take_profit)
    if bracket.stop_loss is not None:
        words["stopLoss"] = _price("stop_loss", base - sign * bracket.stop_loss)
    return words


_SIGNS = {OrderSide.BUY: 1, OrderSide.SELL: -1}


async def _base(rest: Rest, request: OrderRequest, place: Place) -> Decimal:
    """What the distances count from. Raises `NotSent` where the market offers nothing."""
    given = request.limit_price or request.stop_price
    if given is not None:
        return given
    book = await rest.order_book(place, 1)
    offers = book.a if request.side is OrderSide.BUY else book.b
    best = price_or_none(offers[0][0], "price") if offers else None
    if best is None:
        raise NotSent(f"{place.symbol} is not offered: the exits have no price to count from")
    return best


def _price(name: str, price: Decimal) -> str:
    if price <= 0:
        raise InvalidOrder([f"{name} would stand at {price:f}: there is no such price"])
    return f"{price:f}"
