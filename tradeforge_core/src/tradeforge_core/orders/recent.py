"""What the venue accepted a moment ago: a look that does not show it may be behind.

Many venues answer reads from a copy that is seconds behind. An order can have filled while neither
the list of open orders nor that of positions has any of it.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING

from attrs import define

from tradeforge_core.errors import TradeForgeError
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Order, Position
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.closing import Closing
from tradeforge_core.orders.holding import Holding, signed
from tradeforge_core.orders.intents import Operation
from tradeforge_core.outcomes import Accepted

if TYPE_CHECKING:
    from tradeforge_core.state import KnownOrders

_SKEW = timedelta(seconds=60)
"""By how much the clocks of the venue and of this machine may differ, when asking since then."""

Place = tuple[str, str]
"""An account and a contract."""


@define(eq=False, kw_only=True)
class _Write:
    """An accepted request, and what was held before it, as far as that is known."""

    name: str
    at: float
    before: Holding | None
    takes: Holding = Holding()
    """What a close adds to the position: below zero where it was long."""
    order_id: str | None = None
    size: Decimal = Decimal(0)
    """Of an order, in all, and signed."""
    filled_before: Decimal = Decimal(0)
    """What it had filled before it was changed."""


class Recent:
    """The orders, changes and closes that were accepted within the last `settle` seconds.

    An order counts by what is known of it, from the stream or from a look at it alone: it may fill
    for as long as it is not known to have ended, and any look may be without what it has filled.
    One that is not known to have ended counts for twice as long.
    """

    def __init__(
        self,
        *,
        known_orders: "KnownOrders",
        look_at_order: Callable[[str, str], Awaitable[Order]],
        look_back: Callable[[str, datetime], Awaitable[object]],
        clock: Clock,
        settle: Callable[[], float],
    ) -> None:
        self._known_orders = known_orders
        self._look_at_order = look_at_order
        self._look_back = look_back
        self._clock = clock
        self._settle = settle
        self._writes: dict[Place, list[_Write]] = {}
        self._held: dict[Place, tuple[float, Holding]] = {}

    # --- what it is told ---

    def notice(self, case: Case) -> None:
        """A request is on its way, or its outcome became known."""
        place = (case.intent.account_id, case.intent.contract_id)
        if case.outcome is None:
            closing = case.closing
            if closing is not None and closing.held is not None:
                self.holding(*place, closing.held)
            case.held_before = self._held_at(place)
        elif isinstance(case.outcome, Accepted):
            self._take(place, case, case.outcome, age=0.0)

    def recall(self, case: Case, accepted: Accepted) -> None:
        """An earlier run of the program has left this on record; the older ones come first."""
        place = (case.intent.account_id, case.intent.contract_id)
        age = (self._clock.now() - accepted.time).total_seconds()
        if case.id not in {one.name for one in self._writes.get(place, ())}:
            self._take(place, case, accepted, age=max(age, 0.0))

    def _take(self, place: Place, case: Case, accepted: Accepted, *, age: float) -> None:
        at = self._clock.monotonic() - age
        write = _Write(name=case.id, at=at, before=case.held_before)
        match case.intent.operation:
            case Operation.PLACE if accepted.order is not None:
                order = accepted.order
                write.order_id, write.size = order.id, signed(order.side, order.size)
                self._add(place, write)
            case Operation.MODIFY if case.change is not None and case.change.size is not None:
                self._take_size(place, write, case.change.order_id, case.change.size)
            case Operation.CLOSE if case.closing is not None:
                self._take_close(place, write, case.closing)

    def _take_size(self, place: Place, write: _Write, order_id: str, size: Decimal) -> None:
        """The larger size counts, until looks are sure to show the other one."""
        order = self._order(order_id)
        if order is None:
            return
        new = signed(order.side, size)
        for known in self._at(place):
            if known.order_id == order_id:
                known.at, known.size = write.at, max(known.size, new, key=abs)
                return
        write.order_id, write.size, write.filled_before = order_id, new, order.filled_size
        self._add(place, write)

    def _take_close(self, place: Place, write: _Write, closing: Closing) -> None:
        if closing.size is None:
            self._forget_ended(place)
            write.before = Holding()
        else:
            write.takes = _taken(closing.size, write.before)
        self._add(place, write)

    def _forget_ended(self, place: Place) -> None:
        """Nothing is left of what had filled; an order at work fills before the close or after."""
        left = [one for one in self._at(place) if not self._has_ended(one)]
        for write in left:
            write.before = None
        self._writes[place] = left

    def _add(self, place: Place, write: _Write) -> None:
        self._writes[place] = [*self._at(place), write]

    async def look(self, account_id: str, contract_id: str | None, shown: Iterable[Order]) -> None:
        """Ask for the orders that are not shown as open, and of which nobody knows the end.

        That is one request at most. If it fails they count as orders that may fill.
        """
        open_ids = {one.id for one in shown}
        unsure = [
            one
            for place in self._places(account_id, contract_id)
            for one in self._at(place)
            if one.order_id not in open_ids and not self._has_ended(one)
        ]
        if unsure:
            with suppress(TradeForgeError):
                await self._look_at(account_id, unsure)

    async def _look_at(self, account_id: str, writes: list[_Write]) -> None:
        order_id = writes[0].order_id
        if len(writes) == 1 and order_id is not None:
            await self._look_at_order(account_id, order_id)
        else:
            oldest = self._clock.monotonic() - min(one.at for one in writes)
            start = self._clock.now() - timedelta(seconds=oldest) - _SKEW
            await self._look_back(account_id, start)

    # --- what it tells ---

    def holding(self, account_id: str, contract_id: str, shown: Decimal) -> Holding:
        """What may be held where a look has just shown this."""
        place = (account_id, contract_id)
        holding = self._holding(self._at(place), shown)
        self._held[place] = (self._clock.monotonic(), holding)
        return holding

    def _holding(self, writes: list[_Write], shown: Decimal) -> Holding:
        """As shown; or what was held before they were sent, with what they have added."""
        sure = next((at for at, one in enumerate(writes) if one.before is not None), len(writes))
        holding = Holding.of(shown)
        if (before := writes[sure].before if writes[sure:] else None) is not None:
            since = reduce(Holding.plus, map(self._added, writes[sure:]), before)
            holding = holding.beside(since)
        return reduce(Holding.perhaps_plus, map(self._added, writes[:sure]), holding)

    def _added(self, write: _Write) -> Holding:
        order = self._order(write.order_id)
        if order is None:
            return write.takes
        return Holding.of(signed(order.side, order.filled_size - write.filled_before))

    def unshown(self, account_id: str, contract_id: str, shown: Iterable[Order]) -> list[Decimal]:
        """What may fill yet beyond the open orders that a look has just shown, signed."""
        sizes = {one.id: one.size for one in shown}
        return [
            more.copy_sign(one.size)
            for one in self._at((account_id, contract_id))
            if not self._has_ended(one) and (more := self._beyond(one, sizes)) > 0
        ]

    def _beyond(self, write: _Write, shown: dict[str, Decimal]) -> Decimal:
        order = self._order(write.order_id)
        filled = Decimal(0) if order is None else order.filled_size
        return abs(write.size) - shown.get(write.order_id or "", filled)

    def unproven(
        self, account_id: str, contract_id: str | None, positions: Iterable[Position]
    ) -> set[str]:
        """The names of what may be at work or held beyond what a look has just shown."""
        shown: defaultdict[str, Decimal] = defaultdict(Decimal)
        for position in positions:
            shown[position.contract_id] += position.size
        return {
            write.name
            for place in self._places(account_id, contract_id)
            for write in self._at(place)
            if not self._has_ended(write) or self.holding(*place, shown[place[1]]) != Holding()
        }

    # --- what it keeps ---

    def _places(self, account_id: str, contract_id: str | None) -> list[Place]:
        return [
            place
            for place in self._writes
            if place[0] == account_id and contract_id in (None, place[1])
        ]

    def _at(self, place: Place) -> list[_Write]:
        """Those of one contract, oldest first."""
        now, settle = self._clock.monotonic(), self._settle()
        writes = self._writes.pop(place, ())
        left = [one for one in writes if self._counts(one, age=now - one.at, settle=settle)]
        if left:
            self._writes[place] = left
        return left

    def _counts(self, write: _Write, *, age: float, settle: float) -> bool:
        # most are young, and need no look at what became of their order
        return age < settle or (age < settle * 2 and not self._has_ended(write))

    def _held_at(self, place: Place) -> Holding | None:
        looked_at, held = self._held.get(place, (float("-inf"), None))
        return held if self._clock.monotonic() - looked_at <= self._settle() else None

    def _order(self, order_id: str | None) -> Order | None:
        known = order_id is not None and order_id in self._known_orders
        return self._known_orders[order_id] if order_id is not None and known else None

    def _has_ended(self, write: _Write) -> bool:
        if write.order_id is None:
            return True
        order = self._order(write.order_id)
        return order is not None and order.status.is_final


def _taken(size: Decimal, before: Holding | None) -> Holding:
    """What a close of a part adds: less of what was long, and more of what was short."""
    if before is not None and before.low > 0:
        return Holding.of(-size)
    if before is not None and before.high < 0:
        return Holding.of(size)
    return Holding(-size, size)
