"""How long the venue takes between the events of an order."""

from tradeforge_core.enums import OrderStatus
from tradeforge_testing.exchange import Exchange, ExchangeOrder

FILL, ACTIVATION, OCO, REJECTION = 0.008, 0.018, 0.012, 0.002
"""From pending to a fill, from that fill to working legs, from a leg's fill to the end of the other
leg, and from pending to rejected; in seconds."""


class Timing:
    """Says how long after the event before it the next event of an order comes."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._told: dict[int, OrderStatus] = {}
        self._family_at_work: int | None = None

    def before_fill(self, order_id: int) -> float:
        """A fill is told before the order that it fills."""
        if self._told.get(order_id) is not OrderStatus.PENDING:
            return 0
        del self._told[order_id]
        return FILL

    def before(self, order: ExchangeOrder) -> float:
        previous, self._told[order.id] = self._told.get(order.id), order.status
        if order.status is OrderStatus.REJECTED:
            return REJECTION
        if order.status is OrderStatus.WORKING and previous is OrderStatus.SUSPENDED:
            return self._before_activation(order)
        return OCO if self._is_oco(order) else 0

    def _before_activation(self, leg: ExchangeOrder) -> float:
        """Both legs begin to work at the same time."""
        is_second = leg.parent_id == self._family_at_work
        self._family_at_work = leg.parent_id
        return 0 if is_second else ACTIVATION

    def _is_oco(self, order: ExchangeOrder) -> bool:
        if order.parent_id is None or order.status is not OrderStatus.CANCELLED:
            return False
        return any(
            one.parent_id == order.parent_id and one.status is OrderStatus.FILLED
            for one in self._exchange.orders(order.account_id)
        )
