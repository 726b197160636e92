"""Many runs, over all processors, and what came of them."""

import asyncio
import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import partial

from attrs import frozen

from tradeforge_core.registry import load_sandbox_module
from tradeforge_testing.chaos.faults import NETWORK
from tradeforge_testing.chaos.run import MakeVenue, Verdict, run_simulated, run_wired

_PORTION = 20
"""Seeds that a process is given at a time."""
_SIDE_BY_SIDE = 8
"""Runs in real time that wait together in one process."""


@frozen(kw_only=True)
class Report:
    """What came of a campaign; `violations` are those of each seed that has any."""

    provider: str
    wire: bool
    runs: int
    orders: int
    events: int
    rows: Mapping[str, tuple[str, ...]]
    """Each fault that applies, and its entries in the fault catalogue."""
    fired: Mapping[str, int]
    """How often each of them happened, zero included."""
    violations: Mapping[int, tuple[str, ...]]
    traces: Mapping[int, str]

    def reproduction(self, seed: int) -> str:
        """The command that runs this seed again."""
        return f"tradeforge chaos {self.provider} --seed {seed}{' --wire' if self.wire else ''}"


def run_campaign(
    provider: str,
    seeds: Sequence[int],
    *,
    wire: bool = False,
    jobs: int | None = None,
    told: Callable[[int], None] = lambda runs: None,
) -> Report:
    """Run every seed, in `jobs` processes; `told` hears how many runs each portion had.

    Raises `ProviderNotFound` for a provider without a sandbox, and `LookupError` for one whose
    sandbox brings no faults along.
    """
    make_venue = load_chaos_venue(provider)
    verdicts: list[Verdict] = []
    portions = [seeds[at : at + _PORTION] for at in range(0, len(seeds), _PORTION)]
    for some in _verdicts(provider, portions, wire, min(jobs or _processors(), len(portions))):
        verdicts += some
        told(len(some))
    return _report(provider, make_venue, verdicts, wire=wire)


def load_chaos_venue(provider: str) -> MakeVenue:
    """What makes the venue of this provider for a seed."""
    module = load_sandbox_module(provider)
    make_venue: MakeVenue | None = getattr(module, "chaos_venue", None)
    if make_venue is None:
        raise LookupError(
            f"the sandbox of {provider} has no chaos_venue: it cannot be put through chaos"
        )
    return make_venue


def _verdicts(
    provider: str, portions: list[Sequence[int]], wire: bool, jobs: int
) -> Iterator[list[Verdict]]:
    if jobs <= 1:
        yield from (_run_portion(provider, portion, wire) for portion in portions)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, _collect_seldom) as pool:
        waiting: list[Future[list[Verdict]]] = [
            pool.submit(_run_portion, provider, portion, wire) for portion in portions
        ]
        for done in as_completed(waiting):
            yield done.result()


def _collect_seldom() -> None:
    """A run makes much that is garbage at its end: to look through it all the time is dear."""
    gc.set_threshold(50_000, 20, 100)


def _run_portion(provider: str, seeds: Sequence[int], wire: bool) -> list[Verdict]:
    make_venue = load_chaos_venue(provider)
    if wire:
        return asyncio.run(_run_wired(make_venue, seeds))
    return [_judged(partial(run_simulated, make_venue, seed), seed) for seed in seeds]


def _judged(run: Callable[[], Verdict], seed: int) -> Verdict:
    try:
        return run()
    except Exception as error:  # noqa: BLE001  # a run that breaks is a finding like any other
        return _broken(seed, error)


async def _run_wired(make_venue: MakeVenue, seeds: Sequence[int]) -> list[Verdict]:
    room = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def run(seed: int) -> Verdict:
        async with room:
            try:
                return await run_wired(make_venue, seed)
            except Exception as error:  # noqa: BLE001  # as above
                return _broken(seed, error)

    return list(await asyncio.gather(*map(run, seeds)))


def _broken(seed: int, error: Exception) -> Verdict:
    return Verdict(
        seed=seed,
        violations=(f"E the run itself broke: {error!r}",),
        fired={},
        trace="",
        orders=0,
        events=0,
        seconds=0.0,
    )


def _report(
    provider: str, make_venue: MakeVenue, verdicts: Sequence[Verdict], *, wire: bool
) -> Report:
    faults = (*NETWORK, *make_venue(0).faults)
    fired = Counter({one.name: 0 for one in faults})
    for verdict in verdicts:
        fired.update(verdict.fired)
    return Report(
        provider=provider,
        wire=wire,
        runs=len(verdicts),
        orders=sum(one.orders for one in verdicts),
        events=sum(one.events for one in verdicts),
        rows={one.name: one.rows for one in faults},
        fired=dict(fired),
        violations={one.seed: one.violations for one in verdicts if one.violations},
        traces={one.seed: one.trace for one in verdicts},
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
