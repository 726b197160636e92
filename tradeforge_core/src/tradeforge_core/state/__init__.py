"""What is known of orders, fills and positions, whatever order the messages came in."""

from tradeforge_core.state.orders import KnownOrders
from tradeforge_core.state.positions import KnownPositions

__all__ = ["KnownOrders", "KnownPositions"]
