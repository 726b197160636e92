"""How the venue spells numbers, times and codes."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType

SIDES = {OrderSide.BUY: 0, OrderSide.SELL: 1}
TYPES = {
    OrderType.UNKNOWN: 0,
    OrderType.LIMIT: 1,
    OrderType.MARKET: 2,
    OrderType.STOP_LIMIT: 3,
    OrderType.STOP: 4,
    OrderType.TRAILING_STOP: 5,
    OrderType.JOIN_BID: 6,
    OrderType.JOIN_ASK: 7,
}
TYPE_NAMES = {
    0: "Unknown",
    1: "Limit",
    2: "Market",
    3: "StopLimit",
    4: "Stop",
    5: "TrailingStop",
    6: "JoinBid",
    7: "JoinAsk",
}
STATUSES = {
    OrderStatus.WORKING: 1,
    OrderStatus.PARTIALLY_FILLED: 1,
    OrderStatus.FILLED: 2,
    OrderStatus.CANCELLED: 3,
    OrderStatus.EXPIRED: 4,
    OrderStatus.REJECTED: 5,
    OrderStatus.PENDING: 6,
    OrderStatus.PENDING_CANCEL: 7,
    OrderStatus.SUSPENDED: 8,
}
LONG, SHORT, FLAT = 1, 2, 0


def number(value: Decimal) -> msgspec.Raw:
    """A JSON number with exactly the digits that count: 29539, 0.25, never an exponent."""
    return msgspec.Raw(format(value.normalize(), "f").encode())


def optional_number(value: Decimal | None) -> msgspec.Raw | None:
    return None if value is None else number(value)


def rest_time(time: datetime) -> str:
    """To the microsecond, without zeros at the end."""
    return _iso(time, f"{time.microsecond:06}")


def hub_time(time: datetime) -> str:
    """To the tenth of a microsecond, as the hubs write it; the last digit is only for looks."""
    return _iso(time, f"{time.microsecond:06}{time.microsecond * 7 % 10}")


def _iso(time: datetime, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}+00:00"
