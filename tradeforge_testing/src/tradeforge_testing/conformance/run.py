"""Runs the kit against an installed provider, and gives the report."""

import os
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from tradeforge_core import Capabilities
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.conformance.chosen import choose
from tradeforge_testing.conformance.proving import PROVES
from tradeforge_testing.conformance.report import Report, TestResult, Verdict
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
    told: Told = lambda result, tests: None,
) -> Report:
    """Run every test, or those of the requirements or areas `only` names.

    `told` hears of each test as it ends, and how many there are. Raises `ProviderNotFound`,
    `LookupError` for a provider whose sandbox brings no venue along, and `ValueError` for what is
    no requirement and no area.
    """
    from tradeforge_testing.chaos.campaign import load_chaos_venue

    load_chaos_venue(provider)
    wanted = _wanted(only)
    choose(provider)
    ear = Ear(wanted, told)
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


def versions(provider: str) -> dict[str, str]:
    """Of everything that takes part in a run."""
    (found,) = entry_points(group="tradeforge.providers", name=provider)
    assert found.dist is not None
    names = ("tradeforge-core", "tradeforge-testing", found.dist.name)
    return {name: version(name) for name in names} | {"python": platform.python_version()}


class Ear:
    """Hears what pytest tells of the tests of the kit; with `wanted`, others are not run."""

    def __init__(
        self, wanted: frozenset[str] | None = None, told: Told = lambda result, tests: None
    ) -> None:
        self.results: list[TestResult] = []
        self.faults = Counter[str]()
        self._wanted = wanted
        self._told = told
        self._declared = Capabilities()
        self._clock = current_clock()
        self._began, self._watch = self._clock.now(), self._clock.monotonic()
        self._proves: dict[str, tuple[str, ...]] = {}

    def report(self, provider: str) -> Report:
        """What has been heard so far, as the report of this provider."""
        return Report(
            provider=provider,
            versions=versions(provider),
            capabilities=self._declared,
            specification=specification(),
            began=self._began,
            seconds=self._clock.monotonic() - self._watch,
            tests=self.results,
            faults=dict(self.faults),
        )

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        proofs = {one.nodeid: getattr(getattr(one, "obj", None), PROVES, ()) for one in items}
        if self._wanted is not None:
            items[:] = [one for one in items if self._wanted & set(proofs[one.nodeid])]
        self._proves = {one.nodeid: ids for one in items if (ids := proofs[one.nodeid])}

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        met = getattr(getattr(item, "cls", None), "met", None)
        if met is not None:
            self.faults.update(met)
            met.clear()
        self._declared = getattr(getattr(item, "cls", None), "declared", None) or self._declared

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
        )
        self.results.append(result)
        self._told(result, len(self._proves))


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
