"""Exact numbers, ticks and steps, and requests that cannot be built wrong."""

import decimal
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core import OrderRequest, OrderSide, OrderStatus, OrderType, Position, TimeInForce
from tradeforge_core.models import exact, exact_or_none

if TYPE_CHECKING:
    from tests.core.conftest import Make

ROUNDINGS = [
    decimal.ROUND_CEILING,
    decimal.ROUND_DOWN,
    decimal.ROUND_FLOOR,
    decimal.ROUND_HALF_DOWN,
    decimal.ROUND_HALF_EVEN,
    decimal.ROUND_HALF_UP,
    decimal.ROUND_UP,
    decimal.ROUND_05UP,
]
prices = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
ticks = st.sampled_from([Decimal(text) for text in ("0.25", "0.01", "0.1", "1", "5", "0.0078125")])


@pytest.mark.parametrize("value", ["0.25", "-7", "1E+3", 3, -3, Decimal("1.10"), "1e-40", "1e40"])
def test_digits_are_kept_as_given(value: Decimal | int | str) -> None:
    assert exact(value) == Decimal(value)
    assert str(exact(value)) == str(Decimal(value))


@pytest.mark.parametrize("value", [0.25, 1.0, float("nan"), float("inf"), True, False])
def test_what_is_not_exact_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="is not exact"):
        exact(value)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-inf", Decimal("NaN")])
def test_what_is_not_finite_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not a number that a price or a size can have"):
        exact(value)


@pytest.mark.parametrize("value", ["1E+999999", "1E-999999", "9" * 5000, "1e41", "1e-41"])
def test_monsters_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a number that a price or a size can have"):
        exact(value)


@pytest.mark.parametrize("value", ["", " ", "one", "1,5", "0x10", "1.2.3", "--1", "1 000"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        exact(value)


@pytest.mark.parametrize("value", [None, [], {}, b"1", object()])
def test_other_types_are_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        exact(value)


def test_none_stays_none_where_it_may() -> None:
    assert exact_or_none(None) is None
    assert exact_or_none("1.5") == Decimal("1.5")


@given(price=prices, tick=ticks, rounding=st.sampled_from(ROUNDINGS))
def test_a_rounded_price_is_on_the_tick_and_near(
    price: Decimal, tick: Decimal, rounding: str
) -> None:
    contract = _contract(tick)
    rounded = contract.round_price(price, rounding=rounding)
    assert contract.is_on_tick(rounded)
    with localcontext(prec=200):
        assert abs(rounded - price) < tick
    assert contract.round_price(rounded, rounding=rounding) == rounded


@given(price=prices, tick=ticks)
def test_floor_and_ceiling_enclose_the_price(price: Decimal, tick: Decimal) -> None:
    contract = _contract(tick)
    floor = contract.round_price(price, rounding=decimal.ROUND_FLOOR)
    ceiling = contract.round_price(price, rounding=decimal.ROUND_CEILING)
    assert floor <= price <= ceiling
    assert (floor == ceiling) is contract.is_on_tick(price)


@given(count=st.integers(-(10**12), 10**12), tick=ticks)
def test_every_multiple_is_on_the_tick_and_half_a_tick_more_is_not(
    count: int, tick: Decimal
) -> None:
    contract = _contract(tick)
    assert contract.is_on_tick(count * tick)
    assert contract.is_on_step(count * tick)
    assert not contract.is_on_tick(count * tick + tick / 2)


@given(price=prices)
def test_the_context_of_the_caller_changes_nothing(price: Decimal) -> None:
    contract = _contract(Decimal("0.01"))
    expected = contract.round_price(price, rounding=decimal.ROUND_HALF_EVEN)
    with decimal.localcontext(prec=3):
        assert contract.round_price(price, rounding=decimal.ROUND_HALF_EVEN) == expected
        assert contract.is_on_tick(expected)


def test_more_digits_than_any_price_has_are_on_no_tick() -> None:
    contract = _contract(Decimal("0.25"))
    assert not contract.is_on_tick(Decimal("1e300"))
    assert not contract.is_on_tick(Decimal("0." + "1" * 300))


def _contract(tick: Decimal) -> Any:
    from tradeforge_core import Contract

    return Contract(
        id="ABC",
        symbol="ABC",
        root="ABC",
        description="",
        tick_size=tick,
        tick_value=Decimal("12.50"),
        size_step=tick,
        active=True,
    )


def test_the_value_of_a_point(make: "Make") -> None:
    assert make.contract().point_value == 2


def test_what_is_left_of_an_order(make: "Make") -> None:
    order = make.order(size=Decimal(5), filled_size=Decimal(2))
    assert order.remaining_size == 3


def test_the_venue_s_own_message_takes_no_part(make: "Make") -> None:
    assert make.order(raw={"a": 1}) == make.order(raw={"b": 2})
    assert "raw" not in repr(make.order(raw="the payload"))


def test_a_flat_position() -> None:
    position = Position(account_id="1", contract_id="ABC", size=Decimal("0.00"))
    assert position.is_flat


@pytest.mark.parametrize("status", OrderStatus)
def test_what_can_change_is_not_final(status: OrderStatus) -> None:
    final = {"filled", "cancelled", "expired", "rejected"}
    assert status.is_final is (status.value in final)


@pytest.mark.parametrize("side", OrderSide)
def test_the_opposite_of_the_opposite(side: OrderSide) -> None:
    assert side.opposite is not side
    assert side.opposite.opposite is side


@pytest.mark.parametrize("size", [2, "2", Decimal(2)])
def test_a_market_order(size: Decimal | int | str) -> None:
    request = OrderRequest.market("1", "ABC", OrderSide.BUY, size)
    assert (request.type, request.side, request.size) == (OrderType.MARKET, OrderSide.BUY, 2)
    assert request.limit_price is request.stop_price is request.client_order_id is None


@pytest.mark.parametrize("price", [100, "100.00", Decimal("100.0")])
def test_a_limit_order(price: Decimal | int | str) -> None:
    request = OrderRequest.limit("1", "ABC", OrderSide.SELL, 1, price)
    assert (request.type, request.limit_price, request.stop_price) == (OrderType.LIMIT, 100, None)


def test_a_stop_order() -> None:
    request = OrderRequest.stop("1", "ABC", OrderSide.SELL, 1, "99.75")
    assert (request.type, request.limit_price) == (OrderType.STOP, None)
    assert request.stop_price == Decimal("99.75")


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_id": 1},
        {"contract_id": None},
        {"side": "buy"},
        {"side": 0},
        {"type": "market"},
        {"size": 1.0},
        {"size": None},
        {"size": True},
        {"limit_price": 100.25},
        {"stop_price": float("nan")},
        {"time_in_force": "day"},
        {"client_order_id": 7},
    ],
    ids=str,
)
def test_a_request_of_wrong_types_cannot_be_built(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {
        "account_id": "1",
        "contract_id": "ABC",
        "side": OrderSide.BUY,
        "type": OrderType.MARKET,
        "size": 1,
        "time_in_force": TimeInForce.DAY,
    }
    OrderRequest(**right)
    with pytest.raises(TypeError):
        OrderRequest(**right | wrong)
