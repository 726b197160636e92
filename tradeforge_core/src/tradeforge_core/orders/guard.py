"""Looks after one entry with a bracket, until its exits are at work or not needed any more.

Only complete looks count: one that fails says nothing about any exit, and what a look shows has to
hold for a while, because entry, exits and position are not read in one moment. Messages of the
private stream make a look come sooner, and prove nothing by themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

from attrs import evolve, frozen

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.enums import OrderStatus
from tradeforge_core.errors import ProtectionIncomplete
from tradeforge_core.kit.budget import Lane, reads_go
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import first_of
from tradeforge_core.models import Order, OrderFamily
from tradeforge_core.orders.exits import (
    Standing,
    at_work,
    family_of,
    has_fill,
    is_held,
    judge,
    lost_exits,
)
from tradeforge_core.orders.safety import Protection

_TROUBLED = (0.25, 0.5, 1.0, 2.0, 4.0)
_FAILING = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_WAITING = (0.5, 2.0, 15.0)
"""Seconds before each look; the last repeats."""
_AFTER_NEWS = 0.1
"""Seconds between a message and the look: those of one fill come one after the other."""


@frozen(kw_only=True)
class Surroundings:
    """What a guard asks of others."""

    venue: VenueAdapter
    clock: Clock
    settings: Protection
    open_orders: Callable[[str], Awaitable[list[Order]]]
    """Of an account, a little old perhaps: many guards share a look."""
    is_released: Callable[[Order], bool]
    """Whether the user has taken this exit back himself."""
    is_closing: Callable[[Order], bool]
    """Whether what the entry holds is being closed at this moment."""


class Guard:
    """One entry; `missing` and `standing` are what the last complete look showed."""

    def __init__(self, entry: Order, wanted: tuple[str, ...], around: Surroundings) -> None:
        self.entry = entry
        self.standing: Standing | None = None
        self.missing: tuple[str, ...] = ()
        self.is_waited_for = False
        """Whether `place_order` waits for the verdict."""
        self.is_told = False
        """Whether it was told of the loss."""
        self.conclusion: ProtectionIncomplete | None = None
        """What the guard ended with, for whoever waited for it."""
        self._wanted = wanted
        self._around = around
        self._alive_ids: frozenset[str] = frozenset()
        self._rejected = False
        self._since = 0.0
        self._looks = 0
        self._failures = 0
        self._news = asyncio.Event()
        self._looked = asyncio.Event()
        self._ended = False

    async def watch(self) -> tuple[str, ...]:
        """The exits that have been missing for too long; none once all is well."""
        patience = self._around.settings.patience
        while True:
            await self._look()
            held = self._held(patience)
            if self.standing is Standing.SETTLED or (held and self.standing is Standing.CLOSED):
                return ()
            if held and self.standing is Standing.LOST and not self._around.is_closing(self.entry):
                return self.missing
            await self._pause()

    async def verdict(self) -> tuple[str, ...]:
        """The exits that are missing at first; a rejected one needs no patience."""
        patience = self._around.settings.first_patience
        while not self._ended and self.standing in (None, Standing.LOST):
            if self.missing and (self._rejected or self._held(patience)):
                return self.missing
            await self._looked.wait()
        return ()

    def saw(self) -> None:
        """The private stream showed an order of the family."""
        if self.standing is Standing.WAITING:
            self._news.set()

    def end(self) -> None:
        """Nobody looks any more; whoever waits need not wait."""
        self._ended = True
        self._looked.set()

    def _held(self, patience: float) -> bool:
        """Whether the last look succeeded, and showed what has been so for `patience` seconds."""
        return not self._failures and self._age() >= patience

    def _age(self) -> float:
        return self._around.clock.monotonic() - self._since

    async def _pause(self) -> None:
        pace = self._pace()
        pause = pace[min(max(self._looks, self._failures, 1), len(pace)) - 1]
        if self.standing is Standing.WAITING:
            await first_of(self._news.wait(), self._around.clock.sleep(pause))
            if self._news.is_set():
                await self._around.clock.sleep(_AFTER_NEWS)
        else:
            await self._around.clock.sleep(min(pause, self._until_it_counts()))

    def _pace(self) -> tuple[float, ...]:
        if self._failures:
            return _FAILING
        return _WAITING if self.standing is Standing.WAITING else _TROUBLED

    def _until_it_counts(self) -> float:
        settings, age = self._around.settings, self._age()
        marks = (settings.first_patience, settings.patience)
        return min((mark - age for mark in marks if mark > age), default=inf)

    # --- looking ---

    async def _look(self) -> None:
        has_news = self._news.is_set()
        self._news.clear()
        # a look that waits for room is late, and one at an exit that is missing may use the reserve
        lane = Lane.WRITE if self.standing in (None, Standing.WAITING) else Lane.URGENT
        try:
            with reads_go(lane):
                if has_news or not await self._still_waits():
                    await self._look_at_all()
        except Exception:  # noqa: BLE001  # even a bug of the provider's: it must not end the guard
            self._failures += 1
            return
        self._failures = 0
        self._looks += 1
        self._looked.set()
        self._looked = asyncio.Event()

    async def _still_waits(self) -> bool:
        """A cheap look at an entry that waited last time."""
        if self.standing is not Standing.WAITING:
            return False
        if self._looks < len(_WAITING):
            venue, entry = self._around.venue, self.entry
            entry = await venue._fetch_order(entry.account_id, entry.id)
            return not has_fill(entry) and not entry.status.is_final
        with reads_go(Lane.READ):
            orders = await self._around.open_orders(self.entry.account_id)
        waiting = {one.id for one in orders if not has_fill(one)}
        return {self.entry.id, *self._alive_ids} <= waiting

    async def _look_at_all(self) -> None:
        venue = self._around.venue
        family = family_of(self.entry, await venue._fetch_exits(self.entry))
        if at_work(family, self._wanted):
            self._note(Standing.SETTLED, family)
            return
        self.entry = await venue._fetch_order(self.entry.account_id, self.entry.id)
        family = evolve(family, entry=self.entry)
        self._note(await self._standing_of(family), family)

    async def _standing_of(self, family: OrderFamily) -> Standing:
        venue = self._around.venue
        lost = self._lost(family)
        standing = judge(family, lost, waiting_are_shown=venue.shows_waiting_exits)
        if standing is Standing.LOST and has_fill(self.entry):
            positions = await venue._fetch_positions(self.entry.account_id)
            # what still works of the entry may fill yet, so its exits are missed all the same
            if self.entry.status.is_final and not is_held(self.entry, positions):
                return Standing.CLOSED
        return standing

    def _lost(self, family: OrderFamily) -> tuple[str, ...]:
        return lost_exits(family, self._wanted, is_released=self._around.is_released)

    def _note(self, standing: Standing, family: OrderFamily) -> None:
        if standing is not self.standing:
            self._since = self._around.clock.monotonic()
            self._looks = 0
        self.standing = standing
        self.missing = self._lost(family) if standing is Standing.LOST else ()
        self._rejected = any(
            leg is not None and leg.status is OrderStatus.REJECTED
            for leg in (getattr(family, name) for name in self.missing)
        )
        self._alive_ids = frozenset(leg.id for leg in family.exits if not leg.status.is_final)
