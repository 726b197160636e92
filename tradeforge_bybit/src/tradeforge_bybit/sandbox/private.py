"""The private socket: orders, executions, positions and the wallet, each a moment later."""

from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from tradeforge_bybit.sandbox import commands, fill_rows, order_rows
from tradeforge_bybit.sandbox.account_rows import pushed_position, wallet_row
from tradeforge_bybit.sandbox.answers import Failure
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.lines import Address, Line, Lines, Message
from tradeforge_bybit.sandbox.signing import check_socket
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_core.enums import OrderStatus, TimeInForce
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange import (
    AccountChanged,
    ExchangeEvent,
    ExchangeOrder,
    Fill,
    FillMade,
    OrderChanged,
    PositionChanged,
)
from tradeforge_testing.sandbox.faults import FaultScript
from tradeforge_testing.sandbox.pacer import Pacer

_CATEGORIES = ("linear", "inverse", "spot", "option")
_BY_CATEGORY = {
    "order": _CATEGORIES,
    "execution": _CATEGORIES,
    "execution.fast": ("linear", "inverse", "spot"),
    "position": ("linear", "inverse", "option"),
}
TOPICS = frozenset(_BY_CATEGORY) | {
    f"{topic}.{category}" for topic, categories in _BY_CATEGORY.items() for category in categories
}
_WHOLE = ("wallet", "greeks", "dcp.spot", "dcp.future", "dcp.option")
"""Of the account as a whole; but for the wallet, nothing ever comes of them here."""
_MOMENTS = (0.01, 0.02, 0.03)
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_KINDS = ("order", "execution", "position", "wallet")


class PrivateSocket:
    """The kinds of messages keep their own order and none between them: `seed` decides."""

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        reset: Callable[[Address], None],
        faults: FaultScript,
        seed: int,
    ) -> None:
        self.lines = Lines(self._hear, clock, reset)
        self.pacers = {kind: Pacer(clock) for kind in _KINDS}
        self.delay = 0.0
        """Seconds by which everything is told later."""
        self._venue = venue
        self._faults = faults
        self._random = Random(f"{seed}:private")

    # What a client says

    def _hear(self, line: Line, said: Message) -> None:
        match said.get("op"):
            case "ping":
                self.lines.say(line, self._pong(line, said))
            case "auth":
                self._admit(line, said)
            case "subscribe" | "unsubscribe" if line.is_known:
                wrong = commands.subscribe(line, said, _check) or _twice(line)
                self.lines.say(line, commands.ack(line, said, wrong or "", success=not wrong))
            case "subscribe" | "unsubscribe":
                text = "Request not authorized"
                self.lines.say(line, commands.ack(line, said, text, success=False))
            case _:
                self.lines.say(line, commands.invalid(line, said))

    def _pong(self, line: Line, said: Message) -> Message:
        number = {"req_id": said["req_id"]} if "req_id" in said else {}
        pong = {"op": "pong", "args": [str(self._venue.now)], "conn_id": line.conn_id}
        return {**number, **pong}

    def _admit(self, line: Line, said: Message) -> None:
        try:
            check_socket(self._venue.credentials, said.get("args"), self._venue.now)
        except Failure as failure:
            self.lines.say(line, commands.ack(line, said, failure.text, success=False))
            return
        line.is_known = True
        self.lines.say(line, commands.ack(line, said))

    # What is told

    def take(self, event: ExchangeEvent) -> None:
        match event:
            case OrderChanged(order):
                self._tell_order(order)
            case FillMade(fill) if not fill.voided:
                self._tell_fill(fill)
            case PositionChanged(position):
                listing = self._venue.listings[position.instrument_id]
                row = pushed_position(self._venue, listing, position.hedge_side, position)
                self._tell("position", listing.category, row)
            case AccountChanged():
                self._tell("wallet", "", wallet_row(self._venue))

    def _tell_order(self, order: ExchangeOrder) -> None:
        if order.status is OrderStatus.PENDING or not self._venue.is_shown(order):
            return
        if self._is_passing(order):
            return
        listing = self._venue.listing_of(order)
        row = order_rows.pushed_row(self._venue, order)
        self._tell("order", listing.category, row)
        if not listing.is_spot:
            self._tell_position_of(order, listing)

    def _is_passing(self, order: ExchangeOrder) -> bool:
        """Whether the venue says nothing of it: the end of the order comes at once."""
        if order.status.is_final:
            return False
        now = self._venue.exchange.order(order.account_id, order.id)
        gave_up = now.status is OrderStatus.CANCELLED and now.reject is not None
        is_waiting = order_rows.is_waiting(order)
        return not is_waiting and (gave_up or order.time_in_force in _AT_ONCE)

    def _tell_position_of(self, order: ExchangeOrder, listing: Listing) -> None:
        """Every change of an order tells the position, whether that has changed or not."""
        key = order.instrument_id, order.hedge_side
        held = self._venue.exchange.positions(order.account_id)
        position = next((one for one in held if (one.instrument_id, one.hedge_side) == key), None)
        row = pushed_position(self._venue, listing, order.hedge_side, position)
        self._tell("position", listing.category, row)

    def _tell_fill(self, fill: Fill) -> None:
        listing = self._venue.listing_of(fill)
        order = self._venue.exchange.order(fill.account_id, fill.order_id)
        row = fill_rows.pushed_row(self._venue, fill, order)
        self._tell("execution", listing.category, row)
        fast = fill_rows.fast_row(self._venue, fill, order)
        self._tell("execution.fast", listing.category, fast)

    def _tell(self, topic: str, category: str, row: Message) -> None:
        """Spoiled, if it is to be, is what happens now, though it is told a moment later."""
        pacer = self.pacers[topic.partition(".")[0]]
        pacer.delay = self.delay + self._random.choice(_MOMENTS)
        for name in (topic, f"{topic}.{category}") if category else (topic,):
            if self.lines.wanting(name):
                texts = self._faults.messages_of(_text(self._message(name, row)))
                pacer.put(partial(self._publish, name, texts))

    def _message(self, topic: str, row: Message) -> Message:
        message = {"topic": topic, "creationTime": self._venue.now, "data": [row]}
        if topic.startswith("execution.fast"):
            return message
        return {"id": f"sandbox-{self._venue.serial()}", **message}

    def _publish(self, topic: str, texts: list[str]) -> None:
        for line in self.lines.wanting(topic):
            for text in texts:
                self.lines.send(line, text)


def _check(topic: str) -> str | None:
    if topic in TOPICS or topic in _WHOLE:
        return None
    return f"error:handler not found,topic:{topic}"


def _twice(line: Line) -> str | None:
    """A topic and its part for a category exclude each other."""
    for topic in _BY_CATEGORY:
        parts = {f"{topic}.{category}" for category in _CATEGORIES}
        if topic in line.topics and parts & line.topics:
            line.topics -= parts
            return "error:all-in-one and categorised topics exclude each other"
    return None


def _text(message: Message) -> str:
    return msgspec.json.encode(message).decode()
