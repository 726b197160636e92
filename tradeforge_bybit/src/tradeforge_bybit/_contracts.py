"""Contracts, by id, by symbol, and by what they are about."""

from decimal import Decimal

from tradeforge_bybit import _mapping
from tradeforge_bybit._names import Place
from tradeforge_bybit._rest import Rest
from tradeforge_bybit.config import CATEGORIES
from tradeforge_core import Contract, FrontMonth, NotFound, VenueError

_NO_SUCH_SYMBOL = (10001, 170121)
_OTHER_STATUSES = ("PreLaunch", "Delivering", "Closed")
"""Of contracts that do not trade: they are listed where they are asked for, only."""


async def search(rest: Rest, text: str) -> list[Contract]:
    """Those that trade and have the text in their symbol, in every category."""
    wanted = text.strip().upper()
    found = [one for category in CATEGORIES for one in await _trading(rest, category)]
    return [one for one in found if wanted in one.symbol.upper()]


async def contract_of(rest: Rest, contract_id: str) -> Contract:
    """The contract of this id, one that does not trade too. Raises `NotFound`."""
    place = Place.of(contract_id)
    for status in (None, *_OTHER_STATUSES):
        if found := await _named(rest, place, status):
            return found
    raise NotFound(f"there is no contract {contract_id!r}: search for it by its symbol")


async def find(rest: Rest, symbol: str, default: str) -> FrontMonth:
    """The contract of a symbol or root, in the `default` category unless it begins with another.

    Raises `NotFound`, with what came near.
    """
    category, _, rest_of_it = symbol.strip().rpartition(":")
    category, wanted = category.lower() or default, rest_of_it.upper()
    if category not in CATEGORIES:
        raise NotFound(f"there is no category {category!r}; there are: {', '.join(CATEGORIES)}")
    trading = await _trading(rest, category)
    if found := _chosen(trading, wanted):
        return found
    near = ", ".join(one.symbol for one in trading if wanted and wanted in one.symbol) or "nothing"
    raise NotFound(f"{category} has no active contract {symbol!r}; the search found {near[:200]}")


async def largest_at_market(rest: Rest, place: Place) -> Decimal | None:
    """How large a market order may be; None where the venue does not say."""
    for row in await rest.instruments(place.category, symbol=place.symbol):
        return _mapping.largest_at_market(row)
    return None


def _chosen(trading: list[Contract], wanted: str) -> FrontMonth | None:
    for one in trading:
        if one.symbol.upper() == wanted:
            return FrontMonth(contract=one, reason="the symbol names it")
    rooted = sorted((one for one in trading if one.root.upper() == wanted), key=_expiry)
    if not rooted:
        return None
    others = ", ".join(one.symbol for one in rooted[1:])
    reason = f"the first of {wanted} to expire, before {others}" if others else "the only one"
    return FrontMonth(contract=rooted[0], reason=reason)


def _expiry(contract: Contract) -> int:
    """A contract that never expires comes last."""
    delivery = getattr(contract.raw, "deliveryTime", None) or ""
    return int(delivery) or _NEVER if delivery.isdecimal() else _NEVER


_NEVER = 10**18


async def _trading(rest: Rest, category: str) -> list[Contract]:
    rows = await rest.instruments(category)
    return [_mapping.to_contract(row, category) for row in rows]


async def _named(rest: Rest, place: Place, status: str | None) -> Contract | None:
    filters = {"symbol": place.symbol} | ({"status": status} if status else {})
    try:
        rows = await rest.instruments(place.category, **filters)
    except VenueError as error:
        if error.code in _NO_SUCH_SYMBOL:
            return None
        raise
    contracts = [_mapping.to_contract(row, place.category) for row in rows]
    return next((one for one in contracts if one.symbol == place.symbol), None)
