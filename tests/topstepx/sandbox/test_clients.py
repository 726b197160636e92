"""What different clients of the protocol really send, frame by frame."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import TopStepXSandbox

Call = Callable[..., Awaitable[dict[str, Any]]]
RS = "\x1e"
MNQ = "CON.F.US.MNQ.H26"
PATIENCE = 5


async def _say(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await socket.send(json.dumps(message) + RS)


async def _hear(socket: ClientConnection) -> dict[str, Any]:
    """The next message; here every frame has one."""
    async with asyncio.timeout(PATIENCE):
        frame = await socket.recv()
    (text,) = str(frame).split(RS)[:-1]
    message: dict[str, Any] = json.loads(text)
    return message


@pytest.fixture
def hubs(sandbox: TopStepXSandbox) -> str:
    return f"ws://127.0.0.1:{sandbox.port}/hubs"


async def test_a_client_with_the_token_in_headers_and_in_every_call(
    http: httpx.AsyncClient, hubs: str, token: str, place: Call
) -> None:
    """It negotiates without a version, and its ids are UUIDs."""
    negotiated = (await http.post("/hubs/user/negotiate")).json()
    bearer = {"Authorization": f"Bearer {token}"}
    url = f"{hubs}/user?id={negotiated['connectionId']}"
    async with connect(url, additional_headers=bearer) as socket:
        await _say(socket, {"protocol": "json", "version": 1})
        assert await _hear(socket) == {}
        call_id = str(uuid.uuid4())
        call = {
            "type": 1,
            "headers": bearer,
            "invocationId": call_id,
            "target": "SubscribeOrders",
            "arguments": [1001],
        }
        await _say(socket, call, {"type": 6})
        assert await _hear(socket) == {"type": 3, "invocationId": call_id, "result": 0}
        await place()
        assert (await _hear(socket))["target"] == "GatewayUserOrder"


async def test_a_client_with_the_token_in_the_query_and_empty_headers(
    anonymous: httpx.AsyncClient, hubs: str, token: str, place: Call
) -> None:
    answer = await anonymous.post(f"/hubs/user/negotiate?access_token={token}")
    url = f"{hubs}/user?access_token={token}&id={answer.json()['connectionId']}"
    async with connect(url) as socket:
        await _say(socket, {"protocol": "json", "version": 1})
        assert await _hear(socket) == {}
        call = {"type": 1, "headers": {}, "target": "SubscribeTrades", "arguments": [1001]}
        await _say(socket, call | {"invocationId": str(uuid.uuid4())})
        assert (await _hear(socket))["result"] == 0
        await place()
        assert (await _hear(socket))["target"] == "GatewayUserTrade"


async def test_a_client_that_asks_for_no_answer(
    anonymous: httpx.AsyncClient, hubs: str, token: str, exchange: Exchange
) -> None:
    """And calls a method that is not there, to keep itself awake."""
    answer = await anonymous.post(
        f"/hubs/market/negotiate?access_token={token}",
        headers={"Content-Type": "application/octet-stream"},
    )
    url = f"{hubs}/market?access_token={token}&id={answer.json()['connectionId']}"
    async with connect(url) as socket:
        await _say(socket, {"protocol": "json", "version": 1})
        assert await _hear(socket) == {}
        call = {"type": 1, "headers": {}}
        heartbeat = {"target": "Heartbeat", "arguments": [{"timestamp": "2026-03-02T14:30:00"}]}
        quotes = {"target": "SubscribeContractQuotes", "arguments": [MNQ]}
        await _say(socket, call | heartbeat, call | quotes, call | heartbeat)
        first = await _hear(socket)
        assert (first["target"], first["arguments"][0]) == ("GatewayQuote", MNQ)
        exchange.move_to(MNQ, exchange.quote(MNQ).ask + 5)
        assert (await _hear(socket))["target"] == "GatewayQuote"


async def test_a_client_that_counts_its_calls(hubs: str, token: str, place: Call) -> None:
    """It pings at once, gives some calls no id, and says goodbye."""
    bearer = {"Authorization": f"Bearer {token}"}
    async with connect(f"{hubs}/user?access_token={token}", additional_headers=bearer) as socket:
        await _say(socket, {"protocol": "json", "version": 1})
        assert await _hear(socket) == {}
        orders = {"type": 1, "target": "SubscribeOrders", "arguments": [1001]}
        missing = {"type": 1, "target": "SubscribeToOrders", "arguments": [1001]}
        await _say(socket, {"type": 6}, orders, missing, missing | {"invocationId": "0"})
        assert "Method does not exist" in (await _hear(socket))["error"]
        await place()
        assert (await _hear(socket))["arguments"][0]["data"]["status"] == 6
        await _say(socket, {"type": 7})
        await socket.wait_closed()
        assert socket.close_code == 1000
