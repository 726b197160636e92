"""What becomes of orders that are good: who is told what, and in which order."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderSide, OrderStatus
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    AccountChanged,
    DepthChanged,
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    MarketTrade,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
)

Place = Callable[..., ExchangeOrder]
TICK = Decimal("0.25")


def _statuses(events: list[ExchangeEvent]) -> list[OrderStatus]:
    return [each.order.status for each in events if isinstance(each, OrderChanged)]


def test_a_market_order_tells_its_story_in_order(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    ask = exchange.quote("FUT.ABC").ask
    order = place("buy", "market", 1)
    assert [type(each) for each in events[:6]] == [
        OrderChanged,
        FillMade,
        OrderChanged,
        PositionChanged,
        AccountChanged,
        MarketTrade,
    ]
    assert {type(each) for each in events[6:]} == {DepthChanged, QuoteChanged}
    assert _statuses(events) == [OrderStatus.PENDING, OrderStatus.FILLED]
    assert (order.status, order.filled_size, order.average_fill_price) == (
        OrderStatus.FILLED,
        1,
        ask,
    )


def test_a_fill_is_told_with_what_it_cost(
    exchange: Exchange, account: ExchangeAccount, place: Place, clock: ManualClock
) -> None:
    ask = exchange.quote("FUT.ABC").ask
    order = place("buy", "market", 2, tag="mine")
    (fill,) = exchange.fills(account.id)
    assert (fill.order_id, fill.side, fill.size, fill.price) == (order.id, OrderSide.BUY, 2, ask)
    assert (fill.fees, fill.commissions) == (Decimal("0.74"), Decimal("0.50"))
    assert (fill.realized_pnl, fill.time, fill.voided) == (None, clock.now(), False)
    assert exchange.account(account.id).balance == Decimal("49998.76")


def test_ids_increase_and_do_not_fit_in_32_bits(place: Place) -> None:
    ids = [place("buy", "market", 1).id for _ in range(3)]
    assert ids == sorted(set(ids))
    assert ids[0] > 2**31


def test_a_large_market_order_takes_level_by_level(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    _, asks = exchange.depth("FUT.ABC")
    size = asks[0].size + asks[1].size + 1
    order = place("buy", "market", size)
    fills = exchange.fills(account.id)
    assert [(each.price, each.size) for each in fills] == [
        (asks[0].price, asks[0].size),
        (asks[1].price, asks[1].size),
        (asks[2].price, 1),
    ]
    paid = sum(each.price * each.size for each in fills)
    assert order.average_fill_price == pytest.approx(paid / size, abs=TICK / 1_000_000)
    assert exchange.quote("FUT.ABC").ask == asks[2].price


def test_what_the_book_cannot_fill_is_filled_after_the_next_step(
    exchange: Exchange, place: Place, account: ExchangeAccount, events: list[ExchangeEvent]
) -> None:
    shown = sum(level.size for level in exchange.depth("FUT.ABC")[1])
    order = place("buy", "market", shown + 3)
    assert (order.status, order.filled_size) == (OrderStatus.PARTIALLY_FILLED, shown)
    highest = exchange.fills(account.id)[-1].price
    exchange.advance()
    order = exchange.order(account.id, order.id)
    assert (order.status, order.filled_size) == (OrderStatus.FILLED, shown + 3)
    assert exchange.fills(account.id)[-1].price >= highest - 2 * TICK


def test_a_market_order_for_an_empty_side_waits_as_pending(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    place("buy", "market", sum(level.size for level in exchange.depth("FUT.ABC")[1]))
    assert exchange.depth("FUT.ABC")[1] == []
    quote = exchange.quote("FUT.ABC")
    assert quote.ask == quote.last + TICK
    waiting = place("buy", "market", 1)
    assert waiting.status is OrderStatus.PENDING
    exchange.advance()
    assert exchange.order(account.id, waiting.id).status is OrderStatus.FILLED


def test_a_waiting_market_order_takes_the_next_order_that_comes(
    exchange: Exchange, place: Place, account: ExchangeAccount, other: ExchangeAccount
) -> None:
    shown = sum(level.size for level in exchange.depth("FUT.ABC")[1])
    waiting = place("buy", "market", shown + 2)
    price = exchange.quote("FUT.ABC").last + TICK
    seller = place("sell", "limit", 3, price, account_id=other.id)
    assert exchange.order(account.id, waiting.id).status is OrderStatus.FILLED
    assert (seller.filled_size, seller.average_fill_price) == (2, price)


def test_a_waiting_market_order_can_be_cancelled(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    shown = sum(level.size for level in exchange.depth("FUT.ABC")[1])
    waiting = place("buy", "market", shown + 2)
    assert exchange.cancel(account.id, waiting.id).status is OrderStatus.CANCELLED
    exchange.advance()
    assert exchange.order(account.id, waiting.id).filled_size == shown


def test_a_resting_limit_order_works_at_once_and_is_in_the_book(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    order = place("buy", "limit", 5, "90")
    assert order.status is OrderStatus.WORKING
    assert _statuses(events) == [OrderStatus.WORKING]
    assert exchange.depth("FUT.ABC")[0][-1].price == Decimal("90")
    assert [type(each) for each in events] == [OrderChanged, DepthChanged]


def test_a_limit_order_inside_the_spread_becomes_the_quote(
    exchange: Exchange, place: Place
) -> None:
    place("buy", "market", exchange.depth("FUT.ABC")[1][0].size)  # widens the spread to two ticks
    inside = exchange.quote("FUT.ABC").bid + TICK
    place("buy", "limit", 1, inside)
    assert exchange.quote("FUT.ABC").bid == inside


@pytest.mark.parametrize(("side", "far"), [("buy", "110"), ("sell", "90")])
def test_a_limit_order_through_the_book_fills_at_the_books_price(
    exchange: Exchange, place: Place, side: str, far: str
) -> None:
    quote = exchange.quote("FUT.ABC")
    order = place(side, "limit", 1, far)
    assert order.status is OrderStatus.FILLED
    assert order.average_fill_price == (quote.ask if side == "buy" else quote.bid)


def test_a_limit_order_takes_what_is_within_its_limit_and_rests(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    first = exchange.depth("FUT.ABC")[1][0]
    order = place("buy", "limit", first.size + 4, first.price)
    assert (order.status, order.filled_size) == (OrderStatus.PARTIALLY_FILLED, first.size)
    assert _statuses(events) == [OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED]
    assert exchange.depth("FUT.ABC")[0][0].size == 4


def test_the_market_fills_a_resting_order_print_by_print(
    exchange: Exchange, place: Place, account: ExchangeAccount, events: list[ExchangeEvent]
) -> None:
    best = exchange.quote("FUT.ABC").bid
    order = place("buy", "limit", 60, best)
    for _ in range(200):
        exchange.advance()
    order = exchange.order(account.id, order.id)
    assert order.status is OrderStatus.FILLED
    fills = exchange.fills(account.id)
    assert len(fills) > 3
    assert {each.price for each in fills} == {best}
    prints = [each for each in events if isinstance(each, MarketTrade) and each.price == best]
    assert sum(each.size for each in prints) >= 60


@pytest.mark.parametrize(
    ("side", "trigger", "short_of", "beyond"),
    [("buy", "102", "101.75", "102.25"), ("sell", "98", "98.25", "97.75")],
)
def test_a_stop_waits_for_its_trigger(
    exchange: Exchange,
    place: Place,
    account: ExchangeAccount,
    side: str,
    trigger: str,
    short_of: str,
    beyond: str,
) -> None:
    order = place(side, "stop", 1, trigger)
    assert order.status is OrderStatus.WORKING
    exchange.move_to("FUT.ABC", Decimal(short_of))
    assert exchange.order(account.id, order.id).status is OrderStatus.WORKING
    exchange.move_to("FUT.ABC", Decimal(beyond))
    order = exchange.order(account.id, order.id)
    assert (order.status, order.average_fill_price) == (OrderStatus.FILLED, Decimal(trigger))


def test_a_stop_is_not_in_the_book(exchange: Exchange, place: Place) -> None:
    before = exchange.depth("FUT.ABC")
    place("sell", "stop", 5, "98")
    assert exchange.depth("FUT.ABC") == before


def test_stops_set_off_stops(exchange: Exchange, place: Place, account: ExchangeAccount) -> None:
    deep = sum(level.size for level in exchange.depth("FUT.ABC")[0])
    first = place("sell", "stop", deep, "98")
    second = place("sell", "stop", 1, "97.50")
    exchange.move_to("FUT.ABC", Decimal("98"))
    for order in (first, second):
        assert exchange.order(account.id, order.id).filled_size > 0
    assert exchange.fills(account.id)[0].order_id == first.id


def test_stops_are_set_off_in_the_order_of_their_triggers_then_of_their_age(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    orders = [place("buy", "stop", 1, price) for price in ("102", "101", "101", "103")]
    exchange.move_to("FUT.ABC", Decimal("104"))
    filled = [each.order_id for each in exchange.fills(account.id)]
    assert filled == [orders[1].id, orders[2].id, orders[0].id, orders[3].id]


@pytest.mark.parametrize(
    ("side", "far", "near", "beyond"), [("buy", "108", "106", "110"), ("sell", "92", "94", "90")]
)
def test_one_print_sets_off_the_nearer_trigger_first(
    exchange: Exchange,
    place: Place,
    account: ExchangeAccount,
    other: ExchangeAccount,
    side: str,
    far: str,
    near: str,
    beyond: str,
) -> None:
    farther, nearer = place(side, "stop", 1, far), place(side, "stop", 1, near)
    bids, asks = exchange.depth("FUT.ABC")
    place(side, "market", sum(level.size for level in (asks if side == "buy" else bids)))
    place(OrderSide(side).opposite, "limit", 3, beyond, account_id=other.id)
    place(side, "market", 1)
    filled = [each.order_id for each in exchange.fills(account.id)[-2:]]
    assert filled == [nearer.id, farther.id]


def test_a_fill_does_not_move_updated_at(
    exchange: Exchange, place: Place, account: ExchangeAccount, clock: ManualClock
) -> None:
    order = place("buy", "limit", 1, "98")
    clock.advance(5)
    exchange.move_to("FUT.ABC", Decimal("98"))
    filled = exchange.order(account.id, order.id)
    assert (filled.status, filled.updated_at) == (OrderStatus.FILLED, order.created_at)
    assert exchange.fills(account.id)[0].time == clock.now()


def test_orders_are_listed_by_account_in_ascending_order(
    exchange: Exchange, place: Place, account: ExchangeAccount, other: ExchangeAccount
) -> None:
    first = place("buy", "limit", 1, "90")
    place("buy", "limit", 1, "90", account_id=other.id)
    third = place("buy", "limit", 1, "91")
    assert exchange.orders(account.id) == [first, third]
