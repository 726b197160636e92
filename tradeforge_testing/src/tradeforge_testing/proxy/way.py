"""One way of a proxied connection: what comes in waits with its time, and passes as faults say."""

import asyncio
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from socket import SO_LINGER, SOL_SOCKET
from typing import TypeVar

from attrs import define

from tradeforge_core.kit.clock import Clock
from tradeforge_testing.proxy.faults import (
    Cut,
    Delay,
    Direction,
    Hold,
    PassingFault,
    Slice,
    Throttle,
)

_CHUNK = 64 * 1024
_CHUNKS = 64  # that wait to be passed; beyond them the sender has to wait
_PIECES_PER_SECOND = 10
_RESET = struct.pack("ii", 1, 0)  # to close is to reset

F = TypeVar("F", bound=PassingFault)


@define
class _Started:
    """A fault at work; `left` is for a cut: the bytes that it still lets pass."""

    fault: PassingFault
    ends_with_request: bool
    left: int


class Way:
    def __init__(
        self,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        clock: Clock,
        random: Random,
        received: Counter[Direction],
        passed: Counter[Direction],
        cut: Callable[[bool], None],
    ) -> None:
        self.direction = direction
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._random = random
        self._received = received
        self._passed = passed
        self._cut = cut
        self._waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS)
        self._started: list[_Started] = []
        self._is_over = False
        writer.transport.set_write_buffer_limits(high=0)  # what was drained has left

    def start(self, fault: PassingFault, *, ends_with_request: bool) -> None:
        if fault.direction.includes(self.direction):
            left = fault.after if isinstance(fault, Cut) else 0
            # a connection that is half open does not recover
            ends = ends_with_request and not isinstance(fault, Hold)
            self._started.append(_Started(fault, ends, left))

    def end_request(self) -> None:
        """Forget the faults of the request before."""
        self._started = [one for one in self._started if not one.ends_with_request]

    async def take_in(self) -> None:
        """Read until the end of the stream, which is put in line as nothing at all."""
        while data := await self._read():
            self._received[self.direction] += len(data)
            await self._waiting.put((self._clock.monotonic(), data))
        await self._waiting.put((self._clock.monotonic(), b""))

    async def next(self) -> tuple[float, bytes]:
        """When it came, and what."""
        return await self._waiting.get()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_CHUNK)
        except ConnectionError:
            if self._is_silent:
                return b""
            raise

    async def let_pass(self, came: float, data: bytes) -> None:
        """Pass it, or what the faults leave of it; nothing at all is the end of the stream."""
        if not self._is_silent:
            await self._wait(came)
        if self._is_silent:  # also by what happened meanwhile
            return
        if not data:
            return self.finish()
        await self._send(memoryview(data))

    def finish(self) -> None:
        """Send the end of the stream, and nothing after it."""
        self._is_over = True
        with suppress(OSError):  # it was reset already
            self._writer.write_eof()

    def reset(self) -> None:
        """Close the connection to the receiver with a reset."""
        self._is_over = True
        reset(self._writer)

    def close(self) -> None:
        """Close the connection to the receiver; what has not left by now is lost."""
        self._writer.transport.abort()

    async def closed(self) -> None:
        """Return when it is closed."""
        with suppress(OSError):  # a connection may end like that
            await self._writer.wait_closed()

    @property
    def _is_silent(self) -> bool:
        return self._is_over or any(self._at_work(Hold))

    async def _wait(self, came: float) -> None:
        if not self._started:
            return
        delays = [one.seconds + self._random.uniform(0, one.jitter) for one in self._at_work(Delay)]
        if delays:
            await self._clock.sleep(came + sum(delays) - self._clock.monotonic())

    async def _send(self, data: memoryview) -> None:
        while data and not self._is_silent:  # a fault may begin between two pieces
            piece = data[: self._piece_size()]
            if piece:
                self._count(piece)
                self._writer.write(piece)
                await self._writer.drain()
            data = data[len(piece) :]
            if self._started:
                self._cut_where_due()
                await self._pause(len(piece))

    def _count(self, piece: memoryview) -> None:
        self._passed[self.direction] += len(piece)
        for one in self._started:
            one.left -= len(piece)

    def _piece_size(self) -> int:
        if not self._started:
            return _CHUNK
        slices = [one.size for one in self._at_work(Slice)]
        rates = [
            max(1, one.bytes_per_second // _PIECES_PER_SECOND) for one in self._at_work(Throttle)
        ]
        return min([_CHUNK, *slices, *rates, *(left for left, _ in self._cuts())])

    async def _pause(self, sent: int) -> None:
        pauses = [one.pause for one in self._at_work(Slice)]
        pauses += [sent / one.bytes_per_second for one in self._at_work(Throttle)]
        if pauses:
            await self._clock.sleep(sum(pauses))

    def _cut_where_due(self) -> None:
        left, rst = min(self._cuts(), default=(_CHUNK, False))
        if not left:
            self._cut(rst)

    def _cuts(self) -> list[tuple[int, bool]]:
        """How many bytes each of them still lets pass, and whether it is a reset."""
        return [(one.left, one.fault.rst) for one in self._started if isinstance(one.fault, Cut)]

    def _at_work(self, kind: type[F]) -> Iterator[F]:
        return (one.fault for one in self._started if isinstance(one.fault, kind))


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection with a reset; what is not sent yet is forgotten."""
    with suppress(OSError):  # it is closed already
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
    writer.transport.abort()
