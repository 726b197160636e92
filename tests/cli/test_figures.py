"""Numbers for the eye."""

from decimal import Decimal

import pytest

from tradeforge_cli.figures import chart, gain_text, money_text, price_text, size_text


@pytest.mark.parametrize(
    ("price", "tick", "text"),
    [
        ("29540", "0.25", "29,540.00"),
        ("29540.5", "0.25", "29,540.50"),
        ("110.015625", "0.015625", "110.015625"),
        ("1000", "5", "1,000"),
        ("4151.1", "0.10", "4,151.1"),
        ("-37.63", "0.01", "-37.63"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick(price: str, tick: str, text: str) -> None:
    assert price_text(Decimal(price), Decimal(tick)) == text


def test_what_is_not_known_is_a_dash() -> None:
    assert price_text(None, Decimal("0.25")) == "–"
    assert size_text(None) == "–"


def test_sizes_and_money() -> None:
    assert size_text(Decimal("1E+3")) == "1,000"
    assert size_text(Decimal("0.50")) == "0.5"
    assert money_text(Decimal("150000")) == "150,000.00"
    assert [gain_text(Decimal(n)) for n in (3, 0, "-1.5")] == ["+3.00", "0.00", "-1.50"]


def test_less_than_a_cent_is_not_nothing() -> None:
    amounts = [Decimal(n) for n in ("0.01", "-0.0018", "0.00996", "-0.00000054", "0.000")]
    assert [money_text(one) for one in amounts] == [
        *("0.01", "-0.0018", "0.0100", "-0.00000054", "0.00"),
    ]
    assert gain_text(Decimal("0.0018")) == "+0.0018"


def test_a_chart_reaches_from_the_lowest_to_the_highest() -> None:
    values = [Decimal(n) for n in (0, 5, 15)]
    assert chart(values, width=3, height=2) == ["  █", "▁▆█"]


def test_a_chart_keeps_the_newest_and_needs_no_movement() -> None:
    assert chart([Decimal(n) for n in (9, 1, 2)], width=2, height=1) == ["▁█"]
    assert chart([Decimal(7)] * 3, width=5, height=1) == ["▁▁▁"]
    assert chart([], width=5, height=1) == []
