"""One WebSocket that speaks JSON, from its opening to its loss.

`{"id": 1, "subscribe": "quote:XYZ"}` is answered by `{"id": 1}`, with an `error` where the venue
says no; what is told is `{"topic": "quote:XYZ", "data": {...}}`.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import frozen

from tradeforge_core.enums import GapCause
from tradeforge_core.errors import (
    AuthenticationError,
    DecodeError,
    Disconnected,
    RequestTimeout,
)
from tradeforge_core.events import Event, Gap, Topic
from tradeforge_core.kit.budget import Lane
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.json_rest import JsonRest
from tradeforge_core.kit.json_words import object_of, understanding
from tradeforge_core.kit.websocket import WebSocket
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.switchboard import Switchboard

Read = Callable[[Topic, dict[str, Any], datetime], Event]
"""From the data of a topic, and when it came, to the event."""

_PATIENCE = 10.0
"""Seconds for the venue to confirm a subscription."""
_PING_AFTER = 15.0
"""Seconds of silence; a line that is cut without a word is noticed in twice that."""


@frozen
class _Call:
    done: asyncio.Future[None]
    began: Callable[[], None]


class JsonStream(StreamLink):
    """A link for `VenueAdapter._make_link`; `read` makes the events."""

    def __init__(
        self,
        stream: str,
        url: str,
        rest: JsonRest,
        switchboard: Switchboard,
        clock: Clock,
        *,
        read: Read,
    ) -> None:
        self._stream = stream
        self._url = url
        self._rest = rest
        self._switchboard = switchboard
        self._clock = clock
        self._read = read
        self._socket: WebSocket | None = None
        self._topics: dict[str, Topic] = {}
        self._beginning: dict[Topic, Began] = {}
        """What the venue has been asked for: its first data may come before the confirmation."""
        self._calls: dict[int, _Call] = {}
        self._next_call = 0
        self._lost = asyncio.Event()
        self._error: Exception | None = None
        self._heard_at = clock.now()

    @property
    def heard_at(self) -> datetime:
        return self._heard_at

    async def open(self) -> None:
        token = await self._rest.token()
        try:
            self._socket = await self._connect(token.reveal())
        except AuthenticationError:  # a token may die early: one more try, with a new one
            token = await self._rest.token(refused=token)
            connects = self._switchboard.connects(self._stream)
            if connects.seconds_until_room(Lane.READ) > 0:
                raise
            async with connects.slot(Lane.READ):
                self._socket = await self._connect(token.reveal())

    async def _connect(self, token: str) -> WebSocket:
        return await WebSocket.open(
            self._url,
            {"Authorization": f"Bearer {token}"},
            received=self._take_all,
            lost=self._lose,
            ping_after=_PING_AFTER,
        )

    async def listen(self) -> None:
        try:
            await self._lost.wait()
            raise self._error or Disconnected("the stream connection was lost")
        finally:
            self._lose(Disconnected("nobody listens to the stream any more"))

    async def subscribe(self, topic: Topic, began: Began) -> None:
        name = _name_of(topic)
        self._topics[name] = topic
        self._beginning[topic] = began
        try:
            await self._call("subscribe", name, lambda: began(self._heard_at))
        except BaseException:
            del self._topics[name]
            raise
        finally:
            del self._beginning[topic]

    async def unsubscribe(self, topic: Topic) -> None:
        self._topics.pop(_name_of(topic), None)
        await self._call("unsubscribe", _name_of(topic), lambda: None)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _call(self, what: str, name: str, began: Callable[[], None]) -> None:
        if self._socket is None or self._error is not None:
            raise self._error or Disconnected("the stream connection is not open", sent=False)
        number = self._next_call = self._next_call + 1
        done = asyncio.get_running_loop().create_future()
        self._calls[number] = _Call(done, began)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._socket.send(json.dumps({"id": number, what: name}))
                await done
        except TimeoutError:
            raise RequestTimeout(f"the venue did not confirm {name} in {_PATIENCE:g} s") from None
        finally:
            del self._calls[number]

    def _take_all(self, messages: list[bytes]) -> None:
        if self._error is not None:
            return  # what comes while it is closed would come before the gap
        self._heard_at = self._clock.now()
        try:
            for message in messages:
                self._take(message)
        except Exception as error:  # noqa: BLE001  # `listen` raises it: nobody else is above
            self._lose(error)

    def _take(self, message: bytes) -> None:
        topic = None
        try:
            with understanding("a message of the stream"):
                said = object_of(message)
                if "id" in said:
                    self._complete(said)
                    return
                name, data = said["topic"], said["data"]
                if not isinstance(name, str):
                    raise TypeError(f"{name!r} is no topic")
                topic = self._topics.get(name)
                event = None if topic is None else self._read(topic, data, self._heard_at)
        except DecodeError as error:
            self._not_understood(error, topic)
            return
        if topic is not None and event is not None:  # else it is of what has ended
            if (began := self._beginning.get(topic)) is not None:
                began(self._heard_at)
            self._switchboard.publish(topic, event)

    def _complete(self, said: dict[str, Any]) -> None:
        call = self._calls.get(said["id"])
        if call is None or call.done.done():
            return
        if "error" in said:
            word = str(said["error"])
            call.done.set_exception(self._rest.refusals.error(self._stream, word))
        else:
            call.began()
            call.done.set_result(None)

    def _lose(self, error: Exception) -> None:
        self._error = self._error or error
        self._lost.set()
        for call in self._calls.values():
            if not call.done.done():
                call.done.set_exception(Disconnected("the stream connection was lost"))

    def _not_understood(self, error: DecodeError, topic: Topic | None) -> None:
        """Leave the message out, say so, and go on: one bad record must not end a stream."""
        self._switchboard.report(error)
        topics = tuple(sorted(self._topics.values())) if topic is None else (topic,)
        gap = Gap(
            stream=self._stream,
            cause=GapCause.DECODE_ERROR,
            topics=topics,
            dropped=1,
            received=self._clock.now(),
        )
        self._switchboard.publish_health(gap, topics)


def _name_of(topic: Topic) -> str:
    return f"{topic.kind}:{topic.key}"
