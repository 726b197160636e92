"""Whole lives of orders, their messages in each of the orders in which they can arrive."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

from tradeforge_core import Order, OrderSide, OrderStatus, OrderType, Trade
from tradeforge_core.state.ledger import Ledger

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
S = OrderStatus
Message = Callable[[Ledger, datetime], object]
"""Takes a ledger and when the message is received."""


def _order(status: OrderStatus, filled: int = 0, **changes: Any) -> Order:
    order = Order(
        id="7",
        account_id="1",
        contract_id="ABC",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        status=status,
        size=Decimal(2),
        filled_size=Decimal(filled),
        limit_price=Decimal(100),
        average_fill_price=Decimal(100) if filled else None,
        client_order_id="mine",
        created_at=NOW,
        updated_at=NOW,  # the gateway does not move it by a fill
    )
    return evolve(order, **changes)


def _news(status: OrderStatus, filled: int = 0, **changes: Any) -> Message:
    order = _order(status, filled, **changes)
    return lambda ledger, received: ledger.saw_order(order, received)


def _fill(trade_id: str, order_id: str = "7") -> Message:
    trade = Trade(
        id=trade_id,
        account_id="1",
        contract_id="ABC",
        order_id=order_id,
        side=OrderSide.BUY,
        size=Decimal(1),
        price=Decimal(100),
        time=NOW,
    )
    return lambda ledger, _: ledger.saw_trade(trade)


def _answer(*orders: Order) -> Message:
    """A list of open orders that was asked for before any of this was received."""
    return lambda ledger, _: ledger.saw_open_orders("1", orders, NOW - timedelta(seconds=1))


LATER = NOW + timedelta(seconds=1)
LIVES: dict[str, list[Message]] = {
    "filled in two": [
        _news(S.PENDING),
        _news(S.WORKING),
        _news(S.PARTIALLY_FILLED, 1),
        _fill("1"),
        _fill("2"),
        _news(S.FILLED, 2),
        _answer(_order(S.PARTIALLY_FILLED, 1, client_order_id=None)),
    ],
    "cancelled after a fill": [
        _news(S.PENDING),
        _news(S.WORKING),
        _fill("1"),
        _news(S.PARTIALLY_FILLED, 1),
        _news(S.PENDING_CANCEL, 1),
        _news(S.CANCELLED, 1, updated_at=LATER),
        _answer(_order(S.WORKING)),
    ],
    "cancelled while it filled": [
        _news(S.WORKING),
        _fill("1"),
        _fill("2"),
        _news(S.PENDING_CANCEL),
        _news(S.FILLED, 2),
        _news(S.FILLED, 2, updated_at=LATER),
        _news(S.CANCELLED, 1, updated_at=LATER),
    ],
    "a family": [
        _news(S.SUSPENDED, id="8", type=OrderType.STOP, parent_order_id="7"),
        _news(S.PENDING),
        _news(S.SUSPENDED, id="9", parent_order_id="7"),
        _fill("1"),
        _news(S.FILLED, 2),
        _news(S.WORKING, id="9", parent_order_id="7", linked_order_id="8", updated_at=LATER),
        _news(S.WORKING, id="8", type=OrderType.STOP, linked_order_id="9", updated_at=LATER),
    ],
}


def _after(messages: Iterable[Message]) -> Ledger:
    """Each message is received a second after the one before it; on the way nothing goes back."""
    before: dict[str, Order] = {}

    def check(order: Order) -> None:
        was = before.get(order.id, order)
        assert order.filled_size >= was.filled_size
        assert order.status.is_final or not was.status.is_final
        before[order.id] = order

    ledger = Ledger(on_change=check)
    for second, message in enumerate(messages):
        message(ledger, NOW + timedelta(seconds=second))
    assert before == {order.id: order for order in ledger.orders}
    return ledger


@pytest.mark.parametrize("life", LIVES)
def test_no_order_of_arrival_makes_a_difference(life: str) -> None:
    messages = LIVES[life]
    expected = _after(messages).state_hash()
    for arrival in permutations(messages):
        assert _after(arrival).state_hash() == expected


@pytest.mark.parametrize("life", LIVES)
def test_repetitions_make_none_either(life: str) -> None:
    messages = LIVES[life]
    expected = _after(messages).state_hash()
    for first in permutations(messages, 2):
        assert _after([*first, *messages, *first, *reversed(messages)]).state_hash() == expected


def test_the_end_of_a_life_that_filled() -> None:
    orders = _after(LIVES["filled in two"]).orders
    assert orders["7"] == _order(S.FILLED, 2)
    assert [fill.id for fill in orders.fills("7")] == ["1", "2"]
    assert orders.by_client_id("mine") is orders["7"]
    assert orders.open() == []


def test_the_end_of_a_life_that_was_cancelled() -> None:
    orders = _after(LIVES["cancelled after a fill"]).orders
    assert orders["7"] == _order(S.CANCELLED, 1, updated_at=LATER)


def test_the_end_of_a_life_with_two_ends() -> None:
    order = _after(LIVES["cancelled while it filled"]).orders["7"]
    assert (order.status, order.filled_size) == (S.FILLED, 2)


def test_the_end_of_a_family() -> None:
    orders = _after(LIVES["a family"]).orders
    family = orders.family("7")
    assert family.entry.status is S.FILLED
    assert family.stop_loss is orders["8"] and family.take_profit is orders["9"]
    assert [leg.status for leg in family.exits] == [S.WORKING, S.WORKING]
    assert orders["8"].parent_order_id == "7"
