"""The request budget: exact in every window, for every kind of request."""

import asyncio
import random

import pytest
from tests.patience import HANG

from tradeforge_core import NotSent
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_testing import ManualClock


async def use(budget: RateBudget, count: int, lane: Lane = Lane.WRITE) -> None:
    for _ in range(count):
        async with budget.slot(lane):
            pass


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_write_finds_room_or_is_refused(clock: ManualClock) -> None:
    budget = RateBudget(5, 60, clock=clock)
    await use(budget, 5)
    with pytest.raises(NotSent, match=r"5 requests in 60 s .* room in 60.0 s"):
        await use(budget, 1)
    clock.advance(59.9)
    with pytest.raises(NotSent):
        await use(budget, 1)
    clock.advance(0.1)
    await use(budget, 5)


async def test_the_reserve_is_for_what_is_urgent(clock: ManualClock) -> None:
    budget = RateBudget(5, 60, clock=clock, reserve=2)
    await use(budget, 3)
    for lane in (Lane.WRITE, Lane.SEARCH):
        with pytest.raises(NotSent):
            await use(budget, 1, lane)
    await use(budget, 2, Lane.URGENT)
    with pytest.raises(NotSent):
        await use(budget, 1, Lane.URGENT)


async def test_a_read_waits_for_room(clock: ManualClock) -> None:
    budget = RateBudget(2, 60, clock=clock)
    await use(budget, 2)
    waiting = asyncio.create_task(use(budget, 1, Lane.READ))
    await asyncio.sleep(0)
    clock.advance(59)
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(1)
    await asyncio.wait_for(waiting, HANG)


async def test_a_request_in_flight_counts_until_a_window_after_its_answer(
    clock: ManualClock,
) -> None:
    budget = RateBudget(1, 60, clock=clock)
    async with budget.slot(Lane.WRITE):
        clock.advance(300)
        with pytest.raises(NotSent):
            await use(budget, 1)
    clock.advance(59.9)
    assert budget.used == 1
    clock.advance(0.1)
    assert budget.used == 0


async def test_a_request_that_fails_counts_too(clock: ManualClock) -> None:
    budget = RateBudget(1, 60, clock=clock)
    with pytest.raises(OSError, match="reset"):
        async with budget.slot(Lane.READ):
            raise OSError("reset")
    assert budget.used == 1


@pytest.mark.parametrize(
    ("asked", "pause"), [(None, 60.0), (5.0, 5.0), (0.0, 0.0), (-3.0, 0.0), (3e9, 60.0)]
)
async def test_a_cool_down_is_kept_and_has_a_limit(
    clock: ManualClock, asked: float | None, pause: float
) -> None:
    budget = RateBudget(5, 60, clock=clock)
    budget.cool_down(asked)
    assert budget.seconds_until_room(Lane.READ) == pause
    for lane in (Lane.SEARCH, Lane.URGENT):
        assert budget.seconds_until_room(lane) == 0
        await use(budget, 1, lane)
    clock.advance(pause)
    await use(budget, 1)


async def test_a_shorter_cool_down_does_not_end_a_longer_one(clock: ManualClock) -> None:
    budget = RateBudget(5, 60, clock=clock)
    budget.cool_down(30)
    budget.cool_down(1)
    assert budget.seconds_until_room(Lane.READ) == 30


@pytest.mark.parametrize("reserve", [-1, 5, 6])
def test_a_reserve_must_leave_something(clock: ManualClock, reserve: int) -> None:
    with pytest.raises(ValueError, match="reserve"):
        RateBudget(5, 60, clock=clock, reserve=reserve)


@pytest.mark.parametrize("seed", range(20))
async def test_no_window_of_the_venue_ever_sees_more(clock: ManualClock, seed: int) -> None:
    """Whenever between sending and answer the venue counts a request, no window is over full."""
    rng = random.Random(seed)
    budget = RateBudget(7, 10, clock=clock)
    seen: list[float] = []
    for _ in range(300):
        try:
            async with budget.slot(Lane.WRITE):
                sent = clock.monotonic()
                clock.advance(rng.choice([0, 0.1, 1, 4]))
                seen.append(rng.uniform(sent, clock.monotonic()))
        except NotSent:
            pass
        clock.advance(rng.choice([0, 0, 0.5, 3]))
    seen.sort()
    assert len(seen) > 50
    for at in seen:
        assert sum(at - 10 < other <= at for other in seen) <= 7


# --- several limits at once, and what the venue says of its own ---


async def test_a_request_counts_in_the_limit_of_all_kinds_as_well(clock: ManualClock) -> None:
    everything = RateBudget(3, 60, clock=clock)
    orders = RateBudget(2, 1, clock=clock, within=everything)
    looks = RateBudget(2, 1, clock=clock, within=everything)
    await use(orders, 2)
    await use(looks, 1)
    assert (everything.used, orders.used, looks.used) == (3, 2, 1)
    with pytest.raises(NotSent, match="3 requests in 60 s"):
        await use(looks, 1)
    clock.advance(2)
    assert (everything.used, orders.used) == (3, 0)
    assert looks.used == 0  # what found no room in the greater one does not count in its own


async def test_a_limit_that_the_venue_tells_is_the_one_that_counts(clock: ManualClock) -> None:
    budget = RateBudget(10, 1, clock=clock)
    await use(budget, 1)
    budget.heard(20, 19)
    await use(budget, 19)
    with pytest.raises(NotSent, match="limit of 20 requests"):
        await use(budget, 1)


async def test_requests_of_others_are_counted_too(clock: ManualClock) -> None:
    budget = RateBudget(10, 1, clock=clock)
    await use(budget, 2)
    budget.heard(10, 3)
    assert budget.used == 7
    budget.heard(10, 3)
    assert budget.used == 7
    clock.advance(1)
    assert budget.used == 0


async def test_what_the_venue_has_forgotten_already_still_counts_here(clock: ManualClock) -> None:
    budget = RateBudget(10, 1, clock=clock)
    await use(budget, 4)
    budget.heard(10, 10)
    assert budget.used == 4


@pytest.mark.parametrize(("limit", "left"), [(0, 0), (-5, 3), (2, 1), (10**9, 0)])
async def test_a_limit_without_room_for_anything_is_not_believed(
    clock: ManualClock, limit: int, left: int
) -> None:
    budget = RateBudget(10, 1, clock=clock, reserve=2)
    budget.heard(limit, left)
    assert (budget.limit, budget.used) == (10, 0)


async def test_more_than_all_of_it_is_never_counted(clock: ManualClock) -> None:
    budget = RateBudget(10, 1, clock=clock)
    budget.heard(10, -(10**9))
    assert budget.used == 10
