"""How long it takes to notice a loss, and to be live again: the promises, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from tradeforge_testing.proxy import Hold, Now
from tradeforge_topstepx._signalr import HubLimits

if TYPE_CHECKING:
    from tests.topstepx.hubs.conftest import InTheLab, Lab

SEEDS = range(8)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def cut_the_line(lab: "Lab") -> float:
    """Nothing passes any more on what is open, and nobody is told; new connections work."""
    await asyncio.sleep(lab.random.uniform(0, 60))
    lab.proxy.plan(Hold(), when=Now())
    return await lab.lose()


@pytest.mark.parametrize(
    ("limits", "within"), [(HubLimits(), 35.0), (HubLimits.fast(), 6.0)], ids=["default", "fast"]
)
def test_a_dead_line_is_noticed_in_time(
    in_the_lab: "InTheLab", limits: HubLimits, within: float
) -> None:
    taken = [in_the_lab(cut_the_line, seed=seed, limits=limits) for seed in SEEDS]
    assert max(taken) <= within, taken


@pytest.mark.parametrize("limits", [HubLimits(), HubLimits.fast()], ids=["default", "fast"])
def test_a_line_that_is_only_quiet_is_not_lost(in_the_lab: "InTheLab", limits: HubLimits) -> None:
    """The market stands still for minutes; pings go to and fro."""

    async def wait(lab: "Lab") -> None:
        lab.sandbox.exchange.close_market()
        await asyncio.sleep(600)

        assert len(lab.dials()) == 1

    in_the_lab(wait, limits=limits)


async def reset(lab: "Lab") -> float:
    await asyncio.sleep(lab.random.uniform(0, 60))
    lab.sandbox.reset_hubs()
    await lab.lose()
    return await lab.recover()


async def close(lab: "Lab") -> float:
    await asyncio.sleep(lab.random.uniform(0, 60))
    await lab.sandbox.drop_hubs()
    await lab.lose()
    return await lab.recover()


async def refuse_for_a_moment(lab: "Lab") -> float:
    await asyncio.sleep(lab.random.uniform(0, 60))
    lab.proxy.refuse()
    lab.sandbox.reset_hubs()
    await asyncio.sleep(lab.random.uniform(0, 0.5))
    await lab.proxy.accept()
    return await lab.recover()


async def cut_and_wait(lab: "Lab") -> float:
    await cut_the_line(lab)
    return await lab.recover()


@pytest.mark.parametrize(
    ("fault", "limits", "seeds"),
    [
        (reset, None, 20),
        (close, None, 20),
        (refuse_for_a_moment, None, 20),
        (cut_and_wait, HubLimits.fast(), 10),
    ],
    ids=["reset", "closed", "refused", "dead"],
)
def test_it_is_live_again_soon_after_the_fault_is_over(
    in_the_lab: "InTheLab",
    fault: "Callable[[Lab], Awaitable[float]]",
    limits: HubLimits | None,
    seeds: int,
) -> None:
    taken = [in_the_lab(fault, seed=seed, limits=limits) for seed in range(seeds)]
    assert percentile(taken, 0.5) <= 1.0, taken
    assert percentile(taken, 0.99) <= 3.0, taken


def test_after_a_long_outage_it_comes_back_within_the_longest_wait(
    in_the_lab: "InTheLab",
) -> None:
    async def refuse_for_long(lab: "Lab") -> float:
        lab.proxy.refuse()
        lab.sandbox.reset_hubs()
        await asyncio.sleep(lab.random.uniform(60, 3600))
        await lab.proxy.accept()
        return await lab.recover()

    assert max(in_the_lab(refuse_for_long, seed=seed) for seed in range(3)) <= 31.0
