"""Who hears everything: each event in its order, and what cannot be true in it."""

import hashlib
from collections import Counter
from decimal import Decimal

from tradeforge_core import (
    Event,
    EventSource,
    Gap,
    HandlerFailed,
    Order,
    OrderOutcomeEvent,
    OrderUpdateEvent,
    Position,
    PositionUpdateEvent,
    Resynced,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_core.outcomes import OrderOutcome
from tradeforge_testing.chaos.canaries import Canaries


class Witness:
    """Give it every event once; `wrong` says which invariants were broken on the way."""

    def __init__(self, canaries: Canaries) -> None:
        self.wrong: list[str] = []
        self._canaries = canaries
        self.fills: Counter[str] = Counter()
        """How often each fill was told, by its id at the venue."""
        self.outcomes: dict[str, OrderOutcome] = {}
        """The last one of each request."""
        self.events: Counter[str] = Counter()
        self.orders: dict[str, Order] = {}
        """Each as it was told last, by its id; positions by their contract."""
        self.positions: dict[str, Position] = {}
        self.statuses: dict[str, StreamConnectionStatus] = {}
        """What was told last of each stream."""
        self._lost: set[UserDataType] = set()
        """What a gap was told of before the last time that all was known, and since then."""
        self._lost_since: set[UserDataType] = set()
        self._generations: dict[str, int] = {}
        self._trace = hashlib.sha256()

    def saw(self, event: Event) -> None:
        text = repr(event)
        self.events[type(event).__name__] += 1
        self.note(text)
        self._canaries.look(text, f"a {type(event).__name__}")
        if getattr(event, "source", None) is EventSource.AUDIT:
            self._saw_repair(event)
        if isinstance(event, OrderUpdateEvent):
            self._saw_order(event.order)
        elif isinstance(event, PositionUpdateEvent):
            self.positions[event.position.contract_id] = event.position
        elif isinstance(event, UserTradeEvent):
            self.fills[event.trade.id] += not event.trade.voided
        elif isinstance(event, OrderOutcomeEvent):
            self.outcomes[event.outcome.client_order_id] = event.outcome
        elif isinstance(event, StatusChanged):
            self._saw_status(event)
        elif isinstance(event, Gap):
            kinds = (one.kind for one in event.topics)
            self._lost_since.update(kind for kind in kinds if isinstance(kind, UserDataType))
        elif isinstance(event, Resynced):  # a gap that was told meanwhile is for the next one
            self._lost, self._lost_since = self._lost_since, set()

    def note(self, line: str) -> None:
        """Make it a part of what must be the same in each run of the seed."""
        self._trace.update(line.encode())

    def failed(self, error: TradeForgeError) -> None:
        """For what handlers of errors are told."""
        self.note(type(error).__name__)
        if isinstance(error, HandlerFailed):
            self.wrong.append(f"E the witness could not bear it: {error}")
        self.raised(error)

    def raised(self, error: BaseException) -> None:
        """For what a caller gets."""
        self._canaries.look_at(error)

    @property
    def trace(self) -> str:
        """What tells two runs apart."""
        return self._trace.hexdigest()[:16]

    def _saw_order(self, order: Order) -> None:
        before = self.orders.get(order.id)
        self.orders[order.id] = order
        if before is None:
            return
        if before.status.is_final and not order.status.is_final:
            self.wrong.append(f"I7 order {order.id} went from {before.status} to {order.status}")
        if (order.filled_size or Decimal(0)) < (before.filled_size or Decimal(0)):
            self.wrong.append(f"I7 order {order.id} lost some of what was filled")

    def _saw_repair(self, event: Event) -> None:
        """What the stream did not tell is told after the gap that it was lost in."""
        kind = _KINDS[type(event)]
        if kind not in self._lost | self._lost_since:
            self.wrong.append(f"I9 a {type(event).__name__} was lost, and no gap was told")

    def _saw_status(self, event: StatusChanged) -> None:
        if event.generation < self._generations.get(event.stream, 0):
            self.wrong.append(f"I8 {event.stream} went back to generation {event.generation}")
        self._generations[event.stream] = event.generation
        self.statuses[event.stream] = event.status


_KINDS: dict[type, UserDataType] = {
    OrderUpdateEvent: UserDataType.ORDER_UPDATE,
    PositionUpdateEvent: UserDataType.POSITION_UPDATE,
    UserTradeEvent: UserDataType.USER_TRADE,
}
"""Of what is read from the venue as well as streamed."""
