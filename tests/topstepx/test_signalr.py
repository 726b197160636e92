"""The hub protocol against a hub that a test can script, down to the byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    Disconnected,
    RequestTimeout,
    Secret,
    TransportError,
    VenueError,
)
from tradeforge_core.kit.clock import Clock, SystemClock
from tradeforge_testing import ManualClock
from tradeforge_topstepx import _signalr
from tradeforge_topstepx._signalr import HubConnection, HubLimits

pytestmark = pytest.mark.usefixtures("websocket_library")

RS = "\x1e"
Script = Callable[[ServerConnection], Awaitable[None]]


class Client:
    """A hub connection that keeps what it was told."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.events: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.complaints: list[DecodeError] = []
        self.hub = HubConnection(
            url,
            received=lambda target, raw: self.events.put_nowait((target, bytes(raw))),
            not_understood=self.complaints.append,
            clock=clock,
            limits=HubLimits(invoke=0.5),
        )

    async def targets(self, count: int) -> list[str]:
        async with asyncio.timeout(5):
            return [(await self.events.get())[0] for _ in range(count)]


@asynccontextmanager
async def hub(script: Script, clock: Clock | None = None) -> AsyncIterator[Client]:
    """A client of a scripted hub; it is neither open nor listening."""
    failures: list[BaseException] = []

    async def run(connection: ServerConnection) -> None:
        try:
            await script(connection)
        except AssertionError as error:
            failures.append(error)

    async with serve(run, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        client = Client(f"http://127.0.0.1:{port}/hubs/user", clock or SystemClock())
        try:
            yield client
        finally:
            await client.hub.close()
    if failures:
        raise failures[0]


def record_of(frame: str | bytes) -> Any:
    """The one record that the client sent; the real hub takes text frames only."""
    assert isinstance(frame, str)
    assert frame.endswith(RS)
    return msgspec.json.decode(frame.removesuffix(RS))


async def shake(connection: ServerConnection) -> None:
    assert record_of(await connection.recv()) == {"protocol": "json", "version": 1}
    await connection.send("{}" + RS)


@asynccontextmanager
async def listening(script: Script, clock: Clock | None = None) -> AsyncIterator[Client]:
    async with hub(script, clock) as client:
        await client.hub.open(Secret("t0ken"))
        reader = asyncio.create_task(client.hub.listen())
        try:
            yield client
        finally:
            reader.cancel()
            await asyncio.wait([reader])


def saying(*frames: str | bytes) -> Script:
    """Shakes hands, sends the frames, and waits for the client to go."""

    async def script(connection: ServerConnection) -> None:
        await shake(connection)
        for frame in frames:
            await connection.send(frame)
        await connection.wait_closed()

    return script


def event(target: str) -> str:
    return f'{{"type":1,"target":"{target}","arguments":[]}}' + RS


async def how_it_ends(client: Client) -> BaseException:
    await client.hub.open(Secret("t0ken"))
    with pytest.raises(BaseExceptionGroup) as caught:
        async with asyncio.timeout(5):
            await client.hub.listen()
    return caught.value.exceptions[0]


async def test_the_token_goes_in_the_header_and_not_in_the_address() -> None:
    seen: list[tuple[str, str | None]] = []

    async def script(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append((connection.request.path, connection.request.headers["Authorization"]))
        await shake(connection)

    async with hub(script) as client:
        await client.hub.open(Secret("t0ken"))
    assert seen == [("/hubs/user", "Bearer t0ken")]


class TestFraming:
    async def test_many_records_in_one_frame(self) -> None:
        async with listening(saying(event("A") + event("B") + event("C"))) as client:
            assert await client.targets(3) == ["A", "B", "C"]

    async def test_a_record_over_many_frames(self) -> None:
        async with listening(saying(*event("A"), event("B"))) as client:
            assert await client.targets(2) == ["A", "B"]

    async def test_binary_frames_and_split_characters(self) -> None:
        data = event("Ä€").encode()
        async with listening(saying(data[:24], data[24:25], data[25:])) as client:
            assert await client.targets(1) == ["Ä€"]

    async def test_data_that_comes_with_the_handshake(self) -> None:
        async def script(connection: ServerConnection) -> None:
            await connection.recv()
            await connection.send("{}" + RS + event("A"))
            await connection.wait_closed()

        async with listening(script) as client:
            assert await client.targets(1) == ["A"]

    async def test_empty_frames_and_pings_are_nothing(self) -> None:
        async with listening(saying("", '{"type":6}' + RS, event("A"))) as client:
            assert await client.targets(1) == ["A"]
            assert client.complaints == []

    async def test_a_message_without_an_end_is_not_collected_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_signalr, "_MOST_UNFINISHED", 1000)
        async with hub(saying("x" * 600, "x" * 600)) as client:
            assert "without an end" in str(await how_it_ends(client))


class TestBadRecords:
    @pytest.mark.parametrize(
        "record",
        [
            "{",
            "[]",
            "7",
            '"x"',
            '{"type":"one"}',
            '{"type":1,"target":7}',
            '{"type":null}',
            '{"a":' * 500,
        ],
    )
    async def test_one_is_reported_and_the_stream_goes_on(self, record: str) -> None:
        async with listening(saying(record + RS, event("A"))) as client:
            assert await client.targets(1) == ["A"]
            assert len(client.complaints) == 1

    async def test_bytes_that_are_no_text(self) -> None:
        async with listening(saying(b'{"type":1,"target":"\xff"}\x1e', event("A"))) as client:
            assert await client.targets(1) == ["A"]
            assert len(client.complaints) == 1

    @pytest.mark.parametrize(
        "record",
        [
            '{"type":8,"sequenceId":4}',
            '{"type":9,"sequenceId":4}',
            '{"type":99}',
            '{"type":-1}',
            "{}",
            '{"type":3,"invocationId":"404","result":0}',
            '{"type":3}',
        ],
    )
    async def test_what_a_later_protocol_says_is_passed_over(self, record: str) -> None:
        async with listening(saying(record + RS, event("A"))) as client:
            assert await client.targets(1) == ["A"]
            assert client.complaints == []

    async def test_unknown_members_do_no_harm(self) -> None:
        record = '{"type":1,"target":"A","arguments":[],"headers":{"x":"y"},"new":[1]}' + RS
        async with listening(saying(record)) as client:
            assert await client.targets(1) == ["A"]


class TestCalls:
    @pytest.mark.parametrize("result", ["", ',"result":0', ',"result":null', ',"error":null'])
    async def test_a_call_returns_when_the_hub_has_completed_it(self, result: str) -> None:
        async def script(connection: ServerConnection) -> None:
            await shake(connection)
            message = record_of(await connection.recv())
            assert (message["type"], message["target"]) == (1, "SubscribeOrders")
            assert message["arguments"] == [1001]
            await connection.send(
                f'{{"type":3,"invocationId":"{message["invocationId"]}"{result}}}' + RS
            )
            await connection.wait_closed()

        async with listening(script) as client:
            await asyncio.wait_for(client.hub.invoke("SubscribeOrders", 1001), 5)

    async def test_answers_find_their_calls_in_any_order(self) -> None:
        async def script(connection: ServerConnection) -> None:
            await shake(connection)
            calls = [record_of(await connection.recv()) for _ in range(3)]
            for call in reversed(calls):
                error = ',"error":"no B"' if call["target"] == "B" else ""
                await connection.send(
                    f'{{"type":3,"invocationId":"{call["invocationId"]}"{error}}}' + RS
                )
            await connection.wait_closed()

        async with listening(script) as client:
            results = await asyncio.gather(
                *(client.hub.invoke(method) for method in "ABC"), return_exceptions=True
            )
        assert [type(result) for result in results] == [type(None), VenueError, type(None)]

    async def test_a_call_that_is_never_completed(self) -> None:
        async with listening(saying()) as client:
            with pytest.raises(RequestTimeout, match="SubscribeOrders"):
                await client.hub.invoke("SubscribeOrders", 1001)

    async def test_a_call_in_flight_when_the_connection_dies(self) -> None:
        async def script(connection: ServerConnection) -> None:
            await shake(connection)
            await connection.recv()

        async with listening(script) as client:
            with pytest.raises(Disconnected):
                await asyncio.wait_for(client.hub.invoke("SubscribeOrders", 1001), 5)

    async def test_a_call_before_the_connection(self) -> None:
        async with hub(saying()) as client:
            with pytest.raises(Disconnected, match="not open"):
                await client.hub.invoke("SubscribeOrders")


class TestEnds:
    @pytest.mark.parametrize(
        ("record", "said"),
        [
            ('{"type":7}', "no reason given"),
            ('{"type":7,"error":"maintenance"}', "maintenance"),
            ('{"type":7,"error":"x","allowReconnect":true}', "x"),
        ],
    )
    async def test_a_close_message_ends_the_connection(self, record: str, said: str) -> None:
        async with hub(saying(record + RS)) as client:
            error = await how_it_ends(client)
        assert isinstance(error, Disconnected)
        assert said in str(error)

    @pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013])
    async def test_every_close_code_is_a_loss(self, code: int) -> None:
        async def script(connection: ServerConnection) -> None:
            await shake(connection)
            await connection.close(code, "bye")

        async with hub(script) as client:
            error = await how_it_ends(client)
        assert isinstance(error, Disconnected)
        assert str(code) in str(error)

    async def test_a_connection_that_breaks_off(self) -> None:
        async def script(connection: ServerConnection) -> None:
            await shake(connection)
            connection.transport.abort()

        async with hub(script) as client:
            assert isinstance(await how_it_ends(client), Disconnected)

    async def test_a_silent_hub_counts_as_dead(self) -> None:
        clock = ManualClock()
        async with hub(saying(), clock) as client:
            await client.hub.open(Secret("t0ken"))
            reader = asyncio.create_task(client.hub.listen())
            async with asyncio.timeout(5):
                while not reader.done():
                    clock.advance(1)
                    await asyncio.sleep(0)
            with pytest.raises(BaseExceptionGroup) as caught:
                reader.result()
        assert "silent for 30 s" in str(caught.value.exceptions[0])

    async def test_we_ping_when_we_have_nothing_to_say(self) -> None:
        pinged = asyncio.Event()

        async def script(connection: ServerConnection) -> None:
            await shake(connection)
            assert record_of(await connection.recv()) == {"type": 6}
            pinged.set()
            await connection.wait_closed()

        clock = ManualClock()
        async with listening(script, clock):
            async with asyncio.timeout(5):
                for _ in range(16):
                    await asyncio.sleep(0.001)
                    clock.advance(1)
                await pinged.wait()


class TestHandshake:
    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ('{"error":"no such protocol"}', "no such protocol"),
            ("garbage", "not understood"),
            ('{"error":', "not understood"),
        ],
    )
    async def test_a_refusal(self, answer: str, said: str) -> None:
        async def script(connection: ServerConnection) -> None:
            await connection.recv()
            await connection.send(answer + RS)
            await connection.wait_closed()

        async with hub(script) as client:
            with pytest.raises(Disconnected, match=said):
                await client.hub.open(Secret("t0ken"))

    async def test_a_hub_that_hangs_up_at_once(self) -> None:
        async def script(connection: ServerConnection) -> None:
            await connection.close()

        async with hub(script) as client:
            with pytest.raises(TransportError):
                await client.hub.open(Secret("t0ken"))


async def test_nobody_is_there() -> None:
    client = Client("http://127.0.0.1:1/hubs/user", SystemClock())
    with pytest.raises(Disconnected) as caught:
        await client.hub.open(Secret("t0ken"))
    assert not caught.value.sent
    await client.hub.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthenticationError),
        (403, AuthenticationError),
        (429, Disconnected),
        (502, Disconnected),
    ],
)
async def test_an_upgrade_that_is_refused(status: int, error: type[Exception]) -> None:
    async def script(connection: ServerConnection) -> None:
        raise AssertionError("the upgrade was refused")

    async with serve(
        script,
        "127.0.0.1",
        0,
        process_request=lambda connection, request: connection.respond(status, "no"),
    ) as server:
        port = server.sockets[0].getsockname()[1]
        client = Client(f"http://127.0.0.1:{port}/hubs/user", SystemClock())
        with pytest.raises(error) as caught:
            await client.hub.open(Secret("t0ken"))
    assert "t0ken" not in str(caught.value)
