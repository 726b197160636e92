"""What a proxy does to requests on connections that are kept, in front of a small HTTP server."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.plain_http import plain_http

from tradeforge_testing import ManualClock
from tradeforge_testing.proxy import (
    Cut,
    Delay,
    Direction,
    Drop,
    FaultProxy,
    Hold,
    NextRequest,
    Slice,
)

PATIENCE = 5
UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM
PLACE = b"POST /place"
LOST = httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError


class Venue:
    """Keeps connections, and books every request that comes whole."""

    def __init__(self) -> None:
        self.booked: list[str] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.split(": ", 1) for line in head.lower().split("\r\n") if ": " in line)
        await reader.readexactly(int(lines.get("content-length", "0")))
        self.booked.append(head.split()[1])
        if "upgrade" in lines:
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            while data := await reader.read(100):
                writer.write(data)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
async def proxy(venue: Venue, clock: ManualClock) -> AsyncIterator[FaultProxy]:
    server = await asyncio.start_server(venue.serve, "127.0.0.1", 0)
    async with server, FaultProxy(server.sockets[0].getsockname()[1], clock=clock) as proxy:
        yield proxy
    assert proxy.open_connections == 0


@pytest.fixture
async def http(proxy: FaultProxy) -> AsyncIterator[httpx.AsyncClient]:
    """Its one connection is open and was used."""
    url = f"http://127.0.0.1:{proxy.port}"
    async with plain_http(url, timeout=PATIENCE) as http:
        assert (await http.get("/first")).text == "done"
        yield http


async def test_only_the_request_that_fits_is_spoiled(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue
) -> None:
    proxy.plan(Cut(rst=True), when=NextRequest(PLACE))
    for path in ("/other", "/pla"):
        assert (await http.post(path, json={})).text == "done"
    with pytest.raises(LOST):
        await http.post("/place", json={"size": 1})
    assert proxy.pending == 0
    assert (await http.post("/place", json={"size": 1})).text == "done"
    assert venue.booked == ["/first", "/other", "/pla", "/place", "/place"]
    assert proxy.connections == 2  # of which the first was kept until it was cut


@pytest.mark.parametrize("rst", [False, True])
async def test_a_kept_connection_closes_just_as_the_request_arrives(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue, rst: bool
) -> None:
    before = proxy.passed[UP]
    proxy.plan(Drop(rst=rst), when=NextRequest(PLACE))
    with pytest.raises(LOST):
        await http.post("/place", json={"size": 1})
    assert proxy.passed[UP] == before
    assert venue.booked == ["/first"]


@pytest.mark.parametrize("rst", [False, True])
async def test_half_a_request_is_not_booked(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue, rst: bool
) -> None:
    before = proxy.passed[UP]
    proxy.plan(Cut(after=20, direction=UP, rst=rst), when=NextRequest(PLACE))
    with pytest.raises(LOST):
        await http.post("/place", json={"size": 1})
    assert proxy.passed[UP] == before + 20
    assert venue.booked == ["/first"]


async def test_half_an_answer_is_booked(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue
) -> None:
    proxy.plan(Cut(after=40), when=NextRequest(PLACE))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/place", json={"size": 1})
    assert venue.booked == ["/first", "/place"]


async def test_an_answer_never_comes(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue
) -> None:
    proxy.plan(Hold(direction=DOWN), when=NextRequest(PLACE))
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/place", json={"size": 1}, timeout=0.1)
    assert venue.booked == ["/first", "/place"]
    assert (await http.post("/place", json={"size": 1})).text == "done"


async def test_an_answer_is_late(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue, clock: ManualClock
) -> None:
    proxy.plan(Delay(seconds=3), when=NextRequest(PLACE))
    late = asyncio.create_task(http.post("/place", json={"size": 1}))
    while len(venue.booked) < 2:
        await asyncio.wait([late], timeout=0.01)
    clock.advance(2.9)
    assert not (await asyncio.wait([late], timeout=0.05))[0]
    while not late.done():
        clock.advance(0.1)
        await asyncio.wait([late], timeout=0.01)
    assert late.result().text == "done"


async def test_a_fault_ends_with_its_request(
    http: httpx.AsyncClient, proxy: FaultProxy, clock: ManualClock
) -> None:
    """The clock stands still, so that a delay that went on would be seen."""
    proxy.plan(Cut(after=1000), Slice(), when=NextRequest(PLACE))
    proxy.plan(Delay(seconds=0), when=NextRequest(PLACE))
    for _ in range(40):
        assert (await http.post("/place", json={"size": 1})).text == "done"
    assert proxy.connections == 1


async def test_requests_in_a_row_each_take_their_plan(
    http: httpx.AsyncClient, proxy: FaultProxy, venue: Venue
) -> None:
    proxy.plan(Drop(), when=NextRequest(PLACE), count=2)
    proxy.plan(Cut(), when=NextRequest())
    for path in ("/place", "/other", "/place"):
        with pytest.raises(LOST):
            await http.post(path, json={})
    assert venue.booked == ["/first", "/other"]
    assert (await http.post("/place", json={})).text == "done"


@pytest.mark.parametrize("spoiled", [True, False])
async def test_a_request_that_comes_in_bits_is_recognized(
    proxy: FaultProxy, venue: Venue, spoiled: bool
) -> None:
    proxy.plan(Drop(), when=NextRequest(PLACE))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    for byte in b"POST /pla":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    assert proxy.passed[UP] == 0
    writer.write(b"ce HTTP/1.1\r\n\r\n" if spoiled else b"net HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        heard = await reader.read(15)
    assert heard == (b"" if spoiled else b"HTTP/1.1 200 OK")
    assert venue.booked == ([] if spoiled else ["/planet"])
    writer.close()


async def test_a_request_that_ends_before_it_is_recognized_passes(
    proxy: FaultProxy, venue: Venue
) -> None:
    proxy.plan(Drop(), when=NextRequest(PLACE))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"POST")
    writer.write_eof()
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    assert (proxy.passed[UP], proxy.pending) == (4, 1)
    writer.close()


async def test_what_follows_an_upgrade_is_part_of_it(proxy: FaultProxy) -> None:
    proxy.plan(Cut(after=50), when=NextRequest(b"GET /hub"))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"GET /hub HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
    heard = b""
    async with asyncio.timeout(PATIENCE):
        while data := await reader.read(100):
            heard += data
            writer.write(b"frame")
    assert len(heard) == 50
    assert heard.startswith(b"HTTP/1.1 101")
    writer.close()
