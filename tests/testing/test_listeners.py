"""Listeners may act on what they are told; nobody is told of things out of order."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderStatus
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    OrderChanged,
)

Place = Callable[..., ExchangeOrder]


def test_one_that_left_is_told_nothing(exchange: Exchange) -> None:
    told: list[ExchangeEvent] = []
    leave = exchange.listen(told.append)
    leave()
    leave()
    exchange.advance()
    assert told == []


def test_a_listener_twice_is_told_twice(exchange: Exchange, place: Place) -> None:
    told: list[ExchangeEvent] = []
    leave = exchange.listen(told.append)
    exchange.listen(told.append)
    place("buy", "limit", 0, "90")
    assert len(told) == 4
    leave()
    place("buy", "limit", 0, "90")
    assert len(told) == 6


def test_all_listeners_are_told_the_same_though_one_acts(exchange: Exchange, place: Place) -> None:
    first, last = list[ExchangeEvent](), list[ExchangeEvent]()

    def act(event: ExchangeEvent) -> None:
        if isinstance(event, FillMade) and len(first) < 20:
            place("sell", "limit", 1, "150")

    for listener in (first.append, act, last.append):
        exchange.listen(listener)
    place("buy", "market", 1)
    assert first == last
    statuses = [each.order.status for each in first if isinstance(each, OrderChanged)]
    assert statuses == [OrderStatus.PENDING, OrderStatus.FILLED, OrderStatus.WORKING]


def test_the_state_agrees_with_the_last_event(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    """A listener never meets an exchange that is half way through a trade."""

    def check(event: ExchangeEvent) -> None:
        held = sum(each.size for each in exchange.positions(account.id))
        assert held == sum(each.size for each in exchange.fills(account.id))

    exchange.listen(check)
    place("buy", "market", 90)


def test_a_listener_cancels_the_other_leg_before_the_market_gets_there(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    """One walk passes both prices; only the first leg may trade."""
    place("buy", "market", 1)
    legs = [place("sell", "limit", 1, "103"), place("sell", "limit", 1, "104")]

    def cancel_other(event: ExchangeEvent) -> None:
        if isinstance(event, FillMade) and event.fill.order_id == legs[0].id:
            exchange.cancel(account.id, legs[1].id)

    exchange.listen(cancel_other)
    exchange.move_to("FUT.ABC", Decimal("110"))
    statuses = [exchange.order(account.id, leg.id).status for leg in legs]
    assert statuses == [OrderStatus.FILLED, OrderStatus.CANCELLED]
    assert exchange.positions(account.id) == []


def test_a_listener_cancels_a_stop_that_is_triggered_already(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    first, second = (place("sell", "stop", 1, "98") for _ in range(2))

    def cancel_other(event: ExchangeEvent) -> None:
        if isinstance(event, FillMade) and event.fill.order_id == first.id:
            exchange.cancel(account.id, second.id)

    exchange.listen(cancel_other)
    exchange.move_to("FUT.ABC", Decimal("97"))
    assert exchange.order(account.id, second.id).status is OrderStatus.CANCELLED
    assert [each.order_id for each in exchange.fills(account.id)] == [first.id]


def test_an_order_placed_on_the_way_is_met_on_the_way(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    entry = place("sell", "stop", 1, "98")

    def protect(event: ExchangeEvent) -> None:
        if isinstance(event, FillMade) and event.fill.order_id == entry.id:
            place("buy", "limit", 1, "96")

    exchange.listen(protect)
    exchange.move_to("FUT.ABC", Decimal("95"))
    assert exchange.positions(account.id) == []
    assert exchange.fills(account.id)[-1].price == Decimal("96")


def test_a_listener_that_raises_is_heard_and_leaves_the_exchange_whole(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    def fail(event: ExchangeEvent) -> None:
        raise RuntimeError("a bug in the listener")

    leave = exchange.listen(fail)
    with pytest.raises(RuntimeError, match="a bug in the listener"):
        place("buy", "market", 1)
    leave()
    assert len(exchange.fills(account.id)) == 1
    told: list[ExchangeEvent] = []
    exchange.listen(told.append)
    exchange.advance()
    assert isinstance(told[0], FillMade)  # what was left of the story goes on
