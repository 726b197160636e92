"""A simulated exchange: no I/O, exact numbers, and the same calls give the same events."""

from tradeforge_testing.exchange.events import (
    AccountChanged,
    DepthChanged,
    ExchangeEvent,
    FillMade,
    MarketTrade,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
)
from tradeforge_testing.exchange.exchange import Exchange
from tradeforge_testing.exchange.records import (
    Bar,
    ExchangeAccount,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    Instrument,
    Kind,
    Leg,
    Level,
    Quote,
    Ticket,
)
from tradeforge_testing.exchange.refusal import Refused, Reject

__all__ = [
    "AccountChanged",
    "Bar",
    "DepthChanged",
    "Exchange",
    "ExchangeAccount",
    "ExchangeEvent",
    "ExchangeOrder",
    "ExchangePosition",
    "Fill",
    "FillMade",
    "Instrument",
    "Kind",
    "Leg",
    "Level",
    "MarketTrade",
    "OrderChanged",
    "PositionChanged",
    "Quote",
    "QuoteChanged",
    "Refused",
    "Reject",
    "Ticket",
]
