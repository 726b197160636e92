"""One end of a connection in memory, with the manners of a TCP socket."""

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Any, cast

Address = tuple[str, int]

_IN_FLIGHT = 256 * 1024
"""Bytes that the network takes before the sender's own buffer begins to fill."""
_HIGH, _LOW = 64 * 1024, 16 * 1024
_RESET = struct.pack("ii", 1, 0)


class _End(Enum):
    FIN = auto()
    RST = auto()


class Readiness:
    """Two files for who asks a socket whether it can be read: one that can, and one that cannot."""

    def __init__(self) -> None:
        self.ready = os.open(os.devnull, os.O_RDONLY)
        self.idle, writer = os.pipe()
        self._files: tuple[int, ...] = (self.ready, self.idle, writer)

    def close(self) -> None:
        """From now on there are no files: the system may give their numbers to others."""
        for one in self._files:
            os.close(one)
        self._files = ()
        self.ready = self.idle = -1

    def __del__(self) -> None:
        self.close()  # of a network that no loop has ever used


class _Socket:
    """What programs ask of the socket below a transport."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, transport: "MemoryTransport") -> None:
        self._transport = transport

    def fileno(self) -> int:
        return self._transport.descriptor()

    def getsockname(self) -> Address:
        return self._transport.near

    def getpeername(self) -> Address:
        return self._transport.far

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        if (level, option, value) == (socket.SOL_SOCKET, socket.SO_LINGER, _RESET):
            self._transport.resets = True


class MemoryTransport(asyncio.Transport):
    """Made in pairs. What is written arrives at the other end after `travel()` seconds."""

    def __init__(
        self, near: Address, far: Address, travel: Callable[[], float], readiness: Readiness
    ) -> None:
        super().__init__()
        self.near, self.far = near, far
        self.resets = False
        """Whether `abort` tells the other end of a reset, as a socket does that does not linger."""
        self._loop = asyncio.get_running_loop()
        self._travel = travel
        self._readiness = readiness
        self._socket = _Socket(self)
        self._inbox: deque[bytes | _End] = deque()
        self._under_way: deque[bytes | _End] = deque()
        self._due = 0.0
        self._sent = 0
        """Bytes that the other end has not taken yet."""
        self._high, self._low = _HIGH, _LOW
        self._is_reading = True
        self._is_closing = self._is_lost = self._has_ended = self._is_writing_paused = False

    def join(self, other: "MemoryTransport") -> None:
        self._other, other._other = other, self

    def start(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)
        self._loop.call_soon(protocol.connection_made, self)

    # What there is to know

    def descriptor(self) -> int:
        if self._is_lost:
            return -1
        has_news = bool(self._inbox) or self._other._is_closing
        return self._readiness.ready if has_news else self._readiness.idle

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        known = {"socket": self._socket, "sockname": self.near, "peername": self.far}
        return known.get(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)

    def is_closing(self) -> bool:
        return self._is_closing

    # Sending

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._has_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._is_closing:
            return
        self._sent += len(data)
        self._dispatch(bytes(data))
        if self.get_write_buffer_size() > self._high and not self._is_writing_paused:
            self._is_writing_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._is_closing and not self._has_ended:
            self._has_ended = True
            self._dispatch(_End.FIN)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high if high is not None else (4 * low if low is not None else _HIGH)
        self._low = low if low is not None else self._high // 4

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return max(0, self._sent - _IN_FLIGHT)

    def _dispatch(self, parcel: bytes | _End) -> None:
        """What is sent later arrives later, as it does within one connection."""
        self._due = max(self._due, self._loop.time() + self._travel())
        self._under_way.append(parcel)
        self._loop.call_at(self._due, self._land)

    def _land(self) -> None:
        """Timers of the same time go off in any order, so each takes what was sent first."""
        self._other._arrive(self._under_way.popleft())

    def _taken(self, size: int) -> None:
        self._sent -= size
        if self._is_writing_paused and self.get_write_buffer_size() <= self._low:
            self._is_writing_paused = False
            self._protocol.resume_writing()

    # Receiving

    def _arrive(self, parcel: bytes | _End) -> None:
        if self._is_closing:
            if isinstance(parcel, bytes) and not self._other._is_closing:
                self._dispatch(_End.RST)  # nobody is here any more
            return
        if parcel is _End.RST:
            self._inbox.clear()
            return self._lose(ConnectionResetError("the other end reset the connection"))
        self._inbox.append(parcel)
        self._deliver()

    def _deliver(self) -> None:
        while self._inbox and self._is_reading and not self._is_closing:
            parcel = self._inbox.popleft()
            if isinstance(parcel, bytes):
                self._other._taken(len(parcel))
                self._protocol.data_received(parcel)
            elif not self._protocol.eof_received():
                self.close()

    def is_reading(self) -> bool:
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self._loop.call_soon(self._deliver)

    # The end

    def close(self) -> None:
        """What was written still arrives."""
        if not self._is_closing:
            self._is_closing = True
            if not self._has_ended:
                self._dispatch(_End.FIN)
            self._loop.call_soon(self._tell_lost, None)

    def abort(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._dispatch(_End.RST if self.resets or self._inbox else _End.FIN)
            self._loop.call_soon(self._tell_lost, None)

    def _lose(self, error: Exception) -> None:
        self._is_closing = True
        self._loop.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._protocol.connection_lost(error)
