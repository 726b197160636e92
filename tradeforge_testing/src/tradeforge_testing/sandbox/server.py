"""uvicorn inside the running loop: on loopback, without signal handlers, quick to stop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_LARGEST_MESSAGE = 4 * 1024 * 1024
_PATIENCE = 1  # seconds for a request to notice that its client is gone


class _WebSocket(WebSocketsSansIOProtocol):
    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # uvicorn takes a refusal for a mistake, and logs it


_PROTOCOLS = H11Protocol, _WebSocket


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program that the sandbox is a part of."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Wait until it is time to leave, and leave at once; there is no date to keep up."""
        await self._leaving.wait()

    def leave(self) -> None:
        self._leaving.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, answered or not; uvicorn's own way waits in steps of 0.1 s."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.close()
        if tasks := set(self.server_state.tasks):
            _, late = await asyncio.wait(tasks, timeout=_PATIENCE)
            await _end(late)
        while connections := list(self.server_state.connections):
            for connection in connections:
                connection.transport.abort()
            await asyncio.sleep(0)  # the loop tells the connection that it is lost


class LoopbackServer:
    """Serves an application on 127.0.0.1 between `start` and `stop`."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        config = uvicorn.Config(
            _quiet(app),
            http=H11Protocol,
            ws=_WebSocket,
            ws_max_size=_LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=None,  # a client that wants signs of life asks for them
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )
        self._uvicorn = _Uvicorn(config)
        self._socket = _listener(port)
        self.port: int = self._socket.getsockname()[1]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._uvicorn.serve([self._socket]), name="sandbox server")
        await self._uvicorn.listening.wait()

    async def stop(self) -> None:
        """Close the connections that are left, and free the port."""
        assert self._task is not None
        self._uvicorn.leave()
        await self._task

    def clients(self) -> set[tuple[str, int]]:
        """The addresses of those whose connection takes requests; websockets are none of them."""
        connections = self._uvicorn.server_state.connections
        taking = (one for one in connections if isinstance(one, H11Protocol))
        return {one.client for one in taking if one.client is not None}

    def reset(self, client: tuple[str, int]) -> None:
        """Drop the connection of this client without a word."""
        for transport in self._transports(client):
            transport.abort()

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close the connection of this client when all that was sent has left."""
        for transport in self._transports(client):
            transport.close()

    def _transports(self, client: tuple[str, int]) -> list[asyncio.Transport]:
        return [
            connection.transport
            for connection in self._uvicorn.server_state.connections
            if isinstance(connection, _PROTOCOLS) and connection.client == client
        ]


def _quiet(app: ASGIApp) -> ASGIApp:
    """A client that goes away, or the end of the loop, is nothing to print a traceback for."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        # nothing comes after this in the task of a request, so that a cancellation ends here
        with contextlib.suppress(ClientDisconnect, asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _listener(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A restart on the same port must not wait for the connections of the last run to be forgotten.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener
