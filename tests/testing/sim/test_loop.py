"""Virtual time: it leaps, it is the same each time, and it says when nothing can go on."""

import asyncio
import time
from datetime import UTC, datetime
from threading import Thread

import pytest

from tradeforge_core.kit.chance import new_random, random_bits
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.sim import Deadlock, simulate


def test_a_week_of_sleep_takes_no_time() -> None:
    async def program() -> float:
        await asyncio.sleep(7 * 86_400)
        return current_clock().monotonic()

    began = time.monotonic()
    assert simulate(program) == pytest.approx(7 * 86_400)
    assert time.monotonic() - began < 60


def test_the_clock_begins_where_it_is_told() -> None:
    start = datetime(2026, 11, 1, 6, tzinfo=UTC)

    async def program() -> datetime:
        await current_clock().sleep(3600)
        return current_clock().now()

    assert simulate(program, start=start) == datetime(2026, 11, 1, 7, tzinfo=UTC)


def test_timers_go_off_in_their_order() -> None:
    async def program() -> list[int]:
        told: list[int] = []
        loop = asyncio.get_running_loop()
        for delay in (3, 1, 2):
            loop.call_later(delay, told.append, delay)
        await asyncio.sleep(4)
        return told

    assert simulate(program) == [1, 2, 3]


def test_who_waits_for_nothing_is_told() -> None:
    async def program() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="nothing is scheduled"):
        simulate(program)


def test_work_for_threads_is_done_at_once() -> None:
    async def program() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert simulate(program) == 7


def test_what_work_for_threads_raises_is_raised_where_it_is_awaited() -> None:
    async def program() -> None:
        await asyncio.to_thread(lambda: [][1])

    with pytest.raises(IndexError):
        simulate(program)


def test_the_seed_decides_all_chance() -> None:
    async def program() -> tuple[float, int]:
        return new_random().random(), random_bits(80)

    assert simulate(program, seed=3) == simulate(program, seed=3)
    assert simulate(program, seed=3) != simulate(program, seed=4)


def test_outside_of_it_time_and_chance_are_the_machine_s() -> None:
    async def program() -> None: ...

    simulate(program, start=datetime(2001, 1, 1, tzinfo=UTC))
    assert current_clock().now().year > 2001
    assert random_bits(80) != random_bits(80)


def test_a_thread_that_speaks_to_it_is_an_error() -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        thread = Thread(target=loop.call_soon_threadsafe, args=(int,))
        thread.start()
        thread.join()
        await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match="another thread"):
        simulate(program)
