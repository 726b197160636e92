"""Orders, from the venue's words to those of a trader and back: pure functions."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from attrs import evolve

from tradeforge_bybit import _checks, _wire
from tradeforge_bybit._brackets import check_bracket
from tradeforge_bybit._mapping import SIDE_WORDS, TIME_WORDS, side_of
from tradeforge_bybit._names import Place
from tradeforge_bybit._places import OrderPlace
from tradeforge_core import (
    InvalidOrder,
    NotSupported,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
)
from tradeforge_core.requests import OrderChange

STATUSES = {
    "New": OrderStatus.WORKING,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Untriggered": OrderStatus.WORKING,
    "Triggered": OrderStatus.WORKING,
    "Filled": OrderStatus.FILLED,
    "PartiallyFilledCanceled": OrderStatus.CANCELLED,
    "Cancelled": OrderStatus.CANCELLED,
    "Deactivated": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
}
_REFUSED_AT_ONCE = frozenset({"EC_PostOnlyWillTakeLiquidity"})
"""Why an order that is `Cancelled` has never been at work: the venue says yes first, then no."""
_PLAIN = frozenset({"", "UNKNOWN", None})
_RISE, _FALL = 1, 2
_STOPS_ON = {OrderSide.BUY: _RISE, OrderSide.SELL: _FALL}
"""Where the price has to go for a stop; what waits for the other way is `if touched`."""
_TYPES = {
    ("Market", False): OrderType.MARKET,
    ("Limit", False): OrderType.LIMIT,
    ("Market", True): OrderType.STOP,
    ("Limit", True): OrderType.STOP_LIMIT,
}
_TOUCHED = {"Market": OrderType.MARKET_IF_TOUCHED, "Limit": OrderType.LIMIT_IF_TOUCHED}
_STOPPED = {"Market": OrderType.STOP, "Limit": OrderType.STOP_LIMIT}
_EXITS = {
    "StopLoss": _STOPPED,
    "PartialStopLoss": _STOPPED,
    "TakeProfit": _TOUCHED,
    "PartialTakeProfit": _TOUCHED,
}
"""What the venue names by their purpose."""
_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)
_TYPE_WORDS = {kind: (word, waits) for (word, waits), kind in _TYPES.items()}


def to_order(row: _wire.OrderRow, category: str, account_id: str) -> Order:
    kind, in_quote = _type(row), _counts_quote(row, category)
    filled = _checks.size(row.cumExecQty, "cumExecQty")
    has_limit = kind in _LIMITED
    return Order(
        id=row.orderId,
        account_id=account_id,
        contract_id=Place(category, row.symbol).contract_id,
        client_order_id=row.orderLinkId or None,
        side=side_of(row.side),
        type=kind,
        status=_status(row, filled=filled, in_quote=in_quote),
        size=_checks.size(row.qty, "qty"),
        filled_size=filled,
        # that of a market order is a protection of the venue's own
        limit_price=_checks.price_or_none(row.price, "price") if has_limit else None,
        stop_price=_checks.price_or_none(row.triggerPrice, "triggerPrice"),
        average_fill_price=_checks.price_or_none(row.avgPrice, "avgPrice"),
        created_at=_checks.time_or_none(row.createdTime, "createdTime"),
        updated_at=_checks.time_or_none(row.updatedTime, "updatedTime"),
        reduce_only=row.reduceOnly,
        post_only=row.timeInForce == "PostOnly",
        in_quote=in_quote,
        raw=row,
    )


def _type(row: _wire.OrderRow) -> OrderType:
    waits = _checks.price_or_none(row.triggerPrice, "triggerPrice")
    if row.stopOrderType == "TrailingStop":
        return OrderType.TRAILING_STOP
    if row.stopOrderType in _EXITS:  # the price that it was made at may be on either side of it
        return _EXITS[row.stopOrderType].get(row.orderType, OrderType.UNKNOWN)
    if waits is None:
        return _TYPES.get((row.orderType, False), OrderType.UNKNOWN)
    if _direction(row, waits) not in (None, _STOPS_ON.get(side_of(row.side))):
        return _TOUCHED.get(row.orderType, OrderType.UNKNOWN)
    return _TYPES.get((row.orderType, True), OrderType.UNKNOWN)


def _direction(row: _wire.OrderRow, trigger: Decimal) -> int | None:
    """Of spot it is not told: it follows from where the price was."""
    if row.triggerDirection in (_RISE, _FALL):
        return row.triggerDirection
    then = row.basePrice or row.lastPriceOnCreated
    before = _checks.price_or_none(then, "basePrice")
    if before is None or before == trigger:
        return None
    return _RISE if trigger > before else _FALL


def _status(row: _wire.OrderRow, *, filled: Decimal, in_quote: bool) -> OrderStatus:
    status = STATUSES.get(row.orderStatus, OrderStatus.UNKNOWN)
    if status is OrderStatus.CANCELLED and not filled and row.rejectReason in _REFUSED_AT_ONCE:
        return OrderStatus.REJECTED
    if row.orderStatus == "PartiallyFilledCanceled" and in_quote and filled:
        return OrderStatus.FILLED  # what is left of the money buys nothing any more
    return status


def _counts_quote(row: _wire.OrderRow, category: str) -> bool:
    """A market order of spot that does not say counts what is paid, if it buys."""
    if category != "spot" or row.orderType != "Market":
        return False
    return row.marketUnit == "quoteCoin" or (row.side == "Buy" and row.marketUnit != "baseCoin")


def of_fills(rows: Iterable[_wire.ExecutionRow], category: str, account_id: str) -> list[Order]:
    """The orders that have left these fills, as far as fills can tell of them."""
    by_order: dict[str, list[_wire.ExecutionRow]] = {}
    for row in rows:
        by_order.setdefault(row.orderId, []).append(row)
    return [_of_fills(some, category, account_id) for some in by_order.values()]


def _of_fills(rows: list[_wire.ExecutionRow], category: str, account_id: str) -> Order:
    """The newest is the one that left the least: those of one moment come in any order."""
    newest = min(rows, key=_left)
    sizes = [_checks.size(row.execQty, "execQty") for row in rows]
    is_done = not _left(newest)
    return Order(
        id=newest.orderId,
        account_id=account_id,
        contract_id=Place(category, newest.symbol).contract_id,
        client_order_id=newest.orderLinkId or None,
        side=side_of(newest.side),
        type=_type_of_fill(newest),
        status=OrderStatus.FILLED if is_done else OrderStatus.PARTIALLY_FILLED,
        size=_checks.size(newest.orderQty, "orderQty"),
        filled_size=sum(sizes, Decimal(0)),
        in_quote=newest.marketUnit == "quoteCoin",
        raw=newest,
    )


def _type_of_fill(row: _wire.ExecutionRow) -> OrderType:
    if row.stopOrderType in _EXITS:
        return _EXITS[row.stopOrderType].get(row.orderType, OrderType.UNKNOWN)
    return _TYPES.get((row.orderType, row.stopOrderType not in _PLAIN), OrderType.UNKNOWN)


def _left(row: _wire.ExecutionRow) -> Decimal:
    return _checks.size(row.leavesQty, "leavesQty")


# --- and back ---


def check_expressible(request: OrderRequest, place: Place) -> None:
    """Raises `NotSupported` and `InvalidOrder` for what the venue has no words for."""
    if place.category == "spot" and request.reduce_only:
        raise NotSupported("spot has no positions that a reduce_only order could reduce")
    if place.category != "spot" and request.in_quote:
        raise NotSupported(f"{place.category} counts contracts: only spot has a size in_quote")
    if request.bracket is not None:
        check_bracket(request.bracket, place)
    name = request.client_order_id or ""
    if len(name) > _LONGEST_NAME or not name.replace("-", "").replace("_", "").isalnum():
        raise InvalidOrder(
            [
                f"client_order_id {name!r}: at most {_LONGEST_NAME} letters, digits, - and _ are"
                " what the venue takes"
            ]
        )


_LONGEST_NAME = 36


def check_loss_is_told(request: OrderRequest, place: Place) -> None:
    """A limit that would count nothing must not seem to hold. Raises `NotSupported`."""
    if place.category != "linear" and not request.reduce_only:
        raise NotSupported(
            f"max_daily_loss cannot be kept for {place.category}: the venue names no result of"
            " its fills. Take the limit out, or trade linear contracts"
        )


def to_body(request: OrderRequest, place: Place, index: int) -> dict[str, Any]:
    """The body that creates the order; `index` is the positionIdx."""
    word, waits = _TYPE_WORDS[request.type]
    is_spot = place.category == "spot"
    body: dict[str, Any] = {
        "category": place.category,
        "symbol": place.symbol,
        "side": SIDE_WORDS[request.side],
        "orderType": word,
        "qty": f"{request.size:f}",
        "price": _text(request.limit_price),
        "timeInForce": _time_in_force(request),
        "orderLinkId": request.client_order_id,
        "triggerPrice": _text(request.stop_price),
    }
    if is_spot:
        body["marketUnit"] = _unit(request) if word == "Market" else None
        body["orderFilter"] = "StopOrder" if waits else None
        return body
    body["triggerDirection"] = _STOPS_ON[request.side] if waits else None
    body["positionIdx"] = index
    body["reduceOnly"] = request.reduce_only or None
    return body


def _time_in_force(request: OrderRequest) -> str | None:
    if request.post_only:
        return "PostOnly"
    return None if request.time_in_force is None else TIME_WORDS[request.time_in_force]


def _unit(request: OrderRequest) -> str:
    return "quoteCoin" if request.in_quote else "baseCoin"


def to_change(change: OrderChange, place: Place) -> dict[str, Any]:
    """The body that changes what is named, and leaves the rest."""
    return {
        "category": place.category,
        "symbol": place.symbol,
        "orderId": change.order_id,
        "qty": _text(change.size),
        "price": _text(change.limit_price),
        "triggerPrice": _text(change.stop_price),
    }


def to_cancel(where: OrderPlace, order_id: str) -> dict[str, Any]:
    return {
        "category": where.place.category,
        "symbol": where.place.symbol,
        "orderId": order_id,
        "orderFilter": where.filter,
    }


def to_reduce(held: Position, size: Decimal, client_order_id: str) -> OrderRequest:
    """The order that makes a position smaller at the market."""
    side = OrderSide.SELL if held.size > 0 else OrderSide.BUY
    request = OrderRequest.market(held.account_id, held.contract_id, side, size)
    return evolve(request, reduce_only=True, client_order_id=client_order_id)


def position_index(side: OrderSide, *, hedged: bool, reduces: bool) -> int:
    """Which of two positions an order is for: what reduces is for the one of the other side."""
    if not hedged:
        return 0
    return {OrderSide.BUY: 1, OrderSide.SELL: 2}[side.opposite if reduces else side]


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
