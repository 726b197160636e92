"""Connections in memory have the manners of TCP."""

import asyncio
import socket
import struct
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable

import pytest

from tradeforge_testing.sim import MemoryNetwork, simulate

Serve = Callable[[Reader, Writer], Awaitable[None]]
Talk = Callable[[Reader, Writer], Awaitable[bytes]]


def _run(serve: Serve, talk: Talk, network: MemoryNetwork | None = None) -> bytes:
    async def program() -> bytes:
        server = await asyncio.start_server(serve, "127.0.0.1", 700)
        reader, writer = await asyncio.open_connection("127.0.0.1", 700)
        try:
            return await talk(reader, writer)
        finally:
            writer.close()
            server.close()
            await asyncio.sleep(10)  # the other end sees that and closes its own

    return simulate(program, network=network)


async def _echo(reader: Reader, writer: Writer) -> None:
    while data := await reader.read(1 << 20):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.mark.parametrize("seed", range(20))
def test_bytes_come_in_their_order_however_the_network_jitters(seed: int) -> None:
    async def talk(reader: Reader, writer: Writer) -> bytes:
        for number in range(200):
            writer.write(bytes([number]))
        writer.write_eof()
        return await reader.read()

    network = MemoryNetwork(latency=0.01, jitter=0.5, seed=seed)
    assert _run(_echo, talk, network) == bytes(range(200))


def test_latency_is_time_that_passes() -> None:
    async def talk(reader: Reader, writer: Writer) -> bytes:
        began = asyncio.get_running_loop().time()
        writer.write(b"x")
        await reader.readexactly(1)
        assert asyncio.get_running_loop().time() - began == pytest.approx(4)
        return b""

    _run(_echo, talk, MemoryNetwork(latency=2))


def test_nobody_listens_so_it_is_refused() -> None:
    async def program() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    with pytest.raises(ConnectionRefusedError):
        simulate(program)


def test_a_port_is_taken_once() -> None:
    async def program() -> None:
        await asyncio.start_server(_echo, "127.0.0.1", 700)
        await asyncio.start_server(_echo, "127.0.0.1", 700)

    with pytest.raises(OSError, match="700 is taken"):
        simulate(program)


def test_what_was_written_before_close_still_arrives() -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(b"goodbye")
        writer.close()

    async def talk(reader: Reader, writer: Writer) -> bytes:
        return await reader.read()

    assert _run(serve, talk, MemoryNetwork(latency=1)) == b"goodbye"


def test_a_reset_is_a_reset_at_the_other_end() -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def talk(reader: Reader, writer: Writer) -> bytes:
        return await reader.read()

    with pytest.raises(ConnectionResetError):
        _run(serve, talk)


def test_who_writes_to_a_closed_end_is_reset() -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        writer.close()

    async def talk(reader: Reader, writer: Writer) -> bytes:
        assert await reader.read() == b""
        writer.write(b"late")
        await asyncio.sleep(1)
        await writer.drain()
        return b""

    with pytest.raises(ConnectionResetError):
        _run(serve, talk)


def test_a_reader_who_does_not_read_stops_the_writer() -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # streams have no name for it
        await asyncio.sleep(50)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        writer.write(str(len(await reader.read())).encode())
        writer.close()

    async def talk(reader: Reader, writer: Writer) -> bytes:
        loop = asyncio.get_running_loop()
        writer.write(bytes(1_000_000))
        await writer.drain()
        assert loop.time() >= 50
        writer.write_eof()
        return await reader.read()

    assert _run(serve, talk) == b"1000000"


def test_a_socket_tells_who_polls_it_whether_it_has_news() -> None:
    import select

    async def talk(reader: Reader, writer: Writer) -> bytes:
        descriptor = writer.get_extra_info("socket").fileno
        assert not select.select([descriptor()], [], [], 0)[0]
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # streams have no name for it
        writer.write(b"x")
        await asyncio.sleep(1)
        assert select.select([descriptor()], [], [], 0)[0]
        writer.close()
        await writer.wait_closed()
        assert descriptor() == -1
        return b""

    _run(_echo, talk)


@pytest.mark.parametrize("option", ["ssl", "sock"])
def test_what_it_has_not_it_says(option: str) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(asyncio.Protocol, "127.0.0.1", 1, **{option: object()})  # type: ignore[call-overload]

    with pytest.raises(NotImplementedError, match=option):
        simulate(program)
