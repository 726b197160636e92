"""A hub that says again what was recorded, and nothing before its time."""

import asyncio
from collections import Counter, defaultdict, deque
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradeforge_core.kit.recording import FAILED, IN, LOST, OPEN, OUT
from tradeforge_testing.replay.recording import Line
from tradeforge_testing.sandbox.signalr import protocol
from tradeforge_testing.sandbox.signalr.protocol import (
    Message,
    MessageBuffer,
    MessageType,
    ProtocolViolation,
)


class Stage:
    """One hub: who stands before its door, and who was let in."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._waiting: deque[_Guest] = deque()
        self._guest: _Guest | None = None

    async def connect(self, socket: WebSocket) -> None:
        guest = _Guest(socket)
        self._waiting.append(guest)
        await guest.stay()
        if guest in self._waiting:
            self._waiting.remove(guest)

    async def play(self, line: Line) -> None:
        if line.direction in (OPEN, FAILED):
            await self._answer_door(line)
        elif self._guest is None:
            return  # nobody has come, or the recording has lost how he came
        elif line.direction == OUT:
            self._guest.was_called(parsed(line.text))
        elif line.direction == IN:
            await self._guest.hear(line.text)
        elif line.direction == LOST:
            await self._guest.show_out()

    async def _answer_door(self, line: Line) -> None:
        if not self._waiting:
            self._guest = None
        elif line.direction == OPEN:
            self._guest = self._waiting.popleft()
            self._guest.let_in(self._calls_after(line))
        else:
            self._waiting.popleft().send_away(_STATUSES.get(line.data.get("error", ""), 503))

    def _calls_after(self, line: Line) -> Counter[bytes]:
        """What is called on the connection that begins here."""
        calls: Counter[bytes] = Counter()
        for one in self._lines:
            if one.n <= line.n:
                continue
            if one.direction == OPEN:
                break
            if one.direction == OUT and _is_call(call := parsed(one.text)):
                calls[_content(call)] += 1
        return calls

    def close(self) -> None:
        for guest in self._waiting:
            guest.send_away(503)


_STATUSES = {"AuthenticationError": 401}
"""What a connection is refused with, by the error that it was."""


class _Guest:
    """One connection: what was said in it is said again when its time has come."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._is_welcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The status of a refusal, or 0."""
        self._buffer = MessageBuffer()
        self._is_gone = False
        self._has_shaken_hands = False
        self._expected: Counter[bytes] = Counter()
        self._recorded: dict[str, bytes] = {}
        """What was called under which id, in the recording."""
        self._calls: defaultdict[bytes, deque[str]] = defaultdict(deque)
        """The ids under which it is called here, and not answered yet."""
        self._owed: defaultdict[bytes, deque[Message]] = defaultdict(deque)
        """Answers whose call has not come yet."""
        self._heard: Counter[bytes] = Counter()

    async def stay(self) -> None:
        await self._socket.receive()  # that it connects
        next_frame = asyncio.create_task(self._next(), name="replay reader")
        first: list[asyncio.Future[Any]] = [self._is_welcome, next_frame]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        try:
            if not self._is_welcome.done():
                return  # who waited has left
            if refusal := self._is_welcome.result():
                return await self._socket.send_denial_response(Response(status_code=refusal))
            await self._socket.accept()
            while (said := await next_frame) is not None:
                next_frame = asyncio.create_task(self._next(), name="replay reader")
                for message in self._buffer.feed(said):
                    await self._take(message)
        except (ProtocolViolation, WebSocketDisconnect):
            pass
        finally:
            self._is_gone = True
            next_frame.cancel()

    async def _next(self) -> str | bytes | None:
        frame = await self._socket.receive()
        if frame["type"] == "websocket.disconnect":
            return None
        return frame.get("text") or frame.get("bytes") or b""

    # --- at the door ---

    def let_in(self, calls: Counter[bytes]) -> None:
        self._expected = calls
        self._is_welcome.set_result(0)

    def send_away(self, status: int) -> None:
        if not self._is_welcome.done():
            self._is_welcome.set_result(status)

    async def show_out(self) -> None:
        if not self._is_gone:
            self._is_gone = True
            await self._socket.close(1001)

    # --- what the client says ---

    async def _take(self, message: Message) -> None:
        if not self._has_shaken_hands:
            self._has_shaken_hands = True
        elif _is_call(message):
            await self._take_call(str(message.get("invocationId")), _content(message))

    async def _take_call(self, call_id: str, content: bytes) -> None:
        self._heard[content] += 1
        if self._owed[content]:
            await self._complete(call_id, self._owed[content].popleft())
        elif self._heard[content] > self._expected[content]:
            await self._complete(call_id, {"result": 0})  # nobody knows better
        else:
            self._calls[content].append(call_id)

    # --- what was recorded ---

    def was_called(self, call: Message) -> None:
        if _is_call(call):
            self._recorded[str(call.get("invocationId"))] = _content(call)

    async def hear(self, text: str) -> None:
        message = parsed(text)
        if message.get("type") != MessageType.COMPLETION:
            await self._send(text + protocol.SEPARATOR)
            return
        content = self._recorded.get(str(message.get("invocationId")))
        if content is None:
            return  # its call had to make room in the recording
        if self._calls[content]:
            await self._complete(self._calls[content].popleft(), message)
        else:
            self._owed[content].append(message)

    async def _complete(self, call_id: str, answer: Message) -> None:
        told = {**answer, "type": MessageType.COMPLETION, "invocationId": call_id}
        await self._send(as_text(told) + protocol.SEPARATOR)

    async def _send(self, text: str) -> None:
        if not self._is_gone:
            await self._socket.send_text(text)


def _is_call(message: Message) -> bool:
    return message.get("type") == MessageType.INVOCATION


def _content(call: Message) -> bytes:
    return msgspec.json.encode([call.get("target"), call.get("arguments")])


def parsed(text: str) -> Message:
    try:
        return msgspec.json.decode(text, type=Message)
    except (ValueError, RecursionError):
        return {}  # a record that was no JSON in the recording either


def as_text(message: Message) -> str:
    return msgspec.json.encode(message).decode()
