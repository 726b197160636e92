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
    """The best price that the order can fill at, which the distances count from.

    From a worse one, as the limit of an order that fills at once may be, a stop loss could stand
    where the market is already. Raises `NotSent` where a market order is offered nothing.
    """
    prices = [one for one in (request.limit_price, request.stop_price) if one is not None]
    if request.stop_price is None:
        prices += await _offer(rest, request.side, place)
    if not prices:
        raise NotSent(f"{place.symbol} is not offered: the exits have no price to count from")
    return min(prices) if request.side is OrderSide.BUY else max(prices)


async def _offer(rest: Rest, side: OrderSide, place: Place) -> list[Decimal]:
    """The best price of the other side, if there is one."""
    book = await rest.order_book(place, 1)
    best = [
        price_or_none(level[0], "price") for level in (book.a if side is OrderSide.BUY else book.b)
    ]
    return [one for one in best if one is not None][:1]


def _price(name: str, price: Decimal) -> str:
    if price <= 0:
        raise InvalidOrder([f"{name} would stand at {price:f}: there is no such price"])
    return f"{price:f}"
