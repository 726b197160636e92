"""The messages of the ProjectX Gateway in its own shape and spelling.

REST writes null where the hubs leave a member out, so every member that may be missing has a
default. Members that this version does not know are ignored.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import UNSET, Raw, Struct, UnsetType

UNREADABLE = (ValueError, RecursionError)
"""What a decoder of msgspec raises for a text: its own errors and those of UTF-8, which are both
`ValueError`, a plain one for a time after the year 9999, and the other for very deep nesting."""


class Row(Struct, frozen=True):
    """A record of the gateway; it is what `raw` holds on a model or an event."""


class AccountRow(Row, frozen=True):
    id: int
    name: str
    balance: Decimal
    canTrade: bool
    isVisible: bool | None = None
    simulated: bool | None = None


class ContractRow(Row, frozen=True):
    id: str
    name: str
    description: str
    tickSize: Decimal
    tickValue: Decimal
    activeContract: bool
    symbolId: str | None = None


class BarRow(Row, frozen=True):
    t: datetime
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741  # the gateway's letter for the low
    c: Decimal
    v: Decimal


class OrderRow(Row, frozen=True):
    id: int
    accountId: int
    contractId: str
    status: int
    type: int
    side: int
    size: Decimal
    creationTimestamp: datetime | None = None
    updateTimestamp: datetime | None = None
    symbolId: str | None = None
    limitPrice: Decimal | None = None
    stopPrice: Decimal | None = None
    fillVolume: Decimal | None = None
    filledPrice: Decimal | None = None
    customTag: str | None = None
    trailDistance: int | None = None
    trailPrice: Decimal | None = None
    parentOrderId: int | None = None
    linkedOrderId: int | None = None


class PositionRow(Row, frozen=True):
    id: int
    accountId: int
    contractId: str
    type: int
    size: Decimal
    averagePrice: Decimal | None = None
    creationTimestamp: datetime | None = None
    contractDisplayName: str | None = None


class TradeRow(Row, frozen=True):
    id: int
    accountId: int
    contractId: str
    orderId: int
    side: int
    size: Decimal
    price: Decimal
    creationTimestamp: datetime | None = None
    profitAndLoss: Decimal | None = None
    fees: Decimal | None = None
    commissions: Decimal | None = None
    voided: bool = False


Number: TypeAlias = Any
"""Whatever stands where a number belongs; `number_of` makes a Decimal of it, or an error.

Where the digits have a point it is one already, by the `decimal_of` that every decoder of these
rows has: that costs half of what a member of the type `Decimal` does.
"""


class QuoteRow(Row, frozen=True, gc=False):
    """A sparse change: a member that is None is as it was."""

    symbol: str | None = None
    lastPrice: Number = None
    bestBid: Number = None
    bestAsk: Number = None
    change: Number = None
    changePercent: Number = None
    open: Number = None
    high: Number = None
    low: Number = None
    volume: Number = None
    lastUpdated: datetime | None = None
    timestamp: datetime | None = None


class MarketTradeRow(Row, frozen=True, gc=False, kw_only=True):
    """The members are in the order of the wire, like those of a depth row: that reads fastest."""

    symbolId: str | None = None
    price: Number
    timestamp: datetime | None = None
    type: int
    volume: int | Decimal
    contractId: str | None = None


class DepthRow(Row, frozen=True, gc=False, kw_only=True):
    timestamp: datetime | None = None
    type: int
    price: Number = None
    volume: int | Decimal | None = None
    currentVolume: int | float | None = None


DepthRows = list[DepthRow | None] | DepthRow
MarketTradeRows = list[MarketTradeRow | None] | MarketTradeRow
"""The documentation shows single rows where the hub sends lists."""


class QuoteMessage(Struct, frozen=True, gc=False, tag="GatewayQuote", tag_field="target"):
    """A whole record of the market hub as it nearly always comes, read in one pass.

    Nothing in it refers back to it, so these need no garbage collector.
    """

    type: int
    arguments: tuple[str, QuoteRow]


class DepthMessage(Struct, frozen=True, gc=False, tag="GatewayDepth", tag_field="target"):
    type: int
    arguments: tuple[str, DepthRows]


class MarketTradeMessage(Struct, frozen=True, gc=False, tag="GatewayTrade", tag_field="target"):
    type: int
    arguments: tuple[str, MarketTradeRows]


class Envelope(Struct, frozen=True):
    """Around every answer: HTTP 200 is not success, `success` is."""

    success: bool
    errorCode: int = 0
    errorMessage: str | None = None


class LoginAnswer(Envelope, frozen=True):
    token: str | None = None


class ValidateAnswer(Envelope, frozen=True):
    newToken: str | None = None


class AccountsAnswer(Envelope, frozen=True):
    accounts: list[AccountRow] | None = None


class ContractsAnswer(Envelope, frozen=True):
    contracts: list[ContractRow] | None = None


class ContractAnswer(Envelope, frozen=True):
    contract: ContractRow | None = None


class BarsAnswer(Envelope, frozen=True):
    bars: list[BarRow] | None = None


class PlaceAnswer(Envelope, frozen=True):
    orderId: int | None = None


class OrdersAnswer(Envelope, frozen=True):
    orders: list[OrderRow] | None = None
    totalCount: int | None = None


class OrderAnswer(Envelope, frozen=True):
    order: OrderRow | None = None


class PositionsAnswer(Envelope, frozen=True):
    positions: list[PositionRow] | None = None


class TradesAnswer(Envelope, frozen=True):
    trades: list[TradeRow] | None = None


class UserMessage(Struct, frozen=True):
    """User events come wrapped; the documentation shows them bare, so both are understood."""

    action: int | None = None
    data: Raw | UnsetType = UNSET
