"""The seeded crowd: everybody in the market who is not a user."""

from random import Random

from attrs import frozen

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.book import Book

_LEVELS = 10
_REACH = 2  # ticks that the crowd's quote may stay away from the last print
_BLOCK = 25  # contracts, of the large prints


@frozen
class Impulse:
    """The crowd wants to trade this much, at the best price there is."""

    side: OrderSide
    size: int


class Crowd:
    """Keeps about ten levels on each side of the book and trades against what is there.

    Its prices wander by a tick and follow the last print, so a large order moves the market. It
    never quotes through a user's order; where it wants to be beyond one it trades against it.
    """

    def __init__(self, book: Book, random: Random, ticks: int, liquidity: int = 1) -> None:
        self._book = book
        self._random = random
        self._liquidity = liquidity
        self._bid = max(1, ticks - 1)
        self._ask = self._bid + 1
        self._was_quiet = False
        self._pressure: OrderSide | None = None
        self._quote()

    def wander(self, last: int) -> None:
        """Move the quote by a tick or not at all, fill the book up, change some sizes."""
        near = min(max(self._bid, last - _REACH), last + _REACH - 1)
        self._bid = max(1, near + self._random.choice((-1, 0, 0, 1)))
        self._ask = self._bid + self._random.choice((1, 1, 1, 2))
        self._quote()
        for side in (OrderSide.BUY, OrderSide.SELL):
            self._resize_one(side)

    def stand(self, side: OrderSide, ticks: int) -> None:
        """Quote so that a taker on `side` would trade at exactly that price."""
        self._bid = ticks - 1 if side is OrderSide.BUY else ticks
        self._ask = self._bid + 1
        self._quote()

    def impulse(self) -> Impulse | None:
        """What it trades in this step; it is never quiet twice in a row."""
        chance, side, size = self._random.random(), self._any_side(), self._any_print()
        if self._pressure is not None:
            side = self._pressure
        elif chance < 0.3 and not self._was_quiet:
            self._was_quiet = True
            return None
        self._was_quiet = False
        return Impulse(side, size)

    def _any_side(self) -> OrderSide:
        return self._random.choice((OrderSide.BUY, OrderSide.SELL))

    def _any_print(self) -> int:
        reach = _BLOCK if self._random.random() < 0.1 else 4
        return self._random.randint(1, reach) * self._liquidity

    def _quote(self) -> None:
        """Fill the book up around the wanted prices, as far as users' orders leave room."""
        users_ask = self._book.best_of_users(OrderSide.SELL)
        users_bid = self._book.best_of_users(OrderSide.BUY)
        bid = self._bid if users_ask is None else min(self._bid, users_ask - 1)
        ask = self._ask if users_bid is None else max(self._ask, users_bid + 1)
        self._pressure = _pressure(self._bid - bid, ask - self._ask)
        self._fill_up(OrderSide.BUY, range(bid, max(0, bid - _LEVELS), -1))
        self._fill_up(OrderSide.SELL, range(ask, ask + _LEVELS))

    def _fill_up(self, side: OrderSide, prices: range) -> None:
        have = self._book.crowd(side)
        sizes = {ticks: have.get(ticks) or self._any_size() for ticks in prices}
        self._book.replace_crowd(side, sizes)

    def _resize_one(self, side: OrderSide) -> None:
        sizes = self._book.crowd(side)
        if sizes:
            sizes[self._random.choice(list(sizes))] = self._any_size()

    def _any_size(self) -> int:
        return self._random.randint(4, 40) * self._liquidity


def _pressure(bid_held_back: int, ask_held_back: int) -> OrderSide | None:
    if bid_held_back > 0:
        return OrderSide.BUY
    return OrderSide.SELL if ask_held_back > 0 else None
