"""The way of a message from its feed to its receivers: joined, spoiled, delayed."""

import asyncio
from functools import partial

from tradeforge_core.kit.clock import Clock
from tradeforge_testing.sandbox.pacer import Pacer
from tradeforge_testing.sandbox.signalr import protocol
from tradeforge_testing.sandbox.signalr.event_faults import EventFaultPlan
from tradeforge_testing.sandbox.signalr.messages import Outgoing, Parcel, Receiver


class Delivery:
    """Delivers in order, whatever the delay; only a planned fault can change that.

    What is handed in by one step of the exchange leaves at its end, when the event loop is free
    again: then rows of the same topic that follow one another are one message.
    """

    def __init__(self, clock: Clock) -> None:
        self.faults = EventFaultPlan()
        self.pacer = Pacer(clock)
        self.is_muted = False
        """Whether everything that leaves is lost."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """The one that the receivers live in, from the first of them on."""
        self._pending: list[Parcel] = []

    def put(self, outgoing: Outgoing, receivers: tuple[Receiver, ...]) -> None:
        parcel = Parcel(
            outgoing.topic, outgoing.arguments(), receivers, outgoing.joins, outgoing.after
        )
        if self._pending and _join(self._pending[-1], parcel):
            return
        if not self._pending:
            assert self.loop is not None
            # A test may move the market while the loop stands still.
            self.loop.call_soon(self.flush)
        self._pending.append(parcel)

    def flush(self) -> None:
        """Let leave what has been handed in so far."""
        pending, self._pending = self._pending, []
        for parcel in pending:
            for each in self.faults.spoil(parcel):
                self.pacer.put(partial(self._send, each), after=each.after)

    def forget(self) -> None:
        """Deliver nothing of what is on its way, and everything that comes as it is."""
        self._pending.clear()
        self.faults.forget()
        self.pacer.forget()
        self.is_muted = False

    def _send(self, parcel: Parcel) -> None:
        if self.is_muted:
            return
        text = protocol.invocation(parcel.topic.event, parcel.arguments)
        for receiver in parcel.receivers:
            receiver.deliver(text)


def _join(first: Parcel, second: Parcel) -> bool:
    """Move the rows of the second parcel into the first, if they can be one; whether they could."""
    are_one = (
        first.joins
        and second.joins
        and first.topic == second.topic
        and first.receivers == second.receivers
    )
    if are_one:
        first.arguments[-1].extend(second.arguments[-1])
    return are_one
