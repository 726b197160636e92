"""What a proxy does to connections, in front of a server that says everything back."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.proxy import (
    Cut,
    Delay,
    Direction,
    Drop,
    Fault,
    FaultProxy,
    Hold,
    NextRequest,
    Now,
    Slice,
    Throttle,
)

PATIENCE = 5
UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


class Echo:
    """Says back what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ends: list[str] = []
        self._changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.heard)
        self.heard.append(b"")
        try:
            while data := await reader.read(65536):
                self.heard[number] += data
                self._changed.set()
                writer.write(data)
            self._ended("end", writer)
        except ConnectionError:
            self._ended("reset", writer)

    def _ended(self, how: str, writer: asyncio.StreamWriter) -> None:
        self.ends.append(how)
        self._changed.set()
        writer.close()

    async def until(self, is_so: Callable[["Echo"], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so(self):
                self._changed.clear()
                await self._changed.wait()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(count)

    async def ask(self, data: bytes) -> bytes:
        self.say(data)
        return await self.hear(len(data))

    async def rest(self) -> bytes:
        """All that still comes, if the stream ends in good order."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def ends(self) -> str:
        try:
            await self.rest()
        except ConnectionResetError:
            return "reset"
        return "end"

    async def is_quiet(self) -> bool:
        """Whether nothing comes, not even the end, in the time that everything else takes."""
        hearing = asyncio.create_task(self.reader.read(1))
        done, _ = await asyncio.wait([hearing], timeout=0.05)
        hearing.cancel()
        await asyncio.wait([hearing])
        return not done


Connect = Callable[[], Awaitable[Client]]


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, int]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server:
        yield echo, server.sockets[0].getsockname()[1]
        for _ in range(9):  # one that was just accepted begins, so that it also ends
            await asyncio.sleep(0)
    await echo.until(lambda it: len(it.ends) == len(it.heard))


@pytest.fixture
def server(echo: tuple[Echo, int]) -> Echo:
    return echo[0]


@pytest.fixture
async def proxy(echo: tuple[Echo, int], clock: ManualClock) -> AsyncIterator[FaultProxy]:
    before = asyncio.all_tasks()
    async with FaultProxy(echo[1], clock=clock, seed=7) as proxy:
        yield proxy
    assert proxy.open_connections == 0
    left = {one for one in asyncio.all_tasks() - before if "fault proxy" in one.get_name()}
    assert not left


@pytest.fixture
async def connect(proxy: FaultProxy) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def connect() -> Client:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            stack.callback(writer.close)
            return Client(reader, writer)

        yield connect


async def connected(proxy: FaultProxy, client: Client) -> None:
    """Return when the proxy passes on the connection of this client."""
    assert await client.ask(b"hello ") == b"hello "


# Passing


async def test_everything_passes_as_it_is(
    connect: Connect, proxy: FaultProxy, server: Echo
) -> None:
    sent = bytes(range(256)) * 4096
    client = await connect()
    assert await client.ask(sent) == sent
    client.writer.write_eof()
    assert await client.ends() == "end"
    assert (server.heard, server.ends) == ([sent], ["end"])
    assert proxy.connections == 1
    assert proxy.passed == {UP: len(sent), DOWN: len(sent)}


async def test_a_client_that_resets_is_passed_on_as_a_reset(
    connect: Connect, proxy: FaultProxy, server: Echo
) -> None:
    client = await connect()
    await connected(proxy, client)
    linger = b"\x01\0\0\0\0\0\0\0"
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.writer.transport.abort()
    await server.until(lambda it: it.ends == ["reset"])


async def test_a_receiver_that_does_not_read_stops_the_sender(
    connect: Connect, proxy: FaultProxy, server: Echo
) -> None:
    """What the proxy holds is bounded, and leaving it does not wait for the receiver."""
    client = await connect()
    client.writer.transport.set_write_buffer_limits(high=0)
    client.say(bytes(64 * 1024 * 1024))
    draining = asyncio.create_task(client.writer.drain())
    done, _ = await asyncio.wait([draining], timeout=0.5)
    assert not done
    draining.cancel()
    client.writer.transport.abort()


async def test_a_target_that_is_not_there_resets_the_client() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with FaultProxy(nobody.getsockname()[1]) as proxy:
            client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
            assert await client.ends() == "reset"
            client.writer.close()


# Refusing


async def test_it_refuses_and_comes_back_on_the_same_port(
    connect: Connect, proxy: FaultProxy
) -> None:
    port, open_before = proxy.port, await connect()
    await connected(proxy, open_before)
    for _ in range(2):
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await connect()
        assert await open_before.ask(b"still here") == b"still here"
        await proxy.accept()
        await proxy.accept()
        await connected(proxy, await connect())
    assert (proxy.port, proxy.connections) == (port, 3)


async def test_nobody_takes_the_port_while_it_refuses(proxy: FaultProxy) -> None:
    proxy.refuse()
    with socket.socket() as other, pytest.raises(OSError) as caught:
        other.bind(("127.0.0.1", proxy.port))
    assert caught.value.errno == errno.EADDRINUSE


async def test_it_can_be_entered_again(echo: tuple[Echo, int]) -> None:
    proxy = FaultProxy(echo[1])
    with pytest.raises(RuntimeError, match="enter it first"):
        proxy.port  # noqa: B018 - it is what raises
    ports = []
    for _ in range(2):
        async with proxy:
            ports.append(proxy.port)
            client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
            await connected(proxy, client)
        assert await client.ends() == "end"
        client.writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
    assert ports[0] == ports[1]


async def test_leaving_closes_what_was_just_accepted(echo: tuple[Echo, int]) -> None:
    async with FaultProxy(echo[1]) as proxy:
        client = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
    assert await client.ends() in ("end", "reset")
    client.writer.close()


# Dropping and cutting


@pytest.mark.parametrize(("rst", "end"), [(False, "end"), (True, "reset")])
async def test_a_connection_is_dropped_as_it_is_accepted(
    connect: Connect, proxy: FaultProxy, server: Echo, rst: bool, end: str
) -> None:
    proxy.plan(Drop(rst=rst), count=2)
    for _ in range(2):
        assert await (await connect()).ends() == end
    await connected(proxy, await connect())
    assert proxy.pending == 0
    assert b"".join(server.heard) == b"hello "


@pytest.mark.parametrize(("rst", "end"), [(False, "end"), (True, "reset")])
async def test_open_connections_are_dropped_at_once(
    connect: Connect, proxy: FaultProxy, server: Echo, rst: bool, end: str
) -> None:
    clients = [await connect() for _ in range(2)]
    for client in clients:
        await connected(proxy, client)
    proxy.plan(Drop(rst=rst), when=Now())
    assert [await client.ends() for client in clients] == [end, end]
    await server.until(lambda it: it.ends == [end, end])
    await connected(proxy, await connect())


@pytest.mark.parametrize(("rst", "end"), [(False, "end"), (True, "reset")])
@pytest.mark.parametrize("after", [0, 1, 9])
async def test_so_many_bytes_of_the_answer_pass(
    connect: Connect, proxy: FaultProxy, server: Echo, after: int, rst: bool, end: str
) -> None:
    proxy.plan(Cut(after=after, rst=rst))
    client = await connect()
    client.say(b"0123456789")
    assert await client.hear(after) == b"0123456789"[:after]
    assert await client.ends() == end
    await server.until(lambda it: it.ends == [end])
    assert server.heard == [b"0123456789"]
    assert (proxy.passed[UP], proxy.passed[DOWN]) == (10, after)


@pytest.mark.parametrize(("rst", "end"), [(False, "end"), (True, "reset")])
@pytest.mark.parametrize("after", [0, 1, 10])
async def test_so_many_bytes_of_the_request_pass(
    connect: Connect, proxy: FaultProxy, server: Echo, after: int, rst: bool, end: str
) -> None:
    proxy.plan(Cut(after=after, direction=UP, rst=rst))
    client = await connect()
    client.say(b"0123456789")
    assert await client.ends() == end
    await server.until(lambda it: it.ends == [end])
    assert server.heard == [b"0123456789"[:after]]
    assert proxy.passed[UP] == after


async def test_bytes_are_counted_over_all_that_passes(connect: Connect, proxy: FaultProxy) -> None:
    proxy.plan(Cut(after=12))
    client = await connect()
    assert await client.ask(b"0123456789") == b"0123456789"
    client.say(b"0123456789")
    assert await client.rest() == b"01"


async def test_the_nearer_of_two_cuts_is_the_one(connect: Connect, proxy: FaultProxy) -> None:
    proxy.plan(Cut(after=7, rst=True), Cut(after=3))
    client = await connect()
    client.say(b"0123456789")
    assert await client.rest() == b"012"


async def test_a_cut_that_begins_between_two_pieces_counts_from_there(
    connect: Connect, proxy: FaultProxy, clock: ManualClock
) -> None:
    proxy.plan(Slice(size=3, pause=1))
    client = await connect()
    client.say(b"0123456789")
    assert await client.hear(3) == b"012"
    proxy.plan(Cut(after=4), when=Now())
    rest = asyncio.create_task(client.rest())
    await advance_until(clock, rest, 1)
    assert rest.result() == b"3456"
    assert proxy.passed[DOWN] == 7


# Holding


async def test_a_connection_is_half_open_in_both_directions(
    connect: Connect, proxy: FaultProxy, server: Echo
) -> None:
    client, other = await connect(), await connect()
    for each in (client, other):
        await connected(proxy, each)
    proxy.plan(Hold(), when=Now())
    client.say(b"anybody there?")
    assert await client.is_quiet()
    client.writer.close()
    other.writer.transport.abort()
    await client.writer.wait_closed()
    assert await (await connect()).ask(b"new") == b"new"
    assert server.heard == [b"hello ", b"hello ", b"new"]
    assert server.ends == []
    assert proxy.open_connections == 3


@pytest.mark.parametrize(("direction", "heard"), [(UP, b""), (DOWN, b"order")])
async def test_one_direction_is_held(
    connect: Connect, proxy: FaultProxy, server: Echo, direction: Direction, heard: bytes
) -> None:
    proxy.plan(Hold(direction=direction))
    client = await connect()
    client.say(b"order")
    assert await client.is_quiet()
    assert server.heard == [heard]


async def test_a_held_answer_lets_the_end_of_the_client_pass(
    connect: Connect, proxy: FaultProxy, server: Echo
) -> None:
    proxy.plan(Hold(direction=DOWN))
    client = await connect()
    client.say(b"order")
    await server.until(lambda it: it.heard == [b"order"])
    client.writer.close()
    await server.until(lambda it: it.ends == ["end"])


# Time, by the clock


async def advance_until(clock: ManualClock, work: "asyncio.Task[bytes]", step: float) -> float:
    """The seconds until it is done; time goes on only while somebody waits for it."""
    start = clock.monotonic()
    while not work.done():
        if any(not waked.done() for *_, waked in clock._sleepers):
            clock.advance(step)
        await asyncio.wait([work], timeout=0.001)
    return clock.monotonic() - start


@pytest.mark.parametrize("direction", [UP, DOWN])
async def test_a_delay_is_waited_for(
    connect: Connect, proxy: FaultProxy, clock: ManualClock, direction: Direction
) -> None:
    proxy.plan(Delay(seconds=2, direction=direction))
    client = await connect()
    for _ in range(2):
        work = asyncio.create_task(client.ask(b"order"))
        assert await advance_until(clock, work, 0.5) == 2


async def test_both_delays_add_up(connect: Connect, proxy: FaultProxy, clock: ManualClock) -> None:
    proxy.plan(Delay(seconds=1, direction=Direction.BOTH), Delay(seconds=0.5))
    work = asyncio.create_task((await connect()).ask(b"order"))
    assert await advance_until(clock, work, 0.5) == 2.5


async def test_what_comes_during_a_delay_is_as_late_and_not_later(
    connect: Connect, proxy: FaultProxy, clock: ManualClock
) -> None:
    proxy.plan(Delay(seconds=2, direction=UP))
    client = await connect()
    client.say(b"first ")
    await has_come(proxy, 6)
    clock.advance(1)
    client.say(b"second")
    await has_come(proxy, 12)
    clock.advance(1)
    assert await client.hear(6) == b"first "
    assert await client.is_quiet()
    clock.advance(1)
    assert await client.hear(6) == b"second"


async def has_come(proxy: FaultProxy, count: int) -> None:
    """Return when the proxy has so many bytes of the client."""
    async with asyncio.timeout(PATIENCE):
        while proxy.received[UP] < count:
            await asyncio.wait([asyncio.create_task(asyncio.sleep(0))])


async def test_jitter_is_between_nothing_and_its_most_and_keeps_the_order(
    connect: Connect, proxy: FaultProxy, clock: ManualClock
) -> None:
    proxy.plan(Delay(seconds=1, jitter=1))
    client = await connect()
    took = [
        await advance_until(clock, asyncio.create_task(client.ask(b"%d" % number)), 0.25)
        for number in range(5)
    ]
    assert min(took) >= 1
    assert max(took) <= 2.25
    assert len(set(took)) > 1


async def test_bandwidth_is_bytes_per_second(
    connect: Connect, proxy: FaultProxy, clock: ManualClock
) -> None:
    proxy.plan(Throttle(bytes_per_second=100))
    work = asyncio.create_task((await connect()).ask(bytes(200)))
    took = await advance_until(clock, work, 0.1)
    assert took == pytest.approx(1.9, abs=0.11)  # nobody waits for the pause after the last piece


async def test_slices_come_one_by_one(
    connect: Connect, proxy: FaultProxy, clock: ManualClock
) -> None:
    proxy.plan(Slice(size=3, pause=1))
    client = await connect()
    client.say(b"0123456")
    for piece in (b"012", b"345", b"6"):
        assert await client.hear(len(piece)) == piece
        assert await client.is_quiet()
        clock.advance(1)
    assert await client.ask(b"89") == b"89"


async def test_slices_without_a_pause_need_no_clock(connect: Connect, proxy: FaultProxy) -> None:
    proxy.plan(Slice(direction=Direction.BOTH))
    client = await connect()
    assert await client.ask(b"0123456789" * 20) == b"0123456789" * 20


async def test_what_waits_for_its_time_is_lost_when_the_connection_is_dropped(
    connect: Connect, proxy: FaultProxy, clock: ManualClock, server: Echo
) -> None:
    proxy.plan(Delay(seconds=5))
    client = await connect()
    client.say(b"order")
    await server.until(lambda it: it.heard == [b"order"])
    proxy.plan(Drop(), when=Now())
    clock.advance(10)
    assert await client.rest() == b""
    assert proxy.passed[DOWN] == 0


# Plans


async def test_plans_are_used_up_in_their_order(connect: Connect, proxy: FaultProxy) -> None:
    proxy.plan(Cut(after=1))
    proxy.plan(Cut(after=2), count=2)
    assert proxy.pending == 3
    heard = []
    for _ in range(3):
        client = await connect()
        client.say(b"0123")
        heard.append(await client.rest())
    assert heard == [b"0", b"01", b"01"]
    assert proxy.pending == 0
    await connected(proxy, await connect())


async def test_a_plan_is_forgotten(connect: Connect, proxy: FaultProxy) -> None:
    proxy.plan(Drop(), count=3)
    proxy.plan(Drop(), when=NextRequest(b"GET"))
    proxy.forget()
    assert proxy.pending == 0
    await connected(proxy, await connect())


async def test_now_is_only_for_what_is_open(connect: Connect, proxy: FaultProxy) -> None:
    proxy.plan(Drop(), when=Now())
    assert proxy.pending == 0
    await connected(proxy, await connect())


@pytest.mark.parametrize(
    ("faults", "count"), [((), 1), ((Drop(),), 0), ((Drop(),), -1)], ids=["none", "zero", "minus"]
)
def test_a_plan_that_never_happens_is_refused(faults: tuple[Fault, ...], count: int) -> None:
    with pytest.raises(ValueError, match="a plan needs a fault"):
        FaultProxy(1).plan(*faults, count=count)


def test_now_is_once() -> None:
    with pytest.raises(ValueError, match="now is once"):
        FaultProxy(1).plan(Drop(), when=Now(), count=2)


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Cut(after=-1),
        lambda: Delay(seconds=-1),
        lambda: Delay(seconds=1, jitter=-1),
        lambda: Throttle(bytes_per_second=0),
        lambda: Slice(size=0),
        lambda: Slice(pause=-1),
        lambda: NextRequest(bytes(1025)),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        fault()
