"""The seam to the WebSocket libraries, each of them against a real server on loopback."""

import asyncio
import http
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from tests.patience import HANG
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from tradeforge_core import AuthenticationError, Disconnected
from tradeforge_core.kit import websocket
from tradeforge_core.kit.websocket import WebSocket

TOKEN = "the-bearer-token"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.usefixtures("websocket_library")

Talk = Callable[[ServerConnection], Awaitable[None]]


class Line:
    """A connection whose messages are waited for one by one."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[bytes | Disconnected] = asyncio.Queue()
        self.losses: list[Disconnected] = []

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> Self:
        line = cls()
        line._socket = await WebSocket.open(url, headers, received=line._take, lost=line._lose)
        return line

    def _take(self, messages: list[bytes]) -> None:
        assert messages
        for message in messages:
            self._messages.put_nowait(message)

    def _lose(self, error: Disconnected) -> None:
        self.losses.append(error)
        self._messages.put_nowait(error)

    async def send(self, text: str) -> None:
        await self._socket.send(text)

    async def receive(self) -> bytes:
        async with asyncio.timeout(HANG):
            message = await self._messages.get()
        if isinstance(message, bytes):
            return message
        raise message

    async def close(self) -> None:
        await self._socket.close()

    _socket: WebSocket


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
    socket_ = await Line.open(venue.url, HEADERS)
    await socket_.send("hello")
    received = [await socket_.receive() for _ in range(3)]
    assert received == [b"text", b"\x00binary", b"in pieces"]
    assert venue.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert "permessage-deflate" not in str(venue.headers[0])
    await socket_.close()


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_the_scheme_may_be_that_of_the_rest_interface(venue: Venue, scheme: str) -> None:
    socket_ = await Line.open(venue.url.replace("ws", scheme, 1), {})
    await socket_.send("x")
    assert await socket_.receive() == b"x"
    await socket_.close()


@pytest.mark.parametrize("status", [http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN])
async def test_a_refused_token(venue: Venue, status: http.HTTPStatus) -> None:
    venue.status = status
    with pytest.raises(AuthenticationError, match=f"HTTP {status.value}") as caught:
        await Line.open(venue.url, HEADERS)
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
        await Line.open(venue.url, HEADERS)
    assert not caught.value.sent
    assert len(venue.headers) == 1


async def test_a_redirect_is_not_followed(venue: Venue) -> None:
    venue.status, venue.location = http.HTTPStatus.TEMPORARY_REDIRECT, "/elsewhere"
    with pytest.raises(Disconnected, match="HTTP 307"):
        await Line.open(venue.url, HEADERS)
    assert venue.paths == ["/hub"]


async def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Disconnected, match="no WebSocket connection") as caught:
        await Line.open(f"ws://127.0.0.1:{port}", HEADERS)
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
        await Line.open(f"ws://127.0.0.1:{port}", HEADERS)
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
    socket_ = await Line.open(venue.url, HEADERS)
    with pytest.raises(Disconnected, match=said):
        await socket_.receive()
    with pytest.raises(Disconnected, match=said):
        await socket_.send("too late")
    await socket_.close()


async def test_the_line_breaks(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.abort()

    venue.talk = talk
    socket_ = await Line.open(venue.url, HEADERS)
    with pytest.raises(Disconnected, match="broke off"):
        await socket_.receive()
    await socket_.close()


async def test_a_monster_of_a_message_is_the_end(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(b"x" * (17 * 1024 * 1024))

    venue.talk = talk
    socket_ = await Line.open(venue.url, HEADERS)
    with pytest.raises(Disconnected):
        await socket_.receive()
    await socket_.close()


async def test_closing_twice_is_harmless(venue: Venue) -> None:
    socket_ = await Line.open(venue.url, HEADERS)
    await socket_.close()
    await socket_.close()
    with pytest.raises(Disconnected):
        await socket_.receive()


async def test_proxies_of_the_environment_are_ignored(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    socket_ = await Line.open(venue.url, HEADERS)
    await socket_.close()


async def test_the_log_never_has_the_token(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        # the server shares the library with the client, and would print what it receives
        logging.getLogger("websockets.server").setLevel(logging.WARNING)
        socket_ = await Line.open(venue.url, HEADERS)
        await socket_.send("hello")
        await socket_.receive()
        await socket_.close()
        venue.status = http.HTTPStatus.UNAUTHORIZED
        with pytest.raises(AuthenticationError):
            await Line.open(venue.url, HEADERS)
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


async def test_messages_come_in_their_order_and_none_is_missing(venue: Venue) -> None:
    sent = [str(number) * (number % 700) for number in range(5000)]

    async def talk(connection: ServerConnection) -> None:
        for text in sent:
            await connection.send(text)

    venue.talk = talk
    line = await Line.open(venue.url, HEADERS)
    assert [await line.receive() for _ in sent] == [text.encode() for text in sent]
    with pytest.raises(Disconnected, match=r"closed the stream connection \(1000\)"):
        await line.receive()
    assert len(line.losses) == 1
    await line.close()
    assert len(line.losses) == 1


async def test_a_close_without_a_code(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.write(b"\x88\x00")
        await connection.wait_closed()

    venue.talk = talk
    line = await Line.open(venue.url, HEADERS)
    with pytest.raises(Disconnected, match=r"\(1005\)"):
        await line.receive()
    await line.close()


async def test_pieces_that_make_a_monster_are_the_end(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_BYTES", 1000)

    async def talk(connection: ServerConnection) -> None:
        await connection.send(["x" * 600, "y" * 600])

    venue.talk = talk
    line = await Line.open(venue.url, HEADERS)
    with pytest.raises(Disconnected):
        await line.receive()
    await line.close()


async def test_a_ping_is_answered_and_is_no_message(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        await (await connection.ping("are you there"))
        await connection.send("yes")

    venue.talk = talk
    line = await Line.open(venue.url, HEADERS)
    assert await line.receive() == b"yes"
    await line.close()


async def test_frames_between_two_pieces(venue: Venue) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.write(b"\x01\x02in\x89\x00\x00\x01 \x80\x06pieces\x81\x04next")

    venue.talk = talk
    line = await Line.open(venue.url, HEADERS)
    assert await line.receive() == b"in pieces"
    assert await line.receive() == b"next"
    await line.close()


@asynccontextmanager
async def raw_venue(greet: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """The URL of somebody who answers the head of a request, and hangs up at the next word."""
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greet(await reader.readuntil(b"\r\n\r\n")))
        await reader.read(1)
        writer.close()
        over.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(HANG):
            await over.wait()
        await asyncio.sleep(0)  # the transport closes


def _upgrade(head: bytes) -> bytes:
    key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
    )


async def test_what_comes_with_the_upgrade_is_not_lost() -> None:
    async with raw_venue(lambda head: _upgrade(head) + b"\x81\x05early") as url:
        line = await Line.open(url, HEADERS)
        assert await line.receive() == b"early"
        await line.close()


async def test_what_comes_before_nonsense_is_not_lost() -> None:
    async with raw_venue(lambda head: _upgrade(head) + b"\x81\x04good\x83\x03bad") as url:
        line = await Line.open(url, HEADERS)
        assert await line.receive() == b"good"
        with pytest.raises(Disconnected):
            await line.receive()
        await line.close()


@pytest.mark.parametrize("frames", [b"\x80\x01x", b"\x01\x01x\x81\x01y"])
async def test_pieces_of_no_message_are_the_end(frames: bytes) -> None:
    async with raw_venue(lambda head: _upgrade(head) + frames) as url:
        line = await Line.open(url, HEADERS)
        with pytest.raises(Disconnected):
            await line.receive()
        await line.close()


async def test_giving_up_during_the_handshake_ends_the_connection() -> None:
    asked = asyncio.Event()

    def silent(head: bytes) -> bytes:
        asked.set()
        return b""

    async with raw_venue(silent) as url:
        opening = asyncio.create_task(Line.open(url, HEADERS))
        await asked.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_a_venue_that_does_not_say_goodbye_is_left(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT", 0.01)
    over = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    venue.talk = talk
    line = await Line.open(venue.url, HEADERS)
    async with asyncio.timeout(8):  # by itself a library waits for 10 s
        await line.close()
        with pytest.raises(Disconnected):
            await line.receive()
    over.set()


async def test_others_have_a_turn_while_a_backlog_is_read(venue: Venue) -> None:
    """However much has come: a queue that is emptied in between must not run over."""

    async def talk(connection: ServerConnection) -> None:
        frame = b"\x81\x7e\x03\xe8" + b"x" * 1000
        connection.transport.write(frame * 8000)
        await connection.wait_closed()

    venue.talk = talk
    counts = [0]

    def received(messages: list[bytes]) -> None:
        counts[-1] += len(messages)

    socket_ = await WebSocket.open(
        venue.url, HEADERS, received=received, lost=lambda error: counts.append(0)
    )
    opened = len(counts)  # opening takes several turns, of which nobody here sees the ends
    async with asyncio.timeout(HANG):
        while sum(counts) < 8000:
            counts.append(0)
            await asyncio.sleep(0)
    assert max(counts[opened:], default=0) <= 1000
    await socket_.close()
