"""Marks a test of the kit with what it proves, and makes it a test that pytest can run."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache, wraps
from itertools import product
from typing import Any, ClassVar, NoReturn

import pytest
from attrs import frozen

from tradeforge_core import Capabilities
from tradeforge_core.registry import load_sandbox_module
from tradeforge_testing.chaos.campaign import load_chaos_venue
from tradeforge_testing.chaos.faults import NETWORK, Action, ChaosFault
from tradeforge_testing.chaos.run import MakeVenue
from tradeforge_testing.conformance.life import live
from tradeforge_testing.conformance.met import FaultRun
from tradeforge_testing.conformance.specification import declares, specification
from tradeforge_testing.conformance.trial import Trial


class Why(StrEnum):
    """Why a provider does not keep a requirement, and says so."""

    VENUE = "unsupported by venue"
    NOT_YET = "not yet"
    BUG = "known bug"


@frozen
class Known:
    """A requirement that fails, and is known to: it has to fail, until this is taken away."""

    why: Why
    reason: str
    link: str


def known_of(provider: str) -> Mapping[str, Known]:
    """What the module of its sandbox says by `conformance_known()`, if it does."""
    says = getattr(load_sandbox_module(provider), "conformance_known", None)
    found: Mapping[str, Known] = {} if says is None else says()
    return found


class Suite:
    """What every class of tests has; `known` are the requirements that fail for a reason."""

    provider: ClassVar[str] = ""
    known: ClassVar[Mapping[str, Known]] = {}
    only_fault: ClassVar[str | None] = None
    """The one fault to run under, to look at a failure again."""
    only_seed: ClassVar[int | None] = None
    met: ClassVar[list[FaultRun]] = []
    """What the last test was run under."""
    declared: ClassVar[Capabilities | None] = None
    """What the provider declares, once a test has met it."""

    def make_venue(self) -> MakeVenue:
        """What makes the venue of a seed, by default that of the provider's sandbox."""
        return _venue_of(type(self))  # type: ignore[arg-type]  # any class can be hashed


@cache  # to look through all that is installed costs as much as a short test
def _venue_of(suite: type[Suite]) -> MakeVenue:
    return load_chaos_venue(suite.provider)


Body = Callable[[Any, Trial], Awaitable[None]]
Test = Callable[[Any], None]

NO_FAULT = "not declared: the sandbox has no fault of rows"
"""What is said of a test that was not run because nothing can go wrong at this venue."""

PROVES = "tradeforge_proves"
"""The attribute of a test that has the ids."""
UNDER = "tradeforge_under"
"""That which has the rows of the faults."""


def proves(
    *ids: str,
    connected: bool = True,
    follows: bool = True,
    under: tuple[str, ...] = (),
    beside: Action = Action.PLACE,
    lives: int = 1,
) -> Callable[[Body], Test]:
    """A test of these requirements: its body gets a `Trial`, in virtual time.

    It is `connected`, and `follows` the account, before the body begins. With `under`, rows of the
    fault catalogue, the body is run for each fault that stands for one of them and can happen
    beside the action; it calls `trial.strike` when it should. Each is run in so many `lives`, with
    another seed in each: a fault draws by it whether the venue has done what it does not answer.
    Where there is no such fault, the test is not run, and counts as not declared.
    """

    def mark(body: Body) -> Test:
        @wraps(body)
        def test(self: Suite) -> None:
            known = [self.known[one] for one in ids if one in self.known]
            self.met.clear()
            try:
                for fault, seed in _runs(self, under, beside, lives):
                    _run(self, body, ids, fault, seed, connected=connected, follows=follows)
            except pytest.skip.Exception:
                raise
            except BaseException as error:
                if known:
                    pytest.xfail(f"{known[0].why}: {known[0].reason} ({known[0].link})")
                _explain(error, test.__doc__, self, ids[0])
                raise
            if under and not any(run.fired for run in self.met):
                without_faults(under)  # none of them happened, so nothing was proven
            if known:
                pytest.fail(f"it passes now: take {', '.join(ids)} out of `known`")

        del test.__wrapped__  # pytest would look for fixtures of the body's arguments
        setattr(test, PROVES, ids)
        setattr(test, UNDER, under)
        return test

    return mark


def _run(
    suite: Suite,
    body: Body,
    ids: tuple[str, ...],
    fault: ChaosFault | None,
    seed: int,
    *,
    connected: bool,
    follows: bool,
) -> None:
    needs = {specification().requirements[one].needs for one in ids}

    def undeclared_by(has: Capabilities) -> list[str]:
        type(suite).declared = has
        return [one for one in needs if one and not declares(has, one)]

    def count(times: int) -> None:
        if fault is not None:
            run = FaultRun(fault=fault.name, rows=fault.rows, seed=seed, fired=times)
            suite.met.append(run)

    undeclared = live(
        suite.make_venue(),
        lambda trial: body(suite, trial),
        connected=connected,
        follows=follows,
        fault=fault,
        seed=seed,
        unless=undeclared_by,
        fired=count,
    )
    if undeclared:
        pytest.skip(f"not declared: {', '.join(undeclared)}")


def _runs(
    suite: Suite, rows: tuple[str, ...], beside: Action, lives: int
) -> Iterator[tuple[ChaosFault | None, int]]:
    """Every fault, by every seed; if one of them is chosen, that alone."""
    faults = _faults(suite.make_venue(), rows, beside)
    seeds = range(1, lives + 1) if suite.only_seed is None else (suite.only_seed,)
    fitting = [one for one in faults if suite.only_fault in (None, one and one.name)]
    return product(fitting, seeds)


def _faults(
    make_venue: MakeVenue, rows: tuple[str, ...], beside: Action
) -> list[ChaosFault | None]:
    if not rows:
        return [None]
    every = (*NETWORK, *make_venue(0).faults)
    fitting = [one for one in every if beside in one.actions and set(one.rows) & set(rows)]
    if not fitting:  # nothing was proven, so nothing may look as if it were
        without_faults(rows)
    return [*fitting]


def without_faults(rows: tuple[str, ...]) -> NoReturn:
    """End a test that the venue of this provider cannot fail for: it counts as not declared."""
    pytest.skip(f"{NO_FAULT} {', '.join(rows)}")


def undeclared(what: str) -> NoReturn:
    """End a test that needs what this provider does not declare."""
    pytest.skip(f"not declared: {what}")


def _explain(error: BaseException, doc: str | None, suite: Suite, requirement: str) -> None:
    """Say what the requirement is, what to look at, and how to run it again."""
    text = specification().requirements[requirement].text
    error.add_note(f"{requirement}: {text}")
    if doc:
        error.add_note(f"Look here: {doc.strip()}")
    again = reproduction(suite.provider, requirement, suite.met)
    error.add_note(f"Run it again: {again}")


def reproduction(provider: str, requirement: str, runs: Sequence[FaultRun]) -> str:
    """The command that runs it again; a test that fails has failed in the last of its runs."""
    again = f"tradeforge conformance {provider} --only {requirement}"
    return f"{again} --fault {runs[-1].fault} --seed {runs[-1].seed}" if runs else again
