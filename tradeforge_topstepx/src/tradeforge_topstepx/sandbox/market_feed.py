"""What the market hub tells: quotes, prints and the book."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import (
    DepthChanged,
    Exchange,
    ExchangeEvent,
    MarketTrade,
    Quote,
    QuoteChanged,
)
from tradeforge_testing.sandbox.signalr.messages import Outgoing, Topic
from tradeforge_topstepx.sandbox import wire
from tradeforge_topstepx.sandbox.wire import Row

QUOTE, TRADE, DEPTH = "GatewayQuote", "GatewayTrade", "GatewayDepth"


class MarketFeed:
    """Quotes and books begin whole, when subscribed to, and go on with what changes."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._told: dict[str, Quote] = {}
        self._tell: dict[type[Any], Callable[[Any], list[Outgoing]]] = {
            QuoteChanged: self._quote,
            MarketTrade: self._trade,
            DepthChanged: self._depth,
        }
        self._snapshots: dict[str, Callable[[str], Any]] = {
            QUOTE: self._whole_quote,
            DEPTH: self._whole_book,
        }

    def take(self, event: ExchangeEvent) -> list[Outgoing]:
        tell = self._tell.get(type(event))
        return tell(event) if tell else []

    def snapshot(self, topic: Topic) -> list[Any] | None:
        """What a new follower gets at once; prints have no past."""
        whole, contract_id = self._snapshots.get(topic.event), str(topic.key)
        if whole is None or contract_id not in self._exchange.instruments:
            return None
        return [contract_id, whole(contract_id)]

    def _quote(self, event: QuoteChanged) -> list[Outgoing]:
        quote, contract_id = event.quote, event.quote.instrument_id
        previous = self._told.get(contract_id)
        self._told[contract_id] = quote
        best = [
            side
            for side, price in _BEST.items()
            if previous is None or price(quote) != price(previous)
        ]
        return [
            *(self._best_level(quote, side) for side in best),
            _message(QUOTE, contract_id, lambda: wire.quote(quote, previous)),
        ]

    def _best_level(self, quote: Quote, side: OrderSide) -> Outgoing:
        price = _BEST[side](quote)

        def row() -> Row:
            levels = self._exchange.depth(quote.instrument_id)[_DEPTH_INDEX[side]]
            size = next((level.size for level in levels if level.price == price), 0)
            return wire.depth(wire.BEST_SIDES[side], price, size, quote.time)

        return _row(DEPTH, quote.instrument_id, row)

    def _trade(self, event: MarketTrade) -> list[Outgoing]:
        return [_row(TRADE, event.instrument_id, lambda: wire.market_trade(event))]

    def _depth(self, event: DepthChanged) -> list[Outgoing]:
        return [_row(DEPTH, event.instrument_id, lambda: wire.depth_change(event))]

    def _last_told(self, contract_id: str) -> Quote:
        return self._told.setdefault(contract_id, self._exchange.quote(contract_id))

    def _whole_quote(self, contract_id: str) -> Row:
        return wire.quote(self._last_told(contract_id))

    def _whole_book(self, contract_id: str) -> list[Row]:
        """A row that clears the book, then the levels from the best of each side."""
        time = self._last_told(contract_id).time
        rows = [wire.depth_reset(time)]
        for side, index in _DEPTH_INDEX.items():
            for level in self._exchange.depth(contract_id)[index]:
                rows.append(wire.depth(wire.DEPTH_SIDES[side], level.price, level.size, time))
        return rows + self._best_rows(contract_id, time)

    def _best_rows(self, contract_id: str, time: datetime) -> list[Row]:
        depth = self._exchange.depth(contract_id)
        best = {side: depth[index][:1] for side, index in _DEPTH_INDEX.items()}
        return [
            wire.depth(wire.BEST_SIDES[side], level.price, level.size, time)
            for side, levels in best.items()
            for level in levels
        ]


_BEST: dict[OrderSide, Callable[[Quote], Any]] = {
    OrderSide.BUY: lambda quote: quote.bid,
    OrderSide.SELL: lambda quote: quote.ask,
}
_DEPTH_INDEX = {OrderSide.BUY: 0, OrderSide.SELL: 1}


def _message(event: str, contract_id: str, payload: Callable[[], Any]) -> Outgoing:
    return Outgoing(Topic(event, contract_id), lambda: [contract_id, payload()])


def _row(event: str, contract_id: str, row: Callable[[], Row]) -> Outgoing:
    """A message of one row; what the exchange does in one step is one message of many."""
    return Outgoing(Topic(event, contract_id), lambda: [contract_id, [row()]], joins=True)
