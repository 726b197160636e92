"""The table of hours that is shipped is what its generator makes."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tools.cme_hours import easter, last_monday, nth, observed

from tradeforge_core import MarketState, cme_globex

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "tradeforge_core/src/tradeforge_core/hours/cme_globex.json"


def test_what_is_shipped_is_what_the_generator_makes(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    subprocess.run(
        [sys.executable, "-m", "tools.cme_hours", str(made)], cwd=ROOT, check=True, timeout=60
    )
    assert made.read_text() == SHIPPED.read_text(), "run `make hours`"


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        *((2008, "2008-03-23"), (2011, "2011-04-24"), (2016, "2016-03-27"), (2019, "2019-04-21")),
        *((2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2027, "2027-03-28")),
        *((2028, "2028-04-16"), (2029, "2029-04-01"), (2030, "2030-04-21"), (2038, "2038-04-25")),
    ],
)
def test_easter(year: int, sunday: str) -> None:
    assert easter(year).isoformat() == sunday


@pytest.mark.parametrize("year", range(1970, 2100))
def test_easter_is_a_sunday_of_spring(year: int) -> None:
    assert easter(year).weekday() == 6
    assert date(year, 3, 22) <= easter(year) <= date(year, 4, 25)


def test_days_by_their_number() -> None:
    assert nth(4, 3, 2026, 11) == date(2026, 11, 26)
    assert nth(1, 0, 2025, 9) == date(2025, 9, 1)
    assert last_monday(2026, 5) == date(2026, 5, 25)
    assert last_monday(2027, 5) == date(2027, 5, 31)
    assert observed(date(2026, 7, 4)) == date(2026, 7, 3)
    assert observed(date(2027, 7, 4)) == date(2027, 7, 5)
    assert observed(date(2025, 7, 4)) == date(2025, 7, 4)


def test_the_spans_of_a_day_do_not_overlap() -> None:
    for group in json.loads(SHIPPED.read_text())["groups"]:
        times, states = cme_globex(group)._timeline
        assert times == sorted(set(times))
        assert states[0] is states[-1] is MarketState.UNKNOWN
