"""Makes the table of the hours of CME Group's futures on Globex: `make hours`.

What is in it is by rule. Ordinary hours are those that the exchange publishes; holidays are worked
out. Where early closes differ by product and by year, from noon on nothing is said, and nothing is
said either of a day about which the rule is not certain. A notice of the exchange wins.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

YEARS = range(2024, 2031)
FILE = Path(__file__).parents[1] / "tradeforge_core/src/tradeforge_core/hours/cme_globex.json"

Day = dict[str, Any]
"""What is open and what is unknown of a day; neither: it is closed."""
_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6
_ONE = timedelta(days=1)


# --- the holidays ---


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the method of Gauss as Lichtenberg mended it."""
    century = year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    sun = 2 - (3 * century + 3) // 4
    golden = year % 19
    seed = (19 * golden + moon) % 30
    full_moon = 21 + seed - (seed + golden // 11) // 29
    first_sunday = 7 - (year + year // 4 + sun) % 7
    return date(year, 3, 1) + (full_moon + 7 - (full_moon - first_sunday) % 7 - 1) * _ONE


def nth(number: int, weekday: int, year: int, month: int) -> date:
    """Such as the third Monday of a month."""
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * _ONE


def last_monday(year: int, month: int) -> date:
    after = date(year, month + 1, 1)
    return after - (after.weekday() or 7) * _ONE


def observed(day: date) -> date:
    """The weekday on which a holiday of the United States is kept."""
    return day + {_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0) * _ONE


def half_holidays(year: int) -> Iterator[tuple[date, str]]:
    """Days on which Globex halts early, and fields and cattle do not trade at all."""
    yield nth(3, _MONDAY, year, 1), "Martin Luther King Jr. Day"
    yield nth(3, _MONDAY, year, 2), "Presidents' Day"
    yield last_monday(year, 5), "Memorial Day"
    yield observed(date(year, 6, 19)), "Juneteenth"
    yield observed(date(year, 7, 4)), "Independence Day"
    yield nth(1, _MONDAY, year, 9), "Labor Day"
    yield thanksgiving(year), "Thanksgiving"


def thanksgiving(year: int) -> date:
    return nth(4, _THURSDAY, year, 11)


def short_days(year: int) -> Iterator[tuple[date, str]]:
    """Days that end early, for some products or for all."""
    yield date(year, 7, 3), "the day before Independence Day"
    yield thanksgiving(year) + _ONE, "the day after Thanksgiving"
    yield date(year, 12, 24), "Christmas Eve"
    yield date(year, 12, 31), "New Year's Eve"


def closed_days(year: int) -> Iterator[tuple[date, str]]:
    """Days on which nothing trades, where they are weekdays."""
    yield date(year, 1, 1), "New Year's Day"
    yield date(year, 12, 25), "Christmas"


_SINGLE = {date(2025, 1, 9): "National Day of Mourning"}
"""Days that no rule gives; what traded on them differed by product."""


# --- what a group does on them ---


def around_the_clock(good_friday_is_kept: bool) -> Callable[[int], dict[date, Day]]:
    """Of a group that trades from five to four."""

    def days(year: int) -> dict[date, Day]:
        morning = {"open": [["-1d 17:00", "12:00"]], "unknown": [["12:00", "16:00"]]}
        nobody_knows = {"unknown": [["-1d 17:00", "16:00"]]}
        friday = easter(year) - 2 * _ONE
        # where the report on employment falls on it, some trade in the morning
        is_closed = good_friday_is_kept and friday.day > 7
        return _calendar(
            year,
            half=morning,
            short=morning,
            good_friday={} if is_closed else nobody_knows,
            doubtful=nobody_knows,
        )

    return days


def fields(year: int) -> dict[date, Day]:
    """Of grains and oilseeds: the night after a holiday is not certain."""
    night = ["-1d 19:00", "07:45"]
    short: Day = {"open": [night, ["08:30", "12:00"]], "unknown": [["12:00", "13:20"]]}
    found = _calendar(
        year,
        half={},
        short=short,
        good_friday={},
        doubtful={"unknown": [["-1d 19:00", "07:45"], ["08:30", "13:20"]]},
    )
    for day in [one for one, row in found.items() if not {"open", "unknown"} & set(row)]:
        after = day + _ONE
        if after.weekday() < _SATURDAY:
            row = found.setdefault(after, {"why": "the day after", "open": [["08:30", "13:20"]]})
            row["open"] = [one for one in row["open"] if one != night]
            row["unknown"] = [night, *row.get("unknown", [])]
    return dict(sorted(found.items()))


def cattle(year: int) -> dict[date, Day]:
    return _calendar(
        year,
        half={},
        short={"open": [["08:30", "12:00"]], "unknown": [["12:00", "13:05"]]},
        good_friday={},
        doubtful={"unknown": [["08:30", "13:05"]]},
    )


def _calendar(
    year: int, *, half: Day, short: Day, good_friday: Day, doubtful: Day
) -> dict[date, Day]:
    """Every weekday of a year that is not ordinary; the later of two rules for a day wins."""
    rows: dict[date, Day] = {}
    rows |= {day: {"why": why, **short} for day, why in short_days(year)}
    rows |= {day: {"why": why, **half} for day, why in half_holidays(year)}
    rows[easter(year) - 2 * _ONE] = {"why": "Good Friday", **good_friday}
    rows |= {day: {"why": why, **doubtful} for day, why in _SINGLE.items() if day.year == year}
    for day, why in [*closed_days(year), (date(year + 1, 1, 1), "New Year's Day")]:
        if day.weekday() < _SATURDAY:
            rows |= {day: {"why": why}} if day.year == year else {}
        elif observed(day).year == year:  # who keeps it on which weekday is not certain
            rows[observed(day)] = {"why": f"{why} falls on a weekend", **doubtful}
    return {day: row for day, row in sorted(rows.items()) if day.weekday() < _SATURDAY}


# --- the table ---

_ROUND = [["-1d 17:00", "16:00"]]
_FIELDS = [["-1d 19:00", "07:45"], ["08:30", "13:20"]]
_CATTLE = [["08:30", "13:05"]]

GROUPS: dict[str, tuple[str, list[list[str]], Callable[[int], dict[date, Day]]]] = {
    "equity-index": ("equity index futures", _ROUND, around_the_clock(good_friday_is_kept=True)),
    "rates": ("interest rate futures", _ROUND, around_the_clock(good_friday_is_kept=False)),
    "fx": ("currency futures", _ROUND, around_the_clock(good_friday_is_kept=False)),
    "metals": ("metal futures", _ROUND, around_the_clock(good_friday_is_kept=True)),
    "energies": ("energy futures", _ROUND, around_the_clock(good_friday_is_kept=True)),
    "grains": ("grain and oilseed futures", _FIELDS, fields),
    "livestock": ("livestock futures", _CATTLE, cattle),
    "crypto": ("cryptocurrency futures", _ROUND, around_the_clock(good_friday_is_kept=False)),
}

_NOT_CLOSED_FOR_CERTAIN = ("crypto",)
"""Groups that the exchange has announced to trade through weekends and breaks from 2026 on."""


def table() -> dict[str, Any]:
    return {
        "about": "Hours by rule, written by `make hours`. A notice of the exchange wins.",
        "zone": "America/Chicago",
        "day_starts": "17:00",
        "first": date(YEARS[0], 1, 1).isoformat(),
        "last": date(YEARS[-1], 12, 31).isoformat(),
        "groups": {group: _group(group) for group in GROUPS},
    }


def _group(group: str) -> dict[str, Any]:
    name, ordinary, days = GROUPS[group]
    return {
        "name": f"CME Globex {name}",
        "open": ordinary,
        "between": "unknown" if group in _NOT_CLOSED_FOR_CERTAIN else "closed",
        "days": {day.isoformat(): row for year in YEARS for day, row in days(year).items()},
    }


def _text(value: Any, indent: int = 0) -> str:
    """JSON with a line for each day."""
    if not isinstance(value, dict) or "why" in value:
        return json.dumps(value, ensure_ascii=False)
    pad = "  " * (indent + 1)
    rows = (f"{pad}{json.dumps(key)}: {_text(one, indent + 1)}" for key, one in value.items())
    return "{\n" + ",\n".join(rows) + "\n" + "  " * indent + "}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=FILE, help="what to write")
    parser.parse_args().file.write_text(_text(table()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
