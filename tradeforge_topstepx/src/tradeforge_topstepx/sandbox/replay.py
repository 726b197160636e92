"""Hubs on loopback that say again what was recorded, to a provider that cannot tell."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.recording import IN, OUT
from tradeforge_testing.frames import RecordedFrame, Recording
from tradeforge_topstepx.sandbox import hub_protocol
from tradeforge_topstepx.sandbox.hub_protocol import (
    Message,
    MessageBuffer,
    MessageType,
    ProtocolViolation,
)
from tradeforge_topstepx.sandbox.server import LoopbackServer

_PATHS = {"user": "/hubs/user", "market": "/hubs/market"}


class FrameReplay:
    """Both hubs of a recording, for as long as the `async with` lasts; the token is not looked at.

    The recorded messages come in their order, as fast as they are read, or with `clock` as far
    apart as they were. What follows a subscription waits until the client has made it. The n-th
    connection of a client is told what the n-th of the recording was; then the hub closes it, and
    a client that connects once more is refused.

    It has no REST interface: take a sandbox for that, and its settings with those from here over
    them. Give the sandbox a clock of the time of the recording, or it has other contracts.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        recording = Recording.read(path)
        self._clock = clock
        self._waiting = {stream: recording.connections(stream) for stream in _PATHS}
        self._left = sum(map(len, self._waiting.values()))
        self._finished = asyncio.Event()
        routes = [
            WebSocketRoute(path, self._stage(stream), name=stream)
            for stream, path in _PATHS.items()
        ]
        self._server = LoopbackServer(Starlette(routes=routes), 0)

    @property
    def settings(self) -> dict[str, str]:
        """Where the hubs are; the other settings are not its business."""
        base = f"http://127.0.0.1:{self._server.port}"
        return {
            "TS_USER_HUB_URL": base + _PATHS["user"],
            "TS_MARKET_HUB_URL": base + _PATHS["market"],
        }

    async def finished(self) -> None:
        """Return once everything that was recorded has been said."""
        await self._finished.wait()

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._server.stop()

    def _stage(self, stream: str) -> Any:
        async def connect(socket: WebSocket) -> None:
            if not self._waiting[stream]:
                await socket.send_denial_response(Response("the recording is over", 404))
                return
            frames = self._waiting[stream].pop(0)
            await _Performance(socket, frames, self._clock).run()
            self._left -= 1
            if not self._left:
                self._finished.set()

        return connect


class _Performance:
    """One connection: what was said in it, said again."""

    def __init__(
        self, socket: WebSocket, frames: tuple[RecordedFrame, ...], clock: Clock | None
    ) -> None:
        self._socket = socket
        self._frames = frames
        self._clock = clock
        self._began = clock.monotonic() if clock else 0.0
        self._buffer = MessageBuffer()
        self._has_shaken_hands = False
        self._called: defaultdict[bytes, asyncio.Event] = defaultdict(asyncio.Event)
        self._errors = _errors_of(frames)

    async def run(self) -> None:
        await self._socket.accept()
        reader = asyncio.create_task(self._read(), name="replay reader")
        player = asyncio.create_task(self._play(), name="replay player")
        await asyncio.wait([reader, player], return_when=asyncio.FIRST_COMPLETED)
        for task in (reader, player):
            task.cancel()
        for outcome in await asyncio.gather(reader, player, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect):
                raise outcome

    # --- what the client says ---

    async def _read(self) -> None:
        while True:
            frame = await self._socket.receive()
            if frame["type"] == "websocket.disconnect":
                return
            try:
                for message in self._buffer.feed(frame.get("text") or frame.get("bytes") or b""):
                    await self._take(message)
            except ProtocolViolation:
                return

    async def _take(self, message: Message) -> None:
        if not self._has_shaken_hands:
            self._has_shaken_hands = True
            error = hub_protocol.handshake_error(message)
            await self._socket.send_text(hub_protocol.handshake_reply(error))
            self._called[_HANDSHAKE].set()
        elif message.get("type") == MessageType.INVOCATION:
            call = _call_of(message)
            if (invocation_id := message.get("invocationId")) is not None:
                answer = hub_protocol.completion(str(invocation_id), error=self._errors.get(call))
                await self._socket.send_text(answer)
            self._called[call].set()

    # --- what was recorded ---

    async def _play(self) -> None:
        await self._called[_HANDSHAKE].wait()
        for frame in self._frames[2:]:  # after the handshake
            message = _parsed(frame)
            if frame.direction == OUT:
                if _is_subscription(message):
                    await self._called[_call_of(message)].wait()
            elif frame.direction == IN and message.get("type") != MessageType.COMPLETION:
                await self._say(frame)
        await self._socket.send_text(hub_protocol.close(allow_reconnect=False))
        await self._socket.close()

    async def _say(self, frame: RecordedFrame) -> None:
        if self._clock is not None:
            due = self._began + frame.at_ms / 1000
            await self._clock.sleep(due - self._clock.monotonic())
        await self._socket.send_text(frame.text + hub_protocol.SEPARATOR)


_HANDSHAKE = b"handshake"


def _errors_of(frames: tuple[RecordedFrame, ...]) -> dict[bytes, str]:
    """The calls that the venue refused, and its words."""
    calls: dict[object, bytes] = {}
    errors: dict[bytes, str] = {}
    for frame in frames:
        message = _parsed(frame)
        if frame.direction == OUT and message.get("type") == MessageType.INVOCATION:
            calls[message.get("invocationId")] = _call_of(message)
        elif frame.direction == IN and message.get("error") is not None:
            call = calls.get(message.get("invocationId"))
            if call is not None:
                errors[call] = str(message["error"])
    return errors


def _is_subscription(message: Message) -> bool:
    return str(message.get("target")).startswith("Subscribe")


def _call_of(message: Message) -> bytes:
    return msgspec.json.encode([message.get("target"), message.get("arguments")])


def _parsed(frame: RecordedFrame) -> Message:
    try:
        return msgspec.json.decode(frame.text, type=Message)
    except (ValueError, RecursionError):
        return {}  # a record that was no JSON in the recording either
