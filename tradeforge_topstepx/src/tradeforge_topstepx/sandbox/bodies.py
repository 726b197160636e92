"""The request bodies: what a member must be called and be, or the answer is a 400."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_LARGEST_DECIMAL = Decimal(2**96 - 1)


class Body(Struct, kw_only=True):
    def __post_init__(self) -> None:
        for value in msgspec.structs.astuple(self):
            if isinstance(value, Decimal) and not _is_decimal(value):
                raise ValueError(f"{value} is not a decimal")


B = TypeVar("B", bound=Body)


class LoginKey(Body):
    userName: str
    apiKey: str


class LoginApp(Body):
    userName: str
    password: str
    deviceId: str
    appId: str
    verifyKey: str


class SearchAccounts(Body):
    onlyActiveAccounts: bool


class SearchContracts(Body):
    live: bool
    searchText: str | None = None


class ContractById(Body):
    contractId: str


class AvailableContracts(Body):
    live: bool


class RetrieveBars(Body):
    contractId: str
    live: bool
    startTime: datetime
    endTime: datetime
    unit: Int32
    unitNumber: Int32
    limit: Int32
    includePartialBar: bool


class BracketLeg(Body):
    ticks: Int32
    type: Int32


class PlaceOrder(Body):
    accountId: Int32
    contractId: str
    type: Int32
    side: Int32
    size: Int32
    limitPrice: Decimal | None = None
    stopPrice: Decimal | None = None
    trailPrice: Decimal | None = None
    customTag: str | None = None
    stopLossBracket: BracketLeg | None = None
    takeProfitBracket: BracketLeg | None = None


class ModifyOrder(Body):
    accountId: Int32
    orderId: Int64
    size: Int32 | None = None
    limitPrice: Decimal | None = None
    stopPrice: Decimal | None = None
    trailPrice: Decimal | None = None


class OrderOfAccount(Body):
    accountId: Int32
    orderId: Int64


class OfAccount(Body):
    accountId: Int32


class Period(Body):
    accountId: Int32
    startTimestamp: datetime
    endTimestamp: datetime | None = None


class TradePeriod(Body):
    accountId: Int32
    startTimestamp: datetime | None = None
    endTimestamp: datetime | None = None


class OrderFilter(Body):
    accountId: Int32
    statuses: list[Int32] | None = None
    contractId: str | None = None
    createdAfter: datetime | None = None
    createdBefore: datetime | None = None


class QueryOrders(Body):
    filter: OrderFilter
    pageSize: Int32 | None = None
    pageOffset: Int32 | None = None
    sortBy: Int32 | None = None
    sortDirection: Int32 | None = None
    includeTotalCount: bool | None = None


class PositionOf(Body):
    accountId: Int32
    contractId: str


class PartOfPosition(Body):
    accountId: Int32
    contractId: str
    size: Int32


class MalformedBody(Exception):
    """The body is no JSON, lacks a member, or one has the wrong type."""


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def parse_body(raw: bytes, shape: type[B]) -> B:
    """The body as a `shape`; members it does not know are ignored. Raises `MalformedBody`."""
    try:
        return msgspec.convert(_respelled(_decoder.decode(raw)), shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as exc:
        raise MalformedBody(str(exc)) from exc


def aware(time: datetime) -> datetime:
    """A time without an offset is taken as UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _is_decimal(value: Decimal) -> bool:
    """Whether it is a number, and one of those that .NET can hold."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -28 and abs(value) <= _LARGEST_DECIMAL


_NAMES = {name.lower(): name for shape in Body.__subclasses__() for name in shape.__struct_fields__}


def _respelled(value: Any) -> Any:
    """The body with its members named as above; the venue reads them in any case."""
    if isinstance(value, dict):
        return {_NAMES.get(name.lower(), name): _respelled(one) for name, one in value.items()}
    return value
