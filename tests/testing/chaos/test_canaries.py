"""A secret is found wherever it is said, and is not said again."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import define, field, frozen

from tradeforge_core import Secret
from tradeforge_testing.chaos.canaries import Canaries, listening

SECRET = "s3cret"


@pytest.fixture
def canaries() -> Iterator[Canaries]:
    with listening([SECRET, ""]) as canaries:
        yield canaries
    assert SECRET not in str(canaries.caught)


@pytest.mark.parametrize("name", ["httpcore.http11", "asyncio", "tradeforge_core", "whoever"])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_in_the_log_of_anybody(canaries: Canaries, name: str, level: int) -> None:
    logging.getLogger(name).log(level, "key=%s", SECRET)
    assert canaries.caught == [f"I11 a secret is in the log {name}"]


def test_in_the_traceback_of_a_log(canaries: Canaries) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("whoever").exception("it failed")
    assert canaries.caught == ["I11 a secret is in the log whoever"]


def _its_cause() -> Exception:
    error = ValueError("it failed")
    error.__cause__ = KeyError(SECRET)
    return error


def _what_was_before() -> Exception:
    error = ValueError("it failed")
    error.__context__ = KeyError(SECRET)
    return error


def _its_note() -> Exception:
    error = ValueError("it failed")
    error.add_note(f"with {SECRET}")
    return error


def _one_of_many() -> Exception:
    return ExceptionGroup("some failed", [ValueError("one"), ValueError(SECRET)])


@pytest.mark.parametrize("make", [_its_cause, _what_was_before, _its_note, _one_of_many])
def test_in_an_error_and_all_that_is_printed_of_it(
    canaries: Canaries, make: Callable[[], Exception]
) -> None:
    error = make()
    canaries.look_at(error)
    assert canaries.caught == [f"I11 a secret is in {type(error).__name__}"]


@frozen
class _Talks:
    key: Any


@frozen
class _Hides:
    key: str = field(repr=False)


@define
class _Slotted:
    inside: Any = field(repr=False)


class _Plain:
    def __init__(self, inside: Any) -> None:
        self.inside = inside


@pytest.mark.parametrize(
    "around", [_Plain, _Slotted, lambda one: _Plain({"a": [one]}), lambda one: _Plain(deque([one]))]
)
def test_in_what_a_belonging_says_of_itself(
    canaries: Canaries, around: Callable[[object], object]
) -> None:
    canaries.look_over(around(_Talks(SECRET)))
    assert canaries.caught == ["I11 a secret is in the repr of a _Talks"]


def test_what_goes_round_in_a_circle_is_looked_at_once(canaries: Canaries) -> None:
    circle = _Plain(None)
    circle.inside = [circle, _Talks(SECRET)]
    canaries.look_over(circle)
    assert len(canaries.caught) == 1


def test_what_is_hidden_is_no_alarm(canaries: Canaries) -> None:
    canaries.look_over(_Plain([_Hides(SECRET), _Talks(Secret(SECRET))]))
    canaries.look_at(ValueError("harmless"))
    logging.getLogger("whoever").debug("harmless")
    assert canaries.caught == []


def _settings() -> tuple[object, ...]:
    root = logging.getLogger()
    return root.level, list(root.handlers), logging.logThreads, logging.logProcesses


def test_it_listens_no_longer_than_it_is_told() -> None:
    before = _settings()
    with listening([SECRET]):
        assert logging.getLogger().level == logging.DEBUG
    assert _settings() == before


def test_runs_side_by_side_listen_to_their_end() -> None:
    before = _settings()
    first, second = listening(["one"]), listening(["two"])
    first.__enter__()
    canaries = second.__enter__()
    first.__exit__(None, None, None)
    logging.getLogger("whoever").debug("two")
    second.__exit__(None, None, None)
    assert canaries.caught == ["I11 a secret is in the log whoever"]
    assert _settings() == before
