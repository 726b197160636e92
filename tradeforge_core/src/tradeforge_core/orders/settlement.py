"""What is asked about an outcome after the fact: what it is, wait for it, send again, let it be."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from tradeforge_core.adapter import VenueAdapter, Write
from tradeforge_core.converter import from_json
from tradeforge_core.enums import VenueClass
from tradeforge_core.errors import (
    DecodeError,
    Disconnected,
    InvalidOrder,
    JournalUnavailable,
    NotFound,
    NotSent,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Order, OrderRequest
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.classification import never_sent, unknown
from tradeforge_core.orders.closing import Closing
from tradeforge_core.orders.gate import Gate
from tradeforge_core.orders.intents import Operation
from tradeforge_core.orders.journal import IntentState, Journal, JournalEntry
from tradeforge_core.orders.journals import Journals
from tradeforge_core.orders.path import OrderPath, before_sending
from tradeforge_core.orders.recent import Recent
from tradeforge_core.orders.unwinding import Unwinding
from tradeforge_core.outcomes import Accepted, OrderOutcome, Rejected, Resolution, Unknown
from tradeforge_core.outcomes import NotSent as NotSentOutcome
from tradeforge_core.requests import OrderChange

_log = logging.getLogger("tradeforge_core")

_SHORT_WHILE = timedelta(minutes=10)
_MOST_RECALLED = 200

_KINDS: dict[IntentState, type[OrderOutcome]] = {
    IntentState.ACCEPTED: Accepted,
    IntentState.REJECTED: Rejected,
    IntentState.NOT_SENT: NotSentOutcome,
    IntentState.UNKNOWN: Unknown,
}


class Settlement:
    """The outcomes of one provider, those of earlier runs of the program too."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        path: OrderPath,
        journals: Journals,
        gate: Gate,
        recent: Recent,
        unwinding: Unwinding,
        clock: Clock,
    ) -> None:
        self._venue = venue
        self._recent = recent
        self._unwinding = unwinding
        self._path = path
        self._journals = journals
        self._gate = gate
        self._clock = clock

    async def recover(self) -> None:
        """Take up what an earlier run has left: the same whether it crashed or ended."""
        for journal, entries in await self._journals.left_open():
            for entry in entries:
                try:
                    case = self._recovered(entry, journal)
                except DecodeError as error:
                    _log.error("the record of %s cannot be read: %s", entry.intent.id, error)
                    continue
                if case.request is not None:
                    case.until_done.enter_context(self._gate.claim(case.request))
                self._take_up(case, entry.state)
        latest: dict[tuple[str, str], Case] = {}
        for case, accepted in await self._accepted_before():
            case.outcome = accepted
            self._recent.recall(case, accepted)
            if case.intent.operation in (Operation.PLACE, Operation.CLOSE):
                latest[case.intent.account_id, case.intent.contract_id] = case
        for case in latest.values():
            self._unwinding.look_after(case)

    async def _accepted_before(self) -> list[tuple[Case, Accepted]]:
        """What earlier runs were told a short while ago, oldest first."""
        horizon = self._clock.now() - _SHORT_WHILE
        try:
            newest = await self._journals.entries(limit=_MOST_RECALLED)
            told = [
                (self._recovered(entry, None), from_json(Accepted, entry.outcome or "{}"))
                for entry in reversed(newest)
                if entry.state is IntentState.ACCEPTED
            ]
        except (JournalUnavailable, DecodeError) as error:
            _log.warning("what was accepted a short while ago cannot be read: %s", error)
            return []
        return [(case, accepted) for case, accepted in told if accepted.time > horizon]

    def _take_up(self, case: Case, state: IntentState) -> None:
        now = self._clock.now()
        if state is IntentState.INTENT:
            unsent = NotSent("the program ended before it was sent")
            self._path.record(case, never_sent(case, unsent, now), unsent)
        else:
            ended = Disconnected("the program ended before the answer")
            self._path.record(case, unknown(case, ended, now), ended)
            self._path.follow(case)
            self._unwinding.look_after(case)

    def unsettled(self) -> list[OrderOutcome]:
        """The outcomes that are not known, oldest first."""
        return [case.outcome for case in self._path.cases() if isinstance(case.outcome, Unknown)]

    async def outcome(self, client_order_id: str) -> OrderOutcome:
        """What is known now. Raises `NotFound` for a name that nothing was sent under."""
        for case in self._path.cases(client_order_id):
            if case.outcome is not None:
                return case.outcome
            return unknown(case, Disconnected("no answer yet"), self._clock.now())
        entry = await self._journals.find(client_order_id)
        kind = None if entry is None else _KINDS.get(entry.state)
        if entry is None or entry.outcome is None or kind is None:
            raise NotFound(f"nothing was sent under the client_order_id {client_order_id!r}")
        found: OrderOutcome = from_json(kind, entry.outcome)
        return found

    async def resolve(self, client_order_id: str, timeout: float | None) -> OrderOutcome:
        """Wait until the outcome is known, or for `timeout` seconds, and give what is known."""
        for case in self._path.cases(client_order_id):
            try:
                async with asyncio.timeout(timeout):
                    await case.closed.wait()
            except TimeoutError:
                break
            return case.outcome or unknown(case, Disconnected("no answer yet"), self._clock.now())
        return await self.outcome(client_order_id)

    async def resubmit(self, client_order_id: str, *, accept_duplicate_risk: bool) -> Order:
        case = self._the_unknown(client_order_id)
        if case.request is None:
            raise InvalidOrder([f"{case.name} is no placed order: look, and decide anew"])
        self._check_risk_of_two(case, accept_duplicate_risk)
        async with case.sending_again:
            case.send = await before_sending(self._venue._prepare_order(case.request), "place")
            await self._gate.check_halt(case.request)
            if not case.is_settled:  # it may have been found meanwhile
                await self._path.send_again(case)
        order = case.accepted_order()
        assert order is not None
        return order

    async def acknowledge(self, client_order_id: str) -> None:
        case = self._the_unknown(client_order_id)
        if case.journal is not None:
            await case.journal.acknowledge(case.id, self._clock.now())
        self._path.give_up(case)

    def _the_unknown(self, client_order_id: str) -> Case:
        for case in self._path.cases(client_order_id):
            if isinstance(case.outcome, Unknown):
                return case
        raise NotFound(f"no unknown outcome has the client_order_id {client_order_id!r}")

    def _check_risk_of_two(self, case: Case, accepted: bool) -> None:
        """A venue that refuses a second order of a name makes a second request harmless."""
        if self._venue.capabilities.venue_class is VenueClass.A:
            return
        outcome = case.outcome
        absent = isinstance(outcome, Unknown) and outcome.resolution is Resolution.ABSENT
        if not (absent and accepted):
            raise NotSent(
                f"{self._venue.name} does not refuse a second order of the same name: sending"
                f" {case.name} again needs complete looks that found nothing and"
                " accept_duplicate_risk=True",
                client_order_id=case.id,
            )

    def _recovered(self, entry: JournalEntry, journal: Journal | None) -> Case:
        intent = entry.intent
        case = Case(
            intent=intent,
            send=_never,
            journal=journal,
            attempts=entry.attempts,
            handed_off_at=entry.handed_off_at,
        )
        _REBUILD[intent.operation](case, self._venue)
        return case


def _of_place(case: Case, venue: VenueAdapter) -> None:
    case.request = from_json(OrderRequest, case.intent.details)


def _of_change(case: Case, venue: VenueAdapter) -> None:
    case.change = from_json(OrderChange, case.intent.details)


def _of_cancel(case: Case, venue: VenueAdapter) -> None:
    order_id = case.intent.order_id
    assert order_id is not None
    case.send = partial(_cancel, venue, case.intent.account_id, order_id)


def _of_close(case: Case, venue: VenueAdapter) -> None:
    case.closing = from_json(Closing, case.intent.details)


_REBUILD: dict[Operation, Callable[[Case, VenueAdapter], None]] = {
    Operation.PLACE: _of_place,
    Operation.MODIFY: _of_change,
    Operation.CANCEL: _of_cancel,
    Operation.CLOSE: _of_close,
}


async def _cancel(venue: VenueAdapter, account_id: str, order_id: str) -> None:
    await venue._submit_cancel(account_id, order_id)


def _never() -> Write[None]:
    raise NotSent("a request of an earlier run is not sent again by itself")
