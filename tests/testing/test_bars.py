"""Bars: a history from the seed, then what was really printed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from time import perf_counter

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Bar,
    Exchange,
    ExchangeEvent,
    ExchangeOrder,
    Instrument,
    MarketTrade,
)
from tradeforge_testing.exchange.history import HISTORY_SECONDS
from tradeforge_testing.exchange.rows import from_second

DAY = timedelta(days=1)
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def _bars(exchange: Exchange, clock: ManualClock, seconds: int, limit: int = 20_000) -> list[Bar]:
    return exchange.bars(
        "FUT.ABC", start=clock.now() - 30 * DAY, end=clock.now() + DAY, seconds=seconds, limit=limit
    )


@pytest.mark.parametrize("seconds", [1, 7, 30, 60, 90, 300, 3600, 86_400, 604_800])
def test_bars_are_well_formed(exchange: Exchange, clock: ManualClock, seconds: int) -> None:
    for _ in range(40):
        clock.advance(7)
        exchange.advance()
    bars = _bars(exchange, clock, seconds, 500)
    assert bars
    for bar in bars:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert bar.low > 0
        assert bar.volume > 0
        assert bar.time.tzinfo is UTC
        assert bar.time.timestamp() % seconds == 0
    assert all(earlier.time < later.time for earlier, later in pairwise(bars))


def test_history_has_every_minute_and_opens_where_it_closed(
    exchange: Exchange, clock: ManualClock
) -> None:
    bars = _bars(exchange, clock, 60)
    assert len(bars) == 20_000
    for earlier, later in pairwise(bars):
        assert later.time - earlier.time == timedelta(minutes=1)
        assert later.open == earlier.close
    assert bars[-1].time == clock.now() - timedelta(minutes=1)
    assert bars[-1].close == exchange.quote("FUT.ABC").last


def test_history_moves(exchange: Exchange, clock: ManualClock) -> None:
    bars = _bars(exchange, clock, 60, 1_000)
    assert len({bar.close for bar in bars}) > 10
    assert len({bar.volume for bar in bars}) > 10


def test_history_is_on_the_tick_grid(
    exchange: Exchange, clock: ManualClock, instrument: Instrument
) -> None:
    for bar in _bars(exchange, clock, 60, 100):
        for price in (bar.open, bar.high, bar.low, bar.close):
            assert isinstance(price, Decimal)
            instrument.to_ticks(price)


def test_history_is_the_same_whatever_was_asked_before(
    instrument: Instrument, clock: ManualClock
) -> None:
    def ask(exchange: Exchange, days: int) -> list[Bar]:
        end = clock.now() - days * DAY
        return exchange.bars(
            "FUT.ABC", start=end - timedelta(hours=1), end=end, seconds=60, limit=100
        )

    one, two = (Exchange([instrument], clock=clock, seed=5) for _ in range(2))
    assert [ask(one, days) for days in (1, 200, 3)] == [
        ask(two, 1),
        *reversed([ask(two, 3), ask(two, 200)]),
    ]


def test_history_of_a_cheap_instrument_stays_above_zero(
    instrument: Instrument, clock: ManualClock
) -> None:
    exchange = Exchange([evolve(instrument, start_price=Decimal("0.25"))], clock=clock)
    bars = _bars(exchange, clock, 60)
    assert bars[-1].close == Decimal("0.25")
    assert min(bar.low for bar in bars) == min(bar.close for bar in bars) == Decimal("0.25")


def test_history_depends_on_the_seed(instrument: Instrument, clock: ManualClock) -> None:
    one, two = (
        _bars(Exchange([instrument], clock=clock, seed=seed), clock, 60, 60) for seed in (1, 2)
    )
    assert one != two


def test_history_goes_back_a_year(exchange: Exchange, clock: ManualClock) -> None:
    bars = exchange.bars(
        "FUT.ABC", start=_ALWAYS, end=clock.now() - 364 * DAY, seconds=3600, limit=100
    )
    assert bars[0].time >= clock.now() - timedelta(seconds=HISTORY_SECONDS, hours=1)
    assert len(bars) in (24, 25)


def test_days_are_made_once(exchange: Exchange, clock: ManualClock) -> None:
    """A stream tells the candle of a month again with every trade."""

    def seconds_for_days() -> float:
        before = perf_counter()
        exchange.bars(
            "FUT.ABC", start=clock.now() - 45 * DAY, end=clock.now(), seconds=86_400, limit=45
        )
        return perf_counter() - before

    first = seconds_for_days()
    assert seconds_for_days() < first / 4


def test_minutes_hours_and_days_agree(exchange: Exchange, clock: ManualClock) -> None:
    for _ in range(100):
        clock.advance(2.5)
        exchange.advance()
    start = (clock.now() - 3 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)

    def ask(seconds: int) -> list[Bar]:
        return exchange.bars(
            "FUT.ABC", start=start, end=clock.now() + DAY, seconds=seconds, limit=1_000_000
        )

    hours = ask(3600)
    for smaller in (ask(1), ask(60), ask(900)):
        assert _merged(smaller, 3600) == hours
    assert _merged(hours, 86_400) == ask(86_400)


def test_live_bars_are_what_was_printed(
    exchange: Exchange,
    clock: ManualClock,
    events: list[ExchangeEvent],
    place: Callable[..., ExchangeOrder],
) -> None:
    start = clock.now()
    for step in range(200):
        clock.advance(1.7)
        exchange.advance()
        if step % 10 == 0:
            place("buy", "market", 3)
    prints = [each for each in events if isinstance(each, MarketTrade)]
    for seconds in (1, 5, 60):
        bars = exchange.bars(
            "FUT.ABC", start=start, end=clock.now() + DAY, seconds=seconds, limit=10_000
        )
        assert bars == _bars_of(prints, seconds)


def test_the_forming_bar_is_there_and_grows(
    exchange: Exchange, clock: ManualClock, place: Callable[..., ExchangeOrder]
) -> None:
    clock.advance(10)
    place("buy", "market", 1)
    (forming,) = _bars(exchange, clock, 60, 1)
    assert (forming.time, forming.volume) == (clock.now() - timedelta(seconds=10), 1)
    place("buy", "market", 1)
    assert _bars(exchange, clock, 60, 1)[0].volume == 2


def test_a_bar_may_join_history_and_live_prints(
    exchange: Exchange, clock: ManualClock, place: Callable[..., ExchangeOrder]
) -> None:
    (before,) = _bars(exchange, clock, 3600, 1)
    place("buy", "market", 4)
    (after,) = _bars(exchange, clock, 3600, 1)
    assert (after.time, after.open) == (before.time, before.open)
    assert after.volume == before.volume + 4
    assert after.close == exchange.quote("FUT.ABC").last


def test_a_span_without_a_trade_has_no_bar(
    exchange: Exchange, clock: ManualClock, place: Callable[..., ExchangeOrder]
) -> None:
    place("buy", "market", 1)
    clock.advance(600)
    place("buy", "market", 1)
    first, second = _bars(exchange, clock, 60, 2)
    assert second.time - first.time == timedelta(minutes=10)


def test_start_is_in_and_end_is_out(exchange: Exchange, clock: ManualClock) -> None:
    end = clock.now() - DAY
    start = end - timedelta(minutes=5)

    def times(start: datetime, end: datetime) -> list[datetime]:
        bars = exchange.bars("FUT.ABC", start=start, end=end, seconds=60, limit=100)
        return [bar.time for bar in bars]

    whole = [start + timedelta(minutes=minute) for minute in range(5)]
    moment = timedelta(microseconds=1)
    assert times(start, end) == whole
    assert times(start + moment, end) == whole[1:]
    assert times(start - moment, end) == whole
    assert times(start, end + moment) == [*whole, end]
    assert times(start, end - moment) == whole
    assert times(end, start) == []
    assert times(start, start) == []


@settings(deadline=None)
@given(
    seconds=st.sampled_from([1, 13, 60, 90, 3600]),
    limit=st.integers(1, 60),
    ago=st.integers(-3_000, 40 * 86_400),
    span=st.integers(1, 20_000),
)
def test_limit_keeps_the_newest(seconds: int, limit: int, ago: int, span: int) -> None:
    exchange, now = _shared_exchange()
    end = now - timedelta(seconds=ago)
    start = end - timedelta(seconds=span)

    def ask(limit: int) -> list[Bar]:
        return exchange.bars("X", start=start, end=end, seconds=seconds, limit=limit)

    everything = ask(span + 1)
    assert ask(limit) == everything[-limit:]
    assert all(start <= bar.time < end for bar in everything)


@pytest.mark.parametrize(("seconds", "limit"), [(0, 1), (-60, 1), (60, 0), (60, -1)])
def test_nonsense_is_refused(
    exchange: Exchange, clock: ManualClock, seconds: int, limit: int
) -> None:
    with pytest.raises(ValueError, match="above zero"):
        _bars(exchange, clock, seconds, limit)


def test_a_time_without_zone_is_refused(exchange: Exchange, clock: ManualClock) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(TypeError):
        exchange.bars("FUT.ABC", start=naive, end=clock.now(), seconds=60, limit=1)


@cache
def _shared_exchange() -> tuple[Exchange, datetime]:
    """One with some live prints; asking for bars does not change it."""
    instrument = Instrument(
        id="X",
        symbol="X",
        root="X",
        description="",
        tick_size=Decimal("0.25"),
        tick_value=Decimal(1),
        start_price=Decimal(100),
        fee=Decimal(0),
        commission=Decimal(0),
    )
    clock = ManualClock()
    exchange = Exchange([instrument], clock=clock)
    for _ in range(100):
        clock.advance(11)
        exchange.advance()
    return exchange, clock.now()


def _merged(bars: list[Bar], seconds: int) -> list[Bar]:
    buckets: dict[int, list[Bar]] = {}
    for bar in bars:
        buckets.setdefault(int(bar.time.timestamp()) // seconds * seconds, []).append(bar)
    return [
        Bar(
            time=from_second(second),
            open=group[0].open,
            high=max(bar.high for bar in group),
            low=min(bar.low for bar in group),
            close=group[-1].close,
            volume=sum(bar.volume for bar in group),
        )
        for second, group in buckets.items()
    ]


def _bars_of(prints: list[MarketTrade], seconds: int) -> list[Bar]:
    single = [
        Bar(each.time, each.price, each.price, each.price, each.price, each.size) for each in prints
    ]
    return _merged(single, seconds)
