"""How long to fuzz: briefly in every test run, for long with `make fuzz`."""

import sys
from collections.abc import Callable, Iterable
from random import SystemRandom
from typing import Any

import pytest

from tradeforge_testing.fuzzing import Read, Survey, fuzz

_CASES = 25_000
"""In a hundred thousand of each, 289 of 291 ways to be read or refused come up before 22,322."""
_SEED = 20_260_819
Fuzzed = Callable[..., Survey]
Tell = Callable[[str, object], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, help="damaged messages for each reader")
    parser.addoption("--seed", type=int, help="of the damage; 0 takes a new one")


@pytest.fixture(scope="session")
def cases(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--cases", None) or _CASES)


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    wanted = request.config.getoption("--seed", None)
    return _SEED if wanted is None else int(wanted) or SystemRandom().randrange(1, 2**32)


@pytest.fixture
def tell(request: pytest.FixtureRequest, cases: int, seed: int) -> Tell:
    """Says how a reader fared, where somebody is watching: not in an ordinary test run."""

    def say(name: str, outcome: object) -> None:
        if cases != _CASES:
            line = f"{name}: {cases} cases of seed {seed}: {outcome}"
            print(line, file=sys.stderr, flush=True)  # noqa: T201  # progress of a long run

    return say


@pytest.fixture
def fuzzed(cases: int, seed: int, tell: Tell) -> Fuzzed:
    """Damages the bodies, has them read, and tells about it."""

    def run(name: str, read: Read, bodies: Iterable[object], **may: Any) -> Survey:
        survey = fuzz(read, bodies, cases=cases, seed=seed, **may)
        tell(name, f"{survey.understood} understood, {survey.refused} refused")
        share = survey.understood / cases
        assert 0.02 < share < 0.98, f"{share:.0%} understood: without both nothing was tested"
        return survey

    return run
