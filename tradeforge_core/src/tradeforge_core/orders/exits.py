"""What the exits of an entry are worth: at work, still waiting, lost, or not needed any more."""

from collections.abc import Callable, Collection, Iterable
from enum import Enum

from tradeforge_core.enums import OrderSide, OrderStatus
from tradeforge_core.models import Bracket, Order, OrderFamily, Position


class Standing(Enum):
    WAITING = "the entry has no fill, and its exits wait for it"
    SETTLED = "the exits are at work, or will not be needed any more"
    LOST = "an exit is not there, or has ended without doing its work"
    CLOSED = "the exits have ended, and nothing is held that they could protect"


def wanted_exits(bracket: Bracket) -> tuple[str, ...]:
    """The exits that an entry with this bracket brings, by their names in an `OrderFamily`."""
    names = ("stop_loss", "take_profit")
    return tuple(name for name in names if getattr(bracket, name) is not None)


def family_of(entry: Order, legs: Iterable[Order]) -> OrderFamily:
    """The entry with its exits; of exits of one kind an open one."""
    return OrderFamily.of(entry, sorted(legs, key=lambda leg: leg.status.is_final))


def at_work(family: OrderFamily, wanted: Iterable[str]) -> bool:
    """Whether each exit can fill at this moment: that proves that the entry has a fill."""
    legs = (getattr(family, name) for name in wanted)
    return all(leg is not None and leg.status in _AT_WORK for leg in legs)


_AT_WORK = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)


def lost_exits(
    family: OrderFamily, wanted: Iterable[str], *, is_released: Callable[[Order], bool]
) -> tuple[str, ...]:
    """The exits that are not there; a released one is missed by nobody."""
    started = has_fill(family.entry)

    def is_lost(leg: Order | None) -> bool:
        if leg is None:
            return True
        idle = started and leg.status is OrderStatus.SUSPENDED
        return (leg.status.is_final or idle) and not is_released(leg)

    return tuple(name for name in wanted if is_lost(getattr(family, name)))


def judge(family: OrderFamily, lost: Collection[str], *, waiting_are_shown: bool) -> Standing:
    """How the family stands, whatever is held.

    Where the venue does not show exits that wait, nothing is lost before the entry has a fill.
    """
    if _is_over(family):
        return Standing.SETTLED
    started = has_fill(family.entry)
    if lost and (started or waiting_are_shown):
        return Standing.LOST
    return Standing.SETTLED if started else Standing.WAITING


def has_fill(entry: Order) -> bool:
    return entry.filled_size > 0 or entry.status in _FILLED


_FILLED = (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED)


def is_held(entry: Order, positions: Iterable[Position]) -> bool:
    """Whether the account holds some of the contract on the entry's side."""
    up = entry.side is OrderSide.BUY
    sizes = (one.size for one in positions if one.contract_id == entry.contract_id)
    return any(size > 0 if up else size < 0 for size in sizes)


def _is_over(family: OrderFamily) -> bool:
    """The bracket has done its work, or the entry ended without a fill."""
    if any(leg.status is OrderStatus.FILLED for leg in family.exits):
        return True
    return family.entry.status.is_final and not has_fill(family.entry)
