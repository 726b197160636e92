"""What became of a request that changes something at the venue: one of four things, no others.

Only documented proof makes a `Rejected` or a `NotSent`. Everything else is `Unknown` until evidence
says what happened.
"""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from tradeforge_core.errors import TradeForgeError
from tradeforge_core.models import Order
from tradeforge_core.orders.intents import Operation


class Evidence(StrEnum):
    """How it is known."""

    ACKNOWLEDGED = "acknowledged"
    """The venue answered the request itself."""
    LOOKED_UP = "looked_up"
    """The answer was lost, and the venue's records tell."""
    STREAMED = "streamed"
    """The answer was lost, and the private stream tells."""
    DUPLICATE = "duplicate"
    """The venue refused a second order of this name, and the first one was found."""
    INFERRED = "inferred"
    """The venue keeps no record of such requests; what is held now says that it was done."""


class Resolution(StrEnum):
    """How far the search for an unknown outcome has come."""

    SEARCHING = "searching"
    ABSENT = "absent"
    """Several complete looks, long enough after it was sent, found no trace. No proof all the same:
    it may arrive yet."""
    UNREACHABLE = "unreachable"
    """No complete look succeeded in time; the search goes on, more slowly."""
    CONFLICT = "conflict"
    """What was found cannot be what was sent: somebody must look at it."""


@frozen(kw_only=True)
class _Outcome:
    """`client_order_id` names the request: of a placed order it is the name at the venue too."""

    client_order_id: str
    operation: Operation
    account_id: str
    contract_id: str | None = None
    order_id: str | None = None
    time: datetime
    """When it became known here."""


@frozen(kw_only=True)
class Accepted(_Outcome):
    """The venue took it. `order` is as it was first seen, None for what is not a placed order."""

    evidence: Evidence = Evidence.ACKNOWLEDGED
    order: Order | None = None


@frozen(kw_only=True)
class Rejected(_Outcome):
    """The venue said no in its documented words, or its records prove that it did."""

    reason: str
    code: str | None = None
    name: str | None = None
    evidence: Evidence = Evidence.ACKNOWLEDGED


@frozen(kw_only=True)
class NotSent(_Outcome):
    """Proof that no byte of it left."""

    reason: str


@frozen(kw_only=True)
class Unknown(_Outcome):
    """It was sent, and there is no proof of what became of it."""

    cause: str
    since: datetime
    resolution: Resolution = field(default=Resolution.SEARCHING)


OrderOutcome = Accepted | Rejected | NotSent | Unknown


@frozen
class CancelResult:
    """What became of one cancel of many; `error` is None where the venue took it."""

    order_id: str
    error: TradeForgeError | None = None
