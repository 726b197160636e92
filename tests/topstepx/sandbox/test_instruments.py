"""Which contracts are listed on which day."""

from datetime import date

import pytest

from tradeforge_topstepx.sandbox.instruments import GOLD, INDEX, OIL, Calendar, listed_instruments


@pytest.mark.parametrize(
    ("calendar", "today", "front"),
    [
        (INDEX, date(2026, 3, 10), date(2026, 3, 1)),
        (INDEX, date(2026, 3, 11), date(2026, 6, 1)),
        (INDEX, date(2026, 8, 19), date(2026, 9, 1)),
        (INDEX, date(2026, 12, 31), date(2027, 3, 1)),
        (OIL, date(2026, 8, 17), date(2026, 9, 1)),
        (OIL, date(2026, 8, 19), date(2026, 10, 1)),
        (OIL, date(2026, 12, 18), date(2027, 2, 1)),
        (GOLD, date(2026, 8, 19), date(2026, 12, 1)),
        (GOLD, date(2026, 11, 26), date(2027, 2, 1)),
    ],
)
def test_the_month_in_front_depends_on_the_day(
    calendar: Calendar, today: date, front: date
) -> None:
    assert calendar.front_month(today) == front


@pytest.mark.parametrize("year", range(2024, 2036))
@pytest.mark.parametrize("month", range(1, 13))
def test_every_product_is_listed_on_every_day(year: int, month: int) -> None:
    for day in (1, 10, 11, 17, 18, 25, 26, 28):
        active = [one for one in listed_instruments(date(year, month, day)) if one.active]
        assert len({one.root for one in active}) == len(active) == 7


def test_names_follow_the_month() -> None:
    listed = {one.id: one for one in listed_instruments(date(2026, 8, 19))}
    assert listed["CON.F.US.ENQ.U26"].symbol == "NQU6"
    assert listed["CON.F.US.ENQ.U26"].description == "E-mini NASDAQ-100: September 2026"
    assert not listed["CON.F.US.MNQ.M26"].active
    assert list(listed) == sorted(listed)
