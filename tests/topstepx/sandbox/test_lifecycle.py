"""Starting, stopping, and starting again."""

import asyncio
import json
import socket
import time

import httpx
import pytest
from tests.plain_http import plain_http
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tradeforge_testing import ManualClock
from tradeforge_topstepx.sandbox import Fault, HubLimits, TopStepXSandbox, create

KEY = {"userName": "sandbox", "apiKey": "sandbox-key"}
RS = "\x1e"
HELLO = '{"protocol":"json","version":1}' + RS
_CALL = {"type": 1, "arguments": ["CON.F.US.MNQ.H26"], "invocationId": "1"}
SUBSCRIBE = json.dumps(_CALL | {"target": "SubscribeContractMarketDepth"}) + RS
UNSUBSCRIBE = json.dumps(_CALL | {"target": "UnsubscribeContractMarketDepth"}) + RS


async def _is_up(sandbox: TopStepXSandbox) -> bool:
    async with plain_http() as client:
        try:
            return (await client.get(f"{sandbox.url}/api/Status/ping")).text == "pong"
        except httpx.ConnectError:
            return False


async def test_it_serves_until_it_is_left_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with create(port=0, seed=7) as sandbox:
        assert await _is_up(sandbox)
    assert not await _is_up(sandbox)
    assert asyncio.all_tasks() == before


async def test_start_and_stop_are_quick() -> None:
    began = time.perf_counter()
    async with TopStepXSandbox() as sandbox:
        assert await _is_up(sandbox)
    assert time.perf_counter() - began < 1.0


async def test_the_settings_lead_to_it() -> None:
    async with TopStepXSandbox(username="me", api_key="mine") as sandbox:
        assert sandbox.settings == {
            "TS_USERNAME": "me",
            "TS_API_KEY": "mine",
            "TS_ENVIRONMENT": "DEMO",
            "TS_REST_URL": sandbox.url,
            "TS_USER_HUB_URL": f"{sandbox.url}/hubs/user",
            "TS_MARKET_HUB_URL": f"{sandbox.url}/hubs/market",
        }
        assert sandbox.url == f"http://127.0.0.1:{sandbox.port}"


async def test_a_port_that_is_not_known_yet_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="enter it first"):
        _ = TopStepXSandbox().url


async def test_it_listens_on_loopback_only(sandbox: TopStepXSandbox) -> None:
    for address in socket.gethostbyname_ex(socket.gethostname())[2]:
        if address.startswith("127."):
            continue
        with pytest.raises(OSError):
            await asyncio.open_connection(address, sandbox.port)


async def test_its_port_is_free_at_once_with_connections_open(clock: ManualClock) -> None:
    port = 0
    for _ in range(3):
        async with TopStepXSandbox(port=port, clock=clock) as sandbox:
            port = sandbox.port
            client = plain_http(sandbox.url)
            token = (await client.post("/api/Auth/loginKey", json=KEY)).json()["token"]
            hub = await connect(f"ws://127.0.0.1:{port}/hubs/user?access_token={token}")
        with pytest.raises(ConnectionClosed):
            await hub.recv()
        await hub.close()
        await client.aclose()


async def test_a_port_that_is_taken_is_an_error(sandbox: TopStepXSandbox) -> None:
    with pytest.raises(OSError):
        async with TopStepXSandbox(port=sandbox.port):
            pass


async def test_entered_again_it_has_its_port_its_orders_and_its_tokens(
    clock: ManualClock,
) -> None:
    sandbox = TopStepXSandbox(clock=clock)
    order = {"accountId": 1001, "contractId": "CON.F.US.MNQ.H26", "type": 2, "side": 0, "size": 1}
    async with sandbox, plain_http(sandbox.url) as client:
        port = sandbox.port
        token = (await client.post("/api/Auth/loginKey", json=KEY)).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        await client.post("/api/Order/place", json=order, headers=headers)
    async with sandbox, plain_http(sandbox.url) as client:
        assert sandbox.port == port
        body = {"accountId": 1001}
        answer = await client.post("/api/Position/searchOpen", json=body, headers=headers)
        assert len(answer.json()["positions"]) == 1


async def test_hubs_say_goodbye_when_it_is_left(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock) as sandbox:
        async with plain_http(sandbox.url) as client:
            token = (await client.post("/api/Auth/loginKey", json=KEY)).json()["token"]
        hub = await connect(f"ws://127.0.0.1:{sandbox.port}/hubs/user?access_token={token}")
        await hub.send(HELLO)
        await hub.recv()
    last = json.loads(str(await hub.recv()).rstrip(RS))
    assert (last["type"], last["allowReconnect"]) == (7, True)
    await hub.close()


async def test_a_request_without_an_answer_does_not_hold_it_up(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock) as sandbox:
        sandbox.fail_next("/api/Auth/loginKey", Fault.HANG)
        client = plain_http(sandbox.url)
        request = asyncio.create_task(client.post("/api/Auth/loginKey", json=KEY))
        while not sandbox.requests:
            await asyncio.wait([request], timeout=0.01)
        began = time.perf_counter()
    assert time.perf_counter() - began < 1.0
    with pytest.raises(httpx.RemoteProtocolError):
        await request
    await client.aclose()


async def test_a_market_that_breaks_does_not_go_unnoticed(clock: ManualClock) -> None:
    def broken() -> None:
        raise ZeroDivisionError("the market broke")

    with pytest.raises(ZeroDivisionError):
        async with TopStepXSandbox(clock=clock) as sandbox:
            sandbox.exchange.advance = broken  # type: ignore[method-assign]
            await asyncio.wait([asyncio.create_task(_ticked(clock))])


async def _ticked(clock: ManualClock) -> None:
    for _ in range(3):
        clock.advance(1)
        await clock.sleep(0)


async def test_a_client_that_does_not_read_is_reset_and_the_others_are_served(
    clock: ManualClock,
) -> None:
    async with TopStepXSandbox(clock=clock, hub_limits=HubLimits(backlog=100)) as sandbox:
        async with plain_http(sandbox.url) as client:
            token = (await client.post("/api/Auth/loginKey", json=KEY)).json()["token"]
        url = f"ws://127.0.0.1:{sandbox.port}/hubs/market?access_token={token}"
        async with connect(url) as good, connect(url, max_queue=1) as deaf:
            for client_ in (good, deaf):
                await client_.send(HELLO)
            assert await good.recv() == "{}" + RS
            async with asyncio.timeout(30):
                with pytest.raises(ConnectionClosed):
                    while True:
                        await deaf.send(SUBSCRIBE)
                        await good.send(UNSUBSCRIBE)
                        assert "result" in str(await good.recv())
