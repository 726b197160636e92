"""The closed vocabularies of the contract: lower-case words, so that they read well in JSON."""

from enum import StrEnum


class AssetClass(StrEnum):
    FUTURE = "future"
    PERPETUAL = "perpetual"
    """A future that never expires: a funding rate keeps it near the price of what it stands for."""
    SPOT = "spot"
    """One currency for another: a fill moves balances, and there are no positions."""
    UNKNOWN = "unknown"


class OrderSide(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "OrderSide":
        return OrderSide.SELL if self is OrderSide.BUY else OrderSide.BUY


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    MARKET_IF_TOUCHED = "market_if_touched"
    """Waits for a better price, not for a worse one as a stop: a take profit of some venues."""
    LIMIT_IF_TOUCHED = "limit_if_touched"
    JOIN_BID = "join_bid"
    JOIN_ASK = "join_ask"
    UNKNOWN = "unknown"
    """The venue named a type that this version does not know; `Order.raw` has its code."""


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class OrderStatus(StrEnum):
    PENDING = "pending"
    """The venue has the order and has not put it to work yet."""
    SUSPENDED = "suspended"
    """Held back until another order fills (the legs of a bracket)."""
    WORKING = "working"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """The venue named a status that this version does not know; `Order.raw` has its code."""

    @property
    def is_final(self) -> bool:
        """Whether the order can no longer change; an unknown status counts as not final."""
        return self in _FINAL


_FINAL = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)


class BarUnit(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class MarketDataType(StrEnum):
    QUOTE = "quote"
    DEPTH = "depth"
    TRADE = "trade"
    TICKER = "ticker"
    BAR = "bar"
    """Bars of one minute; a `BarSpan` in its place says of how long."""


class UserDataType(StrEnum):
    ACCOUNT_UPDATE = "account_update"
    ORDER_UPDATE = "order_update"
    POSITION_UPDATE = "position_update"
    USER_TRADE = "user_trade"


class StreamConnectionStatus(StrEnum):
    IDLE = "idle"
    """Nothing is subscribed, and there is no connection."""
    CONNECTING = "connecting"
    """The socket, the token and the handshake of a new connection are being made."""
    SUBSCRIBING = "subscribing"
    """Connected; the venue has not confirmed every subscription yet, or refuses one again."""
    LIVE = "live"
    """Every subscription is confirmed; a connection is kept a few seconds after the last one."""
    RECONNECTING = "reconnecting"
    """The connection was lost; the next attempt waits for its back-off."""
    CLOSED = "closed"
    """Ended by `disconnect()`; it will not come back by itself."""


class GapCause(StrEnum):
    DISCONNECTED = "disconnected"
    """Nothing was received between `since` and `until`; the venue does not replay it."""
    OVERFLOW = "overflow"
    """This subscriber was too slow and its backlog of market data was dropped."""
    DECODE_ERROR = "decode_error"
    """A message was not understood and has been left out."""
    RENEWED = "renewed"
    """The library subscribes anew, to get the whole book after some of it was lost here."""
    MISSED = "missed"
    """The connection was alive, and the venue has what it never told: the audit has found it."""


class EventSource(StrEnum):
    """How something of yours became known."""

    STREAM = "stream"
    """The venue told it."""
    AUDIT = "audit"
    """The venue was asked, and the stream had not told it."""


class VenueClass(StrEnum):
    """What a venue does for an order whose answer is lost: it decides what can be guaranteed."""

    A = "a"
    """It refuses a second order of the same client order id, and orders can be looked up by it."""
    B = "b"
    """Orders can be looked up by their client order id; a second one of it is not refused."""
    C = "c"
    """Neither."""
