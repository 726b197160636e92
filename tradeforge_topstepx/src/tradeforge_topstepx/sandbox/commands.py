"""What can be done to a sandbox over HTTP: one row of a table for each command."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from attrs import frozen
from msgspec import Meta, Struct
from msgspec.structs import asdict

from tradeforge_testing.sandbox.signalr.event_faults import EventFault
from tradeforge_testing.sandbox.signalr.hub import Silence
from tradeforge_topstepx.sandbox.faults import Fault
from tradeforge_topstepx.sandbox.hubs import Hubs
from tradeforge_topstepx.sandbox.limits import RateLimit, RateLimits

if TYPE_CHECKING:
    from tradeforge_topstepx.sandbox.sandbox import TopStepXSandbox

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Steps = Annotated[int, Meta(ge=1, le=10_000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Status = Annotated[int, Meta(ge=300, le=599)]


class Arguments(Struct, forbid_unknown_fields=True):
    """The body of a command; one it does not know is a mistake."""


class Reset(Arguments):
    seed: int | None = None


class Move(Arguments):
    contract_id: str
    price: Decimal


class Advance(Arguments):
    steps: Steps = 1


class OfOrder(Arguments):
    account_id: int
    order_id: int


class FillOrder(OfOrder):
    size: int | None = None
    price: Decimal | None = None


class LoseLegs(Arguments):
    account_id: int
    stop_loss: bool = True
    take_profit: bool = True
    count: Count = 1


class OfFill(Arguments):
    account_id: int
    fill_id: int


class OfContract(Arguments):
    contract_id: str


class SetAccount(Arguments):
    account_id: int
    can_trade: bool | None = None
    auto_oco: bool | None = None


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


class LagReads(Arguments):
    seconds: Seconds


class Limit(Arguments):
    requests: int
    seconds: float


class SetLimits(Arguments):
    enforced: bool = True
    bars: Limit | None = None
    others: Limit | None = None
    retry_after: bool = False


@frozen
class Command:
    name: str
    does: str
    arguments: type[Arguments]
    run: Callable[["TopStepXSandbox", Any], object]
    """Called with the sandbox and the arguments; what it returns may have to be awaited."""


def _advance(sandbox: "TopStepXSandbox", given: Advance) -> None:
    for _ in range(given.steps):
        sandbox.exchange.advance()


def _set_account(sandbox: "TopStepXSandbox", given: SetAccount) -> None:
    if given.can_trade is not None:
        sandbox.exchange.set_can_trade(given.account_id, given.can_trade)
    if given.auto_oco is not None:
        sandbox.exchange.set_auto_oco(given.account_id, given.auto_oco)


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
    # The market
    Command(
        "move",
        "trade up or down to a price, filling and triggering what lies on the way",
        Move,
        lambda sandbox, it: sandbox.exchange.move_to(it.contract_id, it.price),
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
    Command(
        "halt",
        "let the market of one contract not trade",
        OfContract,
        lambda sandbox, it: sandbox.exchange.halt(it.contract_id),
    ),
    Command(
        "resume",
        "end the halt of a contract",
        OfContract,
        lambda sandbox, it: sandbox.exchange.resume(it.contract_id),
    ),
    Command(
        "expire_contract",
        "end trading in a contract for good; its orders expire",
        OfContract,
        lambda sandbox, it: sandbox.exchange.expire_contract(it.contract_id),
    ),
    Command(
        "roll",
        "expire a contract and list the one that follows; the answer has its id",
        OfContract,
        lambda sandbox, it: sandbox.roll(it.contract_id),
    ),
    # Orders and accounts
    Command(
        "fill_order",
        "fill an order, or a part of it, at its own price or another",
        FillOrder,
        lambda sandbox, it: sandbox.exchange.fill_order(
            it.account_id, it.order_id, it.size, it.price
        ),
    ),
    Command(
        "reject_order",
        "reject an order that was taken",
        OfOrder,
        lambda sandbox, it: sandbox.exchange.reject_order(it.account_id, it.order_id),
    ),
    Command(
        "expire_order",
        "expire an order",
        OfOrder,
        lambda sandbox, it: sandbox.exchange.expire_order(it.account_id, it.order_id),
    ),
    Command(
        "lose_legs",
        "book the next entries of an account without their stop loss, take profit, or both",
        LoseLegs,
        lambda sandbox, it: sandbox.exchange.lose_legs(
            it.account_id, stop_loss=it.stop_loss, take_profit=it.take_profit, count=it.count
        ),
    ),
    Command(
        "void_fill",
        "take a trade back",
        OfFill,
        lambda sandbox, it: sandbox.exchange.void_fill(it.account_id, it.fill_id),
    ),
    Command(
        "set_account",
        "say whether an account may trade, and whether it is in the mode of Auto OCO Brackets",
        SetAccount,
        _set_account,
    ),
    # Requests
    Command(
        "fail_next",
        "spoil the answers to the next requests of a path",
        FailNext,
        lambda sandbox, it: sandbox.fail_next(**asdict(it)),
    ),
    Command(
        "lag_reads",
        "show orders, trades and positions as they were so many seconds ago; zero ends it",
        LagReads,
        lambda sandbox, it: sandbox.lag_reads(it.seconds),
    ),
    Command(
        "half_open",
        "never again answer on a REST connection that is open now",
        Arguments,
        lambda sandbox, it: sandbox.half_open(),
    ),
    Command("set_limits", "set the rate limits, or end them", SetLimits, _set_limits),
    Command(
        "expire_tokens",
        "refuse every token issued so far",
        Arguments,
        lambda sandbox, it: sandbox.expire_tokens(),
    ),
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
