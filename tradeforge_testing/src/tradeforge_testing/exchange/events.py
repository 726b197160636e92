"""What a listener of the exchange is told, each with the record as it was at that moment."""

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.records import (
    ExchangeAccount,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    Quote,
)


@frozen
class OrderChanged:
    order: ExchangeOrder


@frozen
class FillMade:
    """A fill or, with an id that was told before, what a void has made of it."""

    fill: Fill


@frozen
class PositionChanged:
    position: ExchangePosition


@frozen
class AccountChanged:
    account: ExchangeAccount


@frozen
class QuoteChanged:
    quote: Quote


@frozen
class MarketTrade:
    """A print: somebody's or the crowd's. `aggressor` is the side that took."""

    instrument_id: str
    price: Decimal
    size: int
    aggressor: OrderSide
    time: datetime


@frozen
class DepthChanged:
    """A level of the book has this size now, zero when it is gone. BUY is the side of the bids."""

    instrument_id: str
    side: OrderSide
    price: Decimal
    size: int
    time: datetime


ExchangeEvent = (
    OrderChanged
    | FillMade
    | PositionChanged
    | AccountChanged
    | QuoteChanged
    | MarketTrade
    | DepthChanged
)
