"""Orders and executions: what is open, what was, and every fill."""

from collections.abc import Iterable, Sequence

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.answers import Payload, parameter_error
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.endpoints.trading import of_choice
from tradeforge_bybit.sandbox.fill_rows import fill_row
from tradeforge_bybit.sandbox.literals import milliseconds
from tradeforge_bybit.sandbox.order_rows import UNFILLED, is_of_filter, order_row, status
from tradeforge_bybit.sandbox.paging import page
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_testing.exchange import ExchangeOrder, Fill

DAY = 86_400_000
WEEK = 7 * DAY
_RECENT = 500


def realtime(venue: Venue, said: Said) -> Payload:
    """What is open, and of what is closed the last few hundred, the newest first."""
    category = say.category(said)
    chosen = _orders(venue, said, category, needed=category == "linear")
    if not _is_named(said):
        closed = say.whole(said, "openOnly", 0, 2) == 1
        chosen = [one for one in chosen if one.status.is_final == closed]
    return _page_of_orders(venue, said, category, chosen[:_RECENT])


def history(venue: Venue, said: Said) -> Payload:
    """What is closed, within a window of seven days; without a fill it is kept for one day."""
    category = say.category(said)
    start, end = window(venue, said)
    wanted = say.maybe_word(said, "orderStatus")
    chosen = [
        one
        for one in _orders(venue, said, category, needed=False)
        if one.status.is_final
        and start <= milliseconds(one.created_at) <= end
        and not _is_forgotten(venue, one)
        and (not wanted or status(venue, one) == wanted)
    ]
    return _page_of_orders(venue, said, category, chosen)


def _is_forgotten(venue: Venue, order: ExchangeOrder) -> bool:
    is_old = milliseconds(order.updated_at) < venue.now - DAY
    return is_old and not order.filled_size and status(venue, order) in UNFILLED


def _is_named(said: Said) -> bool:
    return bool(say.maybe_word(said, "orderId") or say.maybe_word(said, "orderLinkId"))


def _orders(venue: Venue, said: Said, category: str, *, needed: bool) -> list[ExchangeOrder]:
    """Those that were chosen, the newest first."""
    named = _is_named(said)
    chosen = of_choice(venue, said, category, needed=needed and not named)
    order_id, link_id = say.maybe_word(said, "orderId"), say.maybe_word(said, "orderLinkId")
    if order_id:
        chosen = [one for one in chosen if venue.id_text(one) == order_id]
    elif link_id:
        chosen = [one for one in chosen if venue.slip(one).link_id == link_id]
    kind = say.maybe_word(said, "orderFilter")
    return [one for one in chosen[::-1] if is_of_filter(venue, one, kind)]


def _page_of_orders(
    venue: Venue, said: Said, category: str, orders: Sequence[ExchangeOrder]
) -> Payload:
    limit = say.whole(said, "limit", 20, 50, 1)
    cursor = say.maybe_word(said, "cursor")
    shown, following = page(orders, limit, cursor, lambda one: -one.id)
    rows = [order_row(venue, one) for one in shown]
    return {"nextPageCursor": following, "category": category, "list": rows}


def window(venue: Venue, said: Said) -> tuple[int, int]:
    """From when to when; seven days where one end is not said. Raises `Failure` for more."""
    start, end = say.moment(said, "startTime"), say.moment(said, "endTime")
    if end is None:
        end = venue.now if start is None else start + WEEK
    if start is None:
        start = end - WEEK
    if start > end or end - start > WEEK:
        raise parameter_error("time range invalid: at most 7 days")
    return start, end


def executions(venue: Venue, said: Said) -> Payload:
    """Every fill, the newest first."""
    category = say.category(said)
    start, end = window(venue, said)
    orders = {one.id: one for one in _orders(venue, said, category, needed=False)}
    fills = [
        one
        for one in venue.books.fills(venue.account.id)[::-1]
        if one.order_id in orders and not one.voided and start <= milliseconds(one.time) <= end
    ]
    if say.maybe_word(said, "execType") not in ("", "Trade"):
        fills = []
    limit = say.whole(said, "limit", 50, 100, 1)
    shown, following = page(fills, limit, say.maybe_word(said, "cursor"), lambda one: -one.id)
    return {
        "nextPageCursor": following,
        "category": category,
        "list": _fill_rows(venue, shown, orders),
    }


def _fill_rows(
    venue: Venue, fills: Iterable[Fill], orders: dict[int, ExchangeOrder]
) -> list[Payload]:
    return [fill_row(venue, one, orders[one.order_id]) for one in fills]


ENDPOINTS = (
    Endpoint("GET", "/v5/order/realtime", realtime, 50),
    Endpoint("GET", "/v5/order/history", history, 50),
    Endpoint("GET", "/v5/execution/list", executions, 50),
)
