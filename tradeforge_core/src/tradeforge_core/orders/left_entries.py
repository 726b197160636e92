"""What the journal of an earlier run says about entries with a bracket, and about their exits."""

from collections.abc import Iterable, Iterator

from tradeforge_core.converter import from_json
from tradeforge_core.models import Bracket, OrderRequest
from tradeforge_core.orders.intents import Operation
from tradeforge_core.orders.journal import IntentState, JournalEntry

_PERHAPS_DONE = (IntentState.ACCEPTED, IntentState.UNKNOWN, IntentState.HANDED_OFF)


def accepted_brackets(entries: Iterable[JournalEntry]) -> dict[str, Bracket]:
    """The brackets of accepted entries, by client order id."""
    accepted = (
        entry.intent
        for entry in entries
        if entry.intent.operation is Operation.PLACE and entry.state is IntentState.ACCEPTED
    )
    requests = ((intent.id, from_json(OrderRequest, intent.details)) for intent in accepted)
    return {name: request.bracket for name, request in requests if request.bracket is not None}


def cancelled_orders(entries: Iterable[JournalEntry]) -> Iterator[tuple[str, str]]:
    """The ids of orders that the user has taken back, each with the id of the cancel."""
    for entry in entries:
        intent = entry.intent
        if intent.operation is Operation.CANCEL and entry.state in _PERHAPS_DONE:
            assert intent.order_id is not None
            yield intent.order_id, intent.id
