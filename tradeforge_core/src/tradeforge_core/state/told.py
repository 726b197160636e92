"""What subscribers have been told of orders, fills and positions, beside what is known of them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from attrs import evolve

from tradeforge_core.enums import UserDataType
from tradeforge_core.events import (
    Event,
    OrderUpdateEvent,
    PositionUpdateEvent,
    Topic,
    UserTradeEvent,
)
from tradeforge_core.models import Order, Position, Trade
from tradeforge_core.state.changes import Item, Key, key_of
from tradeforge_core.state.ledger import Ledger

AUDITED = frozenset(
    {UserDataType.ORDER_UPDATE, UserDataType.USER_TRADE, UserDataType.POSITION_UPDATE}
)
"""The kinds of private data that the venue can be asked for as well."""

Waiting = dict[Key, Item | None]
N = TypeVar("N", bound=Event)

_MOST = 200_000
"""Of each kind; more than the ledger knows, so that nothing known is told a second time."""


class Told:
    """Nothing is told twice, and an order never goes back.

    An order is told as it is known, whatever the message said that brought it here: one that comes
    late changes nothing, and is not passed on.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told: dict[Any, dict[Any, Item]] = {kind: {} for kind in AUDITED}
        self._begun: dict[Any, dict[Any, Item]] = {kind: {} for kind in AUDITED}
        """What was so before anybody listened."""

    def take(self, event: N) -> N | None:
        """What to pass on of a message that the ledger has taken in; None for what was told."""
        taker = _TAKERS.get(type(event))
        return event if taker is None else taker(self, event)

    def begin(self, topic: Topic) -> None:
        """What is known of the topic is no news: its subscribers begin with what comes."""
        begun = self._begun[topic.kind] = {
            key: item for key, item in self._begun[topic.kind].items() if key[0] != topic.key
        }
        known = {key_of(item): item for item in self._known(topic)}
        begun |= known
        told = self._told[topic.kind]  # to those who listened before
        told |= {key: item for key, item in known.items() if key in told}

    def untold(self, topic: Topic) -> list[Item]:
        """What is known of the topic and was not told, what was touched first before the others.

        What was looked at and is no news is not looked at again until it is touched: much is known,
        and most of it has ended long ago.
        """
        kind, found = _CLASSES[topic.kind], []
        touched = self._ledger.touched[kind]
        for key in [one for one in touched if one[0] == topic.key]:
            item = self._ledger.find(kind, key)
            if item is not None and self._is_news(topic.kind, item):
                found.append(item)
            else:
                del touched[key]
        return found

    def waiting(self, topic: Topic) -> Waiting:
        """What waits to be told now, with what was told of it last."""
        told = self._told[topic.kind]
        return {key_of(one): told.get(key_of(one)) for one in self.untold(topic)}

    def overdue(self, topic: Topic, waiting: Waiting) -> list[Item]:
        """What waited then, and nothing of which was told since."""
        told = self._told[topic.kind]
        left = {key for key, last in waiting.items() if told.get(key) is last}
        return [one for one in self.untold(topic) if key_of(one) in left]

    def tell(self, item: Item) -> bool:
        """Whether this is still news; from now on it is not."""
        kind = _KINDS[type(item)]
        is_news = self._is_news(kind, item)
        self._note(kind, item)
        return is_news

    def _known(self, topic: Topic) -> list[Item]:
        seen = [one for one in _SEEN[topic.kind](self._ledger) if one.account_id == topic.key]
        return [*seen, *self._gone(topic)]

    def _gone(self, topic: Topic) -> list[Item]:
        """Positions that were told, and that the venue's list had no more: they are flat now."""
        if topic.kind is not UserDataType.POSITION_UPDATE:
            return []
        keys = self._begun[topic.kind] | self._told[topic.kind]
        known = {key_of(one) for one in self._ledger.all_positions}
        gone = (key for key in keys if key[0] == topic.key and key not in known)
        return [self._ledger.positions.get(*key) for key in gone]

    def _is_news(self, kind: Any, item: Item) -> bool:
        key = key_of(item)
        before = self._told[kind].get(key) or self._begun[kind].get(key)
        if before is None and isinstance(item, Position) and item.is_flat:
            return False
        return before is None or essence(before) != essence(item)

    def _note(self, kind: Any, item: Item) -> None:
        told = self._told[kind]
        self._ledger.touch(item)  # what the ledger knows may be another
        told.pop(key_of(item), None)
        told[key_of(item)] = item
        if len(told) > _MOST:
            del told[next(iter(told))]

    def _take_order(self, event: OrderUpdateEvent) -> OrderUpdateEvent | None:
        known = self._ledger.orders.get(event.order.id)
        if self._told[UserDataType.ORDER_UPDATE].get(key_of(known)) == known:
            return None
        self._note(UserDataType.ORDER_UPDATE, known)
        return event if event.order == known else evolve(event, order=known)

    def _take_trade(self, event: UserTradeEvent) -> UserTradeEvent | None:
        before = self._told[UserDataType.USER_TRADE].get(key_of(event.trade))
        self._note(UserDataType.USER_TRADE, event.trade)
        return event if before is None or essence(before) != essence(event.trade) else None

    def _take_position(self, event: PositionUpdateEvent) -> PositionUpdateEvent | None:
        if self._told[UserDataType.POSITION_UPDATE].get(key_of(event.position)) == event.position:
            return None
        self._note(UserDataType.POSITION_UPDATE, event.position)
        return event


def essence(item: Item) -> tuple[object, ...]:
    """What matters of it: answers and messages need not agree in every digit of the rest."""
    if isinstance(item, Order):
        prices = item.limit_price, item.stop_price, item.trail_distance
        return (item.status, item.filled_size, item.size, *prices)
    if isinstance(item, Trade):
        return (item.voided,)
    return (item.size,) if item.is_flat else (item.size, item.average_price)


_TAKERS: dict[type, Callable[[Told, Any], Any]] = {
    OrderUpdateEvent: Told._take_order,
    UserTradeEvent: Told._take_trade,
    PositionUpdateEvent: Told._take_position,
}
_KINDS = {
    Order: UserDataType.ORDER_UPDATE,
    Trade: UserDataType.USER_TRADE,
    Position: UserDataType.POSITION_UPDATE,
}
_CLASSES: dict[Any, type[Item]] = {kind: one for one, kind in _KINDS.items()}
_SEEN: dict[Any, Callable[[Ledger], Iterable[Item]]] = {
    UserDataType.ORDER_UPDATE: lambda ledger: ledger.orders,
    UserDataType.USER_TRADE: lambda ledger: ledger.fills,
    UserDataType.POSITION_UPDATE: lambda ledger: ledger.all_positions,
}
