"""Asks the venue what is so, and tells what the streams have not: after a loss, and now and then.

A connection can be alive and lose a message all the same, and what happened while there was none
is not told later. So the open orders, the positions and the latest fills are read, joined with
what is known, and what nobody was told is told then.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define, field

from tradeforge_core.enums import EventSource, GapCause
from tradeforge_core.errors import NotFound, TradeForgeError
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
from tradeforge_core.kit.tasks import TaskOwner, first_of
from tradeforge_core.models import Order, Position, Trade
from tradeforge_core.requests import Period
from tradeforge_core.state.ledger import Ledger
from tradeforge_core.state.told import AUDITED, Item, Told
from tradeforge_core.streams.audit_times import AuditTimes

if TYPE_CHECKING:
    from tradeforge_core.adapter import VenueAdapter
    from tradeforge_core.kit.budget import RateBudget

_OVERLAP = timedelta(minutes=1)
"""How far the reading of fills reaches back behind the last one: clocks differ, venues lag."""
_MOST_READINGS = 3
"""Of positions that change while they are read."""
_MOST_LOOKS = 20
"""Orders that are looked up one by one in a round."""


@define
class _Account:
    id: str
    checked_to: datetime
    """What the venue did before this is known."""
    due: float = math.inf
    """When it is audited next, by the monotonic clock."""
    lost: set[Topic] = field(factory=set)
    """What was missing since the last audit: its end is told with the next one."""
    has_failed: bool = False
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
        publish: Callable[[Topic, Event], None],
        publish_health: Callable[[HealthEvent, Iterable[Topic]], None],
        report: Callable[[TradeForgeError], None],
        clock: Clock,
        times: AuditTimes,
    ) -> None:
        self._venue = venue
        self._ledger = ledger
        self._told = told
        self._wants = wants
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
        for account_id in sorted({one.key for one in new}):
            now = self._clock.now()
            await self._read(account_id, now)
            account = self._accounts.setdefault(account_id, _Account(account_id, now))
            account.due = min(account.due, self._clock.monotonic() + self._pause(account_id))
        for topic in new:
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
            for account in [one for one in self._accounts.values() if one.due <= now]:
                if not self._makes_room(account):
                    await self._audit(account)
            next_at = min((one.due for one in self._accounts.values()), default=now)
            if (left := next_at - self._clock.monotonic()) > 0:
                await first_of(self._woken.wait(), self._clock.sleep(left))

    def _makes_room(self, account: _Account) -> bool:
        """Put off what is only routine while a request limit is half used: others need it more."""
        is_routine = not account.lost and account.put_off < self._times.idle
        if not (is_routine and any(2 * one.used > one.limit for one in self._budgets())):
            account.put_off = 0.0
            return False
        account.put_off += self._times.retry
        account.due = self._clock.monotonic() + self._times.retry
        return True

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
        try:
            await self._compare(account, topics, lost)
        except Exception as error:  # noqa: BLE001  # whatever fails, the next audit must come
            account.lost |= lost
            account.due = self._clock.monotonic() + self._times.retry
            self._failed(account, error)
        else:
            account.has_failed = False
            if not account.lost:
                account.due = self._clock.monotonic() + self._pause(account.id)

    def _failed(self, account: _Account, error: Exception) -> None:
        """Nothing was learned, and that is said once."""
        if not account.has_failed:
            account.has_failed = True
            self._report(error if isinstance(error, TradeForgeError) else _fault_of_ours(error))

    async def _compare(self, account: _Account, topics: list[Topic], lost: set[Topic]) -> None:
        began = self._clock.now()
        await self._read(account.id, account.checked_to)
        if not lost and any(self._told.untold(topic) for topic in topics):
            await self._clock.sleep(self._times.settle)  # it may be on its way still
        found = {topic: items for topic in topics if (items := self._told.untold(topic))}
        if missed := set(found) - lost:
            dropped = sum(len(found[topic]) for topic in missed)
            self._tell_gap(missed, account.checked_to, dropped)
        account.checked_to = began
        repaired = [_name(one) for topic in topics for one in found.get(topic, ())]
        for topic in topics:
            for item in found.get(topic, ()):
                self._tell(topic, item)
        if lost or repaired:
            self._tell_resynced(sorted(lost | set(found)), account.id, repaired)

    def _wanted_of(self, account_id: str) -> list[Topic]:
        topics = (Topic(kind, account_id) for kind in AUDITED)
        return sorted(one for one in topics if self._is_followed(one))

    # --- reading ---

    async def _read(self, account_id: str, since: datetime) -> None:
        """Take in what the venue says of the account; a reading that fails changes nothing."""
        began = self._clock.now()
        period = Period(start=since - _OVERLAP, end=began + _OVERLAP)
        orders = await self._venue._fetch_open_orders(account_id)
        ended = await self._venue._fetch_order_history(account_id, period)
        trades = await self._venue._fetch_trades(account_id, period)
        positions = await self._positions(account_id)
        for order in ended:
            self._ledger.saw_order(order, began)
        self._ledger.saw_open_orders(account_id, orders, began)
        for trade in trades:
            self._ledger.saw_trade(trade)
        self._ledger.saw_positions(account_id, *positions)
        await self._look_up(account_id)

    async def _positions(self, account_id: str) -> tuple[list[Position], datetime]:
        """The positions, and when they were true.

        A venue may show them as they were a while ago. So what differs from what is known here is
        only believed if two readings in a row say it.
        """
        began = self._clock.now()
        read = await self._venue._fetch_positions(account_id)
        if self._are_known(account_id, read):
            return read, began
        for _ in range(_MOST_READINGS):
            await self._clock.sleep(self._times.settle / 2)
            began = self._clock.now()
            before, read = read, await self._venue._fetch_positions(account_id)
            if _sizes(before) == _sizes(read):
                return read, began
        return self._agreed(account_id, before, read), began

    def _agreed(
        self, account_id: str, before: list[Position], read: list[Position]
    ) -> list[Position]:
        """What two readings say alike; where they do not, it stays as it is known."""
        earlier, later = _sizes(before), _sizes(read)
        moving = {one for one in {*earlier, *later} if earlier.get(one) != later.get(one)}
        known = [one for one in self._ledger.positions if one.account_id == account_id]
        return [
            *(one for one in read if one.contract_id not in moving),
            *(one for one in known if one.contract_id in moving),
        ]

    def _are_known(self, account_id: str, positions: list[Position]) -> bool:
        known = [one for one in self._ledger.positions if one.account_id == account_id]
        return _sizes(known) == _sizes(positions)

    async def _look_up(self, account_id: str) -> None:
        """Find out how orders have ended that the venue does not list any more."""
        for order in self._ledger.questionable(account_id)[:_MOST_LOOKS]:
            began = self._clock.now()
            try:
                found = await self._venue._fetch_order(account_id, order.id)
            except NotFound:
                continue  # a venue that is behind; the next audit asks again
            self._ledger.saw_order(found, began)

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
        return self._venue.stream_of[next(iter(topics)).kind]


def _fault_of_ours(error: Exception) -> TradeForgeError:
    told = TradeForgeError(
        f"the audit failed by a fault in this library or in the provider ({type(error).__name__}):"
        " it goes on, and what streams lose may be found late; please report it"
    )
    told.__cause__ = error
    return told


def _sizes(positions: Iterable[Position]) -> dict[str, object]:
    return {one.contract_id: one.size for one in positions if not one.is_flat}


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
