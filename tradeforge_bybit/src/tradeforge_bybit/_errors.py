"""What the venue's codes mean. Only a code that proves the refusal becomes one.

Codes that say "time-out", "server error" or "in progress" stay plain `VenueError`, which the order
path takes for an unknown outcome.
"""

from collections.abc import Mapping

from attrs import frozen

from tradeforge_core import (
    VenueError,
)
from tradeforge_core.kit.http import HttpAnswer


@frozen
class Refusal:
    """A short name for a code, and the error it is here."""

    name: str
    error: type[VenueError] = VenueError


SUCCESS = frozenset({0})

CODES: Mapping[int, Refusal] = {}


def refusal(path: str, code: int, text: str | None) -> VenueError:
    """The error for an answer that is no success; a code nobody documented stays visible."""
    known = CODES.get(code, Refusal(f"code {code}"))
    said = f"{path}: {known.name}" + (f": {text}" if text else "")
    return known.error(said, code=code, name=known.name)


def status_error(path: str, answer: HttpAnswer) -> VenueError:
    """The error for an answer that has a status and no envelope."""
    return VenueError(f"{path}: HTTP {answer.status}", code=answer.status)
