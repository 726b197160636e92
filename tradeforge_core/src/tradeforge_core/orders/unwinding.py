"""Getting out: cancel what works, close what is held, and prove by reading back that it is so."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.enums import OrderSide, OrderStatus
from tradeforge_core.errors import (
    Disconnected,
    InvalidOrder,
    NotFlat,
    NotSent,
    OrderOutcomeUnknown,
    TradeForgeError,
)
from tradeforge_core.kit.budget import Lane, reads_go
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner, first_of
from tradeforge_core.models import Order, Position
from tradeforge_core.orders.case import Case
from tradeforge_core.orders.desk import OrderDesk
from tradeforge_core.orders.intents import Operation
from tradeforge_core.orders.path import before_sending
from tradeforge_core.orders.recent import Recent
from tradeforge_core.outcomes import Accepted, CancelResult
from tradeforge_core.requests import OrderChange

_log = logging.getLogger("tradeforge_core")

_LOOKS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.5, 2.0, 2.0, 3.0)
"""Seconds before each look at what is left: ten in all, most of them early."""

_LONGEST_LOOK = 1.0
"""Seconds that getting out waits to know what became of the latest orders."""


class Unwinding:
    """Closes and cancels through the desk, and looks until the venue agrees."""

    def __init__(
        self,
        desk: OrderDesk,
        venue: VenueAdapter,
        clock: Clock,
        *,
        cases: Callable[[], list[Case]],
        recent: Recent,
        report: Callable[[TradeForgeError], None],
    ) -> None:
        self._desk = desk
        self._venue = venue
        self._clock = clock
        self._closings = TaskOwner()
        self._cases = cases
        self._recent = recent
        self._report = report
        self._leaving: Counter[tuple[str, str | None]] = Counter()

    def is_leaving(self, account_id: str, contract_id: str) -> bool:
        """Whether this contract, or all of the account, is being closed at this moment."""
        return any(self._leaving[account_id, place] for place in (contract_id, None))

    @contextmanager
    def _noted(self, account_id: str, contract_id: str | None) -> Iterator[None]:
        self._leaving[account_id, contract_id] += 1
        try:
            yield
        finally:
            self._leaving[account_id, contract_id] -= 1
            self._leaving += Counter()  # forget what is over

    async def cancel_all(self, account_id: str, contract_id: str | None) -> list[CancelResult]:
        """Cancel every open order, of one contract or of all, each by itself."""
        with reads_go(Lane.URGENT):
            look = self._open_orders(account_id, contract_id)
            orders = await before_sending(look, "cancel")
            return await self._cancel_each(account_id, orders)

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        """Close, and take the exits of brackets along, which would open a new position.

        Once it has begun it goes on without its caller, and tells the error handlers of a failure.
        """
        with self._noted(account_id, contract_id), reads_go(Lane.URGENT):
            look = self._positions(account_id, contract_id)
            held = _holdings(await before_sending(look, "close"))
            if size is not None and len(held) > 1:
                raise InvalidOrder([f"{contract_id} is held long and short: which one to reduce?"])
            closing = self._closings.start(
                self._close(account_id, contract_id, size, held), name=f"close of {contract_id}"
            )
            try:
                await self._closings.result_of(closing)
            except asyncio.CancelledError:
                closing.add_done_callback(self._tell_failure)
                raise
            except Disconnected as ended:
                if closing.cancelled():  # the close was taken, and its exits are left to be seen to
                    raise NotFlat() from ended
                raise

    async def _close(
        self, account_id: str, contract_id: str, size: Decimal | None, held: "_Holdings"
    ) -> None:
        total = sum(map(abs, held.values()), Decimal(0))
        target = Decimal(0) if size is None else max(total - size, Decimal(0))
        has_exits = self._venue.capabilities.brackets and bool(total)
        with self._noted(account_id, contract_id):
            # what is known to have filled before the close will be gone with it
            await self._look_at_recent(account_id, contract_id, ())
            try:
                await self._close_sides(account_id, contract_id, size, held)
            except OrderOutcomeUnknown as unknown:
                if has_exits:
                    self._fit_exits_later(unknown, account_id, contract_id, target)
                raise
            if has_exits:
                await self._fit_exits(account_id, contract_id, target)

    async def _close_sides(
        self, account_id: str, contract_id: str, size: Decimal | None, held: "_Holdings"
    ) -> None:
        """Each of them, also where one fails. Raises the first failure."""
        failures: list[TradeForgeError] = []
        for side, one in held.items():
            try:
                await self._desk.close(account_id, contract_id, size, held=one, hedge_side=side)
            except TradeForgeError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _fit_exits_later(
        self, unknown: OrderOutcomeUnknown, account_id: str, contract_id: str, target: Decimal
    ) -> None:
        """Once the close is known to be done, if it is ever known."""

        async def fit(case: Case) -> None:
            await case.closed.wait()
            if isinstance(case.outcome, Accepted):
                await self._fit_exits(account_id, contract_id, target)

        for case in self._cases():
            if case.id == unknown.client_order_id:
                later = self._closings.start(fit(case), name=f"exits of {contract_id}")
                later.add_done_callback(self._tell_failure)

    def look_after(self, case: Case) -> None:
        """Tell of exits that a close of an earlier run has left at work.

        They are not cancelled: whoever runs this may be another program than the one that closed.
        """
        closing = case.closing
        if self._venue.capabilities.brackets and closing is not None and closing.target is not None:
            looking = self._closings.start(
                self._look_after(case, abs(closing.target)),
                name=f"exits of {case.intent.contract_id}",
            )
            looking.add_done_callback(self._tell_failure)

    async def _look_after(self, case: Case, target: Decimal) -> None:
        if not case.is_settled:
            await case.closed.wait()
        if not isinstance(case.outcome, Accepted):
            return
        await self._clock.sleep(_LOOKS[-1])  # whoever has sent it may be at it still
        account_id, contract_id = case.intent.account_id, case.intent.contract_id
        exits, positions = await self._exits_and_held(account_id, contract_id)
        too_large = [one for one in exits if one.remaining_size > target]
        if too_large and sum((abs(one.size) for one in positions), Decimal(0)) <= target:
            raise NotFlat(positions, too_large)

    def _tell_failure(self, task: "asyncio.Task[None]") -> None:
        """Nobody waits for this any more."""
        if task.cancelled():
            _log.warning(
                "%s: disconnect() came before its end, look after its exits", task.get_name()
            )
        elif isinstance(error := task.exception(), TradeForgeError):
            self._report(error)

    async def finish(self, *, grace: float) -> None:
        """Let closes that have left come to their end for `grace` seconds."""
        await self._closings.close(grace=grace)

    async def flatten(self, account_id: str, contract_id: str | None = None) -> None:
        """Cancel and close everything, of one contract or of all.

        Raises `NotFlat` with what is left at the end. That can be an order whose outcome is not
        known, or an accepted one that looks do not show yet: as long as it may come, no look
        proves anything.

        A cancel is repeated while its order is still open. A close is repeated after proof that it
        was not sent, or that it is over; else a second one could turn the position around.
        """
        closing = _Closing(self._desk, account_id)
        with self._noted(account_id, contract_id), reads_go(Lane.URGENT):
            await self._await_flat(account_id, contract_id, closing)

    async def _await_flat(
        self, account_id: str, contract_id: str | None, closing: "_Closing"
    ) -> None:
        """Act on every look until a look finds nothing. A look that fails proves nothing."""
        positions: list[Position] = []
        orders: list[Order] = []
        coming: set[str] = set()
        trouble: TradeForgeError | None = None
        for pause in _LOOKS:
            await self._clock.sleep(pause)
            # before and after: what is booked while it looks is perhaps not shown
            coming = self._coming(account_id, contract_id)
            try:
                positions, orders = await self._left(account_id, contract_id)
            except TradeForgeError as error:
                trouble = error
                continue
            await self._look_at_recent(account_id, contract_id, orders)
            coming |= self._coming(account_id, contract_id)
            coming |= self._recent.unproven(account_id, contract_id, positions)
            if not positions and not orders and not coming:
                return
            await self._cancel_each(account_id, orders, patient=False)
            await closing.close_each(positions)
        raise NotFlat(positions, orders, coming) from next(iter(closing.failures), trouble)

    async def _look_at_recent(
        self, account_id: str, contract_id: str | None, shown: Iterable[Order]
    ) -> None:
        looks = self._recent.look(account_id, contract_id, shown)
        await first_of(looks, self._clock.sleep(_LONGEST_LOOK))

    def _coming(self, account_id: str, contract_id: str | None) -> set[str]:
        """The names of orders that were sent and may become positions yet."""
        return {
            case.id
            for case in self._cases()
            if case.intent.operation is Operation.PLACE
            and case.intent.account_id == account_id
            and contract_id in (None, case.intent.contract_id)
        }

    async def _fit_exits(self, account_id: str, contract_id: str, target: Decimal) -> None:
        """Wait for the position to be `target`, and make no exit larger than it."""
        positions: list[Position] = []
        too_large: list[Order] = []
        trouble: TradeForgeError | None = None
        for pause in _LOOKS:
            await self._clock.sleep(pause)
            try:
                exits, positions = await self._exits_and_held(account_id, contract_id)
            except TradeForgeError as error:
                trouble = error
                continue
            too_large = [order for order in exits if order.remaining_size > target]
            fits = sum((abs(one.size) for one in positions), Decimal(0)) <= target
            if fits and not too_large:
                return
            if fits:
                await self._shrink(too_large, target)
        raise NotFlat(positions, too_large) from trouble

    async def _shrink(self, exits: Iterable[Order], target: Decimal) -> None:
        for order in exits:
            try:
                if target:
                    await self._desk.modify(_resized(order, order.filled_size + target))
                else:
                    await self._desk.cancel(order.account_id, order.id)
            except TradeForgeError:
                continue  # it may be gone by itself: the next look tells

    async def _exits_and_held(
        self, account_id: str, contract_id: str
    ) -> tuple[list[Order], list[Position]]:
        """In this order: exits of an entry that fills meanwhile must not seem to be left over."""
        exits = await self._exits(account_id, contract_id)
        return exits, await self._positions(account_id, contract_id)

    async def _exits(self, account_id: str, contract_id: str) -> list[Order]:
        """Exits at work; the suspended ones belong to an entry that has not filled."""
        orders = await self._open_orders(account_id, contract_id)
        working = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
        return [one for one in orders if one.parent_order_id and one.status in working]

    async def _positions(self, account_id: str, contract_id: str | None) -> list[Position]:
        positions = await self._venue._fetch_positions(account_id)
        return [one for one in positions if contract_id in (None, one.contract_id)]

    async def _left(
        self, account_id: str, contract_id: str | None
    ) -> tuple[list[Position], list[Order]]:
        orders = await self._open_orders(account_id, contract_id)
        return await self._positions(account_id, contract_id), orders

    async def _open_orders(self, account_id: str, contract_id: str | None) -> list[Order]:
        orders = await self._venue._fetch_open_orders(account_id)
        return [one for one in orders if contract_id in (None, one.contract_id)]

    async def _cancel_each(
        self, account_id: str, orders: list[Order], *, patient: bool = True
    ) -> list[CancelResult]:
        """All at once. Not `patient` where the next look tells what became of a lost answer."""
        cancels = (self._cancel(account_id, one.id, patient) for one in orders)
        return list(await asyncio.gather(*cancels))

    async def _cancel(self, account_id: str, order_id: str, patient: bool) -> CancelResult:
        try:
            await self._desk.cancel(account_id, order_id, patient=patient)
        except TradeForgeError as error:
            return CancelResult(order_id, error)
        return CancelResult(order_id)


class _Closing:
    """Closes each position once; again only after proof that the first close can do no more."""

    def __init__(self, desk: OrderDesk, account_id: str) -> None:
        self.failures: list[TradeForgeError] = []
        self._desk = desk
        self._account_id = account_id
        self._sent: set[_Place] = set()
        self._taken: dict[_Place, Decimal] = {}
        """What was held of the contracts whose close the venue has taken."""

    async def close_each(self, positions: Iterable[Position]) -> None:
        held = {(one.contract_id, one.hedge_side): one.size for one in positions}
        self._forget_done(held)
        for place, size in held.items():
            if place not in self._sent:
                await self._close(place, size)

    def _forget_done(self, held: dict["_Place", Decimal]) -> None:
        """What is held where a taken close has left nothing was filled after it."""
        for place, size in list(self._taken.items()):
            if held.get(place, Decimal(0)) * size <= 0:
                del self._taken[place]
                self._sent.discard(place)

    async def _close(self, place: "_Place", held: Decimal) -> None:
        self._sent.add(place)
        contract_id, side = place
        try:
            await self._desk.close(
                self._account_id, contract_id, None, held=held, hedge_side=side, patient=False
            )
        except TradeForgeError as error:  # it must not keep the others open
            self.failures.append(error)
            if isinstance(error, NotSent):
                self._sent.discard(place)
        else:
            self._taken[place] = held


_Place = tuple[str, OrderSide | None]
_Holdings = dict[OrderSide | None, Decimal]
"""What is held of one contract; of two positions at once each by its side."""


def _holdings(positions: Iterable[Position]) -> _Holdings:
    return {one.hedge_side: one.size for one in positions} or {None: Decimal(0)}


def _resized(order: Order, size: Decimal) -> OrderChange:
    return OrderChange(
        account_id=order.account_id,
        order_id=order.id,
        size=size,
        limit_price=None,
        stop_price=None,
        trail_distance=None,
    )
