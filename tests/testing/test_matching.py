"""Users against users: price first, then time."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderSide, OrderStatus
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    MarketTrade,
)

Place = Callable[..., ExchangeOrder]


@pytest.fixture
def inside(exchange: Exchange, place: Place) -> Decimal:
    """A price between bid and ask, where only users' orders stand."""
    taken = exchange.depth("FUT.ABC")[1][0]
    place("buy", "market", taken.size)
    assert exchange.quote("FUT.ABC").ask > taken.price
    return taken.price


def _filled(exchange: Exchange, *orders: ExchangeOrder) -> list[int]:
    return [exchange.order(each.account_id, each.id).filled_size for each in orders]


def test_two_users_trade_with_each_other(
    exchange: Exchange,
    place: Place,
    other: ExchangeAccount,
    inside: Decimal,
    events: list[ExchangeEvent],
) -> None:
    resting = place("sell", "limit", 3, inside, account_id=other.id)
    taking = place("buy", "market", 2)
    fills = [each.fill for each in events if isinstance(each, FillMade)]
    assert [(each.order_id, each.side, each.size, each.price) for each in fills] == [
        (taking.id, OrderSide.BUY, 2, inside),
        (resting.id, OrderSide.SELL, 2, inside),
    ]
    assert exchange.order(other.id, resting.id).status is OrderStatus.PARTIALLY_FILLED


def test_a_trade_between_users_is_printed_once(
    place: Place, other: ExchangeAccount, inside: Decimal, events: list[ExchangeEvent]
) -> None:
    place("sell", "limit", 2, inside, account_id=other.id)
    place("buy", "limit", 2, inside)
    prints = [each for each in events if isinstance(each, MarketTrade)]
    assert [(each.price, each.size, each.aggressor) for each in prints] == [
        (inside, 2, OrderSide.BUY)
    ]


def test_the_better_price_goes_first(
    exchange: Exchange, place: Place, other: ExchangeAccount, inside: Decimal
) -> None:
    worse = place("sell", "limit", 2, inside + Decimal("0.25"), account_id=other.id)
    better = place("sell", "limit", 2, inside, account_id=other.id)
    place("buy", "market", 3)
    assert _filled(exchange, better, worse) == [2, 1]


def test_the_older_order_goes_first(
    exchange: Exchange,
    place: Place,
    account: ExchangeAccount,
    other: ExchangeAccount,
    inside: Decimal,
) -> None:
    older = place("sell", "limit", 2, inside, account_id=other.id)
    younger = place("sell", "limit", 2, inside)
    place("buy", "market", 3, account_id=other.id)
    assert _filled(exchange, older, younger) == [2, 1]


@pytest.mark.parametrize(
    ("size", "filled"), [(3, [3, 0]), (6, [1, 2])], ids=["smaller keeps", "larger loses"]
)
def test_a_changed_size_and_the_place_in_the_queue(
    exchange: Exchange,
    place: Place,
    other: ExchangeAccount,
    inside: Decimal,
    size: int,
    filled: list[int],
) -> None:
    older = place("sell", "limit", 4, inside, account_id=other.id)
    younger = place("sell", "limit", 2, inside, account_id=other.id)
    exchange.modify(other.id, older.id, size=size)
    place("buy", "market", 3)
    assert _filled(exchange, older, younger) == filled


def test_a_changed_price_loses_the_place_in_the_queue(
    exchange: Exchange, place: Place, other: ExchangeAccount, inside: Decimal
) -> None:
    older = place("sell", "limit", 2, inside, account_id=other.id)
    younger = place("sell", "limit", 2, inside, account_id=other.id)
    for price in (inside + 1, inside):
        exchange.modify(other.id, older.id, limit_price=price)
    place("buy", "market", 3)
    assert _filled(exchange, older, younger) == [1, 2]


def test_a_cancelled_order_leaves_its_place_to_the_next(
    exchange: Exchange, place: Place, other: ExchangeAccount, inside: Decimal
) -> None:
    older = place("sell", "limit", 2, inside, account_id=other.id)
    younger = place("sell", "limit", 2, inside, account_id=other.id)
    exchange.cancel(other.id, older.id)
    place("buy", "market", 1)
    assert _filled(exchange, older, younger) == [0, 1]


def test_users_stand_before_the_crowd_at_a_price(
    exchange: Exchange, place: Place, other: ExchangeAccount
) -> None:
    first = exchange.depth("FUT.ABC")[1][0]
    resting = place("sell", "limit", 2, first.price, account_id=other.id)
    assert exchange.depth("FUT.ABC")[1][0].size == first.size + 2
    place("buy", "market", 2)
    assert _filled(exchange, resting) == [2]
    assert exchange.depth("FUT.ABC")[1][0] == first


def test_an_account_may_trade_with_itself(
    exchange: Exchange, place: Place, account: ExchangeAccount, inside: Decimal
) -> None:
    held = exchange.positions(account.id)[0].size
    place("sell", "limit", 2, inside)
    place("buy", "limit", 2, inside)
    assert exchange.positions(account.id)[0].size == held


def test_a_users_print_sets_off_a_stop(
    exchange: Exchange, place: Place, other: ExchangeAccount
) -> None:
    second = exchange.depth("FUT.ABC")[1][1]
    stop = place("buy", "stop", 1, second.price, account_id=other.id)
    place("buy", "market", exchange.depth("FUT.ABC")[1][0].size + 1)
    assert exchange.order(other.id, stop.id).status is OrderStatus.FILLED
