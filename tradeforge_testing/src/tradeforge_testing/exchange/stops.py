"""The stop orders of one instrument that wait for their trigger, in whole ticks."""

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.trailing import level


class Stops:
    def __init__(self) -> None:
        self._triggers: dict[OrderSide, dict[int, int]] = {OrderSide.BUY: {}, OrderSide.SELL: {}}
        self._trails: dict[int, int] = {}  # order id: how far it stays from the last trade

    def __contains__(self, order_id: int) -> bool:
        return any(order_id in triggers for triggers in self._triggers.values())

    def add(self, side: OrderSide, ticks: int, order_id: int, trail: int | None = None) -> None:
        """Wait at `ticks`; with a `trail`, follow the market at that distance."""
        self._triggers[side][order_id] = ticks
        if trail is not None:
            self._trails[order_id] = trail

    def withdraw(self, order_id: int) -> bool:
        """Take the order out; False if it does not wait."""
        self._trails.pop(order_id, None)
        return any(triggers.pop(order_id, None) is not None for triggers in self._triggers.values())

    def next_trigger(self, side: OrderSide) -> int | None:
        """The trigger that the market reaches first, None if there is none."""
        triggers = self._triggers[side].values()
        if not triggers:
            return None
        return min(triggers) if side is OrderSide.BUY else max(triggers)

    def pop_triggered(self, ticks: int) -> list[int]:
        """Remove and return the orders that a print at that price sets off.

        Those whose trigger was reached first come first, the oldest first among equals.
        """
        buys, sells = self._triggers[OrderSide.BUY], self._triggers[OrderSide.SELL]
        triggered = sorted((each for each in buys if buys[each] <= ticks), key=buys.__getitem__)
        triggered += sorted(
            (each for each in sells if sells[each] >= ticks), key=lambda each: -sells[each]
        )
        for order_id in triggered:
            self.withdraw(order_id)
        return triggered

    def follow(self, last_ticks: int) -> dict[int, int]:
        """Move what trails after the last trade, never away from it; the new triggers by order."""
        moved: dict[int, int] = {}
        for side, triggers in self._triggers.items():
            nearest = min if side is OrderSide.BUY else max
            for order_id in (each for each in self._trails if each in triggers):
                ticks = level(side, last_ticks, self._trails[order_id])
                if nearest(triggers[order_id], ticks) != triggers[order_id]:
                    moved[order_id] = triggers[order_id] = ticks
        return moved
