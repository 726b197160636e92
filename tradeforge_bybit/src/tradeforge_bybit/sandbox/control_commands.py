"""What can be done to a sandbox over HTTP: one row of a table for each command."""

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from tradeforge_testing.sandbox.control import Arguments, Command, Count
from tradeforge_testing.sandbox.exchange_commands import EXCHANGE_COMMANDS, OfContract
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_testing.sandbox.usual_commands import FORGET_FAULTS, LAG_READS

if TYPE_CHECKING:
    from tradeforge_bybit.sandbox.sandbox import BybitSandbox

Seconds = Annotated[float, Meta(ge=-86_400, le=86_400)]
Delay = Annotated[float, Meta(ge=0, le=86_400)]
Status = Annotated[int, Meta(ge=300, le=599)]


class FailNext(Arguments):
    path: str
    fault: Fault | Status
    count: Count = 1
    handled: bool = True
    code: int | None = None
    message: str | None = None
    seconds: Delay = 0.0


class PublicKey(Arguments):
    pem: str


class Drift(Arguments):
    seconds: Seconds


class OfDelay(Arguments):
    seconds: Delay


class OfSockets(Arguments):
    names: tuple[str, ...] = ()


class MuteSockets(OfSockets):
    mute: bool = True


class Lose(Arguments):
    count: Count = 1


def _fail_next(sandbox: "BybitSandbox", given: FailNext) -> None:
    details: dict[str, Any] = {"handled": given.handled}
    for name in ("code", "message", "seconds"):
        if value := getattr(given, name):
            details[name] = value
    sandbox.fail_next(given.path, given.fault, count=given.count, **details)


COMMANDS = (
    *EXCHANGE_COMMANDS,
    LAG_READS,
    FORGET_FAULTS,
    Command("fail_next", "spoil the next answers of a path", FailNext, _fail_next),
    Command(
        "trust",
        "take requests that are signed by this RSA key, too: the public one, as PEM",
        PublicKey,
        lambda sandbox, it: sandbox.trust(it.pem),
    ),
    Command(
        "drift",
        "have the clock of the venue be ahead, or behind",
        Drift,
        lambda sandbox, it: sandbox.drift(it.seconds),
    ),
    Command(
        "cut_sockets",
        "cut every connection of these sockets, or of all",
        OfSockets,
        lambda sandbox, it: sandbox.cut_sockets(*it.names),
    ),
    Command(
        "mute_sockets",
        "lose all that should be said on these sockets, or on all",
        MuteSockets,
        lambda sandbox, it: sandbox.mute_sockets(*it.names, mute=it.mute),
    ),
    Command(
        "delay_private",
        "tell everything private so much later",
        OfDelay,
        lambda sandbox, it: sandbox.delay_private(it.seconds),
    ),
    Command(
        "lose_trade_answers",
        "do what the trade socket is asked next, and do not answer",
        Lose,
        lambda sandbox, it: sandbox.lose_trade_answers(it.count),
    ),
    Command(
        "skip_book",
        "lose the next change of a book",
        OfContract,
        lambda sandbox, it: sandbox.skip_book(it.contract_id),
    ),
    Command(
        "restart_book",
        "number a book from one again",
        OfContract,
        lambda sandbox, it: sandbox.restart_book(it.contract_id),
    ),
)
