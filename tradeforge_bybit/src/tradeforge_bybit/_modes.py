"""Whether a contract can be held long and short at once: then orders have to say which."""

from tradeforge_bybit._names import Place
from tradeforge_bybit._orders import position_index
from tradeforge_bybit._search import Search
from tradeforge_core import OrderSide, TradeForgeError


class Modes:
    """Asked for once for each contract, and again after a refusal: the user may change it."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._hedged: dict[Place, bool] = {}

    async def index(self, place: Place, side: OrderSide, *, reduces: bool) -> int:
        """The positionIdx of an order."""
        return position_index(side, hedged=await self._is_hedged(place), reduces=reduces)

    async def learn(self, place: Place) -> None:
        """Have it at hand before the first order, if it can be had."""
        try:
            await self._is_hedged(place)
        except TradeForgeError:
            return  # the first order asks again

    def forget(self, place: Place) -> None:
        self._hedged.pop(place, None)

    async def _is_hedged(self, place: Place) -> bool:
        if place.category != "linear":
            return False  # only these can be
        if place not in self._hedged:
            positions = await self._search.positions_of(place)
            self._hedged[place] = any(one.hedge_side is not None for one in positions)
        return self._hedged[place]
