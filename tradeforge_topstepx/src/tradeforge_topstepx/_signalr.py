"""One connection to a SignalR hub, spoken by hand; the only module that imports pysignalr.

Of pysignalr only the messages and their encoding are used. Importing it replaces the reconnecting
iterator of `websockets` for the whole process, so that is put back at once.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol, Self

import msgspec
from attrs import frozen
from websockets.asyncio.client import connect

from tradeforge_core import DecodeError, Disconnected, RequestTimeout, Secret, VenueError
from tradeforge_core.kit import recording
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.websocket import PING_AFTER, WebSocket
from tradeforge_topstepx._wire import UNREADABLE

_reconnecting_iterator = connect.__aiter__
from pysignalr.messages import (  # noqa: E402  # the order is the point, see above
    HandshakeMessage,
    InvocationMessage,
    Message,
    MessageType,
    PingMessage,
)
from pysignalr.protocol.json import JSONProtocol  # noqa: E402

connect.__aiter__ = _reconnecting_iterator  # type: ignore[method-assign]


_SEPARATOR = b"\x1e"
_MOST_UNFINISHED = 16 * 1024 * 1024


@frozen(kw_only=True)
class HubLimits:
    """In seconds. The defaults are those of the protocol: both sides ping after 15 s of silence.

    A line that is cut without a word is noticed within 35 s by default.
    """

    keep_alive: float = 15.0
    """Of our silence, after which we ping."""
    server_timeout: float = 30.0
    """Of the server's silence, after which the connection counts as dead."""
    invoke: float = 10.0
    """To wait for the completion of a call."""
    watch_every: float = 1.0
    """Between two looks at the silence."""
    ping_after: float = PING_AFTER
    """Between pings of the WebSocket; as many again without an answer, and the line is dead."""

    @classmethod
    def fast(cls) -> Self:
        """Limits that notice a dead line within 6 s, for a network whose answers take no second."""
        return cls(ping_after=1.5)


class Frame(msgspec.Struct, frozen=True):
    """The members of every message type of the hub protocol that a client can receive."""

    type: int = 0
    target: str = ""
    arguments: msgspec.Raw = msgspec.Raw(b"[]")
    invocationId: str | None = None
    error: str | None = None
    allowReconnect: bool = False


_decoder = msgspec.json.Decoder(Frame)
_protocol = JSONProtocol()


@frozen
class _Call:
    done: asyncio.Future[None]
    completed: Callable[[], None]


class Tap(Protocol):
    """Hears what is said on a hub (`tradeforge_core.kit.recording`); raises nothing."""

    def __call__(self, direction: str, message: bytes = b"", at: datetime | None = None) -> None:
        """A message without its separator, and when it came if that is not now."""


Typed = Callable[[Iterator[bytes]], bytes | None]
"""Takes records from the first on; the one that it leaves to others, or None after the last."""


class HubConnection:
    """A hub from handshake to loss. `received` gets the target and arguments of each event.

    `typed` may take records before that: it is the short way for what comes by the thousand.
    Neither waits for anything; what they raise ends the connection. `tap` hears everything that is
    said on either side; where there is none, it costs nothing.
    """

    def __init__(
        self,
        url: str,
        *,
        received: Callable[[str, msgspec.Raw], None],
        not_understood: Callable[[DecodeError], None],
        clock: Clock,
        limits: HubLimits,
        typed: Typed = lambda records: next(records, None),
        tap: Tap | None = None,
    ) -> None:
        self._url = url
        self._limits = limits
        self._received = received
        self._typed = typed if tap is None else self._tapped(tap, typed)
        self._tap = tap
        self._not_understood = not_understood
        self._clock = clock
        self._socket: WebSocket | None = None
        self._unfinished = b""
        self._calls: dict[str, _Call] = {}
        self._next_call = 0
        self._heard = False
        self._last_sent = 0.0
        self._shaken = False
        self._answered = asyncio.Event()
        """To the handshake; also set when no answer will come."""
        self._lost = asyncio.Event()
        self._error: Exception | None = None
        """Why it is over; nothing that comes after it is read."""
        self.ignored = 0
        self.received_at = clock.now()
        """When the newest message came."""

    async def open(self, token: Secret) -> None:
        """Connect and shake hands. Raises `AuthenticationError`, `TransportError`."""
        # the header, not the query: an address ends up in logs
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        try:
            self._socket = await WebSocket.open(
                self._url,
                headers,
                received=self._take_messages,
                lost=self._lose,
                ping_after=self._limits.ping_after,
            )
        except BaseException as error:
            self._tell(recording.FAILED, error)
            raise
        if self._tap is not None:
            self._tap(recording.OPEN)
        await self._send(_protocol.handshake_message())
        await self._answered.wait()
        if self._error is not None and not self._shaken:
            raise self._error

    async def listen(self) -> None:
        """Return never: read until the connection is lost. Raises `TransportError`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(), name="hub keep-alive")
                await self._lost.wait()
                raise self._error or Disconnected("the hub connection was lost")
        finally:
            self._error = self._error or Disconnected("nobody listens to the hub any more")
            self._fail_calls()

    async def invoke(
        self, method: str, *arguments: object, completed: Callable[[], None] = lambda: None
    ) -> None:
        """Call a method of the hub, and return once the hub has completed it.

        `completed` is called at that moment, before anything is read that came after it. Raises
        `VenueError` with the hub's words, `RequestTimeout`, `Disconnected`.
        """
        call_id = str(self._next_call)
        self._next_call += 1
        done = asyncio.get_running_loop().create_future()
        self._calls[call_id] = _Call(done, completed)
        try:
            await self._send(InvocationMessage(call_id, method, list(arguments), None))
            async with asyncio.timeout(self._limits.invoke):
                await done
        except TimeoutError:
            raise RequestTimeout(
                f"the hub did not complete {method} in {self._limits.invoke:g} s"
            ) from None
        finally:
            del self._calls[call_id]

    async def close(self) -> None:
        """Close the socket, if it is open."""
        if self._socket is not None:
            await self._socket.close()

    def _take_messages(self, messages: list[bytes]) -> None:
        """Take the records in them; one may come in pieces, and a message may hold many."""
        if self._error is not None:
            return
        self._heard = True
        self.received_at = self._clock.now()
        records = (self._unfinished + b"".join(messages)).split(_SEPARATOR)
        self._unfinished = records.pop()
        try:
            self._take_records(iter(records))
            if len(self._unfinished) > _MOST_UNFINISHED:
                raise Disconnected("the hub sends a message without an end")
        except Exception as error:  # noqa: BLE001  # `listen` raises it: nobody else is above
            self._lose(error)

    def _take_records(self, records: Iterator[bytes]) -> None:
        while (record := self._typed(records)) is not None:
            self._take(record)

    def _lose(self, error: Exception) -> None:
        if self._error is None:
            self._tell(recording.LOST, error)
        self._error = self._error or error
        self._lost.set()
        self._answered.set()

    def _take(self, record: bytes) -> None:
        if not self._shaken:
            _check_handshake(record)
            self._shaken = True
            self._answered.set()
            return
        try:
            frame = _decoder.decode(record)
        except UNREADABLE as error:
            self._not_understood(DecodeError(f"a message of the hub was not understood: {error}"))
            return
        if frame.type == MessageType.invocation:
            self._received(frame.target, frame.arguments)
        elif frame.type == MessageType.completion:
            self._complete(frame)
        elif frame.type == MessageType.close:
            raise Disconnected(f"the hub closed the connection: {frame.error or 'no reason given'}")
        elif frame.type != MessageType.ping:
            self.ignored += 1  # what a later protocol adds is not for this client

    def _complete(self, frame: Frame) -> None:
        call = self._calls.get(frame.invocationId or "")
        if call is None or call.done.done():
            return
        if frame.error is None:
            call.completed()
            call.done.set_result(None)
        else:
            call.done.set_exception(VenueError(f"the hub refused: {frame.error}"))

    async def _watch(self) -> None:
        last_heard = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._limits.watch_every)
            now = self._clock.monotonic()
            if self._heard:
                self._heard, last_heard = False, now
            if now - last_heard > self._limits.server_timeout:
                raise Disconnected(f"the hub has been silent for {self._limits.server_timeout:g} s")
            if now - self._last_sent >= self._limits.keep_alive:
                await self._send(PingMessage())

    async def _send(self, message: Message | HandshakeMessage) -> None:
        text = _protocol.encode(message)
        if self._tap is not None:
            self._tap(recording.OUT, text.encode().removesuffix(_SEPARATOR))
        await self._connected().send(text)
        self._last_sent = self._clock.monotonic()

    def _tell(self, direction: str, error: BaseException) -> None:
        if self._tap is not None:
            reason = {"error": type(error).__name__, "reason": str(error)}
            self._tap(direction, msgspec.json.encode(reason))

    def _tapped(self, tap: Tap, typed: Typed) -> Typed:
        """`typed` sees every record first: whoever listens in stands before it."""

        def heard(records: Iterator[bytes]) -> Iterator[bytes]:
            for record in records:
                tap(recording.IN, record, self.received_at)
                yield record

        return lambda records: typed(heard(records))

    def _connected(self) -> WebSocket:
        if self._socket is None:
            raise Disconnected("the hub connection is not open", sent=False)
        return self._socket

    def _fail_calls(self) -> None:
        for call in self._calls.values():
            if not call.done.done():
                call.done.set_exception(Disconnected("the hub connection was lost"))


def _check_handshake(record: bytes) -> None:
    try:
        answer = _decoder.decode(record)
    except UNREADABLE:
        raise Disconnected("the hub's answer to the handshake was not understood") from None
    if answer.error is not None:
        raise Disconnected(f"the hub refused the handshake: {answer.error}")
