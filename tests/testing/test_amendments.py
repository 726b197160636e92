"""Modify, cancel and close: what they change, and what they refuse."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    OrderChanged,
    Refused,
    Reject,
)

Place = Callable[..., ExchangeOrder]


def _refusal(call: Callable[..., object], *values: object, **named: object) -> Reject:
    with pytest.raises(Refused) as refusal:
        call(*values, **named)
    return refusal.value.reason


def test_modify_changes_what_is_given(
    exchange: Exchange, place: Place, clock: ManualClock, events: list[ExchangeEvent]
) -> None:
    order = place("buy", "limit", 2, "90", tag="mine")
    clock.advance(3)
    changed = exchange.modify(order.account_id, order.id, limit_price=Decimal("91"))
    assert (changed.size, changed.limit_price, changed.tag) == (2, Decimal("91"), "mine")
    assert (changed.created_at, changed.updated_at) == (order.created_at, clock.now())
    assert [each for each in events if isinstance(each, OrderChanged)][-1].order == changed
    prices = [level.price for level in exchange.depth("FUT.ABC")[0]]
    assert Decimal("91") in prices
    assert Decimal("90") not in prices


def test_modify_to_the_same_is_silent(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    order = place("buy", "limit", 2, "90")
    events.clear()
    same = exchange.modify(order.account_id, order.id, size=2, limit_price=Decimal("90.00"))
    assert (same, events) == (order, [])


def test_modify_through_the_book_trades(exchange: Exchange, place: Place) -> None:
    order = place("buy", "limit", 1, "90")
    ask = exchange.quote("FUT.ABC").ask
    changed = exchange.modify(order.account_id, order.id, limit_price=Decimal("110"))
    assert (changed.status, changed.average_fill_price) == (OrderStatus.FILLED, ask)


def test_modify_moves_a_stop(exchange: Exchange, place: Place) -> None:
    order = place("sell", "stop", 1, "98")
    exchange.modify(order.account_id, order.id, stop_price=Decimal("95"), size=2)
    exchange.move_to("FUT.ABC", Decimal("96"))
    assert exchange.order(order.account_id, order.id).status is OrderStatus.WORKING
    exchange.move_to("FUT.ABC", Decimal("95"))
    assert exchange.order(order.account_id, order.id).filled_size == 2


def test_the_size_of_a_partly_filled_order_counts_what_is_filled(
    exchange: Exchange, place: Place
) -> None:
    first = exchange.depth("FUT.ABC")[1][0]
    order = place("buy", "limit", first.size + 4, first.price)
    ids = order.account_id, order.id
    assert _refusal(exchange.modify, *ids, size=first.size) is Reject.BAD_SIZE
    changed = exchange.modify(*ids, size=first.size + 1)
    assert (changed.status, changed.remaining_size) == (OrderStatus.PARTIALLY_FILLED, 1)
    assert exchange.depth("FUT.ABC")[0][0].size == 1


@pytest.mark.parametrize("size", [0, -1, True, 1.5])
def test_modify_refuses_a_bad_size(exchange: Exchange, place: Place, size: int) -> None:
    order = place("buy", "limit", 2, "90")
    assert _refusal(exchange.modify, order.account_id, order.id, size=size) is Reject.BAD_SIZE
    assert exchange.order(order.account_id, order.id) == order


@pytest.mark.parametrize(
    ("type_", "price", "change", "reason"),
    [
        ("limit", "90", {"limit_price": "90.1"}, Reject.PRICE_OFF_TICK),
        ("limit", "90", {"limit_price": "-1"}, Reject.PRICE_OFF_TICK),
        ("limit", "90", {"stop_price": "110"}, Reject.UNSUPPORTED_TYPE),
        ("stop", "110", {"limit_price": "90"}, Reject.UNSUPPORTED_TYPE),
        ("stop", "110", {"stop_price": "110.1"}, Reject.PRICE_OFF_TICK),
        ("stop", "110", {"stop_price": "100"}, Reject.STOP_ON_WRONG_SIDE),
    ],
)
def test_modify_refuses_a_bad_price(
    exchange: Exchange,
    place: Place,
    type_: str,
    price: str,
    change: dict[str, str],
    reason: Reject,
) -> None:
    order = place("buy", type_, 2, price)
    prices = {name: Decimal(value) for name, value in change.items()}
    assert _refusal(exchange.modify, order.account_id, order.id, **prices) is reason
    assert exchange.order(order.account_id, order.id) == order


def test_modify_takes_no_float(exchange: Exchange, place: Place) -> None:
    order = place("buy", "limit", 2, "90")
    with pytest.raises(TypeError, match="not exact"):
        exchange.modify(order.account_id, order.id, limit_price=90.5)  # type: ignore[arg-type]


def test_nothing_is_modified_while_the_market_is_closed(exchange: Exchange, place: Place) -> None:
    order = place("buy", "limit", 2, "90")
    exchange.close_market()
    assert _refusal(exchange.modify, order.account_id, order.id, size=1) is Reject.MARKET_CLOSED


def test_cancel_takes_the_order_out(
    exchange: Exchange, place: Place, clock: ManualClock, events: list[ExchangeEvent]
) -> None:
    before = exchange.depth("FUT.ABC")
    order = place("buy", "limit", 2, "90")
    clock.advance(1)
    cancelled = exchange.cancel(order.account_id, order.id)
    assert (cancelled.status, cancelled.updated_at) == (OrderStatus.CANCELLED, clock.now())
    assert OrderChanged(cancelled) in events
    assert exchange.depth("FUT.ABC") == before


def test_cancel_keeps_what_was_filled(exchange: Exchange, place: Place) -> None:
    first = exchange.depth("FUT.ABC")[1][0]
    order = place("buy", "limit", first.size + 4, first.price)
    cancelled = exchange.cancel(order.account_id, order.id)
    assert (cancelled.status, cancelled.filled_size) == (OrderStatus.CANCELLED, first.size)


def test_a_cancelled_stop_is_not_set_off(exchange: Exchange, place: Place) -> None:
    order = place("sell", "stop", 1, "98")
    exchange.cancel(order.account_id, order.id)
    exchange.move_to("FUT.ABC", Decimal("97"))
    assert exchange.fills(order.account_id) == []


def test_cancel_works_while_the_market_is_closed(exchange: Exchange, place: Place) -> None:
    order = place("buy", "limit", 2, "90")
    exchange.close_market()
    assert exchange.cancel(order.account_id, order.id).status is OrderStatus.CANCELLED


@pytest.mark.parametrize("end", ["filled", "cancelled", "rejected"])
def test_an_order_that_has_ended_is_left_alone(
    exchange: Exchange, place: Place, account: ExchangeAccount, end: str
) -> None:
    order = {
        "filled": lambda: place("buy", "market", 1),
        "cancelled": lambda: exchange.cancel(account.id, place("buy", "limit", 1, "90").id),
        "rejected": lambda: place("buy", "limit", 0, "90"),
    }[end]()
    assert order.status is OrderStatus(end)
    ids = account.id, order.id
    assert _refusal(exchange.cancel, *ids) is Reject.ORDER_NOT_WORKING
    assert _refusal(exchange.modify, *ids, size=5) is Reject.ORDER_NOT_WORKING
    assert exchange.order(account.id, order.id) == order


def test_the_orders_of_others_are_unknown(
    exchange: Exchange, place: Place, other: ExchangeAccount
) -> None:
    order = place("buy", "limit", 1, "90")
    ids = other.id, order.id
    assert _refusal(exchange.order, *ids) is Reject.UNKNOWN_ORDER
    assert _refusal(exchange.cancel, *ids) is Reject.UNKNOWN_ORDER
    assert _refusal(exchange.modify, *ids, size=2) is Reject.UNKNOWN_ORDER
    assert _refusal(exchange.cancel, order.account_id, order.id + 1) is Reject.UNKNOWN_ORDER


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_close_flattens_with_an_untagged_market_order(
    exchange: Exchange, place: Place, account: ExchangeAccount, side: str
) -> None:
    opened = place(side, "market", 3)
    order = exchange.close_position(account.id, "FUT.ABC")
    assert (order.type, order.side, order.size, order.tag) == (
        OrderType.MARKET,
        OrderSide(side).opposite,
        3,
        None,
    )
    assert order.id > opened.id
    assert exchange.positions(account.id) == []


def test_close_in_part(exchange: Exchange, place: Place, account: ExchangeAccount) -> None:
    place("buy", "market", 3)
    exchange.close_position(account.id, "FUT.ABC", 2)
    assert [each.size for each in exchange.positions(account.id)] == [1]


@pytest.mark.parametrize("size", [0, -1, 4, True, 1.5])
def test_close_refuses_more_than_there_is(
    exchange: Exchange, place: Place, account: ExchangeAccount, size: int
) -> None:
    place("buy", "market", 3)
    assert _refusal(exchange.close_position, account.id, "FUT.ABC", size) is Reject.BAD_CLOSE_SIZE
    assert len(exchange.orders(account.id)) == 1


def test_close_refuses_where_there_is_nothing(
    exchange: Exchange, place: Place, account: ExchangeAccount, other: ExchangeAccount
) -> None:
    place("buy", "market", 3)
    assert _refusal(exchange.close_position, other.id, "FUT.ABC") is Reject.NO_POSITION
    exchange.close_position(account.id, "FUT.ABC")
    assert _refusal(exchange.close_position, account.id, "FUT.ABC") is Reject.NO_POSITION


def test_close_in_a_closed_market_comes_back_rejected(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    place("buy", "market", 3)
    exchange.close_market()
    order = exchange.close_position(account.id, "FUT.ABC")
    assert (order.status, order.reject) == (OrderStatus.REJECTED, Reject.MARKET_CLOSED)
