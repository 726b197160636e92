"""What a test can ask the sandbox to get wrong, once, on the next request of a path."""

from collections import defaultdict, deque
from enum import StrEnum

import attrs


class Fault(StrEnum):
    HANG = "hang"
    """No answer ever comes; the connection stays open until the client gives up."""
    RESET = "reset"
    """The connection is reset where the answer should come."""
    TRUNCATED = "truncated"
    """The first half of the answer, as if it were all."""
    HTML = "html"
    """A page of a proxy, with status 200."""


@attrs.frozen
class PlannedFault:
    fault: Fault | int
    """An integer is an HTTP status, with an empty body."""
    handled: bool
    """Whether the request takes effect before its answer is spoiled."""


class FaultPlan:
    """The faults still to come, by path, first planned first."""

    def __init__(self) -> None:
        self._by_path: defaultdict[str, deque[PlannedFault]] = defaultdict(deque)

    def add(self, path: str, planned: PlannedFault) -> None:
        self._by_path[path.lower()].append(planned)

    def take(self, path: str) -> PlannedFault | None:
        planned = self._by_path.get(path.lower())
        return planned.popleft() if planned else None
