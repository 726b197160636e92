"""Orders: create, amend, cancel, one by one, in batches, or all of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.answers import Failure, Payload, parameter_error, refused
from tradeforge_bybit.sandbox.endpoint import Done, Endpoint
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.order_rows import is_of_filter, is_waiting
from tradeforge_bybit.sandbox.placing import check_band, lots, lots_of_money, place
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.slips import CONDITIONAL, TPSL
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_testing.exchange import ExchangeOrder, Refused, Reject

_LARGEST_BATCH = {"spot": 10}
_LARGEST = 20


def create(venue: Venue, said: Said) -> Payload:
    return _names(venue, place(venue, said))


def _names(venue: Venue, order: ExchangeOrder) -> Payload:
    return {"orderId": venue.id_text(order), "orderLinkId": venue.slip(order).link_id}


def find(venue: Venue, listing: Listing, said: Said) -> ExchangeOrder:
    """The order of the id or else of the name. Raises `Failure` if there is none."""
    order_id, link_id = say.maybe_word(said, "orderId"), say.maybe_word(said, "orderLinkId")
    if not (order_id or link_id):
        raise parameter_error("orderId or orderLinkId is required")
    for order in venue.exchange.orders(venue.account.id):
        if order.instrument_id != listing.instrument.id:
            continue
        if order_id and venue.id_text(order) == order_id:
            return order
        if not order_id and venue.slip(order).link_id == link_id:
            return order
    raise refused(Reject.UNKNOWN_ORDER, listing.category)


def _open(venue: Venue, listing: Listing, said: Said) -> ExchangeOrder:
    order = find(venue, listing, said)
    if order.status.is_final:
        raise refused(Reject.ORDER_NOT_WORKING, listing.category)
    return order


def cancel(venue: Venue, said: Said) -> Payload:
    listing = say.listing(venue, said)
    order = _open(venue, listing, said)
    if not _is_filtered(venue, order, said):
        raise refused(Reject.UNKNOWN_ORDER, listing.category)
    if order.parent_id is not None:
        venue.change_slip(order, cancel_type="CancelByUser")
    venue.exchange.cancel(order.account_id, order.id)
    return _names(venue, order)


def amend(venue: Venue, said: Said) -> Payload:
    """What is not said stays as it is; the size is the whole one."""
    listing = say.listing(venue, said)
    order = _open(venue, listing, said)
    price, trigger = say.price(said, "price"), say.price(said, "triggerPrice")
    qty, money = say.amount(said, "qty"), venue.slip(order).qty
    if money is None:
        size, changes = _new_size(listing, order, qty), _new_exits(venue, order, said)
    else:
        size, changes = _worth(listing, order, qty or money, trigger), {"qty": qty or money}
    if price is not None and not is_waiting(order):
        last = venue.exchange.quote(listing.instrument.id).last
        check_band(listing, order.side, price, last)
    try:
        venue.exchange.modify(
            order.account_id, order.id, size=size, limit_price=price, stop_price=trigger
        )
    except Refused as reason:
        raise refused(reason.reason, listing.category) from None
    if changes:
        venue.change_slip(order, **changes)
    return _names(venue, order)


def _new_size(listing: Listing, order: ExchangeOrder, qty: Decimal | None) -> int | None:
    if qty is None:
        return None
    size = lots(listing, qty)
    if size <= order.filled_size:
        raise (
            Failure(170313, "The quantity must be greater than the executed quantity.")
            if listing.is_spot
            else Failure(110064, "The qty after amendment must exceed the filled qty.")
        )
    return size


def _worth(listing: Listing, order: ExchangeOrder, money: Decimal, trigger: Decimal | None) -> int:
    """Only what waits for its trigger can still be amended, of the orders that count money."""
    price = trigger or order.stop_price
    assert price is not None
    size = lots_of_money(listing, money, price)
    if not size:
        raise Failure(170140, "Order value exceeded lower limit.")
    return size


def _new_exits(venue: Venue, order: ExchangeOrder, said: Said) -> dict[str, Decimal | None]:
    """Zero takes an exit away. Raises `Failure` for exits that are not the position's."""
    changes: dict[str, Decimal | None] = {}
    for name, member in (("takeProfit", "take_profit"), ("stopLoss", "stop_loss")):
        if said.get(name):
            changes[member] = say.price(said, name)
    if changes and venue.slip(order).tpsl_mode == "Partial":
        raise Failure(10001, "params error: the sandbox amends partial exits by their own ids")
    return changes


def cancel_all(venue: Venue, said: Said) -> Payload:
    category = say.category(said)
    chosen = of_choice(venue, said, category, needed=category != "spot")
    orders = [one for one in chosen if not one.status.is_final and _is_filtered(venue, one, said)]
    for order in orders:
        if not venue.exchange.order(order.account_id, order.id).status.is_final:
            venue.exchange.cancel(order.account_id, order.id)
    return {"list": [_names(venue, one) for one in orders], "success": "1"}


def of_choice(venue: Venue, said: Said, category: str, *, needed: bool) -> list[ExchangeOrder]:
    """The orders of a symbol or else of a base coin or else of a settle coin."""
    wanted = {name: say.maybe_word(said, name) for name in ("symbol", "baseCoin", "settleCoin")}
    if needed and not any(wanted.values()):
        raise Failure(10001, "params error: symbol, baseCoin or settleCoin is required")
    fits = _fitting(wanted)
    return [
        one
        for one in venue.books.orders(venue.account.id)
        if venue.listing_of(one).category == category
        and fits(venue.listing_of(one))
        and venue.is_shown(one)
    ]


def _fitting(wanted: dict[str, str]) -> Callable[[Listing], bool]:
    if wanted["symbol"]:
        return lambda one: one.symbol == wanted["symbol"]
    if wanted["baseCoin"]:
        return lambda one: one.base == wanted["baseCoin"]
    return lambda one: not wanted["settleCoin"] or one.settle == wanted["settleCoin"]


def _is_filtered(venue: Venue, order: ExchangeOrder, said: Said) -> bool:
    """Spot leaves what waits for a trigger alone unless it is asked for."""
    is_spot = venue.listing_of(order).is_spot
    kind = say.maybe_word(said, "orderFilter") or ("Order" if is_spot else "")
    if say.maybe_word(said, "stopOrderType") == "Stop":
        kind = CONDITIONAL
    if kind == "Order":
        return not is_waiting(order)
    is_any = kind not in (CONDITIONAL, TPSL)
    return is_any or (is_waiting(order) and is_of_filter(venue, order, kind))


# --- batches ---


def _batch(one: Callable[[Venue, Said], Payload]) -> Callable[[Venue, Said], Done]:
    def batch(venue: Venue, said: Said) -> Done:
        """Each for itself: those that fail say so, and the batch is a success."""
        category, asked = say.category(said), said.get("request")
        if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
            raise parameter_error("request invalid")
        if not 0 < len(asked) <= _LARGEST_BATCH.get(category, _LARGEST):
            raise parameter_error("request: too many orders")
        done = [_one_of_batch(one, venue, {**each, "category": category}) for each in asked]
        return Done(
            result={"list": [row for row, _ in done]}, extra={"list": [told for _, told in done]}
        )

    return batch


def _one_of_batch(
    one: Callable[[Venue, Said], Payload], venue: Venue, said: dict[str, Any]
) -> tuple[Payload, Payload]:
    row = {"category": said["category"], "symbol": said.get("symbol", "")}
    created = {"createAt": str(venue.now)} if one is create else {}
    try:
        return {**row, **one(venue, said), **created}, {"code": 0, "msg": "OK"}
    except Failure as failure:
        names = {"orderId": "", "orderLinkId": say.maybe_word(said, "orderLinkId")}
        created = {"createAt": ""} if one is create else {}
        return {**row, **names, **created}, {"code": failure.code, "msg": failure.text}


create_batch, amend_batch, cancel_batch = _batch(create), _batch(amend), _batch(cancel)

ENDPOINTS = (
    Endpoint("POST", "/v5/order/create", create, 10),
    Endpoint("POST", "/v5/order/amend", amend, 10),
    Endpoint("POST", "/v5/order/cancel", cancel, 10),
    Endpoint("POST", "/v5/order/cancel-all", cancel_all, 10),
    Endpoint("POST", "/v5/order/create-batch", create_batch, 10),
    Endpoint("POST", "/v5/order/amend-batch", amend_batch, 10),
    Endpoint("POST", "/v5/order/cancel-batch", cancel_batch, 10),
)
