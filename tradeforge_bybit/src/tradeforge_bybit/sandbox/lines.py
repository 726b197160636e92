"""The open sockets of one kind: who is connected, what they hear, and when they are cut off."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import msgspec
from attrs import define, field
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradeforge_core.kit.clock import Clock

Message = dict[str, Any]
Address = tuple[str, int]

_MOST_WAITING = 10_000
"""Messages for one client; a slower one is cut off."""
_IDLE = 600.0
_ACTIVE_TIME = re.compile(r"([0-9]{1,4})([sm])")


@define(eq=False)
class Line:
    """A connection; `heard` is when the client last said something."""

    socket: WebSocket
    conn_id: str
    heard: float
    idle: float
    is_known: bool = False
    topics: set[str] = field(factory=set)
    requests: dict[str, None] = field(factory=dict)
    """The numbers of its last requests, the oldest first."""
    waiting: asyncio.Queue[str] = field(factory=lambda: asyncio.Queue(_MOST_WAITING))

    @property
    def address(self) -> Address:
        assert self.socket.client is not None
        return self.socket.client.host, self.socket.client.port


class Lines:
    """`hear` is what the venue does with a message of a client; `{}` is one that is no object."""

    def __init__(
        self, hear: Callable[[Line, Message], None], clock: Clock, reset: Callable[[Address], None]
    ) -> None:
        self._hear = hear
        self._clock = clock
        self._reset = reset
        self._all: list[Line] = []
        self._made = 0
        self.is_mute = False
        """Whether all that should be said is lost."""

    def __len__(self) -> int:
        return len(self._all)

    async def serve(self, socket: WebSocket) -> None:
        """Until the client has left."""
        await socket.accept()
        self._made += 1
        line = Line(
            socket, f"sandbox-{self._made}", self._clock.monotonic(), _idle(socket.query_params)
        )
        self._all.append(line)
        sending = asyncio.create_task(self._send(line), name="sandbox socket")
        try:
            while True:
                text = await socket.receive_text()
                line.heard = self._clock.monotonic()
                self._hear(line, _object(text))
        except (WebSocketDisconnect, KeyError):  # a frame of bytes has no text
            pass
        finally:
            self._all.remove(line)
            sending.cancel()
            await asyncio.wait([sending])

    def wanting(self, topic: str) -> list[Line]:
        return [one for one in self._all if topic in one.topics]

    def topics(self) -> set[str]:
        """All that anybody wants to hear."""
        return set().union(*(one.topics for one in self._all))

    def say(self, line: Line, message: Message) -> None:
        self.send(line, msgspec.json.encode(message).decode())

    def send(self, line: Line, text: str) -> None:
        if self.is_mute:
            return
        try:
            line.waiting.put_nowait(text)
        except asyncio.QueueFull:
            self._reset(line.address)

    def everybody(self) -> list[Line]:
        return list(self._all)

    def cut(self) -> None:
        """Drop every connection, without a word."""
        for line in self.everybody():
            self._reset(line.address)

    def sweep(self) -> None:
        """Drop those that have said nothing for too long."""
        now = self._clock.monotonic()
        for line in self.everybody():
            if now - line.heard >= line.idle:
                self._reset(line.address)

    async def _send(self, line: Line) -> None:
        try:
            while True:
                await line.socket.send_text(await line.waiting.get())
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has left, which `serve` hears too


def _idle(query: Any) -> float:
    """How long a client may be silent: ten minutes, or what it has asked for."""
    found = _ACTIVE_TIME.fullmatch(query.get("max_active_time", ""))
    if found is None:
        return _IDLE
    seconds = int(found[1]) * (60 if found[2] == "m" else 1)
    return float(min(max(seconds, 30), 600))


def _object(text: str) -> Message:
    try:
        said = msgspec.json.decode(text)
        msgspec.json.encode(said)  # answers repeat a part of it
    except (ValueError, OverflowError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
