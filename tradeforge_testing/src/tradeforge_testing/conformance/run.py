"""Runs the kit against an installed provider, and gives the report."""

import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from tradeforge_core import Capabilities
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.chaos.faults import NETWORK, ChaosFault
from tradeforge_testing.conformance.chosen import Choice, choose
from tradeforge_testing.conformance.met import FaultRun
from tradeforge_testing.conformance.proving import PROVES, UNDER, Suite
from tradeforge_testing.conformance.report import KIT, Report, TestResult, Verdict
from tradeforge_testing.conformance.specification import specification

_CASES = Path(__file__).with_name("cases.py")
_WITHOUT = ("terminal", "cacheprovider", "logging", "asyncio", "anyio")
_QUIET = [word for name in _WITHOUT for word in ("-p", f"no:{name}")]
Told = Callable[[TestResult, int], None]


def run_conformance(
    provider: str,
    *,
    only: Sequence[str] = (),
    junit: Path | None = None,
    fault: str | None = None,
    seed: int | None = None,
    told: Told = lambda result, tests: None,
) -> Report:
    """Run every test, or those of the requirements or areas `only` names.

    With a fault, only what is tried under it is run, and under it alone; with a seed, only runs by
    that seed. `told` hears of each test as it ends, and how many there are. Raises
    `ProviderNotFound`, `LookupError` for a provider whose sandbox brings no venue along, and
    `ValueError` for what is no requirement and no area, and no fault of this venue.
    """
    from tradeforge_testing.chaos.campaign import load_chaos_venue

    faults = (*NETWORK, *load_chaos_venue(provider)(0).faults)
    ear = Ear(_wanted(only), told, None if fault is None else _rows(fault, faults))
    choose(Choice(provider=provider, fault=fault, seed=seed))
    junit_option = [] if junit is None else [f"--junitxml={junit}"]
    arguments = ["-c", os.devnull, f"--rootdir={_CASES.parent}", *_QUIET, *junit_option]
    ended = pytest.main([*arguments, str(_CASES)], plugins=[ear])
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests of the kit could not be run: pytest ended with {ended}")
    return ear.report(provider)


def _wanted(only: Sequence[str]) -> frozenset[str]:
    """The ids of the requirements, all of them if none is named."""
    spec, chosen = specification(), set[str]()
    for name in only:
        found = {one.id for one in spec.requirements.values() if name in (one.id, one.area)}
        if not found:
            raise ValueError(f"{name} is no requirement and no area: {', '.join(spec.areas)}")
        chosen |= found
    return frozenset(chosen or spec.requirements)


def _rows(fault: str, faults: Sequence[ChaosFault]) -> frozenset[str]:
    """The entries of the fault catalogue that it stands for."""
    for one in faults:
        if one.name == fault:
            return frozenset(one.rows)
    raise ValueError(f"{fault} is no fault here: {', '.join(one.name for one in faults)}")


def distribution(provider: str) -> str:
    """The name of the package that the provider comes from."""
    (found,) = entry_points(group="tradeforge.providers", name=provider)
    assert found.dist is not None
    return found.dist.name


def versions(provider: str) -> dict[str, str]:
    """Of everything that takes part in a run."""
    names = ("tradeforge-core", KIT, distribution(provider))
    return {name: version(name) for name in names} | {"python": platform.python_version()}


class Ear:
    """Hears what pytest tells of the tests of the kit, of one provider or of several.

    With `wanted`, tests of other requirements are not run; with `rows`, none without such faults.
    """

    def __init__(
        self,
        wanted: frozenset[str] | None = None,
        told: Told = lambda result, tests: None,
        rows: frozenset[str] | None = None,
    ) -> None:
        self._results: dict[str, list[TestResult]] = {}
        self._declared: dict[str, Capabilities] = {}
        self._wanted = wanted
        self._rows = rows
        self._told = told
        self._met: tuple[FaultRun, ...] = ()
        self._provider = ""
        self._clock = current_clock()
        self._began, self._watch = self._clock.now(), self._clock.monotonic()
        self._proves: dict[str, tuple[str, ...]] = {}

    def report(self, provider: str) -> Report:
        """What has been heard so far, as the report of this provider."""
        return Report(
            provider=provider,
            distribution=distribution(provider),
            versions=versions(provider),
            capabilities=self._declared.get(provider, Capabilities()),
            specification=specification(),
            began=self._began,
            seconds=self._clock.monotonic() - self._watch,
            tests=self._results.get(provider, []),
        )

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._wanted is not None:
            items[:] = [one for one in items if self._wanted & set(_marked(one, PROVES))]
        if self._rows is not None:
            items[:] = [one for one in items if self._rows & set(_marked(one, UNDER))]
        self._proves = {one.nodeid: ids for one in items if (ids := _marked(one, PROVES))}

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Look at the class of the test, before its report is made by somebody else."""
        suite: type[Suite] | None = getattr(item, "cls", None)
        if suite is None or item.nodeid not in self._proves:
            return
        self._provider = suite.provider
        self._met = tuple(suite.met) if call.when == "call" else ()
        if suite.declared is not None:
            self._declared[suite.provider] = suite.declared

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        ends = report.when == "call" or report.outcome == "failed"
        if not ends or report.nodeid not in self._proves:
            return
        result = TestResult(
            name=report.nodeid.rpartition("::")[2],
            requirements=self._proves[report.nodeid],
            verdict=_verdict(report),
            seconds=round(report.duration, 3),
            detail=_detail(report),
            runs=self._met,
        )
        self._results.setdefault(self._provider, []).append(result)
        self._told(result, len(self._proves))


def _marked(item: pytest.Item, name: str) -> tuple[str, ...]:
    marks: tuple[str, ...] = getattr(getattr(item, "obj", None), name, ())
    return marks


def _verdict(report: pytest.TestReport) -> Verdict:
    if report.outcome == "passed":
        return Verdict.KEPT
    if report.outcome == "skipped":
        return Verdict.KNOWN if hasattr(report, "wasxfail") else Verdict.NOT_DECLARED
    return Verdict.BROKEN


def _detail(report: pytest.TestReport) -> str:
    """What somebody who mends it has to read: the error with its notes, not every line of code."""
    if report.outcome == "passed":
        return ""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail)
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message)
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
