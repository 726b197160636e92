"""The laws of joining: what two messages say together does not depend on which came first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeforge_core import Order, OrderSide, OrderStatus, OrderType, Trade
from tradeforge_core.state.digest import canonical
from tradeforge_core.state.merge import Sighting, joined, joined_trade, with_fills

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
TIMES = st.sampled_from([NOW + timedelta(seconds=n) for n in range(3)])
SIZES = st.sampled_from([Decimal(digits) for digits in ("0", "1", "1.0", "2", "3")])
PRICES = st.none() | st.sampled_from([Decimal("99.75"), Decimal("100"), Decimal("100.00")])
IDS = st.sampled_from([None, "8", "9"])

orders = st.builds(
    Order,
    id=st.just("7"),
    account_id=st.sampled_from(["1", "2"]),
    contract_id=st.sampled_from(["ABC", "DEF"]),
    client_order_id=IDS,
    side=st.sampled_from(OrderSide),
    type=st.sampled_from(OrderType),
    status=st.sampled_from(OrderStatus),
    size=SIZES,
    filled_size=SIZES,
    limit_price=PRICES,
    stop_price=PRICES,
    trail_distance=PRICES,
    parent_order_id=IDS,
    linked_order_id=IDS,
    average_fill_price=PRICES,
    created_at=st.none() | TIMES,
    updated_at=st.none() | TIMES,
    raw=st.sampled_from([None, "stream", "answer"]),
)
sightings = st.builds(Sighting, orders, TIMES)
trades = st.builds(
    Trade,
    id=st.just("1"),
    account_id=st.just("1"),
    contract_id=st.sampled_from(["ABC", "DEF"]),
    order_id=st.sampled_from(["7", "8"]),
    side=st.sampled_from(OrderSide),
    size=SIZES,
    price=st.sampled_from([Decimal(1), Decimal(2)]),
    realized_pnl=PRICES,
    fees=PRICES,
    commissions=PRICES,
    time=st.none() | TIMES,
    voided=st.booleans(),
    raw=st.sampled_from([None, "stream", "answer"]),
)
many = settings(max_examples=200, deadline=None)


@many
@given(sightings, sightings)
def test_the_order_of_two_makes_no_difference(a: Sighting, b: Sighting) -> None:
    one, other = joined(a, b), joined(b, a)
    assert one == other
    assert canonical(one.order) == canonical(other.order)


@many
@given(sightings, sightings, sightings)
def test_nor_does_which_two_of_three_are_joined_first(
    a: Sighting, b: Sighting, c: Sighting
) -> None:
    assert joined(joined(a, b), c) == joined(a, joined(b, c))


@many
@given(sightings, sightings)
def test_a_repetition_says_nothing_new(a: Sighting, b: Sighting) -> None:
    assert joined(a, a) == a
    both = joined(a, b)
    assert joined(both, a) == both == joined(both, b)


@many
@given(sightings, sightings)
def test_nothing_goes_back(a: Sighting, b: Sighting) -> None:
    both = joined(a, b).order
    for one in (a.order, b.order):
        assert both.filled_size >= one.filled_size
        assert both.status.is_final or not one.status.is_final
        for name in ("client_order_id", "parent_order_id", "linked_order_id", "created_at"):
            assert getattr(one, name) is None or getattr(both, name) is not None
    assert both.raw is None or both.raw in (a.order.raw, b.order.raw)


@many
@given(trades, trades, trades)
def test_the_same_laws_hold_for_fills(a: Trade, b: Trade, c: Trade) -> None:
    assert joined_trade(a, a) == a
    assert joined_trade(a, b) == joined_trade(b, a)
    assert joined_trade(joined_trade(a, b), c) == joined_trade(a, joined_trade(b, c))
    assert joined_trade(a, b).voided == (a.voided or b.voided)


@many
@given(orders, SIZES)
def test_fills_add_and_never_take_away(order: Order, filled: Decimal) -> None:
    shown = with_fills(order, filled)
    assert order.filled_size <= shown.filled_size <= max(order.filled_size, order.size)
    assert shown.status.is_final == order.status.is_final
    assert with_fills(shown, filled) == shown


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
        raw=f"{status} {filled}",
    )
    return evolve(order, **changes)


def _together(*said: Order, filled: int = 0) -> Order:
    """What all of them say, each seen a second after the one before it."""
    both = Sighting(said[0], NOW)
    for second, order in enumerate(said[1:], 1):
        both = joined(both, Sighting(order, NOW + timedelta(seconds=second)))
    return with_fills(both.order, Decimal(filled))


S = OrderStatus


@pytest.mark.parametrize(
    ("said", "status", "filled"),
    [
        ([_order(S.FILLED, 2), _order(S.WORKING)], S.FILLED, 2),
        ([_order(S.WORKING), _order(S.SUSPENDED)], S.WORKING, 0),
        ([_order(S.SUSPENDED), _order(S.PENDING)], S.PENDING, 0),
        ([_order(S.WORKING), _order(S.PENDING)], S.WORKING, 0),
        ([_order(S.WORKING, 1)], S.PARTIALLY_FILLED, 1),
        ([_order(S.PARTIALLY_FILLED, 1), _order(S.WORKING)], S.PARTIALLY_FILLED, 1),
        ([_order(S.PENDING_CANCEL), _order(S.WORKING)], S.WORKING, 0),
        ([_order(S.PARTIALLY_FILLED, 1), _order(S.CANCELLED)], S.CANCELLED, 1),
        ([_order(S.CANCELLED, 1), _order(S.PARTIALLY_FILLED, 1)], S.CANCELLED, 1),
        ([_order(S.FILLED, 2), _order(S.CANCELLED)], S.FILLED, 2),
        ([_order(S.CANCELLED), _order(S.FILLED, 2)], S.FILLED, 2),
        ([_order(S.CANCELLED, 2)], S.FILLED, 2),
        ([_order(S.FILLED, 1), _order(S.CANCELLED, 1)], S.CANCELLED, 1),
        ([_order(S.CANCELLED), _order(S.REJECTED)], S.REJECTED, 0),
        ([_order(S.FILLED, 2), _order(S.FILLED, 2)], S.FILLED, 2),
        ([_order(S.WORKING), _order(S.UNKNOWN)], S.UNKNOWN, 0),
        ([_order(S.UNKNOWN), _order(S.WORKING)], S.WORKING, 0),
        ([_order(S.UNKNOWN), _order(S.EXPIRED)], S.EXPIRED, 0),
    ],
)
def test_what_becomes_of_a_status(said: list[Order], status: OrderStatus, filled: int) -> None:
    shown = _together(*said)
    assert (shown.status, shown.filled_size) == (status, filled)


def test_the_venues_time_of_change_goes_before_when_it_was_seen() -> None:
    new = _order(S.WORKING, limit_price=Decimal(101), updated_at=NOW + timedelta(seconds=1))
    old = _order(S.WORKING, limit_price=Decimal(100), updated_at=NOW, raw="old")
    assert _together(new, old).limit_price == 101
    assert _together(new, old).raw == "working 0"


def test_where_that_time_stands_still_the_later_sighting_holds() -> None:
    first = _order(S.WORKING, stop_price=Decimal(101), updated_at=NOW)
    then = _order(S.WORKING, stop_price=Decimal(100), updated_at=NOW)
    assert _together(first, then).stop_price == 100
    assert _together(then, first).stop_price == 101


def test_the_average_price_is_of_the_larger_filled_size() -> None:
    more = _order(S.FILLED, 2, average_fill_price=Decimal(100), updated_at=NOW)
    less = _order(S.CANCELLED, 1, average_fill_price=Decimal(101), updated_at=NOW)
    assert _together(more, less).average_fill_price == 100


@pytest.mark.parametrize("status", [S.PENDING, S.SUSPENDED, S.WORKING])
def test_a_fill_proves_that_an_order_is_at_work(status: OrderStatus) -> None:
    shown = _together(_order(status), filled=1)
    assert (shown.status, shown.filled_size) == (S.PARTIALLY_FILLED, 1)


def test_fills_alone_do_not_end_an_order() -> None:
    shown = _together(_order(S.WORKING), filled=3)
    assert (shown.status, shown.filled_size, shown.remaining_size) == (S.WORKING, 2, 0)
