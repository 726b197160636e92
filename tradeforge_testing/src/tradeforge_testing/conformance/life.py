"""The life of one test: everything is set up, the test is run, and nothing may be left of it."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tradeforge_core import Capabilities
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.chaos.canaries import listening
from tradeforge_testing.chaos.faults import ChaosFault
from tradeforge_testing.chaos.run import MakeVenue
from tradeforge_testing.chaos.stage import set_up
from tradeforge_testing.conformance.oracle import differences
from tradeforge_testing.conformance.trial import Trial
from tradeforge_testing.sim import MemoryNetwork, simulate

Unless = Callable[[Capabilities], list[str]]


class NotClean(AssertionError):
    """The test itself went well; what it left behind did not."""


def live(
    make_venue: MakeVenue,
    body: Callable[[Trial], Awaitable[None]],
    *,
    connected: bool,
    follows: bool,
    fault: ChaosFault | None,
    seed: int,
    unless: Unless,
    fired: Callable[[int], None] = lambda times: None,
) -> list[str]:
    """Run the body, and check what is left; what it needs and is not declared, if that is so.

    `fired` hears how often the fault has happened, whatever came of the run.
    """
    network = MemoryNetwork(latency=0.001, seed=seed)

    async def life() -> list[str]:
        before = asyncio.all_tasks()
        venue = make_venue(seed)
        with listening(venue.canaries) as canaries:
            async with set_up(venue, Random(seed), simulated=True) as stage:
                if undeclared := unless(stage.broker.capabilities):
                    return undeclared
                trial = Trial(stage, current_clock().now(), canaries, fault)
                try:
                    await _run(trial, body, connected=connected, follows=follows)
                finally:
                    trial.count_fired()
                    fired(trial.fired)
                canaries.look_over(stage.broker)
        await asyncio.sleep(0)
        left = [f"the task {one.get_name()} is left" for one in asyncio.all_tasks() - before]
        _refuse([*left, *sorted(set(canaries.caught)), *venue.overruns()])
        return []

    try:
        return simulate(life, seed=seed, network=network)
    except BaseException as error:
        if fault is not None:
            error.add_note(f"It happened under the fault {fault.name} ({', '.join(fault.rows)})")
        raise


async def _run(
    trial: Trial, body: Callable[[Trial], Awaitable[None]], *, connected: bool, follows: bool
) -> None:
    trial.listen()
    if connected:
        await trial.broker.connect()
        if follows:
            await trial.follow()
    await body(trial)
    await trial.heal()
    _refuse(await differences(trial))


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise NotClean("; ".join(wrong))
