"""The local order book."""

from tradeforge_core.books.live_book import LiveOrderBook
from tradeforge_core.books.order_book import BookState, OrderBook

__all__ = ["BookState", "LiveOrderBook", "OrderBook"]
