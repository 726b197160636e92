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
                self._remove(price)
            elif price in sizes:
                sizes[price] = size
            else:
                self._add(price, size)

    def set_digits(self, pairs: Iterable[tuple[str, str]]) -> None:
        sizes = self._sizes
        for price, size in pairs:
            if size[0] == "0" and not size.strip("0."):
                self._remove(price)
            elif price in sizes:
                sizes[price] = size
            else:
                self._add(price, size)

    def level(self, index: int) -> DepthLevel:
        return DepthLevel(self.prices[index], Decimal(self._sizes[self._keys[index]]))

    def size_at(self, price: Decimal) -> Decimal:
        """What rests at the price, zero if nothing does."""
        at, found = self._find(price)
        return Decimal(self._sizes[self._keys[at]]) if found else Decimal(0)

    def size_between(self, start: int, stop: int) -> Decimal:
        return sum((Decimal(self._sizes[key]) for key in self._keys[start:stop]), Decimal(0))

    def _find(self, price: Decimal) -> tuple[int, bool]:
        """Where the price belongs, and whether it is there, in whatever digits."""
        at = bisect_left(self.prices, price)
        return at, at < len(self.prices) and self.prices[at] == price

    def _add(self, price: Number, size: Number) -> None:
        exact = Decimal(price)
        at, found = self._find(exact)
        if found:
            price = self._keys[at]
        else:
            self.prices.insert(at, exact)
            self._keys.insert(at, price)
        self._sizes[price] = size

    def _remove(self, price: Number) -> None:
        at, found = self._find(Decimal(price))
        if found:
            del self.prices[at]
            del self._sizes[self._keys.pop(at)]
