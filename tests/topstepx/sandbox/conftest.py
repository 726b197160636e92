"""A sandbox whose market only moves when a test moves it, and bare clients for both its sides."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from tests.plain_http import plain_http
from websockets.asyncio.client import ClientConnection, connect

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import TopStepXSandbox

RS = "\x1e"
PATIENCE = 5

Message = dict[str, Any]


class HubClient:
    """A websocket and the few lines that a SignalR client needs at least."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._heard: deque[Message] = deque()
        self._calls = 0

    async def say(self, *messages: object) -> None:
        """All of them in one frame."""
        await self.socket.send("".join(json.dumps(one) + RS for one in messages))

    async def hear(self) -> Message:
        """The next message, whichever it is."""
        while not self._heard:
            async with asyncio.timeout(PATIENCE):
                frame = await self.socket.recv()
            assert isinstance(frame, str), "the venue sends text frames only"
            assert frame.endswith(RS)
            self._heard += [json.loads(one) for one in frame.split(RS)[:-1]]
        return self._heard.popleft()

    async def shake_hands(self) -> None:
        await self.say({"protocol": "json", "version": 1})
        assert await self.hear() == {}

    async def invoke(self, target: str, *arguments: object) -> Message:
        """The completion; nothing else may come before it."""
        self._calls += 1
        call = {"type": 1, "target": target, "arguments": list(arguments)}
        await self.say(call | {"invocationId": str(self._calls)})
        completion = await self.hear()
        assert (completion["type"], completion["invocationId"]) == (3, str(self._calls))
        return completion

    async def follow(self, *names: str, key: object = None) -> None:
        """Subscribe to all of these; the snapshots are left to be heard."""
        for name in names:
            arguments = [] if key is None or name == "Accounts" else [key]
            assert (await self.invoke(f"Subscribe{name}", *arguments))["result"] == 0

    async def event(self) -> tuple[str, list[Any]]:
        """Target and arguments of the next event."""
        message = await self.hear()
        assert message["type"] == 1, message
        assert message.keys() == {"type", "target", "arguments"}
        return message["target"], message["arguments"]

    async def events(self, count: int) -> list[tuple[str, list[Any]]]:
        return [await self.event() for _ in range(count)]


@pytest.fixture
def clock() -> ManualClock:
    """On 2 March 2026 the March contracts are in front."""
    return ManualClock()


@pytest.fixture
async def sandbox(clock: ManualClock) -> AsyncIterator[TopStepXSandbox]:
    async with TopStepXSandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def exchange(sandbox: TopStepXSandbox) -> Exchange:
    return sandbox.exchange


@pytest.fixture
async def anonymous(sandbox: TopStepXSandbox) -> AsyncIterator[httpx.AsyncClient]:
    """Without a token."""
    async with plain_http(sandbox.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
async def token(anonymous: httpx.AsyncClient) -> str:
    body = {"userName": "sandbox", "apiKey": "sandbox-key"}
    return str((await anonymous.post("/api/Auth/loginKey", json=body)).json()["token"])


@pytest.fixture
async def http(sandbox: TopStepXSandbox, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with plain_http(sandbox.url, headers=headers, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def call(http: httpx.AsyncClient) -> Callable[..., Awaitable[Message]]:
    """Post to an endpoint and get the JSON of its answer, which must be a 200."""

    async def call(path: str, **body: object) -> Message:
        response = await http.post(f"/api/{path}", json=body)
        assert response.status_code == 200, response.text
        payload: Message = response.json()
        return payload

    return call


@pytest.fixture
def place(call: Callable[..., Awaitable[Message]]) -> Callable[..., Awaitable[Message]]:
    """Place an order: one MNQ at the market, long, unless told otherwise."""

    async def place(**changes: object) -> Message:
        usual = {"accountId": 1001, "contractId": "CON.F.US.MNQ.H26"}
        return await call("Order/place", **(usual | {"type": 2, "side": 0, "size": 1} | changes))

    return place


@pytest.fixture
async def connect_hub(
    sandbox: TopStepXSandbox, token: str
) -> AsyncIterator[Callable[[str], Awaitable[HubClient]]]:
    """Connect to a hub by its name, directly, handshake included."""
    async with AsyncExitStack() as stack:

        async def connect_hub(name: str) -> HubClient:
            url = f"ws://127.0.0.1:{sandbox.port}/hubs/{name}?access_token={token}"
            hub = HubClient(await stack.enter_async_context(connect(url, max_queue=None)))
            await hub.shake_hands()
            return hub

        yield connect_hub


@pytest.fixture
async def user_hub(connect_hub: Callable[[str], Awaitable[HubClient]]) -> HubClient:
    return await connect_hub("user")


@pytest.fixture
async def market_hub(connect_hub: Callable[[str], Awaitable[HubClient]]) -> HubClient:
    return await connect_hub("market")
