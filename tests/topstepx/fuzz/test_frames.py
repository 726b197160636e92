"""Damaged records of a hub over a real socket: none may end the connection."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tradeforge_core import DecodeError, Disconnected, Secret
from tradeforge_core.kit.clock import SystemClock
from tradeforge_testing.mutation import Mutator
from tradeforge_topstepx._signalr import HubConnection, HubLimits

RS = b"\x1e"
Tell = Callable[[str, object], None]
EVENTS = (Path(__file__).parent / "hub_events.jsonl").read_bytes().splitlines()
SPEECH = [
    *EVENTS,
    b'{"type":6}',
    b'{"type":3,"invocationId":"0","result":0}',
    b'{"type":3,"invocationId":"1","error":"Method does not exist"}',
    b'{"type":3,"invocationId":"2","result":null,"error":null,"headers":{}}',
    b'{"type":1,"target":"GatewayLogout","arguments":[]}',
    b'{"type":2,"invocationId":"3","item":[1]}',
]
_IN_ONE_FRAME = 500
_A_CLOSE = re.compile(rb'"type"\s*:\s*"?7')
"""The hub may close the connection: a record that has become such a message is another test's."""


class Listener:
    """One hub connection, and a count of what came of the records."""

    def __init__(self, url: str) -> None:
        self.seen: Counter[str] = Counter()
        self.arrived = asyncio.Event()
        self.hub = HubConnection(
            url,
            received=self._take,
            not_understood=self._refuse,
            clock=SystemClock(),
            limits=HubLimits(),
        )

    def _take(self, target: str, arguments: msgspec.Raw) -> None:
        self.seen["event"] += 1
        if target == "the end":
            self.arrived.set()

    def _refuse(self, error: DecodeError) -> None:
        assert type(error) is DecodeError
        self.seen["refused"] += 1


def frames_of(records: Iterator[bytes]) -> Iterator[bytes]:
    while batch := list(islice(records, _IN_ONE_FRAME)):
        yield RS.join(batch) + RS
    yield b'{"type":1,"target":"the end","arguments":[]}' + RS


@asynccontextmanager
async def listener_of(frames: Iterator[bytes]) -> AsyncIterator[Listener]:
    async def speak(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("{}" + RS.decode())
        for frame in frames:
            await connection.send(frame)
        await connection.wait_closed()

    async with serve(speak, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        listener = Listener(f"http://127.0.0.1:{port}/hubs/user")
        try:
            yield listener
        finally:
            await listener.hub.close()


async def hear(listener: Listener) -> None:
    await listener.hub.open(Secret("t0ken"))
    reader = asyncio.create_task(listener.hub.listen())
    ended = asyncio.create_task(listener.arrived.wait())
    await asyncio.wait([reader, ended], return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if reader.done():
        reader.result()  # raises what ended the connection
    reader.cancel()
    await asyncio.wait([reader])


@pytest.mark.timeout(1200)
async def test_damaged_records(cases: int, seed: int, tell: Tell) -> None:
    damaged = Mutator(SPEECH, seed=seed).mutations(cases)
    records = (record for record in damaged if not _A_CLOSE.search(record))
    async with listener_of(frames_of(records)) as listener:
        await hear(listener)
    tell("hub records", listener.seen)
    assert listener.seen["event"] > cases / 10
    assert listener.seen["refused"] > cases / 10


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_records_cut_into_frames_of_any_size(size: int, seed: int) -> None:
    whole = RS.join(one for one in Mutator(SPEECH, seed=seed).mutations(200) if len(one) < 2000)
    pieces = (whole[at : at + size] for at in range(0, len(whole), size))
    safe = _A_CLOSE.sub(b'"type":6', whole) == whole
    assert safe, "choose another seed: the hub closes the connection in this one"

    def frames() -> Iterator[bytes]:
        yield from pieces
        yield from (RS, b'{"type":1,"target":"the end","arguments":[]}' + RS)

    async with listener_of(frames()) as listener:
        await hear(listener)
    assert listener.seen["event"] > 10


async def test_a_damaged_handshake_is_a_loss_and_nothing_else(seed: int) -> None:
    answers = Mutator([b"{}", b'{"error":"no"}', b'{"minorVersion":0}'], seed=seed).mutations(300)

    async def speak(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(next(answers) + RS)

    async with serve(speak, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        for _ in range(300):
            listener = Listener(f"http://127.0.0.1:{port}/hubs/user")
            try:
                await listener.hub.open(Secret("t0ken"))
            except Disconnected:
                pass
            finally:
                await listener.hub.close()
