"""A bracket: an entry, its stop loss and its take profit, from their birth to their end."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    AccountChanged,
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    Leg,
    MarketTrade,
    OrderChanged,
    PositionChanged,
    Refused,
    Reject,
)

Place = Callable[..., ExchangeOrder]
SUSPENDED, WORKING = OrderStatus.SUSPENDED, OrderStatus.WORKING
CANCELLED, FILLED = OrderStatus.CANCELLED, OrderStatus.FILLED


def _family(exchange: Exchange, entry: ExchangeOrder) -> list[ExchangeOrder]:
    """The entry and then its legs, the stop loss first."""
    orders = exchange.orders(entry.account_id)
    return [each for each in orders if entry.id in (each.id, each.parent_id)]


def _statuses(exchange: Exchange, entry: ExchangeOrder) -> list[OrderStatus]:
    return [each.status for each in _family(exchange, entry)]


def _told(events: list[ExchangeEvent]) -> list[tuple[int, OrderStatus]]:
    return [(each.order.id, each.order.status) for each in events if isinstance(each, OrderChanged)]


@pytest.fixture
def waiting(place: Place) -> ExchangeOrder:
    """An entry that rests below the market, for 4 contracts."""
    return place("buy", "limit", 4, "95", tag="mine", stop_loss=-8, take_profit=12)


@pytest.fixture
def near(exchange: Exchange, waiting: ExchangeOrder) -> ExchangeOrder:
    """The same, with the market one tick above it, so that its legs do not trade at once."""
    exchange.move_to("FUT.ABC", Decimal("95.25"))
    return waiting


# Birth


def test_the_legs_are_born_with_their_entry(exchange: Exchange, waiting: ExchangeOrder) -> None:
    entry, stop_loss, take_profit = _family(exchange, waiting)
    assert [stop_loss.id, take_profit.id] == [entry.id + 1, entry.id + 2]
    assert (entry.parent_id, entry.linked_id, entry.leg_ticks) == (None, None, None)
    assert (stop_loss.parent_id, stop_loss.linked_id) == (entry.id, None)
    assert (take_profit.parent_id, take_profit.linked_id) == (entry.id, stop_loss.id)
    assert (stop_loss.type, take_profit.type) == (OrderType.STOP, OrderType.LIMIT)
    assert (stop_loss.tag, take_profit.tag) == ("mine-SL", "mine-TP")
    assert (stop_loss.leg_ticks, take_profit.leg_ticks) == (-8, 12)
    for leg in (stop_loss, take_profit):
        assert (leg.status, leg.side, leg.size) == (SUSPENDED, OrderSide.SELL, 4)
        assert (leg.limit_price, leg.stop_price) == (None, None)
        assert leg.created_at == entry.created_at


def test_an_entry_without_a_tag_has_legs_without(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 1, "95", stop_loss=-8, take_profit=12)
    assert [each.tag for each in _family(exchange, entry)] == [None, None, None]


@pytest.mark.parametrize(
    ("legs", "suffix"), [({"stop_loss": -8}, "-SL"), ({"take_profit": 12}, "-TP")]
)
def test_one_leg_will_do(
    exchange: Exchange, place: Place, legs: dict[str, int], suffix: str
) -> None:
    entry, leg = _family(exchange, place("buy", "market", 1, tag="mine", **legs))
    assert (leg.status, leg.tag, leg.linked_id) == (WORKING, f"mine{suffix}", None)
    exchange.cancel(entry.account_id, leg.id)
    assert _statuses(exchange, entry) == [FILLED, CANCELLED]


def test_an_order_without_legs_has_no_family(exchange: Exchange, place: Place) -> None:
    assert len(_family(exchange, place("buy", "market", 1))) == 1


def test_a_market_entry_tells_its_story_in_order(place: Place, events: list[ExchangeEvent]) -> None:
    entry = place("buy", "market", 1, stop_loss=-8, take_profit=12)
    stop_loss, take_profit = entry.id + 1, entry.id + 2
    assert _told(events) == [
        (stop_loss, SUSPENDED),
        (entry.id, OrderStatus.PENDING),
        (take_profit, SUSPENDED),
        (entry.id, FILLED),
        (take_profit, WORKING),
        (stop_loss, WORKING),
    ]
    assert [type(each) for each in events[3:8]] == [
        FillMade,
        OrderChanged,
        PositionChanged,
        AccountChanged,
        MarketTrade,
    ]


def test_a_limit_entry_is_working_between_its_legs(
    place: Place, events: list[ExchangeEvent]
) -> None:
    entry = place("buy", "limit", 1, "95", stop_loss=-8, take_profit=12)
    assert _told(events) == [
        (entry.id + 1, SUSPENDED),
        (entry.id, WORKING),
        (entry.id + 2, SUSPENDED),
    ]


# Prices


@pytest.mark.parametrize(
    ("side", "stop_loss", "take_profit", "prices"),
    [("buy", -8, 12, ("-2", "3")), ("sell", 8, -12, ("2", "-3"))],
)
def test_the_legs_stand_at_their_distance_from_the_fill(
    exchange: Exchange,
    place: Place,
    clock: ManualClock,
    side: str,
    stop_loss: int,
    take_profit: int,
    prices: tuple[str, str],
) -> None:
    entry = place(side, "market", 1, stop_loss=stop_loss, take_profit=take_profit)
    filled_at = entry.average_fill_price
    assert filled_at is not None
    _, stop, limit = _family(exchange, entry)
    assert (stop.stop_price, stop.limit_price) == (filled_at + Decimal(prices[0]), None)
    assert (limit.limit_price, limit.stop_price) == (filled_at + Decimal(prices[1]), None)


def test_a_leg_is_updated_when_it_goes_to_work(
    exchange: Exchange, waiting: ExchangeOrder, clock: ManualClock
) -> None:
    clock.advance(60)
    exchange.move_to("FUT.ABC", Decimal("95"))
    entry, *legs = _family(exchange, waiting)
    assert entry.updated_at == entry.created_at
    assert {leg.updated_at for leg in legs} == {clock.now()}


def test_an_average_between_two_ticks_makes_prices_on_ticks(
    exchange: Exchange, place: Place
) -> None:
    asks = exchange.depth("FUT.ABC")[1]
    size = asks[0].size + 1
    entry = place("buy", "market", size, stop_loss=-8, take_profit=12)
    average = entry.average_fill_price
    assert average is not None and asks[0].price < average < asks[1].price
    _, stop_loss, take_profit = _family(exchange, entry)
    assert stop_loss.stop_price == asks[0].price - 2  # one of many: nearer to the first level
    assert take_profit.limit_price == asks[0].price + 3


def test_no_leg_below_the_first_tick(exchange: Exchange, place: Place) -> None:
    entry = place("sell", "market", 1, take_profit=-1000)
    assert _family(exchange, entry)[1].limit_price == Decimal("0.25")


def test_a_trailing_stop_loss_follows_the_market(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 1, "95", stop_loss=Leg(-8, OrderType.TRAILING_STOP))
    leg = _family(exchange, entry)[1]
    assert (leg.status, leg.stop_price, leg.leg_ticks) == (SUSPENDED, None, -8)
    exchange.move_to("FUT.ABC", Decimal("95"))
    leg = _family(exchange, entry)[1]
    assert (leg.stop_price, leg.trail_ticks, leg.trail_distance) == (Decimal("93"), 8, 2)
    exchange.move_to("FUT.ABC", Decimal("101"))
    assert _family(exchange, entry)[1].stop_price == Decimal("99")
    exchange.move_to("FUT.ABC", Decimal("99"))
    assert _statuses(exchange, entry) == [FILLED, FILLED]


# One cancels the other


@pytest.mark.parametrize(
    ("price", "statuses"),
    [("98.75", [FILLED, CANCELLED, FILLED]), ("92.75", [FILLED, FILLED, CANCELLED])],
)
def test_one_exit_cancels_the_other(
    exchange: Exchange,
    waiting: ExchangeOrder,
    events: list[ExchangeEvent],
    price: str,
    statuses: list[OrderStatus],
) -> None:
    exchange.move_to("FUT.ABC", Decimal("95"))
    events.clear()
    exchange.move_to("FUT.ABC", Decimal(price))
    assert _statuses(exchange, waiting) == statuses
    assert exchange.positions(waiting.account_id) == []
    told = [status for _, status in _told(events) if status.is_final]
    assert told == [FILLED, CANCELLED]


def test_a_short_bracket_works_the_other_way_round(exchange: Exchange, place: Place) -> None:
    entry = place("sell", "market", 2, stop_loss=8, take_profit=-12)
    exchange.move_to("FUT.ABC", Decimal("110"))
    assert _statuses(exchange, entry) == [FILLED, FILLED, CANCELLED]
    assert exchange.positions(entry.account_id) == []


def test_one_walk_past_both_legs_fills_one(exchange: Exchange, place: Place) -> None:
    """The walk fills the entry on its way down and meets the stop loss right after."""
    entry = place("buy", "limit", 1, "95", stop_loss=-8, take_profit=12)
    exchange.move_to("FUT.ABC", Decimal("80"))
    exchange.move_to("FUT.ABC", Decimal("120"))
    assert _statuses(exchange, entry) == [FILLED, FILLED, CANCELLED]
    assert len(exchange.fills(entry.account_id)) == 2


def test_a_part_of_an_exit_makes_the_other_smaller(
    exchange: Exchange, waiting: ExchangeOrder
) -> None:
    exchange.move_to("FUT.ABC", Decimal("95"))
    _, stop_loss, take_profit = _family(exchange, waiting)
    exchange.fill_order(waiting.account_id, take_profit.id, 1)
    _, stop_loss, take_profit = _family(exchange, waiting)
    assert (take_profit.status, take_profit.remaining_size) == (OrderStatus.PARTIALLY_FILLED, 3)
    assert (stop_loss.status, stop_loss.remaining_size) == (WORKING, 3)
    exchange.fill_order(waiting.account_id, stop_loss.id, 2)
    _, stop_loss, take_profit = _family(exchange, waiting)
    assert (take_profit.remaining_size, stop_loss.remaining_size) == (1, 1)
    exchange.move_to("FUT.ABC", Decimal("105"))
    assert _statuses(exchange, waiting) == [FILLED, CANCELLED, FILLED]
    assert exchange.positions(waiting.account_id) == []


def test_a_smaller_exit_shows_in_the_book(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "market", 3, stop_loss=-8, take_profit=200)
    _, stop_loss, take_profit = _family(exchange, entry)
    exchange.fill_order(entry.account_id, stop_loss.id, 2)
    levels = {level.price: level.size for level in exchange.depth("FUT.ABC")[1]}
    assert take_profit.limit_price is not None
    assert levels[take_profit.limit_price] == 1


# Entries that fill in parts


def test_the_legs_grow_with_the_entry(exchange: Exchange, near: ExchangeOrder) -> None:
    sizes = []
    for _ in range(3):
        exchange.fill_order(near.account_id, near.id, 1)
        sizes.append([each.size for each in _family(exchange, near)[1:]])
    assert sizes == [[1, 1], [2, 2], [3, 3]]
    assert _statuses(exchange, near) == [OrderStatus.PARTIALLY_FILLED, WORKING, WORKING]


def test_the_legs_follow_the_average_of_the_entry(exchange: Exchange, near: ExchangeOrder) -> None:
    exchange.fill_order(near.account_id, near.id, 1, Decimal("95"))
    exchange.fill_order(near.account_id, near.id, 1, Decimal("94"))
    _, stop_loss, take_profit = _family(exchange, near)
    assert stop_loss.stop_price == Decimal("92.50")
    assert take_profit.limit_price == Decimal("97.50")


def test_a_leg_that_was_moved_grows_where_it_is(exchange: Exchange, near: ExchangeOrder) -> None:
    exchange.fill_order(near.account_id, near.id, 1, Decimal("95"))
    _, stop_loss, take_profit = _family(exchange, near)
    exchange.modify(near.account_id, stop_loss.id, stop_price=Decimal("90"))
    exchange.fill_order(near.account_id, near.id, 1, Decimal("94"))
    _, stop_loss, take_profit = _family(exchange, near)
    assert (stop_loss.size, stop_loss.stop_price) == (2, Decimal("90"))
    assert (take_profit.size, take_profit.limit_price) == (2, Decimal("97.50"))


def test_a_trailing_leg_grows_where_it_is(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 2, "95", stop_loss=Leg(-8, OrderType.TRAILING_STOP))
    exchange.fill_order(entry.account_id, entry.id, 1)
    exchange.move_to("FUT.ABC", Decimal("101"))
    exchange.fill_order(entry.account_id, entry.id, 1)
    leg = _family(exchange, entry)[1]
    assert (leg.size, leg.stop_price) == (2, Decimal("99"))
    exchange.move_to("FUT.ABC", Decimal("99"))
    assert _family(exchange, entry)[1].filled_size == 2


def test_an_entry_cancelled_after_a_part_keeps_its_exits(
    exchange: Exchange, near: ExchangeOrder
) -> None:
    exchange.fill_order(near.account_id, near.id, 3)
    exchange.cancel(near.account_id, near.id)
    assert _statuses(exchange, near) == [CANCELLED, WORKING, WORKING]
    exchange.move_to("FUT.ABC", Decimal("105"))
    assert _statuses(exchange, near) == [CANCELLED, CANCELLED, FILLED]
    assert exchange.positions(near.account_id) == []


def test_a_complete_exit_cancels_what_is_left_of_the_entry(
    exchange: Exchange, near: ExchangeOrder
) -> None:
    exchange.fill_order(near.account_id, near.id, 1)
    exchange.move_to("FUT.ABC", Decimal("105"))
    assert _statuses(exchange, near) == [CANCELLED, CANCELLED, FILLED]
    exchange.move_to("FUT.ABC", Decimal("90"))
    assert exchange.positions(near.account_id) == []


def test_a_large_market_entry_does_not_meet_its_own_exit(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    size = sum(level.size for level in exchange.depth("FUT.ABC")[1])
    entry = place("buy", "market", size, stop_loss=-8, take_profit=4)
    assert _statuses(exchange, entry) == [FILLED, WORKING, WORKING]
    assert {each.fill.side for each in events if isinstance(each, FillMade)} == {OrderSide.BUY}


def test_the_legs_are_told_once_however_many_fills_the_entry_had(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    size = sum(level.size for level in exchange.depth("FUT.ABC")[1])
    place("buy", "market", size, stop_loss=-8, take_profit=12)
    assert [status for _, status in _told(events)].count(WORKING) == 2


def test_a_stop_loss_that_went_off_grows_and_does_not_go_back(
    exchange: Exchange, place: Place, other: ExchangeAccount
) -> None:
    bids = sum(level.size for level in exchange.depth("FUT.ABC")[0])
    place("sell", "market", bids, account_id=other.id)
    entry = place("buy", "stop", 2, "200", stop_loss=-8)
    for price in ("110", "60"):  # the first is above the market, and nobody is there to sell to
        exchange.fill_order(entry.account_id, entry.id, 1, Decimal(price))
    exchange.advance()
    assert _family(exchange, entry)[1].filled_size == 2


def test_a_leg_that_the_market_has_passed_goes_off_at_once(
    exchange: Exchange, waiting: ExchangeOrder
) -> None:
    exchange.fill_order(waiting.account_id, waiting.id, price=Decimal("110"))
    assert _statuses(exchange, waiting) == [FILLED, FILLED, CANCELLED]
    assert exchange.positions(waiting.account_id) == []


# Ends


def test_an_entry_without_a_fill_takes_its_legs_with_it(
    exchange: Exchange, waiting: ExchangeOrder, events: list[ExchangeEvent]
) -> None:
    exchange.cancel(waiting.account_id, waiting.id)
    assert _told(events) == [(waiting.id + n, CANCELLED) for n in range(3)]
    assert _statuses(exchange, waiting) == [CANCELLED] * 3


@pytest.mark.parametrize("number", [1, 2])
def test_cancelling_a_leg_leaves_the_other(exchange: Exchange, place: Place, number: int) -> None:
    entry = place("buy", "market", 1, stop_loss=-8, take_profit=12)
    exchange.cancel(entry.account_id, entry.id + number)
    legs = _statuses(exchange, entry)[1:]
    assert sorted(legs) == sorted([CANCELLED, WORKING])
    assert legs[number - 1] is CANCELLED


def test_a_leg_cancelled_while_it_waits_does_not_go_to_work(
    exchange: Exchange, waiting: ExchangeOrder
) -> None:
    exchange.cancel(waiting.account_id, waiting.id + 1)
    assert _statuses(exchange, waiting) == [WORKING, CANCELLED, SUSPENDED]
    exchange.move_to("FUT.ABC", Decimal("95"))
    assert _statuses(exchange, waiting) == [FILLED, CANCELLED, WORKING]


def test_modifying_a_leg_leaves_the_other(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "market", 2, stop_loss=-8, take_profit=12)
    _, stop_loss, take_profit = _family(exchange, entry)
    exchange.modify(entry.account_id, take_profit.id, limit_price=Decimal("107"), size=1)
    assert _family(exchange, entry)[1] == stop_loss
    exchange.modify(entry.account_id, stop_loss.id, stop_price=Decimal("97"))
    changed = exchange.order(entry.account_id, take_profit.id)
    assert (changed.size, changed.limit_price) == (1, Decimal("107"))


@pytest.mark.parametrize("number", [1, 2])
def test_a_leg_that_waits_is_not_modified(
    exchange: Exchange, waiting: ExchangeOrder, number: int
) -> None:
    with pytest.raises(Refused) as refusal:
        exchange.modify(waiting.account_id, waiting.id + number, size=1)
    assert refusal.value.reason is Reject.ORDER_NOT_WORKING


@pytest.mark.parametrize("size", [2, 7])
def test_legs_that_wait_are_as_large_as_their_entry(
    exchange: Exchange, waiting: ExchangeOrder, size: int
) -> None:
    exchange.modify(waiting.account_id, waiting.id, size=size)
    assert [each.size for each in _family(exchange, waiting)] == [size] * 3


def test_closing_the_position_leaves_the_legs(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "market", 1, stop_loss=-8, take_profit=12)
    exchange.close_position(entry.account_id, "FUT.ABC")
    assert _statuses(exchange, entry) == [FILLED, WORKING, WORKING]
    exchange.move_to("FUT.ABC", Decimal("90"))
    assert [each.size for each in exchange.positions(entry.account_id)] == [-1]


def test_two_entries_have_two_families(exchange: Exchange, place: Place) -> None:
    first = place("buy", "market", 1, stop_loss=-8, take_profit=12)
    second = place("buy", "market", 1, stop_loss=-8, take_profit=40)
    exchange.move_to("FUT.ABC", Decimal("104"))
    assert _statuses(exchange, first) == [FILLED, CANCELLED, FILLED]
    assert _statuses(exchange, second) == [FILLED, WORKING, WORKING]


def test_a_listener_cancels_a_leg_before_it_works(
    exchange: Exchange, waiting: ExchangeOrder
) -> None:
    def cancel(event: ExchangeEvent) -> None:
        if isinstance(event, FillMade) and event.fill.order_id == waiting.id:
            exchange.cancel(waiting.account_id, waiting.id + 1)

    exchange.listen(cancel)
    exchange.move_to("FUT.ABC", Decimal("95"))
    assert _statuses(exchange, waiting) == [FILLED, CANCELLED, WORKING]


def test_a_bracket_of_another_account_is_not_found(
    exchange: Exchange, waiting: ExchangeOrder, other: ExchangeAccount
) -> None:
    for order_id in (waiting.id + 1, waiting.id + 2):
        with pytest.raises(Refused) as refusal:
            exchange.cancel(other.id, order_id)
        assert refusal.value.reason is Reject.UNKNOWN_ORDER
