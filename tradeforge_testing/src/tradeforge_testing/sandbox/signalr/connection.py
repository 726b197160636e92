"""One client of a hub: what it says is read here, what it is told waits in one bounded outbox."""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import attrs
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tradeforge_testing.sandbox.signalr import protocol
from tradeforge_testing.sandbox.signalr.protocol import Message, MessageType, ProtocolViolation


@attrs.frozen(kw_only=True)
class HubLimits:
    """How patient a hub is with its clients."""

    ping_seconds: float = 15
    """A connection with nothing to say pings this often."""
    silence_seconds: float = 30
    """A client that says nothing for so long is closed."""
    goodbye_seconds: float = 1
    """A client that does not take its last messages in this time is reset."""
    backlog: int = 10_000
    """A client with so many unsent messages is reset."""


class InvocationError(Exception):
    """The invocation failed; the text goes to the client."""


class Invoked(Protocol):
    """What a hub does with the calls of its clients."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing may come out of its connections."""

    def invoke(
        self, connection: "HubConnection", target: str, arguments: list[Any]
    ) -> Callable[[], None]:
        """What to do once the call is answered. Raises `InvocationError`."""


class _State(Enum):
    SHAKING_HANDS = "the first message must be a handshake"
    OPEN = "messages flow"
    ENDING = "the last texts are being written; nothing new is taken"


class HubConnection:
    """Runs one accepted websocket until either side has enough."""

    def __init__(
        self, socket: WebSocket, hub: Invoked, limits: HubLimits, reset: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._hub = hub
        self._limits = limits
        self._reset = reset
        self._buffer = protocol.MessageBuffer()
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()  # bounded by `deliver`
        self._state = _State.SHAKING_HANDS
        self._closed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether events can be delivered."""
        return self._state is _State.OPEN

    async def run(self) -> None:
        await self._socket.accept()
        writer = asyncio.create_task(self._write(), name="sandbox hub writer")
        try:
            await self._read()
        finally:
            self._end()
            await writer
            self._closed.set()

    def deliver(self, text: str) -> None:
        """Queue `text`, without waiting; a client that does not keep up is reset."""
        if self._state is _State.ENDING or self._hub.is_silent:
            return
        if self._outbox.qsize() < self._limits.backlog:
            self._outbox.put_nowait(text)
        else:
            self._state = _State.ENDING
            self._reset()

    async def drop(self, *, allow_reconnect: bool) -> None:
        """Say goodbye, close, and return when it is done."""
        self._end(allow_reconnect=allow_reconnect)
        try:
            async with asyncio.timeout(self._limits.goodbye_seconds):
                await self._closed.wait()
        except TimeoutError:
            self._reset()
            await self._closed.wait()

    def reset(self) -> None:
        """Cut the connection, without a word."""
        self._reset()

    def _end(self, *, allow_reconnect: bool | None = None) -> None:
        """Write what is queued and close; with `allow_reconnect`, say so before."""
        if self._state is _State.OPEN and allow_reconnect is not None:
            self.deliver(protocol.close(allow_reconnect=allow_reconnect))
        if self._state is not _State.ENDING:
            self._state = _State.ENDING
            self._outbox.put_nowait(None)

    async def _read(self) -> None:
        try:
            while self._state is not _State.ENDING:
                for message in await self._receive():
                    self._take(message)
        except WebSocketDisconnect:
            pass
        except TimeoutError:
            self._end(allow_reconnect=True)
        except ProtocolViolation:
            self._end(allow_reconnect=False)

    async def _receive(self) -> list[Message]:
        async with asyncio.timeout(self._limits.silence_seconds):
            frame = await self._socket.receive()
        if frame["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(frame["code"])
        return list(self._buffer.feed(frame.get("text") or frame.get("bytes") or b""))

    def _take(self, message: Message) -> None:
        if self._state is _State.SHAKING_HANDS:
            self._shake_hands(message)
        elif message.get("type") == MessageType.INVOCATION:
            self._invoke(message)
        elif message.get("type") == MessageType.CLOSE:
            self._end()

    def _shake_hands(self, request: Message) -> None:
        error = protocol.handshake_error(request)
        self._state = _State.OPEN
        self.deliver(protocol.handshake_reply(error))
        if error is not None:
            self._end()

    def _invoke(self, message: Message) -> None:
        protocol.check_invocation(message)
        target, invocation_id = message["target"], message.get("invocationId")
        error, follow_up = None, None
        try:
            follow_up = self._hub.invoke(self, target, message["arguments"])
        except InvocationError as exc:
            error = f"Failed to invoke '{target}' due to an error on the server. {exc}"
        if invocation_id is not None:
            self.deliver(protocol.completion(invocation_id, error=error))
        if follow_up is not None:
            follow_up()

    async def _write(self) -> None:
        try:
            while (text := await self._next_text()) is not None:
                await self._socket.send_text(text)
            await self._close()
        except WebSocketDisconnect:
            pass  # the reader hears of it too, and ends the connection

    async def _next_text(self) -> str | None:
        while True:
            try:
                async with asyncio.timeout(self._limits.ping_seconds):
                    return await self._outbox.get()
            except TimeoutError:
                if self._state is _State.OPEN and not self._hub.is_silent:
                    return protocol.ping()

    async def _close(self) -> None:
        if self._socket.client_state is WebSocketState.CONNECTED:
            await self._socket.close()
