"""A SignalR hub: who may connect, what can be called, and who gets which event."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from tradeforge_core.kit.chance import random_bits
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.sandbox.signalr.connection import HubConnection, HubLimits, InvocationError
from tradeforge_testing.sandbox.signalr.delivery import Delivery
from tradeforge_testing.sandbox.signalr.messages import Outgoing, Topic

_MOST_NEGOTIATED = 1000


@attrs.frozen
class Channel:
    """What can be subscribed to under one name, and what type its one argument has."""

    event: str
    key: type[int] | type[str] | None


class Silence(StrEnum):
    """How silent a hub is that was muted."""

    EVENTS = "events"
    """It answers and pings, and tells nothing."""
    EVERYTHING = "everything"
    """Its connections are open, and nothing comes out of them."""


Snapshot = Callable[[Topic], list[Any] | None]
"""The arguments of the event that a new subscriber gets at once, if any."""


class Hub:
    """Connections, and what each of them is subscribed to."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        limits: HubLimits,
        clock: Clock,
        reset: Callable[[tuple[str, int]], None],
        snapshot: Snapshot = lambda topic: None,
    ) -> None:
        self.events = frozenset(channel.event for channel in channels.values())
        self.delivery = Delivery(clock)
        self.is_silent = False
        subscribe = {f"Subscribe{name}": (c, self._subscribe) for name, c in channels.items()}
        unsubscribe = {f"Unsubscribe{name}": (c, self._unsubscribe) for name, c in channels.items()}
        self._methods = {name.lower(): call for name, call in (subscribe | unsubscribe).items()}
        self._limits = limits
        self._reset = reset
        self._snapshot = snapshot
        self._negotiated: dict[str, str] = {}
        self._connections: dict[HubConnection, None] = {}  # in the order in which they came
        self._followers: defaultdict[Topic, dict[HubConnection, None]] = defaultdict(dict)

    def negotiate(self, request: Request) -> Response:
        """A new connection id; from version 1 on it is public and goes with a secret token."""
        asked = request.query_params.get("negotiateVersion") or "0"
        if not asked.isdecimal():
            error = f"The client requested an invalid protocol version '{asked}'"
            return JSONResponse({"error": error})
        version = min(int(asked), 1)
        connection_id, token = _new_id(), _new_id()
        self._remember(connection_id, token)
        ids = {"connectionId": connection_id} | ({"connectionToken": token} if version else {})
        transport = {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}
        return JSONResponse(
            {"negotiateVersion": version, **ids, "availableTransports": [transport]}
        )

    def refusal(self, socket: WebSocket) -> Response | None:
        """Why this socket may not connect: only with an id that was negotiated, or without one."""
        connection_id = socket.query_params.get("id")
        if connection_id is None:
            return None
        partner = self._negotiated.pop(connection_id, None)
        if partner is None:
            return Response("No Connection with that ID", 404)
        self._negotiated.pop(partner, None)
        return None

    async def serve(self, socket: WebSocket) -> None:
        """Talk to an admitted client until the connection ends."""
        assert socket.client is not None
        self.delivery.loop = asyncio.get_running_loop()
        reset = partial(self._reset, socket.client)
        connection = HubConnection(socket, self, self._limits, reset)
        self._connections[connection] = None
        try:
            await connection.run()
        finally:
            self._forget(connection)

    def publish(self, outgoing: Outgoing) -> None:
        """Send a message to the followers of its topic; without any it is not even written."""
        followers = self._followers.get(outgoing.topic, ())
        # What comes after a pause holds up what follows it, heard or not.
        if followers or (outgoing.after and self._connections):
            self.delivery.put(outgoing, tuple(followers))

    def broadcast(self, event: str, *arguments: object) -> None:
        """Send an event to every connection, whatever it follows."""
        if connections := self._open_connections():
            self.delivery.put(Outgoing(Topic(event), lambda: [*arguments]), connections)

    def say(self, text: str) -> None:
        """Send the text to every connection as it is, ahead of what is on its way."""
        for connection in self._open_connections():
            connection.deliver(text)

    def mute(self, silence: Silence | None) -> None:
        """Be silent from now on, what is on its way included; None is to speak again."""
        self.delivery.is_muted = silence is not None
        self.is_silent = silence is Silence.EVERYTHING

    def forget_faults(self) -> None:
        """Tell everything as it is, at once, from now on."""
        self.delivery.faults.forget()
        self.delivery.pacer.delay = 0.0
        self.mute(None)

    async def run(self) -> None:
        """Tell what is late when its time has come; a task of the sandbox, for as long as it is."""
        await self.delivery.pacer.run()

    def reset(self) -> None:
        """Reset every connection, without a word."""
        for connection in tuple(self._connections):
            connection.reset()

    def state(self) -> dict[str, Any]:
        """How many are connected, and what they follow: event, then account or contract."""
        followed: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for topic, followers in self._followers.items():
            if followers:
                followed[topic.event]["" if topic.key is None else str(topic.key)] = len(followers)
        return {"connections": len(self._connections), "followers": dict(followed)}

    async def drop(self, *, allow_reconnect: bool) -> None:
        """Close every connection."""
        self.delivery.flush()
        connections = tuple(self._connections)
        await asyncio.gather(*(one.drop(allow_reconnect=allow_reconnect) for one in connections))

    def invoke(
        self, connection: HubConnection, target: str, arguments: list[Any]
    ) -> Callable[[], None]:
        """Do what a client calls for; gives what to do after the answer."""
        if target.lower() not in self._methods:
            raise InvocationError("HubException: Method does not exist.")
        channel, method = self._methods[target.lower()]
        topic = Topic(channel.event, _bind(arguments, channel.key))
        # What happened before goes to those who followed then.
        self.delivery.flush()
        return method(connection, topic)

    def _subscribe(self, connection: HubConnection, topic: Topic) -> Callable[[], None]:
        self._followers[topic][connection] = None
        return partial(self._tell_all_of, topic, connection)

    def _tell_all_of(self, topic: Topic, connection: HubConnection) -> None:
        arguments = self._snapshot(topic)
        if arguments is not None:
            self.delivery.put(Outgoing(topic, partial(list, arguments)), (connection,))

    def _unsubscribe(self, connection: HubConnection, topic: Topic) -> Callable[[], None]:
        self._followers[topic].pop(connection, None)
        return lambda: None

    def _open_connections(self) -> tuple[HubConnection, ...]:
        return tuple(one for one in self._connections if one.is_open)

    def _remember(self, connection_id: str, token: str) -> None:
        while len(self._negotiated) >= _MOST_NEGOTIATED:
            del self._negotiated[next(iter(self._negotiated))]
        self._negotiated |= {connection_id: token, token: connection_id}

    def _forget(self, connection: HubConnection) -> None:
        self._connections.pop(connection, None)
        for followers in self._followers.values():
            followers.pop(connection, None)


def _bind(given: list[Any], key: type[int] | type[str] | None) -> int | str | None:
    """The key of a subscription. The type must be exact: "1" and true are no account ids."""
    expected = 0 if key is None else 1
    if len(given) != expected:
        raise InvocationError(
            f"InvalidDataException: Invocation provides {len(given)} argument(s) "
            f"but target expects {expected}."
        )
    if key is None:
        return None
    bound: int | str = given[0]
    if type(bound) is not key:
        raise InvocationError(
            "InvalidDataException: Error binding arguments. Make sure that the types of the "
            "provided values match the types of the hub method being invoked."
        )
    return bound


def _new_id() -> str:
    return f"{random_bits(128):032x}"
