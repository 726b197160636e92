"""One socket of the venue, from its opening to its loss: requests, their answers, heartbeats."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, Self

from attrs import frozen

from tradeforge_bybit import _frames
from tradeforge_bybit._frames import Frame
from tradeforge_core import DecodeError, Disconnected, RequestTimeout, TradeForgeError
from tradeforge_core.kit import recording
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import first_of
from tradeforge_core.kit.websocket import WebSocket


@frozen(kw_only=True)
class SocketLimits:
    """In seconds. A line that is cut without a word is noticed within 30 s by default."""

    ping_every: float = 20.0
    """Between two pings, which the venue wants to hear."""
    silence: float = 28.0
    """Without a word of the venue; then the connection counts as dead."""
    answer: float = 10.0
    """To wait for the answer to a request."""
    look_every: float = 1.0
    """Between two looks at the silence."""
    line: float = 14.0
    """Of silence before the other end of the line is asked, which has as long again to answer."""

    @classmethod
    def fast(cls) -> Self:
        """Limits that notice a dead line within 6 s, for a network whose answers take no second."""
        return cls(ping_every=2.5, silence=5.0, look_every=0.5, line=1.5)


class Tap(Protocol):
    """Hears all that is said on either side."""

    def __call__(
        self, direction: str, message: bytes = b"", received: datetime | None = None
    ) -> None: ...


_BEATS = ("ping", "pong")
"""How the sockets call the answer to a ping: the public ones say `ping`."""


@frozen
class _Call:
    op: str
    answered: "asyncio.Future[Frame]"
    completed: Callable[[Frame], None]


class VenueSocket:
    """`told` gets what has a topic, and may raise what ends the connection."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        limits: SocketLimits,
        *,
        told: Callable[[Frame], None],
        not_understood: Callable[[DecodeError], None],
        number_as: str = "req_id",
        prefix: str = "",
        tap: Tap | None = None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._limits = limits
        self._told = told
        self._not_understood = not_understood
        self._number_as = number_as
        self._prefix = prefix
        self._tap = tap
        self._socket: WebSocket | None = None
        self._calls: dict[str, _Call] = {}
        self._last_number = 0
        self._lost = asyncio.Event()
        self._error: Exception | None = None
        """Why it is over; nothing that comes after it is read."""
        self._is_leaving = False
        self._heard = clock.monotonic()
        self.heard_at = clock.now()
        """When the newest message came."""

    async def open(self) -> None:
        """Raises `TransportError`, and `AuthenticationError` where the venue lets nobody in."""
        try:
            self._socket = await WebSocket.open(
                self._url,
                {},
                received=self._take_all,
                lost=self._lose,
                ping_after=self._limits.line,
            )
        except BaseException as error:
            self._tell(recording.FAILED, error)
            raise
        if self._tap is not None:
            self._tap(recording.OPEN)
        self._heard, self.heard_at = self._clock.monotonic(), self._clock.now()

    async def listen(self) -> None:
        """Ping, and watch the silence, until the connection is lost. Raises `TransportError`."""
        try:
            ping_at = self._clock.monotonic() + self._limits.ping_every
            while not self._lost.is_set():
                await first_of(self._lost.wait(), self._clock.sleep(self._limits.look_every))
                self._check_silence()
                if self._clock.monotonic() >= ping_at and not self._lost.is_set():
                    ping_at = self._clock.monotonic() + self._limits.ping_every
                    await self._send({"op": "ping"})
            raise self._error or Disconnected("the stream connection was lost")
        finally:
            self._lose(Disconnected("nobody listens to the stream any more"))

    async def ask(
        self,
        request: dict[str, Any],
        *,
        completed: Callable[[Frame], None] = lambda frame: None,
    ) -> Frame:
        """The answer to a request that is sent once.

        `completed` gets it before anything is read that came after it. Raises `RequestTimeout`
        and `Disconnected`, which says whether anything has left.
        """
        if self._error is not None or self._socket is None:
            raise Disconnected("the stream connection is not open", sent=False)
        self._last_number += 1
        number = f"{self._prefix}{self._last_number}"
        answered = asyncio.get_running_loop().create_future()
        self._calls[number] = _Call(request["op"], answered, completed)
        try:
            async with asyncio.timeout(self._limits.answer):
                await self._send({self._number_as: number, **request})
                return await answered  # type: ignore[no-any-return]
        except TimeoutError:
            raise RequestTimeout(
                f"the venue did not answer {request['op']} in {self._limits.answer:g} s"
            ) from None
        finally:
            del self._calls[number]
            self._leave_if_done()

    def leave_when_answered(self, error: Disconnected) -> None:
        """End the connection with the error once all that was asked is answered."""
        self._error = self._error or error
        self._is_leaving = True
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if self._is_leaving and self._error is not None and not self._calls:
            self._lose(self._error)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _send(self, request: dict[str, Any]) -> None:
        assert self._socket is not None
        text = json.dumps(request, separators=(",", ":"))
        if self._tap is not None:
            self._tap(recording.OUT, text.encode())
        await self._socket.send(text)

    # --- what comes ---

    def _take_all(self, messages: list[bytes]) -> None:
        if self._error is not None and not self._is_leaving:
            return
        self._heard, self.heard_at = self._clock.monotonic(), self._clock.now()
        try:
            for message in messages:
                if self._tap is not None:
                    self._tap(recording.IN, message, self.heard_at)
                self._take(message)
        except Exception as error:  # noqa: BLE001  # `listen` raises it: nobody else is above
            self._lose(error)

    def _take(self, message: bytes) -> None:
        try:
            frame = _frames.read(message)
            if frame.topic:
                self._told(frame)
            elif frame.is_answer:
                self._complete(frame)
            elif frame.op not in _BEATS:
                raise DecodeError("a message of the stream is neither data nor an answer")
        except DecodeError as error:
            self._not_understood(error)

    def _complete(self, frame: Frame) -> None:
        """An answer without a number is that to the one request there is, if it is of its kind."""
        number = frame.number
        if not number and frame.op not in _BEATS and len(self._calls) == 1:
            ((only, asked),) = self._calls.items()
            number = only if frame.op in ("", asked.op) else ""
        call = self._calls.get(number)
        if call is None or call.answered.done():
            return
        call.completed(frame)
        call.answered.set_result(frame)

    # --- how it ends ---

    def _check_silence(self) -> None:
        silent = self._clock.monotonic() - self._heard
        if silent > self._limits.silence:
            self._lose(Disconnected(f"the venue was silent for {silent:.0f} s"))

    def _lose(self, error: Exception) -> None:
        if not self._lost.is_set():
            self._tell(recording.LOST, error)
        self._error = self._error or error
        self._lost.set()
        for call in self._calls.values():
            if not call.answered.done():
                call.answered.set_exception(_lost_with(error))

    def _tell(self, direction: str, error: BaseException) -> None:
        if self._tap is not None:
            self._tap(direction, json.dumps({"reason": str(error)}).encode())


def _lost_with(error: Exception) -> TradeForgeError:
    lost = Disconnected("the connection was lost before the venue answered")
    lost.__cause__ = error
    return lost
