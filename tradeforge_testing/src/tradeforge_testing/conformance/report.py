"""What came of a run of the kit, requirement by requirement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import asdict, frozen

from tradeforge_core import Capabilities
from tradeforge_testing.conformance.specification import Level, Requirement, Specification


class Verdict(StrEnum):
    """Of a test, and of a requirement: the worst of its tests."""

    KEPT = "kept"
    NOT_DECLARED = "not declared"
    KNOWN = "known"
    """It is broken, and the provider says so and why."""
    BROKEN = "broken"


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


@frozen(kw_only=True)
class Result:
    """One requirement and its tests."""

    requirement: Requirement
    verdict: Verdict
    tests: tuple[TestResult, ...]


@frozen(kw_only=True)
class Report:
    """A whole run. `versions` are those of everything that took part."""

    provider: str
    versions: Mapping[str, str]
    capabilities: Capabilities
    specification: Specification
    began: datetime
    seconds: float
    tests: Sequence[TestResult]
    faults: Mapping[str, int]
    """In how many runs each fault was, by name."""

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
        """Whether every MUST that binds the provider is kept."""
        bound = [one for one in self.results if one.requirement.level is Level.MUST]
        return bool(bound) and all(one.verdict is not Verdict.BROKEN for one in bound)

    def as_data(self) -> dict[str, Any]:
        """For a program: everything, as JSON can say it."""
        return {
            "provider": self.provider,
            "versions": dict(self.versions),
            "specification": self.specification.version,
            "began": self.began.isoformat(),
            "seconds": round(self.seconds, 3),
            "conformant": self.is_conformant,
            "totals": {verdict.value: self.count(verdict) for verdict in Verdict},
            "requirements": [_as_row(one) for one in self.results],
            "faults": dict(sorted(self.faults.items())),
        }


def _as_row(result: Result) -> dict[str, Any]:
    return {
        **asdict(result.requirement),
        "verdict": result.verdict.value,
        "tests": [asdict(one) for one in result.tests],
    }
