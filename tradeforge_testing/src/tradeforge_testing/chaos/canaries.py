"""Looks for secrets in all that is said: in logs, errors, events, and by the objects themselves."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from tradeforge_testing.chaos.belongings import belongings


class Canaries(logging.Handler):
    """Keeps what it catches, without the secret."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = [one for one in secrets if one]
        self.caught: list[str] = []
        self.before: tuple[int, dict[str, object]] = (logging.WARNING, {})
        """How logging was set before anybody listened."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += "".join(traceback.format_exception(record.exc_info[1]))
        self.look(text, f"the log {record.name}")

    def look_at(self, error: BaseException) -> None:
        """Look for secrets in all that is printed of it."""
        self.look("".join(traceback.format_exception(error)) + repr(error), type(error).__name__)

    def look_over(self, owner: object) -> None:
        """Look for secrets in what it, and all that belongs to it, says of itself."""
        for one in belongings(owner):
            kind = type(one)
            for said in _own_words(kind):  # type: ignore[arg-type]  # a class has a hash
                self.look(said(one), f"the repr of a {kind.__name__}")

    def look(self, text: str, where: str) -> None:
        if any(one in text for one in self._secrets):
            self.caught.append(f"I11 a secret is in {where}")


@cache
def _own_words(kind: Any) -> frozenset[Callable[[object], str]]:
    return frozenset({kind.__repr__, kind.__str__} - {object.__repr__, object.__str__})


@contextmanager
def listening(secrets: Sequence[str]) -> Iterator[Canaries]:
    """Everything that is logged, from DEBUG on, whoever says it, is looked at.

    Several may listen at a time; when the last one leaves, logging is as it was before the first.
    """
    root, canaries = logging.getLogger(), Canaries(secrets)
    others = [one for one in root.handlers if isinstance(one, Canaries)]
    canaries.before = others[0].before if others else (root.level, _details())
    root.addHandler(canaries)
    root.setLevel(logging.DEBUG)
    vars(logging).update(_DETAILS)
    try:
        yield canaries
    finally:
        root.removeHandler(canaries)
        if not any(isinstance(one, Canaries) for one in root.handlers):
            level, details = canaries.before
            root.setLevel(level)
            vars(logging).update(details)


def _details() -> dict[str, object]:
    return {name: getattr(logging, name) for name in _DETAILS}


_DETAILS = {
    "logThreads": False,
    "logProcesses": False,
    "logMultiprocessing": False,
    "_srcfile": None,
}
"""What `logging` leaves out of each record if it is told so by these names: it takes a while."""
