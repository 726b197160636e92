"""Connections in memory: what `asyncio` and the servers and clients above it need of TCP."""

import asyncio
import socket
from collections.abc import Callable
from random import Random
from typing import Any, Self

from tradeforge_testing.sim.transport import MemoryTransport, Readiness

_HOST = "127.0.0.1"
_FIRST_PORT = 49_152
_LAST_PORT = 65_535

Factory = Callable[[], asyncio.BaseProtocol]


class MemoryNetwork:
    """One host with ports. Bytes take `latency` seconds, and up to `jitter` more, in their order.

    `seed` decides the jitter. Use one for each run.
    """

    def __init__(self, *, latency: float = 0.0, jitter: float = 0.0, seed: int = 0) -> None:
        self._latency = latency
        self._jitter = jitter
        self._seed = seed
        self._listeners: dict[int, MemoryServer] = {}
        self._last_port = _FIRST_PORT
        self._readiness = Readiness()
        self._attempts = 0
        self._clients: list[MemoryTransport] = []

    def listen(
        self, factory: Factory, port: int | None, sock: socket.socket | None
    ) -> "MemoryServer":
        """Serve the port, or the one that the socket has; nothing comes in through the socket."""
        if sock is not None:
            port = sock.getsockname()[1]
        elif not port:
            port = self._free_port()
        if port in self._listeners:
            raise OSError(f"the port {port} is taken")
        assert port is not None
        server = self._listeners[port] = MemoryServer(self, factory, port, sock)
        return server

    async def connect(
        self, factory: Factory, host: str | None, port: int | None
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        """Raises `ConnectionRefusedError` if nobody listens there."""
        self._attempts += 1
        up, down = self._way("up"), self._way("down")
        await asyncio.sleep(up())
        server = self._listeners.get(port or 0)
        if server is None:
            raise ConnectionRefusedError(f"nobody listens on port {port} of the simulated network")
        near, far = (_HOST, self._free_port()), (_HOST, server.port)
        client = MemoryTransport(near, far, up, self._readiness)
        served = MemoryTransport(far, near, down, self._readiness)
        client.join(served)
        self._clients = [one for one in self._clients if not one.is_closing()] + [client]
        served.start(server.factory())
        protocol = factory()
        client.start(protocol)
        await asyncio.sleep(0)
        return client, protocol

    def clients(self, port: int) -> int:
        """How many connections to this port their clients have not closed."""
        return sum(one.far[1] == port and not one.is_closing() for one in self._clients)

    def close(self) -> None:
        """Give its files back to the system, at the end of its run."""
        self._readiness.close()

    def close_listener(self, port: int) -> None:
        self._listeners.pop(port, None)

    def _way(self, name: str) -> Callable[[], float]:
        """How long the next bytes take on one way of one connection: a chance of its own."""
        random = Random(f"{self._seed} {self._attempts} {name}")
        return lambda: self._latency + random.uniform(0, self._jitter)

    def _free_port(self) -> int:
        while True:
            self._last_port += 1
            if self._last_port > _LAST_PORT:
                self._last_port = _FIRST_PORT
            if self._last_port not in self._listeners:
                return self._last_port


class MemoryServer(asyncio.AbstractServer):
    """A port that is served until it is closed; its connections live on."""

    def __init__(
        self, network: MemoryNetwork, factory: Factory, port: int, sock: socket.socket | None
    ) -> None:
        self.factory = factory
        self.port = port
        self._network = network
        self._socket = sock
        self._is_serving = True

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        return () if self._socket is None or not self._is_serving else (self._socket,)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def is_serving(self) -> bool:
        return self._is_serving

    async def start_serving(self) -> None:
        """It is served from the beginning."""

    async def serve_forever(self) -> None:
        await asyncio.get_running_loop().create_future()

    def close(self) -> None:
        if self._is_serving:
            self._is_serving = False
            self._network.close_listener(self.port)
            if self._socket is not None:
                self._socket.close()

    async def wait_closed(self) -> None:
        """It is closed at once."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        self.close()
