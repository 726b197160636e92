"""What a test can ask the sandbox to get wrong with the next requests of a path."""

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
    DELAY = "delay"
    """The answer is right and late; a request that is not handled before is handled after."""


@attrs.frozen(kw_only=True)
class PlannedFault:
    fault: Fault | int
    """An integer is an HTTP status, with an empty body."""
    handled: bool = True
    """Whether the request takes effect before its answer is spoiled."""
    retry_after: int | None = None
    """What the header of that name says, next to a status."""
    seconds: float = 0.0
    """How late the answer is."""


class FaultPlan:
    """The faults still to come, by path, first planned first."""

    def __init__(self) -> None:
        self._by_path: defaultdict[str, deque[PlannedFault]] = defaultdict(deque)

    def add(self, path: str, planned: PlannedFault, count: int = 1) -> None:
        self._by_path[path.lower()].extend([planned] * count)

    def forget(self) -> None:
        self._by_path.clear()

    def take(self, path: str) -> PlannedFault | None:
        planned = self._by_path.get(path.lower())
        return planned.popleft() if planned else None
