from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

import tradeforge_testing.exchange
from tradeforge_core.enums import OrderSide, OrderType
from tradeforge_testing.exchange import ExchangeOrder, Instrument, Refused, Reject, Ticket


def test_the_drawer_is_sorted_and_complete() -> None:
    drawer = tradeforge_testing.exchange.__all__
    assert drawer == sorted(drawer)
    assert all(hasattr(tradeforge_testing.exchange, name) for name in drawer)


@pytest.mark.parametrize("tick_size", ["0.25", "0.1", "1", "5", "0.015625", "0.0000005", "1E+1"])
@given(ticks=st.integers(1, 10**9))
def test_ticks_and_prices_are_the_same_thing(tick_size: str, ticks: int) -> None:
    instrument = _with_tick(tick_size)
    price = instrument.to_price(ticks)
    assert price == Fraction(tick_size) * ticks
    assert instrument.to_ticks(price) == ticks


@pytest.mark.parametrize("price", ["100.1", "0", "-0.25", "1E-30", "1E+999999", "100.2500000001"])
def test_a_price_off_the_grid_has_no_ticks(instrument: Instrument, price: str) -> None:
    with pytest.raises(Refused) as refusal:
        instrument.to_ticks(Decimal(price))
    assert refusal.value.reason is Reject.PRICE_OFF_TICK


def test_an_average_is_exact_where_it_ends(instrument: Instrument) -> None:
    assert instrument.to_average(Fraction(401, 2)) == Decimal("50.125")
    assert instrument.to_average(Fraction(400)) == Decimal("100.00")


def test_an_average_is_within_a_millionth_of_a_tick_where_it_does_not(
    instrument: Instrument,
) -> None:
    average = Fraction(instrument.to_average(Fraction(1202, 3)))
    assert abs(average / Fraction("0.25") - Fraction(1202, 3)) <= Fraction(1, 1_000_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tick_size", "0"),
        ("tick_size", "-0.25"),
        ("tick_value", "0"),
        ("start_price", "100.1"),
        ("start_price", "0"),
    ],
)
def test_an_impossible_instrument_is_refused(
    instrument: Instrument, field: str, value: str
) -> None:
    change: dict[str, Any] = {field: Decimal(value)}
    with pytest.raises(ValueError, match=r"FUT\.ABC"):
        evolve(instrument, **change)


def test_a_ticket_takes_no_float() -> None:
    with pytest.raises(TypeError, match="not exact"):
        Ticket(
            account_id=1,
            instrument_id="FUT.ABC",
            side=OrderSide.BUY,
            type=OrderType.LIMIT,
            size=1,
            limit_price=99.75,  # type: ignore[arg-type]
        )


def test_a_record_cannot_be_changed(place: Callable[..., ExchangeOrder]) -> None:
    order = place("buy", "limit", 1, "90")
    with pytest.raises(FrozenInstanceError):
        order.size = 2  # type: ignore[misc]


def test_a_refusal_says_why() -> None:
    assert str(Refused(Reject.NO_POSITION)) == "no_position"


def _with_tick(tick_size: str) -> Instrument:
    return Instrument(
        id="X",
        symbol="X",
        root="X",
        description="",
        tick_size=Decimal(tick_size),
        tick_value=Decimal(1),
        start_price=100 * Decimal(tick_size),
        fee=Decimal(0),
        commission=Decimal(0),
    )
