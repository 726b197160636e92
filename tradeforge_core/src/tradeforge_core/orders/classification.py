"""From what a request came back with to its outcome: only documented proof counts as proof.

`NotSent` needs proof that no byte left, and `Rejected` the venue's own documented words. All else
is `Unknown`: time-outs, resets, 5xx, 429 and 401 after sending, pages of proxies, half a JSON,
codes that nobody documented, and bugs of our own. The cost of a wrong `Unknown` is a look; the
cost of a wrong `Rejected` is a position.
"""

from datetime import datetime
from typing import Any

from tradeforge_core.errors import (
    DuplicateClientOrderId,
    InvalidOrder,
    NotFound,
    NotSent,
    NotSupported,
    OrderRejected,
    TradeForgeError,
    TransportError,
    VenueError,
)
from tradeforge_core.models import Order
from tradeforge_core.orders.case import Case
from tradeforge_core.outcomes import Accepted, Evidence, OrderOutcome, Rejected, Unknown
from tradeforge_core.outcomes import NotSent as NotSentOutcome

_MOST_CHARACTERS = 4_000
_BEFORE_ANY_BYTE = (NotSent, NotSupported, InvalidOrder)


def facts_of(case: Case, now: datetime) -> dict[str, Any]:
    """What every outcome of the case has in common."""
    intent = case.intent
    return {
        "client_order_id": intent.id,
        "operation": intent.operation,
        "account_id": intent.account_id,
        "contract_id": intent.contract_id or None,
        "order_id": intent.order_id,
        "time": now,
    }


def acceptance(
    case: Case,
    order: Order | None,
    now: datetime,
    evidence: Evidence = Evidence.ACKNOWLEDGED,
) -> Accepted:
    facts = facts_of(case, now)
    if order is not None:
        facts["order_id"] = order.id
    return Accepted(**facts, order=order if case.request else None, evidence=evidence)


def outcome_of(case: Case, error: Exception, now: datetime) -> OrderOutcome:
    """The outcome of a request that raised this."""
    if isinstance(error, DuplicateClientOrderId):
        return unknown(case, error, now)  # of an order of this name: which one, a look tells
    if isinstance(error, (OrderRejected, NotFound)):
        return rejection(case, error, now)
    if isinstance(error, _BEFORE_ANY_BYTE) or _never_left(error):
        return never_sent(case, error, now)
    return unknown(case, error, now)


def never_sent(case: Case, error: Exception, now: datetime) -> NotSentOutcome:
    return NotSentOutcome(**facts_of(case, now), reason=_text_of(error))


def rejection(
    case: Case, error: VenueError, now: datetime, evidence: Evidence = Evidence.ACKNOWLEDGED
) -> Rejected:
    facts = facts_of(case, now)
    if (filed := getattr(error, "order_id", None)) is not None:
        facts["order_id"] = filed
    code = None if error.code is None else str(error.code)
    return Rejected(**facts, reason=_text_of(error), code=code, name=error.name, evidence=evidence)


def unknown(case: Case, error: Exception, now: datetime) -> Unknown:
    cause = _text_of(error)
    return Unknown(**facts_of(case, now), cause=cause, since=case.handed_off_at or now)


def _text_of(error: Exception) -> str:
    """A venue may say anything at any length, and what it said has to fit into the journal."""
    text = str(error) if isinstance(error, TradeForgeError) else repr(error)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."


def _never_left(error: Exception) -> bool:
    return isinstance(error, TransportError) and not error.sent
