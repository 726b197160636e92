import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tradeforge_core.kit.clock import Clock
from tradeforge_testing import ManualClock


def test_stands_still_until_it_is_advanced(clock: ManualClock) -> None:
    before = clock.now()
    assert (clock.now(), clock.monotonic()) == (before, 0.0)
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic()) == (before + timedelta(seconds=1.5), 1.5)


def test_is_a_clock(clock: ManualClock) -> None:
    typed: Clock = clock
    assert typed.now().tzinfo is UTC


def test_starts_where_it_is_told_to() -> None:
    start = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert ManualClock(start).now() == datetime(2026, 1, 1, tzinfo=UTC)


def test_refuses_a_start_without_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_does_not_go_back(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    assert clock.monotonic() == 0.0


async def test_wakes_sleepers_in_the_order_of_their_deadlines(clock: ManualClock) -> None:
    woken: list[float] = []

    async def nap(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as group:
        for seconds in (3, 1, 2, 10):
            group.create_task(nap(seconds))
        await asyncio.sleep(0)
        clock.advance(0.5)
        await asyncio.sleep(0)
        assert woken == []
        clock.advance(2.5)
        await asyncio.sleep(0)
        assert woken == [1, 2, 3]
        clock.advance(7)
    assert woken == [1, 2, 3, 10]


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_sleep_of_nothing_returns_at_once(clock: ManualClock, seconds: int) -> None:
    await clock.sleep(seconds)
    assert clock.monotonic() == 0.0


async def test_a_cancelled_sleeper_does_no_harm(clock: ManualClock) -> None:
    sleeper = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    clock.advance(2)
