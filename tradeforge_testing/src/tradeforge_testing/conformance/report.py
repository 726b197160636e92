"""What came of a run of the kit, requirement by requirement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import asdict, frozen

from tradeforge_core import Capabilities
from tradeforge_testing.conformance.met import FaultCount, FaultRun, as_rows, count_faults
from tradeforge_testing.conformance.proving import reproduction
from tradeforge_testing.conformance.specification import Requirement, Specification


class Verdict(StrEnum):
    """Of a test, and of a requirement: the worst of its tests."""

    KEPT = "kept"
    NOT_DECLARED = "not declared"
    KNOWN = "known"
    """It is broken, and the provider says so and why."""
    BROKEN = "broken"


KIT = "tradeforge-testing"
"""The distribution that the kit comes from."""

_WORST_LAST = (Verdict.NOT_DECLARED, Verdict.KEPT, Verdict.KNOWN, Verdict.BROKEN)


@frozen(kw_only=True)
class TestResult:
    """One test; `detail` says what went wrong, or why it was not run."""

    __test__ = False  # to pytest the name looks like that of a test

    name: str
    requirements: tuple[str, ...]
    verdict: Verdict
    seconds: float
    detail: str = ""
    runs: tuple[FaultRun, ...] = ()
    """Those under a fault; a test that fails ends with the run that failed."""


@frozen(kw_only=True)
class Result:
    """One requirement and its tests."""

    requirement: Requirement
    verdict: Verdict
    tests: tuple[TestResult, ...]

    @property
    def faults(self) -> list[FaultCount]:
        """Under which it was tried, and how often each happened."""
        return count_faults(run for test in self.tests for run in test.runs)


@frozen(kw_only=True)
class Report:
    """A whole run. `versions` are those of everything that took part.

    `distribution` is the package that the provider comes from.
    """

    provider: str
    distribution: str
    versions: Mapping[str, str]
    capabilities: Capabilities
    specification: Specification
    began: datetime
    seconds: float
    tests: Sequence[TestResult]

    @property
    def faults(self) -> list[FaultCount]:
        """All that went wrong on purpose, by name."""
        return count_faults(run for test in self.tests for run in test.runs)

    @property
    def results(self) -> list[Result]:
        """In the order of the specification; those that were not run are left out."""
        found = []
        for requirement in self.specification.requirements.values():
            tests = tuple(one for one in self.tests if requirement.id in one.requirements)
            if tests:
                verdict = max((one.verdict for one in tests), key=_WORST_LAST.index)
                found.append(Result(requirement=requirement, verdict=verdict, tests=tests))
        return found

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.results)

    @property
    def is_conformant(self) -> bool:
        """Whether every MUST that binds the provider is kept, but for those that are new."""
        bound = [one for one in self.results if self.specification.decides(one.requirement)]
        return bool(bound) and all(one.verdict is not Verdict.BROKEN for one in bound)

    def as_data(self) -> dict[str, Any]:
        """For a program: everything, as JSON can say it."""
        return {
            "provider": self.provider,
            "provider_version": self.versions[self.distribution],
            "kit_version": self.versions[KIT],
            "versions": dict(self.versions),
            "specification": self.specification.version,
            "began": self.began.isoformat(),
            "seconds": round(self.seconds, 3),
            "conformant": self.is_conformant,
            "totals": {verdict.value: self.count(verdict) for verdict in Verdict},
            "requirements": [self._as_row(one) for one in self.results],
            "faults": as_rows(run for test in self.tests for run in test.runs),
        }

    def _as_row(self, result: Result) -> dict[str, Any]:
        return {
            **asdict(result.requirement),
            "verdict": result.verdict.value,
            "faults": as_rows(run for test in result.tests for run in test.runs),
            "tests": [self._as_test(one) for one in result.tests],
        }

    def _as_test(self, test: TestResult) -> dict[str, Any]:
        again = {"reproduce": self.reproduction(test)} if test.verdict is Verdict.BROKEN else {}
        return asdict(test) | {"runs": [asdict(one) for one in test.runs]} | again

    def reproduction(self, test: TestResult) -> str:
        """The command that runs this test again as it ended here."""
        return reproduction(self.provider, test.requirements[0], test.runs)
