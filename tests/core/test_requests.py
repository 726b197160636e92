"""What providers are handed: periods and bars."""

from datetime import UTC, datetime, timedelta

import pytest

from tradeforge_core import BarUnit
from tradeforge_core.requests import BarQuery, Period

OPENED = datetime(2026, 1, 31, tzinfo=UTC)
PERIOD = Period(start=OPENED, end=OPENED + timedelta(days=1))


def query(unit: BarUnit, size: int = 1) -> BarQuery:
    return BarQuery(contract_id="C", period=PERIOD, unit=unit, size=size, limit=None)


@pytest.mark.parametrize(
    ("unit", "size", "end"),
    [
        (BarUnit.SECOND, 30, OPENED + timedelta(seconds=30)),
        (BarUnit.MINUTE, 5, OPENED + timedelta(minutes=5)),
        (BarUnit.HOUR, 4, OPENED + timedelta(hours=4)),
        (BarUnit.DAY, 1, OPENED + timedelta(days=1)),
        (BarUnit.WEEK, 2, OPENED + timedelta(weeks=2)),
        (BarUnit.MONTH, 1, datetime(2026, 2, 1, tzinfo=UTC)),
        (BarUnit.MONTH, 12, datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_bar_forms_until_its_end(unit: BarUnit, size: int, end: datetime) -> None:
    bars = query(unit, size)
    assert bars.is_forming(OPENED, end - timedelta(microseconds=1))
    assert not bars.is_forming(OPENED, end)


def test_the_end_of_time_is_no_error() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert query(BarUnit.MONTH).is_forming(last, OPENED)
    assert query(BarUnit.WEEK).is_forming(last, OPENED)
