"""Entries whose exits must not be missing: one guard for each, from acceptance to safety."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import attrs

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.errors import (
    JournalUnavailable,
    OrderOutcomeUnknown,
    ProtectionIncomplete,
    TradeForgeError,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner, first_of
from tradeforge_core.models import Bracket, Order
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.exits import wanted_exits
from tradeforge_core.orders.guard import Guard, Surroundings
from tradeforge_core.orders.intents import Operation
from tradeforge_core.orders.journal import Journal
from tradeforge_core.orders.left_entries import accepted_brackets, cancelled_orders
from tradeforge_core.orders.safety import Protection
from tradeforge_core.outcomes import Accepted, NotSent, Rejected

_log = logging.getLogger("tradeforge_core")

_FRESH = 7.5
"""Seconds for which guards of one account share a look at its open orders."""
_MOST_RELEASED = 10_000
_MOST_RECORDS = 200
"""Of earlier runs, the newest ones."""
_ALONE = "disconnect() came before the exits of order %s were seen at work: look after them"
_TRIES = (0.0, 1.0, 5.0, 15.0, 60.0)
"""Seconds before each look for what earlier runs have left."""


class Guards:
    """Tells of an exit that is missing: `place_order` while it waits, else the error handlers."""

    def __init__(
        self,
        venue: VenueAdapter,
        settings: Protection,
        *,
        clock: Clock,
        cases: Callable[[], list[Case]],
        flatten: Callable[[str, str], Awaitable[None]],
        is_leaving: Callable[[str, str], bool],
        report: Callable[[TradeForgeError], None],
    ) -> None:
        self._venue = venue
        self._settings = settings
        self._clock = clock
        self._cases = cases
        self._flatten = flatten
        self._is_leaving = is_leaving
        self._report = report
        self._tasks = TaskOwner()
        self._closed = False
        self._guards: dict[str, Guard] = {}
        self._released: dict[tuple[str, str], str] = {}
        self._shared: dict[str, tuple[float, asyncio.Task[list[Order]]]] = {}
        self._around = Surroundings(
            venue=venue,
            clock=clock,
            settings=settings,
            open_orders=self._open_orders,
            is_released=lambda leg: (leg.account_id, leg.id) in self._released,
            is_closing=self._is_closing,
        )

    # --- what guards are told ---

    def notice(self, case: Case) -> None:
        """A request is on its way, or its outcome became known."""
        if case.intent.operation is Operation.CANCEL:
            self._release(case)
        elif isinstance(case.outcome, Accepted) and case.request and case.request.bracket:
            assert case.outcome.order is not None
            made_at = case.outcome.order.created_at or case.intent.made_at
            entry = attrs.evolve(case.outcome.order, created_at=made_at)
            self._start(entry, case.request.bracket)

    def saw(self, order: Order) -> None:
        """The private stream showed this order."""
        guard = self._guards.get(order.parent_order_id or order.id)
        if guard is not None:
            guard.saw()

    def take_up(self, account_id: str, journal: Journal) -> None:
        """Look after the entries again that earlier runs of the program have left at work.

        That is for the one program that may write to the journal: another one would not know which
        exits its user takes back.
        """
        if not self._closed:
            self._tasks.start(self._take_up(account_id, journal), name=f"guards of {account_id}")

    async def _take_up(self, account_id: str, journal: Journal) -> None:
        try:
            records = await journal.entries(limit=_MOST_RECORDS)
        except JournalUnavailable as error:
            _log.warning("entries of earlier runs are not looked after: %s", error)
            return
        if not (brackets := accepted_brackets(records)):
            return
        for order_id, cancel_id in cancelled_orders(records):
            self._released.setdefault((account_id, order_id), cancel_id)
        for order in await self._at_work(account_id):
            if bracket := brackets.get(order.client_order_id or ""):
                self._start(order, bracket)

    async def _at_work(self, account_id: str) -> list[Order]:
        for pause in _TRIES:
            await self._clock.sleep(pause)
            try:
                return await self._venue._fetch_open_orders(account_id)
            except TradeForgeError as error:
                _log.warning("entries of earlier runs could not be looked for: %s", error)
        return []

    def _release(self, case: Case) -> None:
        """Whoever cancels an exit does not miss it; a cancel that was refused has not ended it."""
        assert case.intent.order_id is not None
        key = (case.intent.account_id, case.intent.order_id)
        if not isinstance(case.outcome, Rejected | NotSent):
            self._released.setdefault(key, case.id)
        elif self._released.get(key) == case.id:
            del self._released[key]
        if len(self._released) > _MOST_RELEASED:
            del self._released[next(iter(self._released))]

    # --- what they tell ---

    async def confirm(self, order: Order) -> None:
        """Return once the exits of an accepted entry were seen, or no look has told in time.

        Raises `ProtectionIncomplete`.
        """
        guard, longest = self._guards.get(order.id), self._settings.confirm
        if guard is None or not longest:
            return
        guard.is_waited_for = True
        try:
            missing = await first_of(guard.verdict(), self._clock.sleep(longest))
        except asyncio.CancelledError:
            if guard.conclusion is not None:  # who was to be told is gone
                self._report(guard.conclusion)
            raise
        finally:
            guard.is_waited_for = False
        if guard.conclusion is not None:
            raise guard.conclusion
        if missing:
            guard.is_told = True
            raise ProtectionIncomplete(guard.entry, missing)

    async def close(self) -> None:
        """End every guard; what is accepted from now on has none."""
        self._closed = True
        for order_id in self._guards:
            _log.warning(_ALONE, order_id)
        await self._tasks.close()

    def _start(self, entry: Order, bracket: Bracket) -> None:
        if self._closed:
            _log.warning(_ALONE, entry.id)
        elif entry.id not in self._guards:
            guard = self._guards[entry.id] = Guard(entry, wanted_exits(bracket), self._around)
            self._tasks.start(self._keep(guard), name=f"guard of order {entry.id}")

    async def _keep(self, guard: Guard) -> None:
        try:
            if missing := await guard.watch():
                await self._conclude(guard, missing)
        finally:
            del self._guards[guard.entry.id]
            guard.end()

    async def _conclude(self, guard: Guard, missing: tuple[str, ...]) -> None:
        """Act, if that is wanted, and tell of it once."""
        wanted = self._settings.flatten
        if guard.is_told and not wanted:
            return
        problem = await self._flattened(guard.entry) if wanted else None
        error = ProtectionIncomplete(guard.entry, missing, flattened=wanted and problem is None)
        error.__cause__ = problem
        if guard.is_waited_for:
            guard.conclusion = error
        else:
            self._report(error)

    async def _flattened(self, entry: Order) -> TradeForgeError | None:
        """Get out of the contract; what kept it from that, or None."""
        if self._closes(entry):
            return OrderOutcomeUnknown(
                f"a close of {entry.contract_id} was sent before and its outcome is not known: a"
                " second one could turn the position around",
                operation="close",
            )
        try:
            await self._flatten(entry.account_id, entry.contract_id)
        except TradeForgeError as error:
            return error
        return None

    # --- what they ask ---

    def _closes(self, entry: Order) -> list[Case]:
        """Closes of the entry's contract whose outcome is not known."""
        place = (Operation.CLOSE, entry.account_id, entry.contract_id)
        return [
            case
            for case in self._cases()
            if (case.intent.operation, case.intent.account_id, case.intent.contract_id) == place
        ]

    def _is_closing(self, entry: Order) -> bool:
        """By the user, or by the guard of another entry: two closes could turn it around."""
        on_its_way = any(case.outcome is None for case in self._closes(entry))
        return on_its_way or self._is_leaving(entry.account_id, entry.contract_id)

    async def _open_orders(self, account_id: str) -> list[Order]:
        """One look serves every guard of the account for a while, also one that failed."""
        now = self._clock.monotonic()
        begun, look = self._shared.get(account_id, (0.0, None))
        if look is None or now - begun >= _FRESH:
            look = self._tasks.start(
                self._venue._fetch_open_orders(account_id), name=f"open orders of {account_id}"
            )
            self._shared[account_id] = (now, look)
        return await asyncio.shield(look)
