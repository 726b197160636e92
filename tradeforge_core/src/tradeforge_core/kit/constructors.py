"""Constructors of the events that come by the thousand: the same arguments, a third of the cost.

A frozen class checks for each member that it is new. Here a draft, an object with the same members
in the same places that is not frozen, gets them one by one and becomes the event when it is
complete. That needs classes without a slot for weak references.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from tradeforge_core.enums import OrderSide
from tradeforge_core.events import DepthEvent, DepthLevel, Digits, MarketTradeEvent, QuoteEvent


def _draft_of(cls: type[attrs.AttrsInstance]) -> Any:
    return attrs.make_class(
        "Draft",
        [one.name for one in attrs.fields(cls)],
        bases=cls.__bases__,
        slots=True,
        weakref_slot=False,
        init=False,
        eq=False,
        repr=False,
    )


_Quote = _draft_of(QuoteEvent)
_MarketTrade = _draft_of(MarketTradeEvent)
_Depth = _draft_of(DepthEvent)


def new_quote(
    contract_id: str,
    bid: Decimal | None,
    ask: Decimal | None,
    last: Decimal | None,
    volume: Decimal | None,
    open: Decimal | None,
    high: Decimal | None,
    low: Decimal | None,
    change: Decimal | None,
    change_percent: Decimal | None,
    time: datetime | None,
    received: datetime,
    raw: object = None,
) -> QuoteEvent:
    quote = _Quote()
    quote.contract_id = contract_id
    quote.bid = bid
    quote.ask = ask
    quote.last = last
    quote.volume = volume
    quote.open = open
    quote.high = high
    quote.low = low
    quote.change = change
    quote.change_percent = change_percent
    quote.time = time
    quote.received = received
    quote.raw = raw
    quote.__class__ = QuoteEvent
    return quote  # type: ignore[no-any-return]


def new_market_trade(
    contract_id: str,
    price: Decimal,
    size: Decimal,
    aggressor: OrderSide | None,
    time: datetime | None,
    received: datetime,
    raw: object = None,
) -> MarketTradeEvent:
    trade = _MarketTrade()
    trade.contract_id = contract_id
    trade.price = price
    trade.size = size
    trade.aggressor = aggressor
    trade.time = time
    trade.received = received
    trade.raw = raw
    trade.__class__ = MarketTradeEvent
    return trade  # type: ignore[no-any-return]


Levels = tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...], DepthLevel | None, DepthLevel | None]
"""The bids, the asks, the best bid and the best ask of a depth event."""


def new_depth(
    contract_id: str,
    reset: bool,
    levels_of: Callable[[Any], Levels],
    time: datetime | None,
    received: datetime,
    raw: object,
    sequence: int | None = None,
    digits_of: Callable[[Any], Digits] | None = None,
) -> DepthEvent:
    """A depth event whose levels `levels_of` makes of `raw` when somebody looks at one.

    It must not raise: what is wrong with a level must be found before there is an event. Where the
    venue writes plain digits, without sign and exponent, `digits_of` spares a book the decimals.
    """
    depth = _Depth()
    depth.contract_id = contract_id
    depth.reset = reset
    depth.levels_of = levels_of
    depth.time = time
    depth.received = received
    depth.raw = raw
    depth.sequence = sequence
    depth.digits_of = digits_of
    depth.__class__ = DepthEvent
    return depth  # type: ignore[no-any-return]
