"""The order book of one instrument, in whole ticks."""

from attrs import define, frozen

from tradeforge_core.enums import OrderSide

_SIDES = (OrderSide.BUY, OrderSide.SELL)


@define
class Resting:
    """A user's limit order in its queue."""

    order_id: int
    size: int


@frozen
class Offer:
    """What a taker meets first: a user's order or, when `order_id` is None, the crowd."""

    ticks: int
    size: int
    order_id: int | None


class Book:
    """Users' limit orders by price and time, and the crowd: the market's own size at a price.

    At one price the crowd stands behind the users, so that whatever trades at the price of a
    user's order fills that order first.
    """

    def __init__(self) -> None:
        self._crowd: dict[OrderSide, dict[int, int]] = {side: {} for side in _SIDES}
        self._queues: dict[OrderSide, dict[int, list[Resting]]] = {side: {} for side in _SIDES}
        self._places: dict[int, tuple[OrderSide, int]] = {}

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._places

    def rest(self, side: OrderSide, ticks: int, order_id: int, size: int) -> None:
        """Put the order at the end of the queue at its price."""
        self._queues[side].setdefault(ticks, []).append(Resting(order_id, size))
        self._places[order_id] = side, ticks

    def withdraw(self, order_id: int) -> bool:
        """Take the order out; False if it is not in the book."""
        if order_id not in self._places:
            return False
        side, ticks = self._places.pop(order_id)
        queue = self._queues[side][ticks]
        queue.remove(next(each for each in queue if each.order_id == order_id))
        if not queue:
            del self._queues[side][ticks]
        return True

    def shrink(self, order_id: int, size: int) -> None:
        """Give the order a smaller size and leave it its place in the queue."""
        side, ticks = self._places[order_id]
        next(each for each in self._queues[side][ticks] if each.order_id == order_id).size = size

    def best(self, side: OrderSide) -> int | None:
        """The best price of that side, None if it is empty."""
        prices = (*self._crowd[side], *self._queues[side])
        if not prices:
            return None
        return max(prices) if side is OrderSide.BUY else min(prices)

    def best_of_users(self, side: OrderSide) -> int | None:
        queues = self._queues[side]
        if not queues:
            return None
        return max(queues) if side is OrderSide.BUY else min(queues)

    def offer(self, side: OrderSide, limit: int | None) -> Offer | None:
        """What stands first on that side, None if there is nothing or not within the limit."""
        ticks = self.best(side)
        if ticks is None or (limit is not None and not _reaches(side.opposite, limit, ticks)):
            return None
        if queue := self._queues[side].get(ticks):
            return Offer(ticks, queue[0].size, queue[0].order_id)
        return Offer(ticks, self._crowd[side][ticks], None)

    def take(self, side: OrderSide, offer: Offer, size: int) -> None:
        """Remove `size` from the offer."""
        if offer.order_id is None:
            self._take_crowd(side, offer, size)
        elif size < offer.size:
            self.shrink(offer.order_id, offer.size - size)
        else:
            self.withdraw(offer.order_id)

    def _take_crowd(self, side: OrderSide, offer: Offer, size: int) -> None:
        if size < offer.size:
            self._crowd[side][offer.ticks] = offer.size - size
        else:
            del self._crowd[side][offer.ticks]

    def crowd(self, side: OrderSide) -> dict[int, int]:
        """The crowd's size at each price."""
        return self._crowd[side]

    def replace_crowd(self, side: OrderSide, sizes: dict[int, int]) -> None:
        self._crowd[side] = sizes

    def users_size(self, side: OrderSide, limit: int) -> int:
        """How much the users' orders of that side offer at `limit` or better for a taker."""
        return sum(
            order.size
            for ticks, queue in self._queues[side].items()
            if _reaches(side.opposite, limit, ticks)
            for order in queue
        )

    def size_within(self, side: OrderSide, limit: int | None) -> int:
        """How much that side offers to a taker with that limit."""
        return sum(
            size
            for ticks, size in self.levels(side).items()
            if limit is None or _reaches(side.opposite, limit, ticks)
        )

    def levels(self, side: OrderSide) -> dict[int, int]:
        """The size at each price, users and crowd together."""
        sizes = dict(self._crowd[side])
        for ticks, queue in self._queues[side].items():
            sizes[ticks] = sizes.get(ticks, 0) + sum(order.size for order in queue)
        return sizes


def _reaches(taker: OrderSide, limit: int, ticks: int) -> bool:
    """Whether a taker with that limit may trade at the price."""
    return ticks <= limit if taker is OrderSide.BUY else ticks >= limit
