"""When a market is open: at the switches of the clock, on holidays, and where nobody knows."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core import ConfigError, MarketHours, MarketState, NotFound, cme_globex
from tradeforge_core.hours.market_hours import Span
from tradeforge_core.orders.limits import TradingDay

CHICAGO = ZoneInfo("America/Chicago")
OPEN, CLOSED, UNKNOWN = MarketState
GROUPS = (
    *("equity-index", "rates", "fx", "metals", "energies"),
    *("grains", "livestock", "crypto"),
)
INDEX = cme_globex("equity-index")
SECOND = timedelta(seconds=1)


def chicago(text: str) -> datetime:
    """A time on the wall in Chicago, such as `2026-03-06 16:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("group", "at", "state"),
    [
        ("equity-index", "2026-11-18 15:59:59", OPEN),
        ("equity-index", "2026-11-18 16:00", CLOSED),
        ("equity-index", "2026-11-18 16:59:59", CLOSED),
        ("equity-index", "2026-11-18 17:00", OPEN),
        ("equity-index", "2026-11-20 16:00", CLOSED),
        ("equity-index", "2026-11-20 17:00", CLOSED),
        ("equity-index", "2026-11-22 16:59", CLOSED),
        ("equity-index", "2026-11-22 17:00", OPEN),
        ("rates", "2026-10-12 10:00", OPEN),  # Columbus Day: the cash market rests, futures do not
        ("metals", "2026-11-23 03:00", OPEN),
        ("grains", "2026-11-18 07:44", OPEN),
        ("grains", "2026-11-18 07:45", CLOSED),
        ("grains", "2026-11-18 08:30", OPEN),
        ("grains", "2026-11-18 13:20", CLOSED),
        ("grains", "2026-11-18 18:59", CLOSED),
        ("grains", "2026-11-18 19:00", OPEN),
        ("livestock", "2026-11-18 08:29", CLOSED),
        ("livestock", "2026-11-18 13:04", OPEN),
        ("livestock", "2026-11-18 13:05", CLOSED),
        ("crypto", "2026-11-18 12:00", OPEN),
        ("crypto", "2026-11-21 12:00", UNKNOWN),
    ],
)
def test_an_ordinary_week(group: str, at: str, state: MarketState) -> None:
    assert cme_globex(group).state(chicago(at)) is state
    assert cme_globex(group).is_open(chicago(at)) is (state is OPEN)


@pytest.mark.parametrize(
    ("group", "at", "state"),
    [
        ("equity-index", "2026-01-01 12:00", CLOSED),
        ("equity-index", "2026-01-01 17:00", OPEN),
        ("equity-index", "2025-12-25 12:00", CLOSED),
        ("equity-index", "2025-12-24 17:30", CLOSED),
        ("equity-index", "2025-04-18 12:00", CLOSED),  # Good Friday
        ("equity-index", "2026-04-03 07:00", UNKNOWN),  # the report on employment falls on it
        ("fx", "2025-04-18 09:00", UNKNOWN),
        ("equity-index", "2026-11-26 11:59", OPEN),
        ("equity-index", "2026-11-26 12:00", UNKNOWN),
        ("equity-index", "2026-11-26 16:30", CLOSED),
        ("equity-index", "2026-11-26 17:00", OPEN),
        ("equity-index", "2026-11-27 11:59", OPEN),
        ("equity-index", "2026-11-27 13:00", UNKNOWN),
        ("energies", "2026-12-24 13:00", UNKNOWN),
        ("equity-index", "2026-07-03 12:30", UNKNOWN),  # kept on the Friday
        ("equity-index", "2026-07-03 18:00", CLOSED),
        ("equity-index", "2027-07-05 12:30", UNKNOWN),  # kept on the Monday
        ("equity-index", "2027-12-24 09:00", UNKNOWN),  # Christmas is a Saturday
        ("equity-index", "2025-01-09 09:00", UNKNOWN),
        ("grains", "2026-11-26 10:00", CLOSED),
        ("grains", "2026-11-25 20:00", CLOSED),
        ("grains", "2026-11-26 20:00", UNKNOWN),
        ("grains", "2026-11-27 08:30", OPEN),
        ("grains", "2026-11-27 12:30", UNKNOWN),
        ("livestock", "2026-09-07 10:00", CLOSED),
    ],
)
def test_holidays_and_what_is_not_certain_of_them(group: str, at: str, state: MarketState) -> None:
    assert cme_globex(group).state(chicago(at)) is state


@pytest.mark.parametrize(
    ("closes", "opens", "closes_again"),
    [
        # the clock goes forward on 8 March 2026 and back on 1 November, both Sundays at two
        ("2026-03-06 22:00", "2026-03-08 22:00", "2026-03-09 21:00"),
        ("2026-10-30 21:00", "2026-11-01 23:00", "2026-11-02 22:00"),
    ],
)
def test_the_hours_are_those_of_the_wall_when_the_clock_switches(
    closes: str, opens: str, closes_again: str
) -> None:
    friday = _utc(closes)
    assert INDEX.is_open(friday - SECOND)
    assert not INDEX.is_open(friday)
    assert INDEX.next_open(friday) == _utc(opens)
    assert INDEX.next_close(friday) == _utc(closes_again)


@pytest.mark.parametrize(
    ("group", "at", "day"),
    [
        ("equity-index", "2026-11-18 16:59", "2026-11-18"),
        ("equity-index", "2026-11-18 17:00", "2026-11-19"),
        ("equity-index", "2026-11-20 17:00", "2026-11-23"),
        ("equity-index", "2026-11-21 12:00", "2026-11-23"),
        ("equity-index", "2026-11-22 16:59", "2026-11-23"),
        ("equity-index", "2026-03-08 03:00", "2026-03-09"),
        ("equity-index", "2026-11-01 01:30", "2026-11-02"),
        ("equity-index", "2025-12-24 18:00", "2025-12-26"),
        ("equity-index", "2026-11-26 12:30", "2026-11-26"),
        ("grains", "2026-11-25 19:00", "2026-11-27"),
    ],
)
def test_the_trading_day_rolls_at_five(group: str, at: str, day: str) -> None:
    assert cme_globex(group).trading_day(chicago(at)) == date.fromisoformat(day)


def test_a_day_that_begins_at_midnight_is_its_own() -> None:
    hours = MarketHours(
        name="a shop",
        day=TradingDay(zone="Asia/Tokyo"),
        first=date(2026, 6, 1),
        last=date(2026, 6, 5),
        ordinary=(Span(opens=time(9), closes=time(15)),),
    )
    assert hours.known_from == _utc("2026-05-31 15:00")
    assert hours.known_until == _utc("2026-06-05 15:00")
    assert hours.trading_day(_utc("2026-06-01 15:00")) == date(2026, 6, 2)
    assert hours.next_open(_utc("2026-06-01 15:00")) == _utc("2026-06-02 00:00")


# --- whatever the time ---

_FIRST = datetime(2024, 1, 1, 6, tzinfo=UTC)
_TIMES = st.floats(0, 2545 * 86_400).map(lambda seconds: _FIRST + timedelta(seconds=seconds))
_HOURS = st.sampled_from([cme_globex(group) for group in GROUPS])


@given(_HOURS, _TIMES)
def test_what_is_next_agrees_with_what_is(hours: MarketHours, at: datetime) -> None:
    opens, closes = hours.next_open(at), hours.next_close(at)
    assert hours.is_open(at) is (closes < opens)
    assert min(opens, closes) > at
    assert hours.is_open(opens) and not hours.is_open(opens - SECOND)
    assert not hours.is_open(closes) and hours.is_open(closes - SECOND)
    change = min(opens, closes)
    assert hours.is_open(change - SECOND) is hours.is_open(at)
    assert hours.is_open(at + (change - at) / 2) is hours.is_open(at)


@given(_HOURS, _TIMES)
def test_opening_and_closing_alternate(hours: MarketHours, at: datetime) -> None:
    opens = hours.next_open(at)
    closes = hours.next_close(opens)
    assert opens < closes < hours.next_open(opens) == hours.next_open(closes)


@given(_HOURS, _TIMES, st.sampled_from([UTC, CHICAGO, ZoneInfo("Asia/Kathmandu")]))
def test_the_zone_of_the_question_does_not_matter(
    hours: MarketHours, at: datetime, zone: ZoneInfo
) -> None:
    there = at.astimezone(zone)
    assert hours.state(there) is hours.state(at)
    assert hours.next_open(there) == hours.next_open(at)
    assert hours.next_open(there).tzinfo is UTC
    assert hours.trading_day(there) == hours.trading_day(at)


@given(_HOURS, _TIMES)
def test_an_open_market_is_within_its_trading_day(hours: MarketHours, at: datetime) -> None:
    day = hours.trading_day(at)
    assert day.weekday() < 5
    assert day >= at.astimezone(CHICAGO).date()
    if hours.is_open(at):
        assert hours.trading_day(hours.next_close(at) - SECOND) == day


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("year", range(2024, 2031))
def test_a_year_has_about_as_many_days_as_a_year_has(group: str, year: int) -> None:
    hours = cme_globex(group)
    day, days = date(year, 1, 1), set()
    while day.year == year:
        noon = datetime.combine(day, time(9), CHICAGO)
        if hours.is_open(noon):
            days.add(hours.trading_day(noon))
        day += timedelta(days=1)
    assert 247 <= len(days) <= 261


# --- where nothing is known ---


@pytest.mark.parametrize(
    "at", ["2023-12-31 16:59:59", "2030-12-31 17:00", "1999-01-01", "2099-06-01"]
)
def test_outside_of_the_table_nothing_is_claimed(at: str) -> None:
    assert INDEX.state(chicago(at)) is UNKNOWN
    assert not INDEX.is_open(chicago(at))
    for question in (INDEX.next_open, INDEX.next_close, INDEX.trading_day):
        with pytest.raises(NotFound, match="2024-01-01 to 2030-12-31 only"):
            question(chicago(at))


def test_the_end_of_the_table_is_no_answer() -> None:
    with pytest.raises(NotFound, match="does not answer"):
        INDEX.next_open(chicago("2030-12-31 11:00"))
    with pytest.raises(NotFound, match="does not answer"):
        INDEX.next_close(chicago("2030-12-31 12:30"))


def test_the_last_days_of_a_table_may_have_no_next_trading_day() -> None:
    hours = MarketHours(
        name="a shop",
        day=TradingDay(starts=time(17), zone="America/Chicago"),
        first=date(2026, 11, 16),
        last=date(2026, 11, 22),  # a Sunday
        ordinary=INDEX.ordinary,
    )
    with pytest.raises(NotFound, match="does not answer"):
        hours.trading_day(chicago("2026-11-21 12:00"))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        INDEX.is_open(datetime(2026, 1, 5))  # noqa: DTZ001  # that is the point


def test_a_group_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(NotFound, match="equity-index, rates"):
        cme_globex("shares")


def test_a_machine_without_time_zones_says_so() -> None:
    hours = MarketHours(
        name="nowhere",
        day=TradingDay(zone="Nowhere/At_All"),
        first=date(2026, 1, 1),
        last=date(2026, 1, 2),
        ordinary=(),
    )
    with pytest.raises(ConfigError, match="tzdata"):
        hours.is_open(_utc("2026-01-01 12:00"))


@pytest.mark.parametrize(
    "spans",
    [
        (Span(opens=time(22), closes=time(2)),),
        (Span(opens=time(9), closes=time(9)),),
        (Span(opens=time(9), closes=time(0)),),
        (Span(opens=time(12), closes=time(15)), Span(opens=time(9), closes=time(11))),
        (Span(opens=time(9), closes=time(12)), Span(opens=time(11), closes=time(15))),
        (Span(opens=time(9), closes=time(12)), Span(opens=time(17), closes=time(20), eve=True)),
    ],
)
@pytest.mark.parametrize("place", ["ordinary", "special"])
def test_hours_that_no_clock_goes_through_are_refused(place: str, spans: tuple[Span, ...]) -> None:
    day = date(2026, 1, 6)
    days = (spans, {}) if place == "ordinary" else ((), {day: spans})
    with pytest.raises(ValueError, match="the hours of a shop are not in order"):
        MarketHours(
            name="a shop", day=TradingDay(), first=day, last=day, ordinary=days[0], special=days[1]
        )
