"""The messages of Bybit's v5 API in its own shape and spelling.

Numbers come as text, and nothing is "", "0", null or a member that is not there: so every member
is a text with a default, except those that nothing can be done without. What a text means is for
`_mapping` to say. Members that this version does not know are ignored.
"""

from typing import Generic, TypeAlias, TypeVar

from msgspec import Raw, Struct

R = TypeVar("R")

UNREADABLE = (ValueError, RecursionError)
"""What a decoder of msgspec raises for a text: its own errors and those of UTF-8, which are both
`ValueError`, and the other for very deep nesting."""

Text: TypeAlias = str | int | float | bool | None
"""What should be a text; other spellings of the same value have been seen."""


class Row(Struct, frozen=True):
    """A record of the venue; it is what `raw` holds on a model or an event."""


# --- the envelope ---


class Envelope(Struct, frozen=True):
    """Around every answer of REST: HTTP 200 is not success, code 0 is, whatever the text says."""

    retCode: int
    retMsg: str | None = ""
    result: Raw = Raw(b"{}")
    retExtInfo: Raw = Raw(b"{}")
    time: int | None = None


class Rows(Struct, Generic[R], frozen=True):
    """A page of a list; the cursor of the last one is empty."""

    list: list[R]
    nextPageCursor: str | None = None
    category: str | None = None


class Nothing(Struct, frozen=True):
    """An answer whose code has said it all."""


class TimeResult(Struct, frozen=True):
    timeSecond: str
    timeNano: str


class KeyRow(Row, frozen=True):
    """What the venue knows about the API key."""

    userID: int | str
    readOnly: int = 0
    uta: int = 0


# --- instruments and prices ---


class PriceFilter(Struct, frozen=True):
    tickSize: str


class LotSizeFilter(Struct, frozen=True):
    minOrderQty: str | None = None
    maxOrderQty: str | None = None
    maxMktOrderQty: str | None = None
    qtyStep: str | None = None
    minNotionalValue: str | None = None
    basePrecision: str | None = None
    quotePrecision: str | None = None
    minOrderAmt: str | None = None
    maxLimitOrderQty: str | None = None
    maxMarketOrderQty: str | None = None


class InstrumentRow(Row, frozen=True):
    symbol: str
    status: str
    baseCoin: str
    quoteCoin: str
    priceFilter: PriceFilter
    lotSizeFilter: LotSizeFilter
    settleCoin: str = ""
    contractType: str = ""
    deliveryTime: str | None = None


class TickerRow(Row, frozen=True):
    symbol: str
    lastPrice: str | None = None
    markPrice: str | None = None
    indexPrice: str | None = None
    bid1Price: str | None = None
    bid1Size: str | None = None
    ask1Price: str | None = None
    ask1Size: str | None = None
    prevPrice24h: str | None = None
    price24hPcnt: str | None = None
    highPrice24h: str | None = None
    lowPrice24h: str | None = None
    volume24h: str | None = None
    turnover24h: str | None = None
    openInterest: str | None = None
    fundingRate: str | None = None
    nextFundingTime: str | None = None


Level: TypeAlias = list[str]
"""A price and a size; 0 as a size means that the price is gone."""


class BookResult(Row, frozen=True):
    s: str
    b: list[Level]
    a: list[Level]
    ts: int
    u: int
    seq: int | None = None
    cts: int | None = None


KlineRow: TypeAlias = list[str]
"""Start in milliseconds, open, high, low, close, volume, turnover."""


# --- the account ---


class CoinRow(Struct, frozen=True):
    coin: str
    walletBalance: str = ""
    equity: str = ""
    locked: str | None = None
    bonus: str | None = None
    totalOrderIM: str | None = None
    totalPositionIM: str | None = None
    borrowAmount: str | None = None


class WalletRow(Row, frozen=True):
    totalWalletBalance: str = ""
    totalEquity: str = ""
    totalAvailableBalance: str | None = None
    accountType: str = ""
    coin: list[CoinRow] = []


class ClosedRow(Row, frozen=True):
    """What an order has closed: its prices tell the result of its fills, `closedPnl` that of all.

    The fees of both ways are deducted there.
    """

    orderId: str
    side: str
    avgEntryPrice: str
    closedSize: str
    closedPnl: str
    updatedTime: str = ""


class FeeRow(Row, frozen=True):
    symbol: str
    takerFeeRate: str
    makerFeeRate: str


class PositionRow(Row, frozen=True):
    """REST says `avgPrice`, the stream `entryPrice`."""

    symbol: str
    size: str
    side: str | None = None
    positionIdx: int = 0
    category: str = ""
    avgPrice: str | None = None
    entryPrice: str | None = None
    createdTime: str | None = None
    updatedTime: str | None = None
    seq: int | None = None


# --- orders and fills ---


class OrderRow(Row, frozen=True):
    orderId: str
    symbol: str
    side: str
    orderType: str
    orderStatus: str
    qty: str
    category: str = ""
    orderLinkId: str | None = None
    parentOrderLinkId: str | None = None
    price: str | None = None
    avgPrice: str | None = None
    leavesQty: str | None = None
    leavesValue: str | None = None
    cumExecQty: str | None = None
    cumExecValue: str | None = None
    timeInForce: str | None = None
    stopOrderType: str | None = None
    createType: str | None = None
    cancelType: str | None = None
    rejectReason: str | None = None
    triggerPrice: str | None = None
    triggerDirection: int | None = None
    basePrice: str | None = None
    lastPriceOnCreated: str | None = None
    takeProfit: str | None = None
    stopLoss: str | None = None
    tpslMode: str | None = None
    positionIdx: int = 0
    reduceOnly: bool = False
    closeOnTrigger: bool = False
    marketUnit: str | None = None
    createdTime: str | None = None
    updatedTime: str | None = None


class ExtraFee(Struct, frozen=True):
    """A tax of a region, beside the fee."""

    feeCoin: str
    fee: str


class ExecutionRow(Row, frozen=True):
    execId: str
    orderId: str
    symbol: str
    side: str
    execPrice: str
    execQty: str
    execType: str
    category: str = ""
    orderLinkId: str | None = None
    orderQty: str | None = None
    leavesQty: str | None = None
    orderType: str = ""
    stopOrderType: str | None = None
    marketUnit: str | None = None
    execFee: str | None = None
    feeCurrency: str | None = None
    execTime: str | None = None
    execPnl: str | None = None
    closedSize: str | None = None
    isMaker: bool | None = None
    extraFees: list[ExtraFee] | str | None = None
    seq: int | None = None


class AckResult(Row, frozen=True):
    """The venue has taken the request in; whether it takes the order is told later."""

    orderId: str
    orderLinkId: str | None = None
