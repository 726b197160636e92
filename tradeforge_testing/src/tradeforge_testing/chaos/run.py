"""One run: a life of a trader that goes wrong in the ways that its seed decides."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from attrs import field, frozen

from tradeforge_testing.chaos.canaries import listening
from tradeforge_testing.chaos.checks import violations
from tradeforge_testing.chaos.faults import NETWORK, Action, ChaosFault
from tradeforge_testing.chaos.leftovers import left_behind, open_connections
from tradeforge_testing.chaos.stage import Stage, set_up
from tradeforge_testing.chaos.trader import Trader
from tradeforge_testing.chaos.venue import ChaosVenue
from tradeforge_testing.chaos.witness import Witness
from tradeforge_testing.sim import MemoryNetwork, simulate

MakeVenue = Callable[[int], ChaosVenue]

STEPS = 3
_FAULTY = 0.85
"""How often a step has a fault."""
_WEIGHTS: Mapping[Action, int] = {
    Action.PLACE: 8,
    Action.MODIFY: 2,
    Action.CANCEL: 2,
    Action.CANCEL_ALL: 1,
    Action.CLOSE: 2,
    Action.FLATTEN: 1,
    Action.READ: 1,
    Action.WAIT: 3,
}


@frozen(kw_only=True)
class Verdict:
    """What came of a seed."""

    seed: int
    violations: tuple[str, ...]
    fired: Mapping[str, int]
    """How often each fault happened, by its name."""
    trace: str
    """The same for the same seed, in simulated time."""
    orders: int
    events: int
    seconds: float = field(eq=False)
    """Of this machine."""


def run_simulated(make_venue: MakeVenue, seed: int, *, steps: int = STEPS) -> Verdict:
    """One run in virtual time, over a network in memory: the same each time."""
    random = Random(seed)
    network = MemoryNetwork(latency=0.001, jitter=random.choice((0.0, 0.01, 0.1)), seed=seed)

    async def life() -> Verdict:
        return await _live(make_venue(seed), seed, steps, simulated=True)

    return simulate(life, seed=seed, network=network)


async def run_wired(make_venue: MakeVenue, seed: int, *, steps: int = STEPS) -> Verdict:
    """One run in real time, over real sockets on loopback."""
    return await _live(make_venue(seed), seed, steps, simulated=False)


async def _live(venue: ChaosVenue, seed: int, steps: int, *, simulated: bool) -> Verdict:
    began, before = time.perf_counter(), asyncio.all_tasks()
    random, fired = Random(seed), Counter[str]()
    with listening(venue.canaries) as canaries:
        witness = Witness(canaries)
        async with set_up(venue, random, simulated=simulated) as stage:
            trader = Trader(stage, witness)
            await _trade(stage, trader, witness, fired, steps)
            wrong = await _come_to_rest(stage, trader, witness)
            canaries.look_over(stage.broker)
            await stage.broker.disconnect()
            wrong += open_connections(stage)
    if simulated:
        await asyncio.sleep(_LAST_BYTES)
        wrong += left_behind(before)
    return Verdict(
        seed=seed,
        violations=(*wrong, *sorted(set(canaries.caught))),
        fired=dict(fired),
        trace=witness.trace,
        orders=len(trader.placed),
        events=witness.events.total(),
        seconds=time.perf_counter() - began,
    )


_LAST_BYTES = 1.0
"""Seconds until what was sent over a network that is fine has arrived."""


async def _trade(
    stage: Stage, trader: Trader, witness: Witness, fired: Counter[str], steps: int
) -> None:
    stage.broker.on_event(witness.saw)
    stage.broker.on_error(witness.failed)
    if stage.random.random() < _CONNECTS_BADLY:
        fitting = [one for one in _faults(stage) if Action.CONNECT in one.actions]
        await _step(stage, trader, Action.CONNECT, stage.random.choice(fitting), fired)
    await trader.begin()
    for _ in range(steps):
        fault = _some_fault(stage) if stage.random.random() < _FAULTY else None
        await _step(stage, trader, _some_action(stage, fault), fault, fired)


_CONNECTS_BADLY = 0.25


async def _step(
    stage: Stage, trader: Trader, action: Action, fault: ChaosFault | None, fired: Counter[str]
) -> None:
    """One action, with a fault or without; afterwards everything works again."""
    planned = 0
    if fault is not None:
        striking = fault.strike(stage, action, stage.random)
        if striking is not None:
            await striking
        planned = stage.pending
    await trader.do(action)
    if fault is not None and (fault.at_once or stage.pending < planned):
        fired[fault.name] += 1
    await stage.heal()


def _faults(stage: Stage) -> list[ChaosFault]:
    return [*NETWORK, *stage.venue.faults]


def _some_fault(stage: Stage) -> ChaosFault:
    """Each as often as any other, however few actions it goes with."""
    return stage.random.choice([one for one in _faults(stage) if one.actions & _WEIGHTS.keys()])


def _some_action(stage: Stage, fault: ChaosFault | None) -> Action:
    fitting = [one for one in _WEIGHTS if fault is None or one in fault.actions]
    return stage.random.choices(fitting, [_WEIGHTS[one] for one in fitting])[0]


async def _come_to_rest(stage: Stage, trader: Trader, witness: Witness) -> list[str]:
    """What is still wrong when the market stands still, and all have had the time to find out."""
    stage.exchange.close_market()
    await stage.heal()
    for _ in range(_LOOKS):
        await stage.sleep(_PAUSE)
        wrong = await violations(stage, trader.placed, witness)
        if not wrong:
            break
    return wrong


_LOOKS, _PAUSE = 40, 5.0
"""How often, and every how many seconds, it is looked whether all is known: 200 s at most."""
