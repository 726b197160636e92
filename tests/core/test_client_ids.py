"""The names of orders: unique for ever, and in the order of time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core.orders.client_ids import made_at, new_client_order_id

ALPHABET = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
moments = st.integers(0, 2**47).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms % (10**13))
)


@given(moments)
def test_its_shape_and_its_time(now: datetime) -> None:
    made = new_client_order_id(now)
    assert len(made) == 29
    assert made.isascii()
    assert made.isalnum()
    assert made.startswith("tf1")
    assert set(made[3:]) <= ALPHABET
    assert made_at(made) == now


@given(moments, moments)
def test_they_sort_by_time(one: datetime, other: datetime) -> None:
    early, late = sorted((one, other))
    if early < late:
        assert new_client_order_id(early) < new_client_order_id(late)


def test_a_hundred_thousand_of_one_instant_differ() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert len({new_client_order_id(now) for _ in range(100_000)}) == 100_000


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "tf1",
        "my-order",
        "tf2" + "0" * 26,
        "TF1" + "0" * 26,
        "tf1" + "0" * 25,
        "tf1" + "0" * 27,
        "tf1" + "I" * 26,
        "tf1" + "a" * 26,
        "0" * 26,
        "tf1" + "0" * 26 + "-SL",
        "tf1" + "٣" * 26,
    ],
)
def test_the_id_of_another_maker_tells_no_time(foreign: str) -> None:
    assert made_at(foreign) is None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert made_at(text) is None


def test_a_time_that_no_clock_can_show_is_none() -> None:
    assert made_at("tf1" + "Z" * 26) is None
    assert made_at("tf1" + "7" + "Z" * 25) is None


@given(st.text(alphabet=sorted(ALPHABET), min_size=26, max_size=26))
def test_every_id_of_the_right_shape_is_read_or_refused(digits: str) -> None:
    made = made_at("tf1" + digits)
    assert made is None or made.tzinfo is UTC
