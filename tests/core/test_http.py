"""Requests over a real socket to a server that misbehaves as it is told."""

import asyncio
import gzip
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.patience import HANG

from tradeforge_core import Disconnected, HttpRequestDetails, RequestTimeout, TransportError
from tradeforge_core.kit import _http_transport
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_core.kit.clock import SystemClock
from tradeforge_core.kit.http import HttpAnswer, HttpClient, HttpTimeouts

if TYPE_CHECKING:
    from tests.core.conftest import Eventually

TOKEN = "the-bearer-token"

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Raw HTTP on loopback: a test writes what comes back, byte by byte."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.reply: Reply = self.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        self.url = ""
        self._writers: list[asyncio.StreamWriter] = []

    def answer(self, raw: bytes) -> Reply:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(raw)
            await writer.drain()

        return reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                self.requests.append(head + await reader.readexactly(length))
                await self.reply(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def stop(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    server.url = f"http://{host}:{port}"
    yield server
    listening.close()
    server.stop()
    await listening.wait_closed()


@pytest.fixture
def told() -> list[HttpRequestDetails]:
    return []


def _client(
    url: str,
    told: list[HttpRequestDetails],
    answer: float = 2 * HANG,
    connect: float = 2 * HANG,
    total: float = 2 * HANG,
) -> HttpClient:
    return HttpClient(
        url,
        provider="acme",
        observe=told.append,
        clock=SystemClock(),
        timeouts=HttpTimeouts(connect=connect, answer=answer, total=total),
    )


@pytest.fixture
async def client(server: Server, told: list[HttpRequestDetails]) -> AsyncIterator[HttpClient]:
    client = _client(server.url, told)
    yield client
    await client.close()


class Bearer(httpx.Auth):
    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {TOKEN}"
        yield request


def _texts(error: BaseException | None) -> str:
    """All that a traceback would print of it."""
    import traceback

    return "".join(traceback.format_exception(error))


async def test_an_answer_of_any_status_is_an_answer(
    client: HttpClient, server: Server, told: list[HttpRequestDetails]
) -> None:
    for status in (200, 204, 301, 400, 401, 404, 429, 500, 503):
        raw = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n"
        server.reply = server.answer(raw.encode())
        assert await client.request("GET", "/x") == HttpAnswer(status, b"", "7")
    assert [one.status for one in told] == [200, 204, 301, 400, 401, 404, 429, 500, 503]


async def test_a_body_is_json_and_comes_through_as_bytes(
    client: HttpClient, server: Server
) -> None:
    body = b"\xff\x00half a json {"
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    server.reply = server.answer(raw + body)
    answer = await client.request("POST", "/orders", content=b'{"size":1}')
    assert (answer.body, answer.retry_after) == (body, None)
    (request,) = server.requests
    assert request.startswith(b"POST /orders HTTP/1.1")
    assert b"content-type: application/json" in request.lower()
    assert request.endswith(b'{"size":1}')


async def test_a_cookie_goes_back_to_the_venue_that_set_it(
    client: HttpClient, server: Server
) -> None:
    """By one, gateways keep a client at the machine that knows of its last order."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: node=7; Path=/\r\n\r\n"
    server.reply = server.answer(raw)
    for _ in range(2):
        await client.request("GET", "/x")
    first, second = server.requests
    assert b"cookie" not in first.lower()
    assert b"Cookie: node=7\r\n" in second


async def test_the_path_is_below_the_base_and_what_is_asked_stays_as_it_is(
    server: Server, told: list[HttpRequestDetails]
) -> None:
    client = _client(f"{server.url}/v1/", told)
    for path in ("/orders?of=1&at=a%2Fb", "orders", "/orders"):
        await client.request("GET", path)
    await client.close()
    heads = [request.split(b"\r\n")[0] for request in server.requests]
    plain = b"GET /v1/orders HTTP/1.1"
    assert heads == [b"GET /v1/orders?of=1&at=a%2Fb HTTP/1.1", plain, plain]


async def test_a_login_that_goes_on_hears_each_answer(client: HttpClient, server: Server) -> None:
    class Twice(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            response = yield request
            request.headers["Authorization"] = f"again after {response.status_code}"
            yield request

    await client.request("GET", "/x", auth=Twice())
    first, second = server.requests
    assert b"again" not in first
    assert b"Authorization: again after 200\r\n" in second


async def test_the_observer_sees_what_happened_and_no_more(
    client: HttpClient, server: Server, told: list[HttpRequestDetails]
) -> None:
    await client.request("POST", "/orders", content=b'{"secret":1}', auth=Bearer())
    (details,) = told
    assert (details.provider, details.method, details.path) == ("acme", "POST", "/orders")
    assert (details.status, details.error) == (200, None)
    assert 0 < details.seconds < 5
    assert TOKEN not in repr(details)
    assert "secret" not in repr(details)


async def test_refused_means_not_sent(told: list[HttpRequestDetails]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = _client(f"http://127.0.0.1:{port}", told)
    with pytest.raises(Disconnected, match=r"127\.0\.0\.1 cannot be reached") as caught:
        await client.request("GET", "/x")
    assert not caught.value.sent
    assert told[0].status is None
    assert told[0].error == str(caught.value)
    await client.close()


async def test_an_unknown_host_means_not_sent(told: list[HttpRequestDetails]) -> None:
    client = _client("http://no-such-host.invalid", told)
    with pytest.raises(TransportError) as caught:
        await client.request("GET", "/x")
    assert not caught.value.sent
    await client.close()


async def test_no_tls_there_means_not_sent(server: Server, told: list[HttpRequestDetails]) -> None:
    server.reply = server.answer(b"this is not TLS")
    client = _client(server.url.replace("http", "https"), told, connect=0.2)
    with pytest.raises(TransportError) as caught:
        await client.request("GET", "/x")
    assert not caught.value.sent
    assert not server.requests
    await client.close()


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("reply", [_reset, _closed])
async def test_lost_after_the_request_may_have_been_sent(
    client: HttpClient, server: Server, told: list[HttpRequestDetails], reply: Reply
) -> None:
    server.reply = reply
    with pytest.raises(Disconnected, match="was lost") as caught:
        await client.request("POST", "/orders", content=b"{}", auth=Bearer())
    assert caught.value.sent
    assert len(server.requests) == 1, "a write must never be repeated"
    assert told[0].error == str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
        b"nonsense\r\n\r\n",
    ],
)
async def test_half_an_answer_may_have_been_sent(
    client: HttpClient, server: Server, raw: bytes
) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    server.reply = reply
    with pytest.raises(TransportError) as caught:
        await client.request("POST", "/orders", content=b"{}")
    assert caught.value.sent


async def test_no_answer_in_time_may_have_been_sent(
    server: Server, told: list[HttpRequestDetails]
) -> None:
    client = _client(server.url, told, answer=0.05)
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()

    server.reply = hang
    with pytest.raises(RequestTimeout, match="no answer in time") as caught:
        await client.request("POST", "/orders", content=b"{}")
    assert caught.value.sent
    release.set()
    await client.close()


async def test_a_redirect_is_not_followed(client: HttpClient, server: Server) -> None:
    raw = f"HTTP/1.1 307 X\r\nLocation: {server.url}/elsewhere\r\nContent-Length: 0\r\n\r\n"
    server.reply = server.answer(raw.encode())
    answer = await client.request("POST", "/orders", content=b"{}", auth=Bearer())
    assert answer.status == 307
    assert len(server.requests) == 1


async def test_a_proxy_of_the_environment_is_ignored(
    server: Server, told: list[HttpRequestDetails], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    client = _client(server.url, told)
    assert (await client.request("GET", "/x")).status == 200
    await client.close()


async def test_credentials_of_a_netrc_file_are_ignored(
    server: Server, told: list[HttpRequestDetails], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = _client(server.url, told)
    await client.request("GET", "/x")
    assert b"authorization" not in server.requests[0].lower()
    await client.close()


async def test_a_burst_of_cancelled_requests_leaves_the_client_healthy(
    client: HttpClient, server: Server
) -> None:
    for ticks in range(5):
        burst = [asyncio.create_task(client.request("GET", f"/{n}")) for n in range(50)]
        for _ in range(ticks):
            await asyncio.sleep(0)
        for task in burst:
            task.cancel()
        results = await asyncio.gather(*burst, return_exceptions=True)
        assert all(isinstance(one, (asyncio.CancelledError, HttpAnswer)) for one in results)
    async with asyncio.timeout(HANG):
        answers = await asyncio.gather(*(client.request("GET", "/after") for _ in range(50)))
    assert {answer.status for answer in answers} == {200}


async def test_a_cancelled_request_is_still_made(
    client: HttpClient,
    server: Server,
    told: list[HttpRequestDetails],
    eventually: "Eventually",
) -> None:
    task = asyncio.create_task(client.request("POST", "/orders", content=b"{}"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: told)
    assert len(server.requests) == 1


async def test_closing_ends_a_request_with_a_word(
    server: Server, told: list[HttpRequestDetails], eventually: "Eventually"
) -> None:
    client = _client(server.url, told)
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()

    server.reply = hang
    waiting = asyncio.create_task(client.request("GET", "/slow"))
    await eventually(lambda: server.requests)
    await client.close()
    with pytest.raises(Disconnected) as caught:
        await waiting
    assert caught.value.sent
    with pytest.raises(Disconnected, match="was disconnected") as refused:
        await client.request("GET", "/x")
    assert not refused.value.sent
    release.set()


async def test_no_text_has_the_token_the_address_or_the_body(
    client: HttpClient,
    server: Server,
    told: list[HttpRequestDetails],
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = b'{"pin":1234}'
    with caplog.at_level(logging.DEBUG):
        for reply in (_reset, _closed, server.answer(b"nonsense\r\n\r\n")):
            server.reply = reply
            with pytest.raises(TransportError) as caught:
                await client.request("POST", "/orders", content=body, auth=Bearer())
            for text in (_texts(caught.value), repr(caught.value), repr(told[-1])):
                assert TOKEN not in text
                assert "1234" not in text
                assert server.url not in text
    assert TOKEN not in caplog.text


# --- answers without an end, and answers without a limit ---


def _dripping(gone: asyncio.Event) -> Reply:
    """A byte of the body every few milliseconds, until the client closes the connection."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while not reader.at_eof():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.005)
        except ConnectionError:
            pass
        gone.set()

    return reply


async def test_an_answer_that_drips_is_given_up(
    server: Server, told: list[HttpRequestDetails]
) -> None:
    client = _client(server.url, told, total=0.1)
    gone = asyncio.Event()
    server.reply = _dripping(gone)
    async with asyncio.timeout(HANG):
        with pytest.raises(
            RequestTimeout, match=r"/orders: no whole answer within 0\.1 s"
        ) as caught:
            await client.request("POST", "/orders", content=b"{}", lane=Lane.WRITE)
        assert caught.value.sent
        await gone.wait()  # the connection is not left to drip for ever either
    assert [(one.status, one.error) for one in told] == [(None, str(caught.value))]
    server.reply = server.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert (await client.request("GET", "/after")).status == 200
    await client.close()
    assert len(told) == 2


async def test_who_gives_up_does_not_cancel_the_request(
    server: Server, told: list[HttpRequestDetails]
) -> None:
    client = _client(server.url, told, total=0.05)
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    server.reply = hang
    results = await asyncio.gather(
        *(client.request("GET", f"/{n}") for n in range(5)), return_exceptions=True
    )
    assert all(isinstance(one, RequestTimeout) for one in results)
    assert len(client._tasks._tasks) == 5
    release.set()
    async with asyncio.timeout(HANG):
        await asyncio.gather(*client._tasks._tasks, return_exceptions=True)
    assert (await client.request("GET", "/after")).status == 200
    await client.close()
    assert len(told) == 6, "what was given up on is told once"


async def test_closing_ends_what_was_given_up_on(
    server: Server, told: list[HttpRequestDetails]
) -> None:
    client = _client(server.url, told, total=0.05)
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()

    server.reply = hang
    with pytest.raises(RequestTimeout):
        await client.request("GET", "/x")
    async with asyncio.timeout(HANG):
        await client.close()
    assert not client._tasks._tasks
    release.set()


async def test_what_waits_for_room_in_its_budget_is_not_late(
    server: Server, told: list[HttpRequestDetails]
) -> None:
    client = _client(server.url, told, total=0.1)
    budget = RateBudget(1, 0.3, clock=SystemClock())
    for _ in range(2):
        assert (await client.request("GET", "/x", budget=budget)).status == 200
    await client.close()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("status", [200, 401])
async def test_a_huge_answer_is_not_read(
    client: HttpClient,
    server: Server,
    told: list[HttpRequestDetails],
    monkeypatch: pytest.MonkeyPatch,
    packed: bool,
    status: int,
) -> None:
    monkeypatch.setattr(_http_transport, "LARGEST_ANSWER", 100_000)
    for size in (100_000, 100_001):
        body = gzip.compress(b" " * size) if packed else b" " * size
        encoding = b"Content-Encoding: gzip\r\n" if packed else b""
        head = b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n" % (status, encoding, len(body))
        server.reply = server.answer(head + body)
        if size == 100_000:
            answer = await client.request("POST", "/x", content=b"{}", auth=Bearer())
            assert (answer.status, answer.body) == (status, b" " * size)
    with pytest.raises(Disconnected, match="/x: the answer is too large") as caught:
        await client.request("POST", "/x", content=b"{}", auth=Bearer())
    assert caught.value.sent
    assert told[-1].error == str(caught.value)


async def test_a_bomb_is_not_unpacked(client: HttpClient, server: Server) -> None:
    import tracemalloc

    bomb = gzip.compress(b" " * (200 * 1024 * 1024), 1)
    head = b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    server.reply = server.answer(head + bomb)
    tracemalloc.start()
    try:
        with pytest.raises(Disconnected, match="too large"):
            await client.request("GET", "/x")
        assert tracemalloc.get_traced_memory()[1] < 200 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [(b"br", b"{}"), (b"gzip, gzip", b"{}"), (b"gzip", gzip.compress(b"{}" * 99)[:-9])],
)
async def test_what_cannot_be_unpacked_may_have_been_sent(
    client: HttpClient, server: Server, encoding: bytes, body: bytes
) -> None:
    head = b"HTTP/1.1 200 X\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    server.reply = server.answer(head % (encoding, len(body)) + body)
    with pytest.raises(Disconnected, match="was lost") as caught:
        await client.request("POST", "/orders", content=b"{}")
    assert caught.value.sent


# --- exits ---


@pytest.mark.parametrize("lane", [Lane.WRITE, Lane.URGENT])
async def test_a_write_does_not_queue_behind_reads_that_hang(
    client: HttpClient, server: Server, eventually: "Eventually", lane: Lane
) -> None:
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.requests[-1].startswith(b"GET"):
            await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    server.reply = hang
    reads = [asyncio.create_task(client.request("GET", f"/{n}")) for n in range(150)]
    await eventually(lambda: len(server.requests) >= 100)
    async with asyncio.timeout(HANG):
        answer = await client.request("POST", "/cancel", content=b"{}", lane=lane)
    assert answer.status == 200
    assert not any(one.done() for one in reads), "it left only once there was room again"
    release.set()
    assert {one.status for one in await asyncio.gather(*reads)} == {200}


# --- what leaves, and what is known of it ---


async def test_a_query_goes_as_it_is_and_no_observer_sees_it(
    client: HttpClient, server: Server, told: list[HttpRequestDetails]
) -> None:
    query = "cursor=a%3A1%252C&symbol=X-Y_Z&start=17"
    await client.request("GET", "/orders", query=query)
    assert server.requests[0].startswith(f"GET /orders?{query} HTTP/1.1".encode())
    assert told[0].path == "/orders"


async def test_an_answer_has_its_headers(client: HttpClient, server: Server) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Limit-Left: 9\r\n\r\n"
    server.reply = server.answer(raw)
    answer = await client.request("GET", "/x")
    assert answer.headers["x-limit-left"] == answer.headers["X-Limit-Left"] == "9"


async def test_a_request_is_stamped_when_it_leaves_not_when_it_begins_to_wait(
    client: HttpClient, server: Server
) -> None:
    budget = RateBudget(1, 60, clock=SystemClock())
    order: list[str] = []

    async def waiting() -> None:
        await client.request("GET", "/b", budget=budget, stamp=stamp)

    def stamp(request: httpx.Request) -> None:
        order.append("stamped")
        request.headers["X-Stamp"] = f"of {request.url.raw_path.decode()}"

    async with budget.slot(Lane.READ):
        held = asyncio.create_task(waiting())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not order
        held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held
    await client.request("GET", "/a", query="q=1", stamp=stamp)
    assert order == ["stamped"]
    assert b"x-stamp: of /a?q=1" in server.requests[0].lower()
