"""Whatever a client sends, the sandbox answers, and the other clients do not notice."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.plain_http import plain_http
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tradeforge_testing import ManualClock
from tradeforge_topstepx.sandbox import TopStepXSandbox
from tradeforge_topstepx.sandbox.commands import COMMANDS
from tradeforge_topstepx.sandbox.endpoints import ALL

RS = "\x1e"
HELLO = '{"protocol":"json","version":1}' + RS
KEY = {"userName": "sandbox", "apiKey": "sandbox-key"}
T = TypeVar("T")


class Served:
    """A sandbox in a loop of its own, which stands still while an example is thought of.

    It has a client on a hub from the beginning, which must be there at the end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return self._loop.run_until_complete(work())

    async def start(self) -> None:
        self.sandbox = TopStepXSandbox(clock=ManualClock(), limits=None, control=True)
        await self.sandbox.__aenter__()
        self.client = plain_http(self.sandbox.url, timeout=10)
        token = (await self.client.post("/api/Auth/loginKey", json=KEY)).json()["token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.hub_url = f"ws://127.0.0.1:{self.sandbox.port}/hubs/user?access_token={token}"
        self.bystander = await connect(self.hub_url)
        await self.bystander.send(HELLO)
        assert await self.bystander.recv() == "{}" + RS

    async def stop(self) -> None:
        await self.check()
        await self.bystander.close()
        await self.client.aclose()
        await self.sandbox.__aexit__()

    async def check(self) -> None:
        """The server is alive, and so is the client that was there before."""
        assert (await self.client.get("/api/Status/ping")).text == "pong"
        assert await _answer(self.bystander) == {"type": 3, "invocationId": "alive", "result": 0}

    def close(self) -> None:
        self._loop.close()


async def _answer(socket: ClientConnection) -> dict[str, Any]:
    call = {"type": 1, "target": "SubscribeAccounts", "arguments": [], "invocationId": "alive"}
    await socket.send(json.dumps(call) + RS)
    async with asyncio.timeout(10):
        while '"alive"' not in (text := str(await socket.recv())):
            pass
    answer: dict[str, Any] = next(json.loads(one) for one in text.split(RS) if '"alive"' in one)
    return answer


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    served.run(served.start)
    yield served
    served.run(served.stop)
    served.close()


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([1001, 1003, "CON.F.US.MNQ.H26", "2026-03-02T14:30:00Z", 1e308, -0.0])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
ENDPOINTS = [one for one in ALL if one.body is not None]
SHAPES = {one.path: one.body.__struct_fields__ for one in ENDPOINTS if one.body is not None}
PATHS = st.sampled_from(sorted(SHAPES))
SENSIBLE: dict[str, Any] = {
    "accountId": 1001,
    "contractId": "CON.F.US.MNQ.H26",
    "type": 1,
    "side": 0,
    "size": 1,
    "limitPrice": 29000,
    "live": False,
    "startTime": "2026-03-02T00:00:00Z",
    "endTime": "2026-03-03T00:00:00Z",
    "unit": 2,
    "unitNumber": 1,
    "limit": 5,
    "includePartialBar": True,
    "startTimestamp": "2026-03-02T00:00:00Z",
    "orderId": 1,
    "onlyActiveAccounts": True,
    "filter": {"accountId": 1001},
    "stopLossBracket": {"ticks": -20, "type": 4},
    "takeProfitBracket": {"ticks": 20, "type": 1},
    **KEY,
}


@st.composite
def nearly_good(draw: st.DrawFn) -> tuple[str, bytes]:
    """A request of an endpoint with one member or two replaced by anything."""
    path = draw(PATHS)
    body = {name: SENSIBLE[name] for name in SHAPES[path] if name in SENSIBLE}
    for name in draw(st.lists(st.sampled_from(SHAPES[path]), min_size=1, max_size=2)):
        body[name] = draw(JSON)
    return path, json.dumps(body).encode()


async def _posts(served: Served, path: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return await served.client.post(path, content=body, headers=headers)


@settings(max_examples=150, deadline=None)
@given(request=nearly_good())
def test_a_nearly_good_body_is_an_answer_or_a_400(
    served: Served, request: tuple[str, bytes]
) -> None:
    response = served.run(lambda: _posts(served, *request))
    assert response.status_code in (200, 400), response.text
    if response.status_code == 200:
        answer = response.json()
        assert answer["success"] is (answer["errorCode"] == 0)


@settings(max_examples=100, deadline=None)
@example(path="/api/Account/search", body=b'"\x80"')
@given(
    path=PATHS, body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_an_answer_or_a_400(served: Served, path: str, body: bytes) -> None:
    response = served.run(lambda: _posts(served, path, body))
    assert response.status_code in (200, 400), response.text


COMMAND_NAMES = st.sampled_from(
    [one.name for one in COMMANDS if one.name not in ("reset", "half_open", "say", "mute_hubs")]
)


@settings(max_examples=50, deadline=None)
@given(name=COMMAND_NAMES, body=JSON.map(lambda value: json.dumps(value).encode()))
def test_any_command_body_is_an_answer_or_a_400(served: Served, name: str, body: bytes) -> None:
    if body != b"{}":  # which is a good one for many
        response = served.run(lambda: _posts(served, f"/_sandbox/{name}", body))
        assert response.status_code in (200, 400), response.text


FRAMES = st.lists(
    st.binary(max_size=60)
    | st.text(max_size=60)
    | JSON.map(lambda value: json.dumps(value) + RS)
    | st.fixed_dictionaries(
        {},
        optional={
            "type": st.integers(-1, 9) | JSON,
            "target": st.sampled_from(["SubscribeOrders", "Heartbeat"]) | JSON,
            "arguments": st.lists(JSON, max_size=2) | JSON,
            "invocationId": st.text(max_size=5) | JSON,
            "headers": JSON,
        },
    ).map(lambda message: json.dumps(message) + RS),
    max_size=6,
)


async def _throws(served: Served, frames: list[str | bytes], *, greet: bool) -> None:
    """Frames of a client of its own, whose connection may end by them."""
    async with connect(served.hub_url) as socket:
        with suppress(ConnectionClosed):
            for frame in [HELLO] * greet + frames:
                await socket.send(frame)
            if greet:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.002):
                        await socket.recv()
    await served.check()


@settings(max_examples=60, deadline=None)
@given(frames=FRAMES, greet=st.booleans())
def test_any_frames_hurt_nobody_else(
    served: Served, frames: list[str | bytes], greet: bool
) -> None:
    served.run(lambda: _throws(served, frames, greet=greet))


HEADS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /api/Order/place HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999\r\n\r\n",
        b"POST /api/Order/place HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /hubs/user HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ]
)


async def _knocks(served: Served, raw: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.sandbox.port)
    writer.write(raw)
    with suppress(ConnectionError):
        await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    await served.check()


@settings(max_examples=40, deadline=None)
@given(raw=HEADS | st.binary(max_size=100))
def test_any_bytes_hurt_nobody_else(served: Served, raw: bytes) -> None:
    served.run(lambda: _knocks(served, raw))
