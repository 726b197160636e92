"""Asks the venue what is so, and tells what the streams have not: after a loss, and now and then.

A connection can be alive and lose a message all the same, and what happened while there was none
is not told later. So the open orders, the positions and the latest fills are read, joined with
what is known, and what nobody was told is told then.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import define, field

from tradeforge_core.enums import EventSource, GapCause
from tradeforge_core.errors import Disconnected, TradeForgeError
from tradeforge_core.events import (
    Event,
    Gap,
    HealthEvent,
    OrderUpdateEvent,
    PositionUpdateEvent,
    Resynced,
    Topic,
    UserTradeEvent,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner, first_of, not_cancelled, stop_if_cancelled
from tradeforge_core.models import Order, Position, Trade
from tradeforge_core.state.changes import Item
from tradeforge_core.state.ledger import Ledger
from tradeforge_core.state.told import AUDITED, Told
from tradeforge_core.streams.account_reader import AccountReader
from tradeforge_core.streams.audit_times import AuditTimes

if TYPE_CHECKING:
    from tradeforge_core.adapter import VenueAdapter
    from tradeforge_core.kit.budget import RateBudget


@define
class _Account:
    id: str
    checked_to: datetime
    """What the venue did before this is known."""
    due: float = math.inf
    """When it is audited next, by the monotonic clock."""
    looked_at: float = math.inf
    """When it was audited, or read to begin with, by the same clock."""
    lost: set[Topic] = field(factory=set)
    """What was missing since the last audit: its end is told with the next one."""
    failures: int = 0
    """In a row."""
    put_off: float = 0.0
    """For how many seconds the next audit has made room for others."""


class Audit:
    """Follows the accounts whose private data is subscribed."""

    def __init__(
        self,
        venue: "VenueAdapter",
        ledger: Ledger,
        told: Told,
        *,
        wants: Callable[[Topic], bool],
        disclose: Callable[[Topic], bool],
        publish: Callable[[Topic, Event], None],
        publish_health: Callable[[HealthEvent, Iterable[Topic]], None],
        report: Callable[[TradeForgeError], None],
        clock: Clock,
        times: AuditTimes,
    ) -> None:
        self._venue = venue
        self._reader = AccountReader(venue, ledger, clock=clock, settle=times.settle)
        self._ledger = ledger
        self._told = told
        self._wants = wants
        self._disclose = disclose
        self._publish = publish
        self._publish_health = publish_health
        self._report = report
        self._clock = clock
        self._times = times
        self._accounts: dict[str, _Account] = {}
        self._followed: set[Topic] = set()
        self._tasks = TaskOwner()
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._is_closed = False

    async def begin(self, topics: Iterable[Topic]) -> None:
        """Read what is so now: it is where the subscribers of these topics begin.

        Raises what the reading raises.
        """
        new = sorted(one for one in topics if one.kind in AUDITED and not self._is_followed(one))
        began: dict[str, datetime] = {}
        for account_id in sorted({one.key for one in new}):
            await self._wait_for_room()  # that the accounts before this one have used
            began[account_id] = self._clock.now()
            await self._reader.read(account_id, began[account_id])
        if self._is_closed:
            raise Disconnected("disconnect() was called", sent=False)
        for account_id, now in began.items():
            account = self._accounts.setdefault(account_id, _Account(account_id, now))
            account.looked_at = self._clock.monotonic()
            account.due = min(account.due, account.looked_at + self._pause(account_id))
        for topic in new:
            if not self._is_followed(topic):  # by another who was faster
                self._told.begin(topic)
        self._followed.update(new)
        self._wake()

    def lost(self, event: HealthEvent) -> None:
        """A gap in private data has ended, or something in it was not understood: look at once."""
        if not isinstance(event, Gap) or event.is_open or event.cause is GapCause.MISSED:
            return
        for topic in event.topics:
            account = self._accounts.get(topic.key) if topic.kind in AUDITED else None
            if account is not None:
                account.lost.add(topic)
                account.due = self._clock.monotonic()
                self._wake()

    async def close(self) -> None:
        self._is_closed = True  # whoever reads in `begin` at this moment starts nothing any more
        await self._tasks.close()
        self._accounts.clear()
        self._followed.clear()
        self._task = None

    def _is_followed(self, topic: Topic) -> bool:
        return topic in self._followed and self._wants(topic)

    def _wake(self) -> None:
        if self._is_closed:
            return
        if self._accounts and (self._task is None or self._task.done()):
            self._woken = asyncio.Event()
            self._task = self._tasks.start(self._run(), name="audit")
        self._woken.set()

    async def _run(self) -> None:
        while self._accounts:
            self._woken.clear()
            now = self._clock.monotonic()
            for account in [one for one in self._accounts.values() if self._due(one) <= now]:
                await self._audit(account)
            # orders may be opened by then, and nobody tells
            next_at = min((self._due(one) for one in self._accounts.values()), default=now)
            next_at = min(next_at, now + self._times.busy)
            if (left := next_at - self._clock.monotonic()) > 0:
                await first_of(self._woken.wait(), self._clock.sleep(left))

    def _due(self, account: _Account) -> float:
        """When it is audited next; an order that was opened since does not wait for an idle one."""
        if account.put_off or not self._ledger.orders.open(account.id):
            return account.due
        return min(account.due, account.looked_at + self._times.busy)

    def _makes_room(self, account: _Account, is_routine: bool) -> bool:
        """Put it off while a request limit is half used, or nearly all: others need it more."""
        waits = is_routine and account.put_off < self._times.idle
        share = _MOST_OF_ROUTINE if waits else _MOST_TO_REPAIR
        if account.put_off >= _MOST_PATIENCE * self._times.idle or not self._is_used(share):
            return False
        account.put_off += self._times.retry
        account.due = self._clock.monotonic() + self._times.retry
        return True

    async def _wait_for_room(self) -> None:
        until = self._clock.monotonic() + self._times.idle
        while self._is_used(_MOST_TO_REPAIR) and self._clock.monotonic() < until:
            await self._clock.sleep(self._times.retry)

    def _is_used(self, share: float) -> bool:
        return any(one.used > share * one.limit for one in self._budgets())

    def _budgets(self) -> "Iterable[RateBudget]":
        return self._venue._budgets().values()

    def _pause(self, account_id: str) -> float:
        return self._times.busy if self._ledger.orders.open(account_id) else self._times.idle

    # --- one account ---

    async def _audit(self, account: _Account) -> None:
        topics = self._wanted_of(account.id)
        if not topics:  # nobody listens any more: what happens from now on is nobody's news
            del self._accounts[account.id]
            self._followed = {one for one in self._followed if one.key != account.id}
            return
        lost, account.lost = account.lost, set()
        account.looked_at = math.inf  # until it was
        try:
            if self._makes_room(account, is_routine=not lost):
                account.lost |= lost
                return
            await not_cancelled(self._compare(account, topics, lost))
        except Exception as error:  # noqa: BLE001  # whatever fails, the next audit must come
            stop_if_cancelled()
            account.lost |= lost
            self._failed(account, error)
        else:
            account.failures = 0
            account.put_off = 0.0
            account.looked_at = self._clock.monotonic()
            if not account.lost:
                # the first answer after a loss may have been behind
                pause = self._times.settle if lost else self._pause(account.id)
                account.due = account.looked_at + pause

    def _failed(self, account: _Account, error: Exception) -> None:
        """Nothing was learned: that is said once, and asked again ever more rarely."""
        if account.failures == 0:
            self._report(error if isinstance(error, TradeForgeError) else _fault_of_ours(error))
        pause = self._times.retry * 2 ** min(account.failures, _MOST_DOUBLINGS)
        account.due = self._clock.monotonic() + min(pause, self._times.busy)
        account.failures += 1

    async def _compare(self, account: _Account, topics: list[Topic], lost: set[Topic]) -> None:
        began = self._clock.now()
        await self._reader.read(account.id, account.checked_to)
        repaired = self._repair({one: self._told.untold(one) for one in topics if one in lost})
        if lost:
            self._tell_resynced(sorted(lost), account.id, repaired)
        missed = await self._missed(account, set(topics) - lost)
        # a topic without a connection has a gap of its own
        if alive := [one for one in missed if not self._disclose(one)]:
            self._tell_gap(alive, account.checked_to, sum(len(missed[one]) for one in alive))
        if missed:
            self._tell_resynced(sorted(missed), account.id, self._repair(missed))
        account.checked_to = began

    async def _missed(self, account: _Account, topics: set[Topic]) -> dict[Topic, list[Item]]:
        """What no message has told though it has had the time to come, by topic."""
        waiting = {one: some for one in sorted(topics) if (some := self._told.waiting(one))}
        if waiting:
            await self._clock.sleep(self._times.settle)
        overdue = {topic: self._told.overdue(topic, some) for topic, some in waiting.items()}
        # of what was lost meanwhile the next audit tells, which comes at once
        ours = set(self._wanted_of(account.id)) - account.lost
        return {topic: some for topic, some in overdue.items() if some and topic in ours}

    def _repair(self, found: dict[Topic, list[Item]]) -> list[str]:
        """Tell what was found, and give its names."""
        for topic, items in found.items():
            for item in items:
                self._tell(topic, item)
        return [_name(item) for items in found.values() for item in items]

    def _wanted_of(self, account_id: str) -> list[Topic]:
        topics = (Topic(kind, account_id) for kind in AUDITED)
        return sorted(one for one in topics if self._is_followed(one))

    # --- telling ---

    def _tell(self, topic: Topic, item: Item) -> None:
        if self._told.tell(item):
            self._publish(topic, _event(item, self._clock.now()))

    def _tell_gap(self, topics: Iterable[Topic], since: datetime, dropped: int) -> None:
        gap = Gap(
            stream=self._stream(topics),
            cause=GapCause.MISSED,
            topics=tuple(sorted(topics)),
            since=since,
            until=self._clock.now(),
            dropped=dropped,
            received=self._clock.now(),
        )
        self._publish_health(gap, gap.topics)

    def _tell_resynced(self, topics: list[Topic], account_id: str, repaired: list[str]) -> None:
        resynced = Resynced(
            stream=self._stream(topics),
            topics=tuple(topics),
            account_id=account_id,
            repaired=tuple(repaired),
            received=self._clock.now(),
        )
        self._publish_health(resynced, resynced.topics)

    def _stream(self, topics: Iterable[Topic]) -> str:
        return self._venue._stream_for(next(iter(topics)))


_MOST_DOUBLINGS = 10
_MOST_OF_ROUTINE, _MOST_TO_REPAIR = 0.5, 0.75
"""Of a request limit, what may be used when an audit begins: the rest is for orders."""
_MOST_PATIENCE = 3
"""Times the pause of an idle account, in all."""


def _fault_of_ours(error: Exception) -> TradeForgeError:
    told = TradeForgeError(
        f"the audit failed by a fault in this library or in the provider ({type(error).__name__}):"
        " it goes on, and what streams lose may be found late; please report it"
    )
    told.__cause__ = error
    return told


def _name(item: Item) -> str:
    if isinstance(item, Position):
        return f"position {item.contract_id}"
    return f"{'order' if isinstance(item, Order) else 'fill'} {item.id}"


def _event(item: Item, received: datetime) -> Event:
    if isinstance(item, Order):
        return OrderUpdateEvent(order=item, received=received, source=EventSource.AUDIT)
    if isinstance(item, Trade):
        return UserTradeEvent(trade=item, received=received, source=EventSource.AUDIT)
    return PositionUpdateEvent(position=item, received=received, source=EventSource.AUDIT)
