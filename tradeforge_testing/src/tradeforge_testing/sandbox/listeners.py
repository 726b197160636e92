"""The WebSocket of a JSON venue: who is connected, what they want to hear, and what they are told.

A client sends `{"id": 1, "subscribe": "quote:XYZ"}`, or `unsubscribe`, and is answered
`{"id": 1}`, or `{"id": 1, "error": "..."}`. What it is told is `{"topic": ..., "data": ...}`.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, field
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradeforge_core import to_json
from tradeforge_testing.exchange import Refused

_MOST_WAITING = 10_000
"""Messages for one client; a slower one is cut off."""

Address = tuple[str, int]


@define(eq=False)
class _Listener:
    socket: WebSocket
    topics: set[str] = field(factory=set)
    waiting: asyncio.Queue[str] = field(factory=lambda: asyncio.Queue(_MOST_WAITING))

    @property
    def address(self) -> Address:
        assert self.socket.client is not None
        return self.socket.client.host, self.socket.client.port


class Listeners:
    """Every open stream. `check` raises `Refused` for a topic that there is not."""

    def __init__(self, check: Callable[[str], None], reset: Callable[[Address], None]) -> None:
        self._check = check
        self._reset = reset
        self._all: set[_Listener] = set()

    async def serve(self, socket: WebSocket) -> None:
        """Until the client has left."""
        await socket.accept()
        listener = _Listener(socket)
        self._all.add(listener)
        sending = asyncio.create_task(self._send(listener), name="sandbox stream")
        try:
            while True:
                self._hear(listener, json.loads(await socket.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            self._all.discard(listener)
            sending.cancel()
            await asyncio.wait([sending])

    def publish(self, topic: str, data: object, spoil: Callable[[str], list[str]]) -> None:
        """Tell everybody who wants to hear of the topic; `spoil` has the last word."""
        wanting = [one for one in self._all if topic in one.topics]
        if wanting:
            texts = spoil(to_json({"topic": topic, "data": data}))
            for listener in wanting:
                self._say(listener, *texts)

    def state(self) -> dict[str, Any]:
        """How many are connected, and how many of them hear each topic."""
        followed = Counter(topic for one in self._all for topic in one.topics)
        return {"connections": len(self._all), "followers": dict(sorted(followed.items()))}

    def drop(self) -> None:
        """Cut every stream, without a word."""
        for listener in list(self._all):
            self._reset(listener.address)

    def say(self, text: str) -> None:
        """Send this to everybody, whatever it means."""
        for listener in list(self._all):
            self._say(listener, text)

    def _hear(self, listener: _Listener, said: dict[str, object]) -> None:
        answer = {"id": said["id"]}
        try:
            if "subscribe" in said:
                topic = str(said["subscribe"])
                self._check(topic)
                listener.topics.add(topic)
            else:
                listener.topics.discard(str(said["unsubscribe"]))
        except Refused as refused:
            answer["error"] = refused.reason.value
        self._say(listener, to_json(answer))

    def _say(self, listener: _Listener, *texts: str) -> None:
        try:
            for text in texts:
                listener.waiting.put_nowait(text)
        except asyncio.QueueFull:
            self._reset(listener.address)

    async def _send(self, listener: _Listener) -> None:
        try:
            while True:
                await listener.socket.send_text(await listener.waiting.get())
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has left, which `serve` hears too
