"""Every mutation under every wrong answer: nothing false is said, and nothing is sent twice."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from attrs import field, frozen
from tests.topstepx.order_safety.stage import (
    CANCEL,
    CLOSE,
    MODIFY,
    MUTATIONS,
    PARTIAL_CLOSE,
    PLACE,
    Mutation,
    Row,
    Stage,
    failures,
)

from tradeforge_core import VenueError
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.orders.intents import Operation
from tradeforge_core.outcomes import Rejected, Unknown
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx import _errors

IMPATIENT = HttpTimeouts(answer=1.0, total=1.5)
BOTH = (True, False)
DONE, NOT_DONE = (True,), (False,)
IN_USE = "Specified custom tag is already in use"
TICKET = {"p-ticket": "opaque", "p-time": 15, "p-captcha": False}

SHAPES: list[Any] = [None, [], "done", {}, {"success": "perhaps"}, {"success": None}]


@frozen(kw_only=True)
class Wrong:
    """A wrong answer: its number in the catalogue, how the sandbox gives it, and to what."""

    number: str
    fault: Fault | int
    details: Mapping[str, Any] = field(factory=dict)
    handled: tuple[bool, ...] = BOTH
    """Whether the venue does what it was asked before it answers."""
    mutations: tuple[Mutation, ...] = MUTATIONS
    undone: tuple[type, ...] = (Unknown,)
    timeouts: HttpTimeouts | None = None


def envelope(number: str, code: int, **rest: Any) -> Wrong:
    details = {"code": code, **rest.pop("details", {})}
    return Wrong(number=number, fault=Fault.ENVELOPE, details=details, **rest)


WRONG = [
    Wrong(number="F03", fault=Fault.RESET),
    Wrong(number="F06", fault=Fault.DELAY, details={"seconds": 1.2}, timeouts=IMPATIENT),
    Wrong(number="F06", fault=Fault.DELAY, details={"seconds": 0.1}),
    Wrong(
        number="F06",
        fault=Fault.DRIP,
        details={"seconds": 0.05},
        handled=DONE,
        timeouts=IMPATIENT,
    ),
    Wrong(number="F07", fault=Fault.HANG, timeouts=IMPATIENT),
    *(Wrong(number="F08", fault=status) for status in (500, 502, 503, 504)),
    *(Wrong(number="F08", fault=status) for status in (403, 404, 408, 409, 422)),
    Wrong(number="F08", fault=Fault.PROBLEM),
    *(Wrong(number="F09", fault=one) for one in (Fault.TRUNCATED, Fault.BROKEN_OFF, Fault.EMPTY)),
    Wrong(number="F10", fault=Fault.HTML),
    Wrong(number="F10", fault=Fault.MISTYPED, handled=DONE),
    *(envelope("F13", code) for code in (9999, -1, 2**31)),
    envelope(
        "F14",
        2,
        details={"body": {"orderId": 77}, "message": "Invalid order size."},
        handled=NOT_DONE,
        mutations=(PLACE,),
        undone=(Rejected,),
    ),
    envelope("F15", 2, details={"message": IN_USE}, mutations=(PLACE,), undone=(Rejected,)),
    *(
        Wrong(number="F16", fault=429, details={"retry_after": after})
        for after in (3, "Fri, 31 Dec 9999 23:59:59 GMT", "soon", 315_360_000)
    ),
    Wrong(number="F17", fault=429),
    Wrong(number="F18", fault=Fault.JSON, details={"body": TICKET}),
    Wrong(number="F19", fault=401),
    *(Wrong(number="F20", fault=status) for status in (301, 302, 307, 308)),
    envelope("F39", 0, details={"body": {"orderId": None}}, handled=DONE, mutations=(PLACE,)),
    envelope(
        "F39", 0, details={"body": {"orderId": "3400000000"}}, handled=DONE, mutations=(PLACE,)
    ),
    *(Wrong(number="F39", fault=Fault.JSON, details={"body": body}) for body in SHAPES),
]

CODES: dict[Mutation, _errors.Codes] = {
    PLACE: _errors.PLACE,
    MODIFY: _errors.MODIFY,
    CANCEL: _errors.CANCEL,
    CLOSE: _errors.CLOSE,
    PARTIAL_CLOSE: _errors.PARTIAL_CLOSE,
}

ELSEWHERE = {
    "F01": "the connection: test_truth_table_of_connections.py",
    "F02": "loopback has no certificate: a TLS failure is tests/core/test_http.py",
    "F04": "the connection: test_truth_table_of_connections.py",
    "F05": "the connection: test_truth_table_of_connections.py",
    "F21": "nothing is asked, so nothing answers: test_truth_table_of_connections.py",
    "F22": "the caller, not the venue: test_cancelled_callers.py",
    "F23": "the caller, not the venue: test_cancelled_callers.py",
    "F24": "the process, not the venue: the crash matrix",
    "F25": "the process, not the venue: the crash matrix",
    "F26": "the disk: tests of the journal",
    "F27": "the disk: tests of the journal",
    "F28": "two processes: test_hostile_venue.py, and the lock of the journal",
    "F29": "names are random, see tests/core/test_client_ids.py",
    "F30": "a name of another: test_hostile_venue.py",
    "F31": "a race: test_races.py",
    "F32": "a race: test_races.py",
    "F33": "a race: test_races.py",
    "F34": "a close in any row of this table is one; it is sent once",
    "F35": "many requests: test_races.py",
    "F36": "a family of orders: test_brackets.py",
    "F37": "the venue has no requests for more than one order",
    "F38": "is refused before it is sent: tests/core/test_checks.py",
}
"""Faults that are no wrong answer to one request, and who tries them."""


def _answers() -> Iterator[Row]:
    for wrong in WRONG:
        for mutation in wrong.mutations:
            for handled in wrong.handled:
                yield _row(wrong, mutation, handled)


def _codes() -> Iterator[Row]:
    """What is documented: proof of a refusal, or a request that is pending."""
    for mutation, codes in CODES.items():
        for code, refusal in codes.items():
            proof = refusal.error is not VenueError
            undone = (Rejected,) if proof else (Unknown,)
            number = "F11" if proof else "F12"
            for handled in NOT_DONE if proof else BOTH:
                yield _row(envelope(number, code, undone=undone), mutation, handled)


def _row(wrong: Wrong, mutation: Mutation, handled: bool) -> Row:
    details = {**wrong.details, "handled": handled}
    return Row(
        fault=f"{wrong.number} {wrong.fault} {dict(wrong.details)} {'' if handled else 'not '}done",
        mutation=mutation,
        spoil=partial(_spoil, mutation.path, wrong.fault, details),
        undone=wrong.undone,
        timeouts=wrong.timeouts,
        most_requests=3 if mutation.operation is Operation.CANCEL else 1,
    )


def _spoil(path: str, fault: Fault | int, details: Mapping[str, Any], on: Stage) -> None:
    on.sandbox.fail_next(path, fault, **details)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_wrong_answer_leads_to_nothing_false(mutation: Mutation) -> None:
    wrong = failures(row for row in _answers() if row.mutation is mutation)
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_documented_code_is_what_it_says() -> None:
    wrong = failures(_codes())
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_fault_of_the_catalogue_has_its_place() -> None:
    tried = {wrong.number for wrong in WRONG} | {"F11", "F12"}
    assert not tried & set(ELSEWHERE)
    assert tried | set(ELSEWHERE) == {f"F{number:02}" for number in range(1, 40)}
