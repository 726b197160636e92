"""The local order book."""

from tradeforge_core.books.order_book import BookState, OrderBook

__all__ = ["BookState", "OrderBook"]
