"""The seam to the WebSocket library, against a real server on loopback."""

import asyncio
import http
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tradeforge_core import AuthenticationError, Disconnected
from tradeforge_core.kit.websocket import WebSocket

TOKEN = "the-bearer-token"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

Talk = Callable[[ServerConnection], Awaitable[None]]


class Venue:
    """Talks as it is told; refuses the upgrade with `status`, if there is one."""

    def __init__(self) -> None:
        self.status: http.HTTPStatus | None = None
        self.location = ""
        self.headers: list[Any] = []
        self.paths: list[str] = []
        self.talk: Talk = _listen
        self.url = ""

    def process(self, connection: ServerConnection, request: Request) -> Response | None:
        self.headers.append(request.headers)
        self.paths.append(request.path)
        if self.status is None:
            return None
        response = connection.respond(self.status, "no\n")
        if self.location:
            response.headers["Location"] = self.location
        return response

    async def handle(self, connection: ServerConnection) -> None:
        await self.talk(connection)


async def _listen(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


def _url(server: Server) -> str:
    host, port = next(iter(server.sockets)).getsockname()
    return f"ws://{host}:{port}/hub"


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    venue = Venue()
    async with serve(venue.handle, "127.0.0.1", 0, process_request=venue.process) as server:
        venue.url = _url(server)
        yield venue


async def test_text_goes_out_and_bytes_come_in(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        assert await connection.recv() == "hello"
        await connection.send("text")
        await connection.send(b"\x00binary")
        await connection.send(["in ", "pieces"])

    venue.talk = talk
    socket_ = await WebSocket.open(venue.url, HEADERS)
    await socket_.send("hello")
    received = [await socket_.receive() for _ in range(3)]
    assert received == [b"text", b"\x00binary", b"in pieces"]
    assert venue.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert "permessage-deflate" not in str(venue.headers[0])
    await socket_.close()


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_the_scheme_may_be_that_of_the_rest_interface(venue: Venue, scheme: str) -> None:
    socket_ = await WebSocket.open(venue.url.replace("ws", scheme, 1), {})
    await socket_.send("x")
    assert await socket_.receive() == b"x"
    await socket_.close()


@pytest.mark.parametrize("status", [http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN])
async def test_a_refused_token(venue: Venue, status: http.HTTPStatus) -> None:
    venue.status = status
    with pytest.raises(AuthenticationError, match=f"HTTP {status.value}") as caught:
        await WebSocket.open(venue.url, HEADERS)
    assert caught.value.code == status


@pytest.mark.parametrize(
    "status",
    [
        http.HTTPStatus.OK,
        http.HTTPStatus.NOT_FOUND,
        http.HTTPStatus.TOO_MANY_REQUESTS,
        http.HTTPStatus.BAD_GATEWAY,
        http.HTTPStatus.SERVICE_UNAVAILABLE,
    ],
)
async def test_a_refused_upgrade(venue: Venue, status: http.HTTPStatus) -> None:
    venue.status = status
    with pytest.raises(Disconnected, match=f"HTTP {status.value}") as caught:
        await WebSocket.open(venue.url, HEADERS)
    assert not caught.value.sent
    assert len(venue.headers) == 1


async def test_a_redirect_is_not_followed(venue: Venue) -> None:
    venue.status, venue.location = http.HTTPStatus.TEMPORARY_REDIRECT, "/elsewhere"
    with pytest.raises(Disconnected, match="HTTP 307"):
        await WebSocket.open(venue.url, HEADERS)
    assert venue.paths == ["/hub"]


async def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Disconnected, match="no WebSocket connection") as caught:
        await WebSocket.open(f"ws://127.0.0.1:{port}", HEADERS)
    assert not caught.value.sent


@pytest.mark.parametrize(
    "raw", [b"", b"SSH-2.0-server\r\n", b"HTTP/1.1 999 \r\n\r\n", b"\x00" * 99]
)
async def test_somebody_else_there(raw: bytes) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Disconnected) as caught:
        await WebSocket.open(f"ws://127.0.0.1:{port}", HEADERS)
    assert not caught.value.sent
    assert TOKEN not in str(caught.value)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        (1000, "", r"closed the stream connection \(1000\)"),
        (1001, "going away", r"\(1001: going away\)"),
        (1012, "restart", r"\(1012: restart\)"),
        (4401, "token", r"\(4401: token\)"),
    ],
)
async def test_the_venue_closes(venue: Venue, code: int, reason: str, said: str) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    venue.talk = talk
    socket_ = await WebSocket.open(venue.url, HEADERS)
    with pytest.raises(Disconnected, match=said):
        await socket_.receive()
    with pytest.raises(Disconnected, match=said):
        await socket_.send("too late")
    await socket_.close()


async def test_the_line_breaks(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.abort()

    venue.talk = talk
    socket_ = await WebSocket.open(venue.url, HEADERS)
    with pytest.raises(Disconnected, match="broke off"):
        await socket_.receive()
    await socket_.close()


async def test_a_monster_of_a_message_is_the_end(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(b"x" * (17 * 1024 * 1024))

    venue.talk = talk
    socket_ = await WebSocket.open(venue.url, HEADERS)
    with pytest.raises(Disconnected):
        await socket_.receive()
    await socket_.close()


async def test_closing_twice_is_harmless(venue: Venue) -> None:
    socket_ = await WebSocket.open(venue.url, HEADERS)
    await socket_.close()
    await socket_.close()
    with pytest.raises(Disconnected):
        await socket_.receive()


async def test_proxies_of_the_environment_are_ignored(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    socket_ = await WebSocket.open(venue.url, HEADERS)
    await socket_.close()


async def test_the_log_never_has_the_token(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        # the server shares the library with the client, and would print what it receives
        logging.getLogger("websockets.server").setLevel(logging.WARNING)
        socket_ = await WebSocket.open(venue.url, HEADERS)
        await socket_.send("hello")
        await socket_.receive()
        await socket_.close()
        venue.status = http.HTTPStatus.UNAUTHORIZED
        with pytest.raises(AuthenticationError):
            await WebSocket.open(venue.url, HEADERS)
    assert TOKEN not in caplog.text
    assert "Authorization" not in caplog.text


async def test_a_library_with_default_logging_would_print_it(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    """Shows that the test above can fail."""
    from websockets.asyncio.client import connect

    with caplog.at_level(logging.DEBUG):
        async with connect(venue.url, additional_headers=HEADERS):
            pass
    assert TOKEN in caplog.text
