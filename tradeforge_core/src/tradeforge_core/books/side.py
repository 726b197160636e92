"""One side of an order book: sizes by price, and the prices in order.

A price that is there already costs one look into a dict, whatever its digits are; only a new one
is made a `Decimal` and put in its place. Sizes stay as they came until somebody reads them.
"""

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from tradeforge_core.events import DepthLevel

Number = Decimal | str
"""A decimal, or its plain digits as a venue wrote them."""


class Side:
    """The levels of one side. `prices` ascend, whichever side it is."""

    __slots__ = ("_keys", "_sizes", "prices")

    def __init__(self) -> None:
        self.prices: list[Decimal] = []
        self._keys: list[Number] = []
        """The spelling under which the size of each price is kept, in the order of the prices."""
        self._sizes: dict[Number, Number] = {}

    def clear(self) -> None:
        self.prices.clear()
        self._keys.clear()
        self._sizes.clear()

    def set_levels(self, levels: Iterable[DepthLevel]) -> None:
        sizes = self._sizes
        for price, size in levels:
            if not size:
                self._place(price, None)
            elif price in sizes:
                sizes[price] = size
            else:
                self._place(price, size)

    def set_digits(self, pairs: Iterable[tuple[str, str]]) -> None:
        sizes = self._sizes
        for price, size in pairs:
            if size[0] == "0" and not size.strip("0."):
                self._place(price, None)
            elif price in sizes:
                sizes[price] = size
            else:
                self._place(price, size)

    def level(self, index: int) -> DepthLevel:
        return DepthLevel(self.prices[index], Decimal(self._sizes[self._keys[index]]))

    def size_at(self, price: Decimal) -> Decimal:
        """What rests at the price, zero if nothing does."""
        at = bisect_left(self.prices, price)
        found = at < len(self.prices) and self.prices[at] == price
        return Decimal(self._sizes[self._keys[at]]) if found else Decimal(0)

    def size_between(self, start: int, stop: int) -> Decimal:
        return sum((Decimal(self._sizes[key]) for key in self._keys[start:stop]), Decimal(0))

    def _place(self, price: Number, size: Number | None) -> None:
        """Put a level where it belongs, whatever digits its price has, or take it out with None.

        All in one: nearly all of the time that a change takes is spent here.
        """
        exact, prices, keys = Decimal(price), self.prices, self._keys
        at = bisect_left(prices, exact)
        if at < len(prices) and prices[at] == exact:
            if size is None:
                del prices[at]
                del self._sizes[keys.pop(at)]
            else:
                self._sizes[keys[at]] = size
        elif size is not None:
            prices.insert(at, exact)
            keys.insert(at, price)
            self._sizes[price] = size
