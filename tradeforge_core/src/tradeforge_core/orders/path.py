"""From a request to the venue: written down, sent once, and with an honest answer.

The work runs in a task that the provider owns. The caller's cancellation frees the caller at once;
the request goes its way, and its outcome arrives as an event.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.converter import to_json
from tradeforge_core.errors import (
    DecodeError,
    Disconnected,
    DuplicateClientOrderId,
    DuplicateIntent,
    InvalidOrder,
    JournalUnavailable,
    NotFound,
    NotSent,
    NotSupported,
    TradeForgeError,
)
from tradeforge_core.kit.budget import Lane, lane_of_reads, reads_go
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.models import Order
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.classification import acceptance, never_sent, outcome_of, unknown
from tradeforge_core.orders.intents import Operation
from tradeforge_core.orders.journal import IntentState, Journal
from tradeforge_core.orders.resolver import Resolver
from tradeforge_core.orders.safety import LookUps
from tradeforge_core.outcomes import (
    Accepted,
    OrderOutcome,
    Rejected,
    Unknown,
)
from tradeforge_core.outcomes import (
    NotSent as NotSentOutcome,
)

if TYPE_CHECKING:
    from tradeforge_core.state import KnownOrders

T = TypeVar("T")

_log = logging.getLogger("tradeforge_core")

_STATES: dict[type, IntentState] = {
    Accepted: IntentState.ACCEPTED,
    Rejected: IntentState.REJECTED,
    NotSentOutcome: IntentState.NOT_SENT,
    Unknown: IntentState.UNKNOWN,
}
_EXITS = (Operation.CANCEL, Operation.CLOSE)
_LONGEST_RECORD = {
    Operation.PLACE: 2.0,
    Operation.MODIFY: 2.0,
    Operation.CANCEL: 0.5,
    Operation.CLOSE: 0.5,
}
"""Seconds that a disk may take to write a request down. After that an order would leave at a price
that is gone, so it does not leave; an exit does."""


async def before_sending(look_up: Awaitable[T], operation: str) -> T:
    """What must be known before a write, now or never: a write must not leave late.

    Only on a way out the look is as urgent as the write.

    Raises `NotSent` when it cannot be known, and what says that the order itself is wrong.
    """
    lane = Lane.URGENT if lane_of_reads() is Lane.URGENT else Lane.WRITE
    try:
        with reads_go(lane):
            return await look_up
    except (NotFound, NotSent, NotSupported, InvalidOrder):
        raise
    except TradeForgeError as error:
        raise NotSent(f"{operation}: the check before it failed ({error})") from error


class OrderPath:
    """Carries cases out, and keeps those whose outcome is not known."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        known_orders: "KnownOrders",
        tasks: TaskOwner,
        clock: Clock,
        times: LookUps,
        announce: Callable[[OrderOutcome], None],
        notice: Callable[[Case], None],
    ) -> None:
        self._known_orders = known_orders
        self._tasks = tasks
        self._clock = clock
        self._announce = announce
        self._notice = notice
        self._searches = TaskOwner()
        self._is_closing = False
        self._cases: dict[tuple[str, str], Case] = {}
        """By account and name: a name of the caller's own may serve in several accounts."""
        self._resolver = Resolver(
            venue, times=times, clock=clock, record=self.record, attempt=self._repeat
        )

    # --- what is on its way ---

    def cases(self, client_order_id: str | None = None) -> list[Case]:
        """Those whose outcome is not known yet, of this name or all."""
        found = self._cases.values()
        return [one for one in found if client_order_id in (None, one.id)]

    def saw(self, order: Order) -> None:
        """The private stream showed this order."""
        case = self._cases.get((order.account_id, order.client_order_id or ""))
        if case is not None:
            self._resolver.saw(case, order)

    # --- carrying out ---

    async def carry_out(self, case: Case, *, patient: bool = True) -> Order | None:
        """Send it, once, and find out what became of it. Raises what says that it was not accepted.

        Not `patient` means that the caller does not wait for the search after a lost answer.
        """
        try:
            self._keep(case)
        except InvalidOrder:
            case.until_done.close()
            raise
        try:
            await self._tasks.run(self._work(case, patient), name=case.name)
        except asyncio.CancelledError:
            # the caller is free to go; what he asked for is on its way, and this is its name
            _log.warning("%s goes on without its caller: its outcome will be an event", case.name)
            raise
        except Disconnected as ended:  # by disconnect(): the outcome so far says what is known
            if case.outcome is None and case.handed_off_at is None:
                self._refuse(case, ended)
        return case.accepted_order()

    def follow(self, case: Case) -> None:
        """Search for the outcome of a case that an earlier run of the program left behind."""
        self._keep(case)
        self._searches.start(self._search(case), name=f"search for {case.name}")

    def give_up(self, case: Case) -> None:
        """Somebody has taken note that it will not be known; nobody need wait for it."""
        case.acknowledged = True
        case.given_up.set()
        self._end(case)

    async def send_again(self, case: Case) -> None:
        """One more request of an unknown case, and a search if that proves nothing."""
        await self._tasks.run(self._work_again(case), name=f"once more {case.name}")

    async def close_searches(self) -> None:
        """End every search, and begin none; whoever waits for one is told what is known."""
        self._is_closing = True
        for case in self.cases():
            case.given_up.set()
            case.closed.set()
        await self._searches.close()

    def forget(self) -> None:
        """What is unknown stays so in the journal, for the next start."""
        for case in self.cases():
            _log.warning("the outcome of %s is not known yet: the next start goes on", case.name)
            case.until_done.close()
        self._cases.clear()

    def _end(self, case: Case) -> None:
        self._cases.pop(case.key, None)
        case.closed.set()
        case.until_done.close()

    def _keep(self, case: Case) -> None:
        if case.key in self._cases:
            raise InvalidOrder([f"client_order_id {case.id!r} is in use by an order on its way"])
        for earlier in self._cases.values() if case.change is not None else ():
            if earlier.intent.order_id == case.intent.order_id:
                earlier.before = None  # what the order is from now on proves no refusal of it
        self._cases[case.key] = case
        self._notice(case)

    async def _work(self, case: Case, patient: bool) -> None:
        await self._attempt(case)
        if case.is_settled or self._is_closing:
            return  # what is unknown at the end is searched for at the next start
        searching = self._searches.start(self._search(case), name=f"search for {case.name}")
        if patient:
            await self._patience(case, searching)

    async def _work_again(self, case: Case) -> None:
        await self._attempt(case)
        if not case.is_settled:
            await self._resolver.search(case)

    async def _patience(self, case: Case, searching: "asyncio.Task[None]") -> None:
        given_up = asyncio.ensure_future(case.given_up.wait())
        try:
            await asyncio.wait([searching, given_up], return_when=asyncio.FIRST_COMPLETED)
        finally:
            given_up.cancel()

    async def _search(self, case: Case) -> None:
        await self._resolver.search(case)
        case.given_up.set()
        await self._resolver.keep_looking(case)

    async def _attempt(self, case: Case) -> None:
        """One request. It is written down before its first byte, and so is its outcome."""
        try:
            await self._hand_off(case)
        except DuplicateIntent as error:
            case.journal = None  # the record there is that of another order
            self._refuse(case, InvalidOrder([str(error)]))
            return
        except TradeForgeError as error:
            self._refuse(case, error)
            return
        if case.is_settled:
            return  # it became known while this was written down: nothing needs to leave
        try:
            order = await case.send()
            self._refuse_answer_of_another(case, order)
        except asyncio.CancelledError:
            ended = Disconnected("disconnect() came before the answer")
            self.record(case, unknown(case, ended, self._clock.now()), ended)
            raise
        except Exception as error:  # noqa: BLE001  # even a bug: it may have struck after the bytes left
            self._failed(case, error)
        else:
            self.record(case, acceptance(case, order, self._clock.now()))

    async def _repeat(self, case: Case) -> None:
        """As an attempt, in a task of its own: whoever looks may stop waiting for it."""
        with suppress(Disconnected):  # by disconnect(), which ends the search as well
            await self._searches.run(self._attempt(case), name=f"once more {case.name}")

    def _refuse_answer_of_another(self, case: Case, order: Order | None) -> None:
        """A proxy may say an answer twice, and the second one comes as that of the next request."""
        if order is None or order.id not in self._known_orders:
            return
        name = self._known_orders[order.id].client_order_id
        if name not in (None, case.id):
            raise DecodeError(f"the venue answered with order {order.id}, which is {name!r}")

    async def _hand_off(self, case: Case) -> None:
        """Write down that it leaves now; once this returns, that is on the disk."""
        if case.journal is not None:
            await self._written(case, case.journal)
        await case.last_check()
        case.attempts += 1
        case.handed_off_at = case.handed_off_at or self._clock.now()

    async def _written(self, case: Case, journal: Journal) -> None:
        try:
            if not case.attempts:
                journal.begin(case.intent)
            await self._in_time(case, journal)
        except JournalUnavailable as error:
            if case.intent.operation not in _EXITS:
                raise
            # a full disk must keep nobody in a position
            _log.error("%s is sent without a record of it: %s", case.name, error)
            now = self._clock.now()
            # once there is room, its record must not say for a moment that it was never sent
            journal.settle(case.id, IntentState.UNKNOWN, to_json(unknown(case, error, now)), now)

    async def _in_time(self, case: Case, journal: Journal) -> None:
        longest = _LONGEST_RECORD[case.intent.operation]
        try:
            async with asyncio.timeout(longest):  # of the disk's own time, not of the clock's
                await journal.hand_off(case.id, self._clock.now())
        except TimeoutError:
            raise JournalUnavailable(
                f"the disk took more than {longest:g} s to write it down"
            ) from None

    def _refuse(self, case: Case, error: TradeForgeError) -> None:
        """It could not be handed off. Of a second attempt that says nothing about the first."""
        if case.outcome is None:
            self.record(case, never_sent(case, error, self._clock.now()), error)

    def _failed(self, case: Case, error: Exception) -> None:
        if isinstance(error, DuplicateClientOrderId):
            case.duplicate = error
        if isinstance(case.outcome, Unknown):
            return  # what a repeated request is told says nothing about the first one
        self.record(case, outcome_of(case, error, self._clock.now()), error)

    def record(self, case: Case, outcome: OrderOutcome, error: Exception | None = None) -> None:
        """Keep the outcome, write it down and tell it. The first proof stands."""
        if case.is_settled:
            return
        case.outcome, case.error = outcome, error
        if case.journal is not None:
            case.journal.settle(case.id, _STATES[type(outcome)], to_json(outcome), outcome.time)
        if not isinstance(outcome, Unknown):
            self._end(case)
        self._notice(case)
        self._announce(outcome)
