"""What a test can ask the sandbox to get wrong with the next requests of a path."""

from collections import defaultdict, deque
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypedDict

from attrs import define, field, fields, frozen

from tradeforge_testing.sandbox.books import Books

ELSEWHERE = "/elsewhere"
"""Where a redirect leads unless it is told otherwise; who comes there is counted."""


class Fault(StrEnum):
    HANG = "hang"
    """No answer ever comes; the connection stays open until the client gives up."""
    RESET = "reset"
    """The connection is reset where the answer should come."""
    TRUNCATED = "truncated"
    """The first half of the answer, as if it were all."""
    BROKEN_OFF = "broken_off"
    """The first half of the answer, which is shorter than it says, and the connection ends."""
    HTML = "html"
    """A page of a proxy, with status 200."""
    EMPTY = "empty"
    """Status 200, and nothing."""
    PROBLEM = "problem"
    """Status 400, and the details that the venue has for a body that it does not understand."""
    ENVELOPE = "envelope"
    """The answer with another `code` and `message`, and with the members of `body` if need be."""
    JSON = "json"
    """`body` as the whole answer, whatever its shape."""
    MISTYPED = "mistyped"
    """The answer is right, and said to be plain text."""
    DELAY = "delay"
    """The answer is right and late; a request that is not handled before is handled after."""
    DRIP = "drip"
    """The answer is right and comes byte by byte, `seconds` apart."""
    STALE = "stale"
    """A read shows orders, fills and positions as they were when the fault was planned."""


class FaultDetails(TypedDict, total=False):
    """What can be said about a planned fault; `PlannedFault` says what it means."""

    handled: bool
    retry_after: int | str | None
    location: str | None
    seconds: float
    code: int | None
    message: str | None
    body: Any


@frozen(kw_only=True)
class PlannedFault:
    """Raises `ValueError` for a detail that does not go with the fault."""

    fault: Fault | int
    """An integer is an HTTP status from 300 on, with an empty body."""
    handled: bool = True
    """Whether the request takes effect before its answer is spoiled."""
    retry_after: int | str | None = None
    """What the header of that name says, next to a status."""
    location: str | None = None
    """Where a status below 400 leads: a path, or the address of another server."""
    seconds: float = 0.0
    """How late the answer is, or its next byte."""
    code: int | None = None
    """The error code of an envelope; zero is a success."""
    message: str | None = None
    """The error message of an envelope."""
    body: Any = None
    """What the answer is, or which members of an envelope are different."""
    books: Books | None = field(default=None, repr=False)
    """What a stale answer shows."""

    def __attrs_post_init__(self) -> None:
        _check(self)

    @property
    def headers(self) -> dict[str, str]:
        """Those that go with a status."""
        texts = {"Retry-After": self.retry_after, "Location": self.location}
        if _kind(self.fault) == _REDIRECT and self.location is None:
            texts["Location"] = ELSEWHERE
        return {name: str(text) for name, text in texts.items() if text is not None}


_STATUS, _REDIRECT = "a status", "a redirect"
_GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "retry_after": (_STATUS, _REDIRECT),
    "location": (_REDIRECT,),
    "seconds": (Fault.DELAY, Fault.DRIP),
    "code": (Fault.ENVELOPE,),
    "message": (Fault.ENVELOPE,),
    "body": (Fault.ENVELOPE, Fault.JSON),
}
RIGHT = Fault.MISTYPED, Fault.DRIP, Fault.STALE
"""The faults of answers that say what is so; their requests are always handled."""


def _kind(fault: Fault | int) -> str:
    if isinstance(fault, Fault):
        return fault
    return _STATUS if fault >= 400 else _REDIRECT


def _check(planned: PlannedFault) -> None:
    fault, kind = planned.fault, _kind(planned.fault)
    if not isinstance(fault, Fault) and not 300 <= fault <= 599:
        raise ValueError(f"{fault} is no status of a redirect or a failure: take 300 to 599")
    for one in fields(PlannedFault):
        kinds = _GOES_WITH.get(one.name, (kind,))
        if getattr(planned, one.name) != one.default and kind not in kinds:
            raise ValueError(f"{one.name} goes with {' or '.join(kinds)}, not with {kind}")
    if fault in RIGHT and not planned.handled:
        raise ValueError(f"the answer of {fault} is right, so that its request is always handled")
    if fault is Fault.ENVELOPE:
        _check_envelope(planned)
    _check_headers(planned.headers)


def _check_envelope(planned: PlannedFault) -> None:
    if planned.code is None:
        raise ValueError("an envelope needs a code")
    if not isinstance(planned.body, dict | None):
        raise ValueError("the body of an envelope is an object: the members that are different")


def _check_headers(headers: Mapping[str, str]) -> None:
    """A header can say anything but what would end it."""
    for name, text in headers.items():
        if not (text.isascii() and text.isprintable()) or text != text.strip():
            raise ValueError(f"{name} cannot be {text!r}: only printable ASCII can be sent")


@define
class _Several:
    planned: PlannedFault
    left: int


class FaultPlan:
    """The faults still to come, by path, first planned first."""

    def __init__(self) -> None:
        self._by_path: defaultdict[str, deque[_Several]] = defaultdict(deque)

    def add(self, path: str, planned: PlannedFault, count: int = 1) -> None:
        if count < 1:
            raise ValueError(f"a fault happens once at least, not {count} times")
        self._by_path[path.lower()].append(_Several(planned, count))

    def forget(self) -> None:
        self._by_path.clear()

    @property
    def left(self) -> int:
        """How many requests will still be spoiled."""
        return sum(one.left for several in self._by_path.values() for one in several)

    def take(self, path: str) -> PlannedFault | None:
        several = self._by_path.get(path.lower())
        if not several:
            return None
        first = several[0]
        first.left -= 1
        if not first.left:
            several.popleft()
        return first.planned
