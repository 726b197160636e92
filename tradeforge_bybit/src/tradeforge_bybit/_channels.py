"""What each subscription is called at the venue."""

from collections.abc import Callable, Mapping

from tradeforge_bybit import _mapping
from tradeforge_bybit._names import Place
from tradeforge_core import BarSpan, MarketDataType, Topic, UserDataType

DEPTH = 50
"""Levels of a book that is kept."""
LIVE_BARS = frozenset(BarSpan(unit, size) for unit, size in _mapping.INTERVALS)


def _interval(span: BarSpan | None) -> str:
    chosen = span or BarSpan()
    return _mapping.INTERVALS[chosen.unit, chosen.size]


_OF_MARKET: Mapping[MarketDataType | UserDataType, Callable[[str, Topic], tuple[str, ...]]] = {
    # the book of one level is the fastest quote there is, and the ticker has the last price
    MarketDataType.QUOTE: lambda symbol, topic: (f"orderbook.1.{symbol}", f"tickers.{symbol}"),
    MarketDataType.DEPTH: lambda symbol, topic: (f"orderbook.{DEPTH}.{symbol}",),
    MarketDataType.TRADE: lambda symbol, topic: (f"publicTrade.{symbol}",),
    MarketDataType.TICKER: lambda symbol, topic: (f"tickers.{symbol}",),
    MarketDataType.BAR: lambda symbol, topic: (f"kline.{_interval(topic.span)}.{symbol}",),
}
_OF_ACCOUNT: Mapping[MarketDataType | UserDataType, str] = {
    UserDataType.ORDER_UPDATE: "order",
    UserDataType.USER_TRADE: "execution",
    UserDataType.POSITION_UPDATE: "position",
    UserDataType.ACCOUNT_UPDATE: "wallet",
}
"""Of all categories at once."""


def names_of(topic: Topic) -> tuple[str, ...]:
    """The channels that carry a topic. Raises `NotFound` for what can be no contract here."""
    if topic.kind in _OF_ACCOUNT:
        return (_OF_ACCOUNT[topic.kind],)
    return _OF_MARKET[topic.kind](Place.of(topic.key).symbol, topic)
