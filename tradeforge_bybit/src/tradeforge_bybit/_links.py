"""The connections of streams: one for each category of the market, and one for the account."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Protocol

from attrs import field, frozen

from tradeforge_bybit import _channels
from tradeforge_bybit._errors import is_done, refusal, short
from tradeforge_bybit._frames import Frame
from tradeforge_bybit._market_events import Lost
from tradeforge_bybit._signing import Signer
from tradeforge_bybit._socket import SocketLimits, Tap, VenueSocket
from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    Event,
    Gap,
    GapCause,
    Topic,
    TradeForgeError,
    VenueError,
)
from tradeforge_core.kit.budget import Lane
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.switchboard import Switchboard

PRIVATE = "private"
MOST_NAMES = 10
"""In one request: more of them are refused at spot."""
MOST_LETTERS = 21_000
"""Of all the names on one connection."""


class Reader(Protocol):
    """Makes the events of one connection."""

    def read(self, topic: Topic, frame: Frame, received: datetime) -> Iterable[Event]: ...

    def forget(self, channel: str) -> None:
        """It begins: what was known before it may be old."""


@frozen
class _Wish:
    """Channels that are to be subscribed or let go of."""

    names: tuple[str, ...]
    completed: Callable[[], None]
    done: "asyncio.Future[None]" = field(factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, error: TradeForgeError | None = None) -> None:
        if self.done.done():
            return
        if error is None:
            self.completed()
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


LogIn = Callable[[VenueSocket], Awaitable[None]]
"""Makes a socket one of the account's. Raises `AuthenticationError`."""


class VenueLink(StreamLink):
    """One connection; `log_in` is None where everybody may listen."""

    def __init__(
        self,
        stream: str,
        url: str,
        switchboard: Switchboard,
        clock: Clock,
        *,
        reader: Reader,
        limits: SocketLimits,
        log_in: LogIn | None = None,
        renew_time: Callable[[], Awaitable[None]] | None = None,
        tap: Tap | None = None,
    ) -> None:
        self._stream = stream
        self._switchboard = switchboard
        self._clock = clock
        self._reader = reader
        self._log_in = log_in
        self._renew_time = renew_time
        self._channels: dict[str, set[Topic]] = {}
        """What each channel is for: two topics may share one."""
        self._beginning: dict[Topic, Began] = {}
        """What the venue has been asked for: its first data may come before the confirmation."""
        self._wishes: dict[str, list[_Wish]] = {}
        self._tasks = TaskOwner()
        self._new_socket = partial(
            VenueSocket,
            url,
            clock,
            limits,
            told=self._told,
            not_understood=self._not_understood,
            tap=tap,
        )
        self._socket = self._new_socket()

    @property
    def heard_at(self) -> datetime:
        return self._socket.heard_at

    async def open(self) -> None:
        try:
            await self._connect()
        except AuthenticationError:  # the venue's clock may have moved: one more try
            connects = self._switchboard.connects(self._stream)
            if self._renew_time is None or connects.seconds_until_room(Lane.READ) > 0:
                raise
            await self._renew_time()
            await self._socket.close()
            self._socket = self._new_socket()
            async with connects.slot(Lane.READ):
                await self._connect()

    async def _connect(self) -> None:
        await self._socket.open()
        if self._log_in is not None:
            await self._log_in(self._socket)

    async def listen(self) -> None:
        await self._socket.listen()

    async def close(self) -> None:
        await self._tasks.close()
        await self._socket.close()

    # --- subscribing ---

    async def subscribe(self, topic: Topic, began: Began) -> None:
        names = _channels.names_of(topic)
        new = [name for name in names if name not in self._channels]
        self._check_room(new)
        for name in new:
            self._reader.forget(name)
        for name in names:
            self._channels.setdefault(name, set()).add(topic)
        self._beginning[topic] = began
        try:
            await self._wish("subscribe", new, lambda: began(self.heard_at))
        except BaseException:
            self._drop(topic, names)
            raise
        finally:
            del self._beginning[topic]

    async def unsubscribe(self, topic: Topic) -> None:
        gone = self._drop(topic, _channels.names_of(topic))
        await self._wish("unsubscribe", gone, lambda: None)

    def _drop(self, topic: Topic, names: Iterable[str]) -> list[str]:
        """The channels that are for nothing any more."""
        gone = []
        for name in names:
            topics = self._channels.get(name, set())
            topics.discard(topic)
            if not topics and self._channels.pop(name, None) is not None:
                gone.append(name)
        return gone

    def _check_room(self, new: Iterable[str]) -> None:
        letters = sum(map(len, (*self._channels, *new)))
        if letters > MOST_LETTERS:
            raise VenueError(
                f"{self._stream}: one connection takes {MOST_LETTERS} letters of subscriptions,"
                f" and with this one it would be {letters}: subscribe to fewer contracts"
            )

    async def _wish(self, op: str, names: list[str], completed: Callable[[], None]) -> None:
        """What is wished for in one turn of the loop is asked for together."""
        if not names:
            return completed()
        wish = _Wish(tuple(names), completed)
        waiting = self._wishes.setdefault(op, [])
        waiting.append(wish)
        if len(waiting) == 1:
            self._tasks.start(self._grant(op), name=f"{op} {self._stream}")
        await wish.done

    async def _grant(self, op: str) -> None:
        for batch in _batches(self._wishes.pop(op)):
            self._start(op, batch)

    def _start(self, op: str, batch: list[_Wish]) -> None:
        self._tasks.start(self._ask(op, batch), name=f"{op} {self._stream}")

    async def _ask(self, op: str, batch: list[_Wish]) -> None:
        request = {"op": op, "args": [name for wish in batch for name in wish.names]}
        try:
            await self._socket.ask(request, completed=lambda said: self._answered(said, op, batch))
        except TradeForgeError as error:
            for wish in batch:
                wish.settle(error)

    def _answered(self, said: Frame, op: str, batch: list[_Wish]) -> None:
        """A refusal is of all that was asked together: then each is asked for by itself."""
        if said.success or len(batch) == 1:
            for wish in batch:
                wish.settle(None if said.success else _refusal(op, wish.names, said))
        else:
            for wish in batch:
                self._start(op, [wish])

    # --- what comes ---

    def _told(self, frame: Frame) -> None:
        for topic in tuple(self._channels.get(frame.topic, ())):  # else it is of what has ended
            try:
                self._publish(topic, self._reader.read(topic, frame, self.heard_at))
            except Lost:
                self._switchboard.renew((topic,))
            except DecodeError as error:  # what else the message says has been told
                self._not_understood(error, topic)

    def _publish(self, topic: Topic, events: Iterable[Event]) -> None:
        for event in events:
            if (began := self._beginning.get(topic)) is not None:
                began(self.heard_at)
            self._switchboard.publish(topic, event)

    def _not_understood(self, error: DecodeError, topic: Topic | None = None) -> None:
        """Leave the message out, say so, and go on: one bad record must not end a stream."""
        self._switchboard.report(error)
        all_topics = (one for some in self._channels.values() for one in some)
        topics = tuple(sorted(set(all_topics))) if topic is None else (topic,)
        gap = Gap(
            stream=self._stream,
            cause=GapCause.DECODE_ERROR,
            topics=topics,
            dropped=1,
            received=self._clock.now(),
        )
        self._switchboard.publish_health(gap, topics)


def _batches(wishes: list[_Wish]) -> list[list[_Wish]]:
    """As many together as one request may name."""
    batches: list[list[_Wish]] = [[]]
    for wish in wishes:
        if sum(len(one.names) for one in batches[-1]) + len(wish.names) > MOST_NAMES:
            batches.append([])
        batches[-1].append(wish)
    return batches


def _refusal(op: str, names: tuple[str, ...], said: Frame) -> VenueError:
    return VenueError(f"the venue refused to {op} {', '.join(names)}: {short(said.ret_msg)}")


def log_in(signer: Signer) -> LogIn:
    """Signs at the venue's time of the moment, so it is made anew for each attempt."""

    async def log_in(socket: VenueSocket) -> None:
        said = await socket.ask({"op": "auth", "args": signer.socket_login()})
        if said.success is False:
            raise AuthenticationError(f"the venue refused the login: {short(said.ret_msg)}")
        if said.retCode is not None and not is_done(said.retCode):
            raise refusal("login of the order socket", said.retCode, said.retMsg, write=False)

    return log_in
