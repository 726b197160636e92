"""What can go wrong, and beside which action of the trader; the faults of every network."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from attrs import field, frozen

from tradeforge_testing.proxy import (
    Cut,
    Delay,
    Direction,
    Drop,
    Fault,
    Hold,
    NextConnection,
    NextRequest,
    Now,
    Slice,
    Throttle,
    When,
)

if TYPE_CHECKING:
    from tradeforge_testing.chaos.stage import Stage


class Action(StrEnum):
    """What the trader does in one step."""

    CONNECT = "connect"
    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    CLOSE = "close"
    FLATTEN = "flatten"
    READ = "read"
    WAIT = "wait"


CONNECTED = frozenset(Action) - {Action.CONNECT}
MOVING = frozenset({Action.PLACE, Action.CLOSE, Action.FLATTEN})
"""What makes events."""
ASKING = frozenset(Action) - {Action.WAIT}
"""Those that send requests."""
WRITING = ASKING - {Action.CONNECT, Action.READ}

Strike = Callable[["Stage", Action, Random], Awaitable[None] | None]


def _split(rows: str) -> tuple[str, ...]:
    return tuple(rows.split())


@frozen
class ChaosFault:
    """One way to fail. `rows` are the entries of the fault catalogue it stands for, as `F03 F05`.

    `strike` begins it, right before the action; what it plans and nothing meets is forgotten after
    the step, and was not fired.
    """

    name: str
    rows: tuple[str, ...] = field(converter=_split)
    strike: Strike = field(repr=False)
    actions: frozenset[Action] = field(default=frozenset(Action), repr=False, kw_only=True)
    at_once: bool = field(default=False, kw_only=True)
    """Whether it happens when it strikes, and needs nobody to meet it."""


def _plan(*faults: Fault, when: When) -> Strike:
    def strike(stage: "Stage", action: Action, random: Random) -> None:
        stage.proxy.plan(*faults, when=when)

    return strike


def _refuse(stage: "Stage", action: Action, random: Random) -> None:
    """Nobody is served who comes anew, and who is there has to come anew."""
    stage.proxy.refuse()
    stage.proxy.plan(Drop(rst=True), when=Now())


def _cut_stream(stage: "Stage", action: Action, random: Random) -> None:
    """Who comes anew is cut off after a few bytes, and who is there has to come anew."""
    stage.proxy.plan(Cut(after=random.randrange(1, 400)), when=NextConnection(), count=2)
    stage.proxy.plan(Drop(rst=True), when=Now())


def _half_request(stage: "Stage", action: Action, random: Random) -> None:
    after, rst = random.randrange(1, 400), random.random() < 0.5
    cut = Cut(after=after, direction=Direction.UPSTREAM, rst=rst)
    stage.proxy.plan(cut, when=NextRequest(b"POST"))


def _half_answer(stage: "Stage", action: Action, random: Random) -> None:
    stage.proxy.plan(Cut(after=random.randrange(1, 300)), when=NextRequest(b"POST"))


_POST = NextRequest(b"POST")


def _net(
    name: str,
    rows: str,
    strike: Strike,
    actions: frozenset[Action] = ASKING,
    *,
    at_once: bool = False,
) -> ChaosFault:
    return ChaosFault(f"net.{name}", rows, strike, actions=actions, at_once=at_once)


NETWORK = (
    _net("refused", "F01", _refuse, at_once=True),
    _net("reset_after_request", "F03", _plan(Cut(rst=True), when=_POST)),
    _net("end_after_request", "F03", _plan(Cut(), when=_POST)),
    _net("half_request", "F04", _half_request),
    _net("half_answer", "F09", _half_answer),
    _net("dropped_request", "F03 F05", _plan(Drop(), when=_POST)),
    _net("reset_request", "F03 F05", _plan(Drop(rst=True), when=_POST)),
    _net("answer_never_comes", "F07", _plan(Hold(direction=Direction.DOWNSTREAM), when=_POST)),
    _net("request_never_arrives", "F07", _plan(Hold(direction=Direction.UPSTREAM), when=_POST)),
    _net("late_answer", "F06", _plan(Delay(seconds=20.0), when=_POST)),
    _net("slow_answer", "F06", _plan(Throttle(bytes_per_second=400), when=_POST)),
    _net("sliced_answer", "F51", _plan(Slice(size=7), when=_POST)),
    _net("idle_dropped", "F05", _plan(Drop(), when=Now()), at_once=True),
    _net("idle_reset", "F05 F46", _plan(Drop(rst=True), when=Now()), at_once=True),
    _net("half_open", "F44", _plan(Hold(), when=Now()), at_once=True),
    _net("slow_link", "F59", _plan(Delay(seconds=3.0), when=Now()), at_once=True),
    _net("sliced_link", "F51", _plan(Slice(size=11), when=Now()), at_once=True),
    _net("new_ones_cut", "F48 F49", _cut_stream),
)
"""What a network does, whoever the venue is."""
