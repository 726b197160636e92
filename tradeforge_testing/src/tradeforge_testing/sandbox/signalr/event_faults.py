"""What a test can ask a hub to get wrong with the next events it tells."""

from collections import defaultdict, deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from attrs import define, evolve, field

from tradeforge_testing.sandbox.signalr.messages import Parcel


class EventFault(StrEnum):
    LOST = "lost"
    """Nobody hears of it."""
    DUPLICATED = "duplicated"
    """It comes twice."""
    REORDERED = "reordered"
    """It waits until all of the events so planned are there; then they come in reverse."""
    PADDED = "padded"
    """A list of rows has null rows at both ends; an event that is no list stays as it is."""
    MALFORMED = "malformed"
    """Every member of its records is a text that means nothing."""


@define
class _Planned:
    fault: EventFault
    left: int
    held: list[Parcel] = field(factory=list)

    def take(self, parcel: Parcel) -> list[Parcel]:
        self.left -= 1
        if self.fault is not EventFault.REORDERED:
            return _SPOIL[self.fault](parcel)
        self.held.append(parcel)
        return [] if self.left else self.held[::-1]


class EventFaultPlan:
    """The faults still to come, by the name of the event, first planned first."""

    def __init__(self) -> None:
        self._by_event: defaultdict[str, deque[_Planned]] = defaultdict(deque)

    def add(self, event: str, fault: EventFault, count: int) -> None:
        if count > 0:
            self._by_event[event].append(_Planned(fault, count))

    def forget(self) -> None:
        self._by_event.clear()

    @property
    def left(self) -> int:
        """How many events will still be spoiled."""
        return sum(one.left for planned in self._by_event.values() for one in planned)

    def spoil(self, parcel: Parcel) -> list[Parcel]:
        """What becomes of the parcel."""
        planned = self._by_event.get(parcel.topic.event)
        if not planned:
            return [parcel]
        parcels = planned[0].take(parcel)
        if not planned[0].left:
            planned.popleft()
        return parcels


def _padded(arguments: list[Any]) -> list[Any]:
    return [[None, *one, None] if isinstance(one, list) else one for one in arguments]


def _malformed(value: Any) -> Any:
    if isinstance(value, list):
        return [_malformed(one) for one in value]
    if isinstance(value, dict):
        return {name: _malformed(one) if name == "data" else "?" for name, one in value.items()}
    return value


_SPOIL: dict[EventFault, Callable[[Parcel], list[Parcel]]] = {
    EventFault.LOST: lambda parcel: [],
    EventFault.DUPLICATED: lambda parcel: [parcel, parcel],
    EventFault.PADDED: lambda parcel: [evolve(parcel, arguments=_padded(parcel.arguments))],
    EventFault.MALFORMED: lambda parcel: [evolve(parcel, arguments=_malformed(parcel.arguments))],
}
