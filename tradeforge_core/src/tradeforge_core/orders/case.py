"""One request that changes something at the venue, from its hand-off until its outcome is known."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import datetime

from attrs import define, field

from tradeforge_core.adapter import Write
from tradeforge_core.errors import (
    InvalidOrder,
    NotSent,
    NotSupported,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderVetoed,
    TradeForgeError,
)
from tradeforge_core.models import Order, OrderRequest
from tradeforge_core.orders.closing import Closing
from tradeforge_core.orders.holding import Holding
from tradeforge_core.orders.intents import Intent, Operation
from tradeforge_core.orders.journal import Journal
from tradeforge_core.outcomes import Accepted, OrderOutcome, Rejected, Unknown
from tradeforge_core.outcomes import NotSent as NotSentOutcome
from tradeforge_core.requests import OrderChange


async def _nothing_to_check() -> None: ...


@define
class Absences:
    """The complete looks that found no trace of the latest request, and since when they count."""

    looks: int = 0
    since: float = 0.0


@define(eq=False, kw_only=True)
class Case:
    """An intent with all that is needed to carry it out and to find out what became of it."""

    intent: Intent
    send: Callable[[], Write[Order | None]]
    """Each call is one request; the order path decides whether there is a second one."""
    last_check: Callable[[], Awaitable[None]] = _nothing_to_check
    """Awaited when all is written down: what was so at the first checks may be so no more."""
    request: OrderRequest | None = None
    """Of a placed order."""
    change: OrderChange | None = None
    """Of a modified order."""
    before: Order | None = None
    """The order before it was modified; None once a later change may have replaced this one."""
    closing: Closing | None = None
    """Of a closed position."""
    held_before: Holding | None = None
    """What was held of the contract when this was sent, None if nobody has looked lately."""
    journal: Journal | None = None
    """None where the request is not written down: exits pass also when the disk is full."""
    attempts: int = 0
    handed_off_at: datetime | None = None
    outcome: OrderOutcome | None = None
    error: Exception | None = None
    """What the venue or the network said, for whoever waits."""
    acknowledged: bool = False
    duplicate: TradeForgeError | None = None
    """The venue's refusal of a second order of this name."""
    absences: Absences = field(factory=Absences)
    sighted: Order | None = None
    """The order as the private stream last showed it."""
    until_done: ExitStack = field(factory=ExitStack)
    """What counts for as long as its outcome is not known, whatever becomes of the caller."""
    sending_again: asyncio.Lock = field(factory=asyncio.Lock)
    given_up: asyncio.Event = field(factory=asyncio.Event)
    """Set when whoever waits need not wait any longer."""
    closed: asyncio.Event = field(factory=asyncio.Event)
    """Set when the outcome is known, or nobody looks for it any more."""

    @property
    def id(self) -> str:
        return self.intent.id

    @property
    def key(self) -> tuple[str, str]:
        return self.intent.account_id, self.intent.id

    @property
    def is_settled(self) -> bool:
        return self.outcome is not None and not isinstance(self.outcome, Unknown)

    @property
    def refusal(self) -> TradeForgeError | None:
        """The venue's word that it made no order of this: of one request it is proof, of a second
        one only that there was a first."""
        return self.duplicate if self.attempts == 1 else None

    @property
    def is_open_risk(self) -> bool:
        """Whether nobody can say what this account holds until it is known."""
        return (
            isinstance(self.outcome, Unknown)
            and not self.acknowledged
            and self.intent.operation is not Operation.CANCEL
        )

    @property
    def name(self) -> str:
        about = f" of order {self.intent.order_id}" if self.intent.order_id else ""
        return f"{self.intent.operation}{about} ({self.id})"

    def accepted_order(self) -> Order | None:
        """The order of an accepted request. Raises what says that it is not accepted."""
        match self.outcome:
            case Accepted(order=order):
                return order
            case Unknown() | None:
                raise self._unknown() from self.error
            case NotSentOutcome(reason=reason):
                if isinstance(self.error, NotSupported | InvalidOrder | OrderVetoed):
                    raise self.error
                raise NotSent(reason, client_order_id=self.id) from self.error
            case Rejected(reason=reason, code=code, name=name, order_id=order_id):
                raise self.error or OrderRejected(reason, order_id=order_id, code=code, name=name)

    def _unknown(self) -> OrderOutcomeUnknown:
        cause = self.outcome.cause if isinstance(self.outcome, Unknown) else "no answer yet"
        found = f", {self.outcome.resolution}" if isinstance(self.outcome, Unknown) else ""
        return OrderOutcomeUnknown(
            f"{self.intent.operation} was sent and its outcome is not known ({cause}{found}):"
            f" do not send it again; wait with resolve({self.id!r}), which goes on looking",
            operation=self.intent.operation.value,
            client_order_id=self.id,
            order_id=self.intent.order_id,
        )
