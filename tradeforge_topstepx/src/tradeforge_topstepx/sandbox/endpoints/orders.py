"""Order: place, modify, cancel, and every way to look orders up."""

from collections.abc import Callable
from datetime import datetime

from tradeforge_core.enums import OrderStatus, OrderType
from tradeforge_testing.exchange import ExchangeOrder, Leg, Ticket
from tradeforge_topstepx.sandbox import refusals, wire
from tradeforge_topstepx.sandbox.bodies import (
    BracketLeg,
    MalformedBody,
    ModifyOrder,
    OfAccount,
    OrderFilter,
    OrderOfAccount,
    Period,
    PlaceOrder,
    QueryOrders,
    aware,
)
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Failure, Payload
from tradeforge_topstepx.sandbox.literals import SIDES, STATUSES, TYPES
from tradeforge_topstepx.sandbox.place_texts import place_text
from tradeforge_topstepx.sandbox.venue import Venue

PLACE_REJECTED, MODIFY_REJECTED = 2, 3
DEFAULT_PAGE, LARGEST_PAGE = 50, 1000

_OPEN = STATUSES[OrderStatus.WORKING]
_DESCENDING = 1
_SIDE_OF = {code: side for side, code in SIDES.items()}
_TYPE_OF = {code: type_ for type_, code in TYPES.items()}


def place(venue: Venue, body: PlaceOrder) -> Payload:
    """The id of the order; a rejected order has one too."""
    if body.side not in _SIDE_OF:
        raise Failure(PLACE_REJECTED, "Invalid order side.")
    order = venue.exchange.place(_ticket(body))
    if order.reject is None:
        return {"orderId": order.id}
    code, _ = refusals.PLACE[order.reject]
    raise Failure(code, place_text(order.reject, body), orderId=order.id)


def _ticket(body: PlaceOrder) -> Ticket:
    return Ticket(
        account_id=body.accountId,
        instrument_id=body.contractId,
        side=_SIDE_OF[body.side],
        type=_type_of(body.type),
        size=body.size,
        limit_price=body.limitPrice,
        stop_price=body.stopPrice,
        trail_price=body.trailPrice,
        stop_loss=_leg(body.stopLossBracket),
        take_profit=_leg(body.takeProfitBracket),
        tag=body.customTag or None,
    )


def _leg(body: BracketLeg | None) -> Leg | None:
    return None if body is None else Leg(body.ticks, _type_of(body.type))


def _type_of(code: int) -> OrderType:
    return _TYPE_OF.get(code, OrderType.UNKNOWN)


def modify(venue: Venue, body: ModifyOrder) -> Payload:
    """Members that are not there, or null, stay as they are."""
    order = venue.exchange.order(body.accountId, body.orderId)
    if body.trailPrice is not None and order.type is not OrderType.TRAILING_STOP:
        raise Failure(MODIFY_REJECTED, "Trail price can only be set on a trailing stop.")
    venue.exchange.modify(
        body.accountId,
        body.orderId,
        size=body.size,
        limit_price=body.limitPrice,
        stop_price=body.stopPrice,
        trail_price=body.trailPrice,
    )
    return {}


def cancel(venue: Venue, body: OrderOfAccount) -> Payload:
    venue.exchange.cancel(body.accountId, body.orderId)
    return {}


def search(venue: Venue, body: Period) -> Payload:
    """Every order but the suspended ones, ascending by id."""
    orders = [one for one in _orders(venue, body.accountId) if not _is_suspended(one)]
    created = _created_in(body.startTimestamp, body.endTimestamp)
    return {"orders": _rows(venue, [one for one in orders if created(one)])}


def search_open(venue: Venue, body: OfAccount) -> Payload:
    orders = _orders(venue, body.accountId)
    return {"orders": _rows(venue, [one for one in orders if STATUSES[one.status] == _OPEN])}


def search_by_id(venue: Venue, body: OrderOfAccount) -> Payload:
    (row,) = _rows(venue, [venue.books.order(body.accountId, body.orderId)])
    return {"order": row}


def query(venue: Venue, body: QueryOrders) -> Payload:
    """A page of the orders that pass the filter, in the order asked for."""
    size = DEFAULT_PAGE if body.pageSize is None else body.pageSize
    skip = body.pageOffset or 0
    if not 0 < size <= LARGEST_PAGE or skip < 0:
        raise MalformedBody("pageSize or pageOffset is out of range")
    orders = [one for one in _orders(venue, body.filter.accountId) if _passes(one, body.filter)]
    # Ids are given in the order of creation, so both fields to sort by come to the same.
    ordered = orders[::-1] if body.sortDirection == _DESCENDING else orders
    page = _rows(venue, ordered[skip : skip + size])
    return {"orders": page, "totalCount": len(orders) if body.includeTotalCount else None}


def _passes(order: ExchangeOrder, wanted: OrderFilter) -> bool:
    return (
        (not wanted.statuses or STATUSES[order.status] in wanted.statuses)
        and (not wanted.contractId or order.instrument_id == wanted.contractId)
        and _created_in(wanted.createdAfter, wanted.createdBefore)(order)
    )


def _created_in(start: datetime | None, end: datetime | None) -> Callable[[ExchangeOrder], bool]:
    def created(order: ExchangeOrder) -> bool:
        return (start is None or order.created_at >= aware(start)) and (
            end is None or order.created_at <= aware(end)
        )

    return created


def _orders(venue: Venue, account_id: int) -> list[ExchangeOrder]:
    return sorted(venue.books.orders(account_id), key=lambda one: one.id)


def _rows(venue: Venue, orders: list[ExchangeOrder]) -> list[wire.Row]:
    listed = venue.exchange.instruments
    return [wire.order(one, listed[one.instrument_id]) for one in orders]


def _is_suspended(order: ExchangeOrder) -> bool:
    return order.status is OrderStatus.SUSPENDED


ENDPOINTS = (
    Endpoint("/api/Order/place", PlaceOrder, place, ("orderId",), refusals.PLACE),
    Endpoint("/api/Order/modify", ModifyOrder, modify, (), refusals.MODIFY),
    Endpoint("/api/Order/cancel", OrderOfAccount, cancel, (), refusals.CANCEL),
    Endpoint("/api/Order/search", Period, search, ("orders",), refusals.LIST),
    Endpoint("/api/Order/searchOpen", OfAccount, search_open, ("orders",), refusals.LIST),
    Endpoint("/api/Order/searchById", OrderOfAccount, search_by_id, ("order",), refusals.FIND),
    Endpoint("/api/Order/v2/query", QueryOrders, query, ("orders", "totalCount"), refusals.LIST),
)
