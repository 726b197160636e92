"""An entry and its legs: which orders belong together, and what one does to the others.

Nothing is traded or told here. Each method says how orders are to be from now on.
"""

from collections.abc import Iterable

from attrs import define, evolve, field, frozen

from tradeforge_core.enums import OrderStatus, OrderType
from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.records import ExchangeOrder, Instrument, Leg, Ticket

STOP_LOSS_SUFFIX, TAKE_PROFIT_SUFFIX = "-SL", "-TP"


def tags(ticket: Ticket) -> list[str]:
    """The tags of the order and of the legs it brings."""
    if ticket.tag is None:
        return []
    legs = {STOP_LOSS_SUFFIX: ticket.stop_loss, TAKE_PROFIT_SUFFIX: ticket.take_profit}
    return [
        ticket.tag,
        *(leg.tag or ticket.tag + suffix for suffix, leg in legs.items() if leg is not None),
    ]


@define
class Family:
    """`covered` is how much of the entry the legs were told of, `base` what they count from."""

    entry_id: int
    leg_ids: list[int]
    covered: int = 0
    base: int = 0


@frozen
class Brackets:
    blotter: Blotter
    _of_entry: dict[int, Family] = field(init=False, factory=dict)
    _of_leg: dict[int, Family] = field(init=False, factory=dict)
    _losses: dict[int, list[frozenset[str]]] = field(init=False, factory=dict)

    def lose(self, account_id: int, legs: Iterable[str], count: int) -> None:
        """Book the next entries of the account without these legs: `stop_loss`, `take_profit`."""
        self._losses.setdefault(account_id, []).extend([frozenset(legs)] * count)

    def create(
        self, entry: ExchangeOrder, ticket: Ticket
    ) -> tuple[ExchangeOrder | None, ExchangeOrder | None]:
        """The stop loss and the take profit that the ticket asks for, held back."""
        ticket = self._without_losses(ticket)
        stop_loss = self._create(entry, ticket.stop_loss, STOP_LOSS_SUFFIX, None)
        linked_id = None if stop_loss is None else stop_loss.id
        take_profit = self._create(entry, ticket.take_profit, TAKE_PROFIT_SUFFIX, linked_id)
        return stop_loss, take_profit

    def _without_losses(self, ticket: Ticket) -> Ticket:
        losses = self._losses.get(ticket.account_id)
        if not losses or (ticket.stop_loss is None and ticket.take_profit is None):
            return ticket
        lost = losses.pop(0)
        return evolve(
            ticket,
            stop_loss=None if "stop_loss" in lost else ticket.stop_loss,
            take_profit=None if "take_profit" in lost else ticket.take_profit,
        )

    def _create(
        self, entry: ExchangeOrder, leg: Leg | None, suffix: str, linked_id: int | None
    ) -> ExchangeOrder | None:
        if leg is None:
            return None
        tag = leg.tag or (None if entry.tag is None else entry.tag + suffix)
        order = self.blotter.create_leg(entry, leg, tag=tag, linked_id=linked_id)
        family = self._of_entry.setdefault(entry.id, Family(entry.id, []))
        family.leg_ids.append(order.id)
        self._of_leg[order.id] = family
        return order

    def has_legs(self, order_id: int) -> bool:
        return order_id in self._of_entry

    def _legs(self, family: Family) -> list[ExchangeOrder]:
        """Those that are not final."""
        legs = (self.blotter.current(leg_id) for leg_id in family.leg_ids)
        return [leg for leg in legs if not leg.status.is_final]

    def held_back(self, entry: ExchangeOrder) -> list[ExchangeOrder]:
        """The legs that wait for the first fill of the entry."""
        if entry.filled_size or entry.id not in self._of_entry:
            return []
        return self._legs(self._of_entry[entry.id])

    # After a fill of the entry

    def cover(self, entry_id: int, instrument: Instrument) -> list[ExchangeOrder]:
        """The legs with the size of all that the entry has filled, and prices that go with it."""
        family, entry = self._of_entry[entry_id], self.blotter.current(entry_id)
        # An average may lie between two ticks, a price may not.
        base = round(self.blotter.average_ticks(entry_id))
        growth = entry.filled_size - family.covered
        legs = [
            _start(leg, growth, base, instrument)
            if leg.status is OrderStatus.SUSPENDED
            else _grow(leg, growth, family.base, base, instrument)
            for leg in self._legs(family)
        ]
        family.covered, family.base = entry.filled_size, base
        return legs

    # After a fill of a leg

    def after_exit(self, leg: ExchangeOrder, size: int) -> list[ExchangeOrder]:
        """What the fill of a leg leaves of the other leg and, at the end, of the entry.

        When an exit is complete the bracket is over: contracts that the entry still bought then
        would have no exit.
        """
        family = self._of_leg.get(leg.id)
        if family is None:
            return []
        done = leg.status is OrderStatus.FILLED
        others = [_reduce(each, size, done) for each in self._legs(family) if each.id != leg.id]
        entry = self.blotter.current(family.entry_id)
        if done and not entry.status.is_final:
            others.append(evolve(entry, status=OrderStatus.CANCELLED))
        return others


def _reduce(leg: ExchangeOrder, size: int, done: bool) -> ExchangeOrder:
    if done or size >= leg.remaining_size:
        return evolve(leg, status=OrderStatus.CANCELLED)
    return evolve(leg, size=leg.size - size)


def _start(leg: ExchangeOrder, size: int, base: int, instrument: Instrument) -> ExchangeOrder:
    started = evolve(leg, status=OrderStatus.WORKING, size=size)
    if leg.type is OrderType.TRAILING_STOP and leg.leg_ticks is not None:
        distance = abs(leg.leg_ticks)
        started = evolve(
            started, trail_ticks=distance, trail_distance=instrument.to_price(distance)
        )
    return _price(started, base, instrument)


def _grow(
    leg: ExchangeOrder, growth: int, old: int, new: int, instrument: Instrument
) -> ExchangeOrder:
    """A leg that was given another price keeps it; a trailing one stands where the market is."""
    grown = evolve(leg, size=leg.size + growth)
    was_moved = leg != _price(leg, old, instrument)
    if was_moved or leg.type is OrderType.TRAILING_STOP:
        return grown
    return _price(grown, new, instrument)


def _price(leg: ExchangeOrder, base: int, instrument: Instrument) -> ExchangeOrder:
    """The leg at its distance from `base`, if it has one; there is no price below one tick."""
    if leg.leg_ticks is None:
        return leg
    price = instrument.to_price(max(1, base + leg.leg_ticks))
    if leg.type is OrderType.LIMIT:
        return evolve(leg, limit_price=price)
    return evolve(leg, stop_price=price)
