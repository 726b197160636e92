"""Orders, changes and cancels over the venue's socket for them; core's supervisor keeps it alive.

There is nothing to subscribe there: the connection itself is what is wanted, and confirmed once it
is logged in.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from attrs import field, frozen

from tradeforge_bybit import _endpoints, _errors, _frames, _wire
from tradeforge_bybit._budgets import heed
from tradeforge_bybit._endpoints import Endpoint
from tradeforge_bybit._errors import Kind, kind_of
from tradeforge_bybit._frames import Frame
from tradeforge_bybit._links import LogIn
from tradeforge_bybit._signing import Signer
from tradeforge_bybit._socket import SocketLimits, Tap, VenueSocket
from tradeforge_bybit._writes import Writes
from tradeforge_core import (
    DecodeError,
    Disconnected,
    NotSent,
    StatusChanged,
    Topic,
    UserDataType,
    VenueError,
)
from tradeforge_core.events import HealthEvent
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts, Supervisor
from tradeforge_core.streams.switchboard import Switchboard

STREAM = "orders"
_TOPIC = Topic(UserDataType.ORDER_UPDATE, STREAM)
"""Stands for the connection: it is confirmed once that is logged in."""
_RESTARTING = 10019
"""The venue serves what it has, and wants to be connected to anew for what is new."""


class OrderLink(StreamLink):
    """One connection, logged in."""

    def __init__(
        self, socket: VenueSocket, log_in: LogIn, renew_time: Callable[[], Awaitable[None]]
    ) -> None:
        self.socket = socket
        self.is_logged_in = False
        self._log_in = log_in
        self._renew_time = renew_time

    @property
    def heard_at(self) -> datetime:
        return self.socket.heard_at

    async def open(self) -> None:
        await self.socket.open()
        try:
            await self._log_in(self.socket)
        except VenueError:  # the venue's clock may have moved: the next attempt bears its time
            await self._renew_time()
            raise
        self.is_logged_in = True

    async def listen(self) -> None:
        await self.socket.listen()

    async def subscribe(self, topic: Topic, began: Began) -> None:
        began(self.heard_at)

    async def unsubscribe(self, topic: Topic) -> None:
        """Nothing: the connection ends."""

    async def close(self) -> None:
        await self.socket.close()


@frozen(kw_only=True)
class Line:
    """How the connections are made."""

    url: str
    limits: SocketLimits
    backoff: Backoff
    timeouts: StreamTimeouts
    log_in: LogIn
    tap: Tap | None = None
    tasks: TaskOwner = field(factory=TaskOwner)


class OrderSocket:
    """An `OrderEntry`. What is sent is sent once, and an answer that is lost stays unknown."""

    def __init__(
        self,
        line: Line,
        switchboard: Switchboard,
        clock: Clock,
        *,
        signer: Signer,
        writes: Writes,
    ) -> None:
        self._line = line
        self._switchboard = switchboard
        self._clock = clock
        self._signer = signer
        self._writes = writes
        self._link: OrderLink | None = None
        self._supervisor = Supervisor(
            STREAM,
            self._new_link,
            publish=self._publish,
            report=switchboard.report,
            fail=switchboard.report,
            tasks=line.tasks,
            clock=clock,
            backoff=line.backoff,
            timeouts=line.timeouts,
        )

    async def open(self) -> None:
        """Return once orders can leave; from then on the connection is kept until `close`.

        Raises what the first connection fails of.
        """
        await self._supervisor.add((_TOPIC,))

    async def close(self) -> None:
        await self._supervisor.close()
        await self._line.tasks.close()

    async def create(self, body: dict[str, Any]) -> _wire.AckResult:
        said = await self._write(_endpoints.CREATE, "order.create", body)
        ack: _wire.AckResult = _frames.decode(_ack, said)
        return ack

    async def amend(self, body: dict[str, Any]) -> None:
        await self._write(_endpoints.AMEND, "order.amend", body)

    async def cancel(self, body: dict[str, Any]) -> None:
        await self._write(_endpoints.CANCEL, "order.cancel", body)

    # --- how ---

    async def _write(self, endpoint: Endpoint[Any], op: str, body: dict[str, Any]) -> Frame:
        return await self._writes.send(endpoint, body, partial(self._once, endpoint, op, body))

    async def _once(
        self, endpoint: Endpoint[Any], op: str, body: dict[str, Any], lane: Lane
    ) -> Frame:
        """Over the connection that there is. Raises as a write of REST does."""
        if self._link is None or not self._link.is_logged_in:
            raise NotSent(_NOT_CONNECTED)
        socket, budget = self._link.socket, self._writes.budgets.of(endpoint, body["category"])
        named = {name: value for name, value in body.items() if value is not None}
        async with budget.slot(lane):
            request = {"header": self._signer.order_header(), "op": op, "args": [named]}
            said = await _asked(socket, request)
        if said.retCode == _RESTARTING:
            socket.leave_when_answered(Disconnected("the venue restarts its socket for orders"))
        _check(op, said, budget)
        return said

    def _new_link(self) -> OrderLink:
        socket = VenueSocket(
            self._line.url,
            self._clock,
            self._line.limits,
            told=lambda frame: None,
            not_understood=self._not_understood,
            number_as="reqId",
            prefix=f"{self._clock.now().timestamp():.3f}-",
            tap=self._line.tap,
        )
        self._link = OrderLink(socket, self._line.log_in, self._writes.try_to_measure_time)
        return self._link

    def _not_understood(self, error: DecodeError) -> None:
        """It may have been an answer: whoever waits for it will find out in another way."""
        self._switchboard.report(error)

    def _publish(self, event: HealthEvent, topics: Iterable[Topic]) -> None:
        """How it is, to the handlers; nothing is missing of what anybody subscribed to."""
        if isinstance(event, StatusChanged):
            self._switchboard.publish_health(event, ())


async def _asked(socket: VenueSocket, request: dict[str, Any]) -> Frame:
    try:
        return await socket.ask(request)
    except Disconnected as error:
        if error.sent:
            raise
        raise NotSent(_NOT_CONNECTED) from error  # the line is lost, and the next one not there yet


_NOT_CONNECTED = "the socket for orders is not connected"


def _check(op: str, said: Frame, budget: RateBudget) -> None:
    """Raises `OrderRejected` and the like, and `VenueError` for what proves nothing."""
    headers = {name.lower(): str(value) for name, value in (said.header or {}).items()}
    heed(budget, headers)
    code = _NONE if said.retCode is None else said.retCode
    if _errors.is_done(code, said.retMsg):
        return
    error = _errors.refusal(op, code, said.retMsg, write=True)
    if kind_of(code) is Kind.TOO_MANY:
        budget.cool_down(None)
    raise error


_NONE = -9_999
"""For an answer without a code: nobody has documented it, so it proves nothing."""
_ack = _frames.decoder(_wire.AckResult)
