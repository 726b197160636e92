"""What can be done to a sandbox over HTTP: one row of a table for each command."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from tradeforge_testing.sandbox.control import Arguments, Command
from tradeforge_testing.sandbox.planned_faults import Fault

if TYPE_CHECKING:
    from tradeforge_bybit.sandbox.sandbox import BybitSandbox

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Steps = Annotated[int, Meta(ge=1, le=10_000)]
Seconds = Annotated[float, Meta(ge=-86_400, le=86_400)]
Delay = Annotated[float, Meta(ge=0, le=86_400)]
Status = Annotated[int, Meta(ge=300, le=599)]


class Move(Arguments):
    instrument_id: str
    price: Decimal


class Advance(Arguments):
    steps: Steps = 1


class OfInstrument(Arguments):
    instrument_id: str


class OfOrder(Arguments):
    order_id: int
    """The number that the exchange has for it: see the state."""


class FillOrder(OfOrder):
    size: int | None = None
    price: Decimal | None = None


class FailNext(Arguments):
    path: str
    fault: Fault | Status
    count: Count = 1
    handled: bool = True
    code: int | None = None
    message: str | None = None
    seconds: Delay = 0.0


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


def _advance(sandbox: "BybitSandbox", given: Advance) -> None:
    for _ in range(given.steps):
        sandbox.exchange.advance()


def _fail_next(sandbox: "BybitSandbox", given: FailNext) -> None:
    details: dict[str, Any] = {"handled": given.handled}
    for name in ("code", "message", "seconds"):
        if value := getattr(given, name):
            details[name] = value
    sandbox.fail_next(given.path, given.fault, count=given.count, **details)


def _fill(sandbox: "BybitSandbox", given: FillOrder) -> object:
    account = sandbox.venue.account.id
    return sandbox.exchange.fill_order(account, given.order_id, given.size, given.price)


def _reject(sandbox: "BybitSandbox", given: OfOrder) -> object:
    return sandbox.exchange.reject_order(sandbox.venue.account.id, given.order_id)


COMMANDS = (
    Command(
        "move",
        "trade up or down to a price",
        Move,
        lambda sandbox, it: sandbox.exchange.move_to(it.instrument_id, it.price),
    ),
    Command("advance", "let every market make so many steps", Advance, _advance),
    Command(
        "open_market",
        "let all markets trade again",
        Arguments,
        lambda sandbox, it: sandbox.exchange.open_market(),
    ),
    Command(
        "close_market",
        "let no market trade",
        Arguments,
        lambda sandbox, it: sandbox.exchange.close_market(),
    ),
    Command("fill_order", "fill an order or lots of it", FillOrder, _fill),
    Command("reject_order", "reject an order that was taken", OfOrder, _reject),
    Command("fail_next", "spoil the next answers of a path", FailNext, _fail_next),
    Command(
        "forget_faults",
        "do everything right from now on",
        Arguments,
        lambda sandbox, it: sandbox.forget_faults(),
    ),
    Command(
        "lag_reads",
        "show orders, executions and positions as they were so long ago",
        OfDelay,
        lambda sandbox, it: sandbox.lag_reads(it.seconds),
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
        OfInstrument,
        lambda sandbox, it: sandbox.skip_book(it.instrument_id),
    ),
    Command(
        "restart_book",
        "number a book from one again",
        OfInstrument,
        lambda sandbox, it: sandbox.restart_book(it.instrument_id),
    ),
)
