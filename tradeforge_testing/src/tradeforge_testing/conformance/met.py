"""Which faults a test was run under, whether they happened, and by which seeds."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class FaultRun:
    """One run of a test under one fault; `fired` is how often the fault happened in it."""

    fault: str
    rows: tuple[str, ...]
    """The entries of the fault catalogue that the fault stands for."""
    seed: int
    fired: int


@frozen(kw_only=True)
class FaultCount:
    """All runs under one fault."""

    fault: str
    rows: tuple[str, ...]
    runs: int
    fired: int
    seeds: tuple[int, ...]


def count_faults(runs: Iterable[FaultRun]) -> list[FaultCount]:
    """One count for each fault, by name."""
    of_fault: dict[str, list[FaultRun]] = {}
    for run in runs:
        of_fault.setdefault(run.fault, []).append(run)
    return [_count(some) for _, some in sorted(of_fault.items())]


def _count(runs: list[FaultRun]) -> FaultCount:
    return FaultCount(
        fault=runs[0].fault,
        rows=runs[0].rows,
        runs=len(runs),
        fired=sum(one.fired for one in runs),
        seeds=tuple(sorted({one.seed for one in runs})),
    )


def as_rows(runs: Iterable[FaultRun]) -> list[Mapping[str, Any]]:
    """The counts as JSON can say them."""
    return [
        {
            "fault": one.fault,
            "rows": list(one.rows),
            "runs": one.runs,
            "fired": one.fired,
            "seeds": list(one.seeds),
        }
        for one in count_faults(runs)
    ]
