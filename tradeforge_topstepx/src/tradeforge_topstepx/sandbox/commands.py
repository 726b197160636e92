"""What can be done to this sandbox over HTTP: one row of a table for each command."""

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from msgspec.structs import asdict

from tradeforge_testing.sandbox.control import Arguments, Command, Count, Seconds
from tradeforge_testing.sandbox.exchange_commands import (
    BACK_OFFICE_COMMANDS,
    EXCHANGE_COMMANDS,
    OfContract,
)
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_testing.sandbox.signalr.event_faults import EventFault
from tradeforge_testing.sandbox.signalr.hub import Silence
from tradeforge_testing.sandbox.usual_commands import EXPIRE_TOKENS, FORGET_FAULTS, LAG_READS
from tradeforge_topstepx.sandbox.hubs import Hubs
from tradeforge_topstepx.sandbox.limits import RateLimit, RateLimits

if TYPE_CHECKING:
    from tradeforge_topstepx.sandbox.sandbox import TopStepXSandbox

Status = Annotated[int, Meta(ge=300, le=599)]


class Reset(Arguments):
    seed: int | None = None


class OfHubs(Arguments):
    hubs: Hubs = Hubs.BOTH


class DropHubs(OfHubs):
    allow_reconnect: bool = True


class MuteHubs(OfHubs):
    silence: Silence | None = Silence.EVENTS


class DelayEvents(OfHubs, kw_only=True):
    seconds: Seconds


class FailEvents(Arguments):
    event: str
    fault: EventFault
    count: Count = 1


class LogOut(OfHubs):
    reason: str | None = None


class Say(OfHubs, kw_only=True):
    text: str


class FailNext(Arguments):
    path: str
    fault: Fault | Status
    count: Count = 1
    handled: bool = True
    retry_after: int | str | None = None
    location: str | None = None
    seconds: Seconds = 0.0
    code: int | None = None
    message: str | None = None
    body: Any = None


class Limit(Arguments):
    requests: int
    seconds: float


class SetLimits(Arguments):
    enforced: bool = True
    bars: Limit | None = None
    others: Limit | None = None
    retry_after: bool = False


def _set_limits(sandbox: "TopStepXSandbox", given: SetLimits) -> None:
    usual = RateLimits()
    limits = RateLimits(
        bars=_limit(given.bars, usual.bars),
        others=_limit(given.others, usual.others),
        retry_after=given.retry_after,
    )
    sandbox.limits = limits if given.enforced else None


def _limit(given: Limit | None, usual: RateLimit) -> RateLimit:
    return usual if given is None else RateLimit(given.requests, given.seconds)


COMMANDS = (
    Command(
        "reset",
        "begin anew, with the same seed or another; hub connections are closed",
        Reset,
        lambda sandbox, it: sandbox.reset(seed=it.seed),
    ),
    *EXCHANGE_COMMANDS,
    *BACK_OFFICE_COMMANDS,
    Command(
        "roll",
        "expire a contract and list the one that follows; the answer has its id",
        OfContract,
        lambda sandbox, it: sandbox.roll(it.contract_id),
    ),
    # Requests
    Command(
        "fail_next",
        "spoil the answers to the next requests of a path",
        FailNext,
        lambda sandbox, it: sandbox.fail_next(**asdict(it)),
    ),
    LAG_READS,
    Command(
        "half_open",
        "never again answer on a REST connection that is open now",
        Arguments,
        lambda sandbox, it: sandbox.half_open(),
    ),
    Command("set_limits", "set the rate limits, or end them", SetLimits, _set_limits),
    EXPIRE_TOKENS,
    FORGET_FAULTS,
    # Hubs
    Command(
        "drop_hubs",
        "close every hub connection with a close message",
        DropHubs,
        lambda sandbox, it: sandbox.drop_hubs(it.hubs, allow_reconnect=it.allow_reconnect),
    ),
    Command(
        "reset_hubs",
        "cut every hub connection without a word",
        OfHubs,
        lambda sandbox, it: sandbox.reset_hubs(it.hubs),
    ),
    Command(
        "mute_hubs",
        "lose all events, or all that should be said; a silence of null ends it",
        MuteHubs,
        lambda sandbox, it: sandbox.mute_hubs(it.hubs, silence=it.silence),
    ),
    Command(
        "delay_events",
        "tell everything so many seconds later, in its order",
        DelayEvents,
        lambda sandbox, it: sandbox.delay_events(it.seconds, it.hubs),
    ),
    Command(
        "fail_events",
        "spoil the next events of a name on their way",
        FailEvents,
        lambda sandbox, it: sandbox.fail_events(it.event, it.fault, count=it.count),
    ),
    Command(
        "log_out",
        "tell every hub connection that another session took over",
        LogOut,
        lambda sandbox, it: sandbox.log_out(it.hubs, reason=it.reason),
    ),
    Command(
        "say",
        "send a frame to every hub connection, whatever it means",
        Say,
        lambda sandbox, it: sandbox.say(it.text, it.hubs),
    ),
)
