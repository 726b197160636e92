"""One function per kind of row that goes over the wire, and nothing that decides anything."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import (
    Bar,
    DepthChanged,
    ExchangeAccount,
    ExchangeOrder,
    ExchangePosition,
    Fill,
    Instrument,
    MarketTrade,
    Quote,
)
from tradeforge_topstepx.sandbox.literals import (
    FLAT,
    LONG,
    SHORT,
    SIDES,
    STATUSES,
    TYPES,
    hub_time,
    number,
    optional_number,
    rest_time,
)

Row = dict[str, Any]
Stamp = Callable[[datetime], str]

ASK, BID, BEST_ASK, BEST_BID, RESET = 1, 2, 3, 4, 6
DEPTH_SIDES = {OrderSide.SELL: ASK, OrderSide.BUY: BID}
BEST_SIDES = {OrderSide.SELL: BEST_ASK, OrderSide.BUY: BEST_BID}

QUOTE_PRICES = {
    "lastPrice": "last",
    "bestBid": "bid",
    "bestAsk": "ask",
    "change": "change",
    "changePercent": "change_percent",
    "open": "open",
    "high": "high",
    "low": "low",
}


def account(record: ExchangeAccount) -> Row:
    return {
        "id": record.id,
        "name": record.name,
        "balance": number(record.balance),
        "canTrade": record.can_trade,
        "isVisible": True,
        "simulated": record.simulated,
    }


def contract(record: Instrument) -> Row:
    return {
        "id": record.id,
        "name": record.symbol,
        "description": record.description,
        "tickSize": number(record.tick_size),
        "tickValue": number(record.tick_value),
        "activeContract": record.active,
        "symbolId": symbol_id(record.id),
    }


def bar(record: Bar) -> Row:
    return {
        "t": rest_time(record.time),
        "o": number(record.open),
        "h": number(record.high),
        "l": number(record.low),
        "c": number(record.close),
        "v": record.volume,
    }


def order(record: ExchangeOrder, instrument: Instrument, stamp: Stamp = rest_time) -> Row:
    trail = _trail_ticks(record)
    return {
        "id": record.id,
        "accountId": record.account_id,
        "contractId": record.instrument_id,
        "symbolId": symbol_id(record.instrument_id),
        "creationTimestamp": stamp(record.created_at),
        "updateTimestamp": stamp(record.updated_at),
        "status": STATUSES[record.status],
        "type": TYPES[record.type],
        "side": SIDES[record.side],
        "size": record.size,
        "limitPrice": optional_number(record.limit_price),
        "stopPrice": optional_number(record.stop_price),
        "fillVolume": record.filled_size,
        "filledPrice": optional_number(record.average_fill_price),
        "customTag": record.tag,
        "trailDistance": trail,
        "trailPrice": None if trail is None else number(trail * instrument.tick_size),
        "parentOrderId": record.parent_id,
        "linkedOrderId": record.linked_id,
    }


def _trail_ticks(record: ExchangeOrder) -> int | None:
    """The distance of a trailing stop; that of every bracket leg, with its sign."""
    if record.leg_ticks is None or record.trail_ticks is None:
        return record.trail_ticks if record.leg_ticks is None else record.leg_ticks
    return record.trail_ticks if record.leg_ticks > 0 else -record.trail_ticks


def position(record: ExchangePosition, name: str, stamp: Stamp = rest_time) -> Row:
    return {
        "id": record.id,
        "accountId": record.account_id,
        "contractId": record.instrument_id,
        "contractDisplayName": name,
        "creationTimestamp": stamp(record.opened_at),
        "type": LONG if record.size > 0 else SHORT if record.size < 0 else FLAT,
        "size": abs(record.size),
        "averagePrice": number(record.average_price),
    }


def trade(record: Fill, stamp: Stamp = rest_time) -> Row:
    return {
        "id": record.id,
        "accountId": record.account_id,
        "contractId": record.instrument_id,
        "creationTimestamp": stamp(record.time),
        "price": number(record.price),
        "profitAndLoss": optional_number(record.realized_pnl),
        "fees": number(record.fees),
        "commissions": number(record.commissions),
        "side": SIDES[record.side],
        "size": record.size,
        "voided": record.voided,
        "orderId": record.order_id,
    }


def quote(record: Quote, previous: Quote | None = None) -> Row:
    """All of the quote or, with a `previous` one, only what is different now."""
    prices = {
        member: number(getattr(record, name))
        for member, name in QUOTE_PRICES.items()
        if previous is None or getattr(previous, name) != getattr(record, name)
    }
    same_volume = previous is not None and previous.volume == record.volume
    return {
        "symbol": symbol_id(record.instrument_id),
        **prices,
        **({} if same_volume else {"volume": record.volume}),
        "lastUpdated": hub_time(record.time),
        "timestamp": hub_time(record.time),
        "contract": record.instrument_id,
    }


def market_trade(record: MarketTrade) -> Row:
    return {
        "symbolId": symbol_id(record.instrument_id),
        "price": number(record.price),
        "timestamp": hub_time(record.time),
        "type": SIDES[record.aggressor],
        "volume": record.size,
        "contractId": record.instrument_id,
    }


def depth(kind: int, price: Decimal, volume: int, time: datetime) -> Row:
    """A row of the book; only the levels themselves repeat their size as current volume."""
    return {
        "timestamp": hub_time(time),
        "type": kind,
        "price": number(price),
        "volume": volume,
        "currentVolume": volume if kind in DEPTH_SIDES.values() else 0,
    }


def depth_reset(time: datetime) -> Row:
    """The marker after which the book is told anew."""
    return {
        "timestamp": hub_time(time),
        "type": RESET,
        "price": 0,
        "volume": 0,
        "currentVolume": 0,
    }


def depth_change(record: DepthChanged) -> Row:
    return depth(DEPTH_SIDES[record.side], record.price, record.size, record.time)


def without_nulls(row: Row) -> Row:
    """The row as a hub sends it."""
    return {name: value for name, value in row.items() if value is not None}


def symbol_id(contract_id: str) -> str:
    """`F.US.ENQ` of `CON.F.US.ENQ.U26`."""
    return contract_id.removeprefix("CON.").rpartition(".")[0]


def display_name(instrument: Instrument) -> str:
    """`NQU26` of the contract that is otherwise called `NQU6`."""
    return instrument.symbol[:-1] + instrument.id[-2:]
