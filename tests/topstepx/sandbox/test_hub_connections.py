"""Getting onto a hub, calling it, and every way a connection ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.plain_http import plain_http
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tradeforge_testing import ManualClock
from tradeforge_topstepx.sandbox import HubLimits, TopStepXSandbox

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

RS = "\x1e"
HELLO = '{"protocol":"json","version":1}' + RS
PATIENCE = 5
NOT_THERE = "HubException: Method does not exist."
DOES_NOT_BIND = (
    "InvalidDataException: Error binding arguments. Make sure that the types of the "
    "provided values match the types of the hub method being invoked."
)

Connect = Callable[[str], Awaitable["HubClient"]]


@pytest.fixture
def hub_url(sandbox: TopStepXSandbox) -> str:
    return f"ws://127.0.0.1:{sandbox.port}/hubs/user"


async def _greet(socket: ClientConnection) -> None:
    await socket.send(HELLO)
    assert await socket.recv() == "{}" + RS


async def _last_words(socket: ClientConnection) -> list[dict[str, Any]]:
    """All that is still said, up to the end of the connection."""
    said = ""
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await socket.recv()
                assert isinstance(frame, str)
                said += frame
    return [json.loads(one) for one in said.split(RS)[:-1]]


# Getting on


async def test_negotiate_version_1_has_an_id_and_a_secret_token(http: httpx.AsyncClient) -> None:
    body = (await http.post("/hubs/user/negotiate?negotiateVersion=1")).json()
    assert body == {
        "negotiateVersion": 1,
        "connectionId": body["connectionId"],
        "connectionToken": body["connectionToken"],
        "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}],
    }
    assert body["connectionId"] != body["connectionToken"]


async def test_a_negotiation_of_no_version_is_an_error(http: httpx.AsyncClient) -> None:
    body = (await http.post("/hubs/user/negotiate?negotiateVersion=x")).json()
    assert body == {"error": "The client requested an invalid protocol version 'x'"}


@pytest.mark.parametrize("query", ["", "?negotiateVersion=0"])
async def test_negotiate_without_a_version_has_an_id_only(
    http: httpx.AsyncClient, query: str
) -> None:
    body = (await http.post(f"/hubs/user/negotiate{query}")).json()
    assert body["negotiateVersion"] == 0
    assert "connectionToken" not in body


@pytest.mark.parametrize("member", ["connectionId", "connectionToken"])
@pytest.mark.parametrize("hub", ["user", "market", "USER"])
async def test_a_negotiated_id_connects_once(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox, token: str, member: str, hub: str
) -> None:
    body = (await http.post(f"/hubs/{hub}/negotiate?negotiateVersion=1")).json()
    url = f"ws://127.0.0.1:{sandbox.port}/hubs/{hub}?id={body[member]}&access_token={token}"
    async with connect(url) as socket:
        await _greet(socket)
    for used in (body["connectionId"], body["connectionToken"]):
        with pytest.raises(InvalidStatus) as failure:
            await connect(url.replace(body[member], used))
        assert failure.value.response.status_code == 404


async def test_an_id_is_good_for_its_hub_only(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox, token: str
) -> None:
    body = (await http.post("/hubs/user/negotiate")).json()
    url = f"ws://127.0.0.1:{sandbox.port}/hubs/market?id={body['connectionId']}"
    with pytest.raises(InvalidStatus) as failure:
        await connect(f"{url}&access_token={token}")
    assert failure.value.response.status_code == 404


async def test_the_token_may_be_in_the_header_or_in_the_query(hub_url: str, token: str) -> None:
    async with connect(f"{hub_url}?access_token={token}") as socket:
        await _greet(socket)
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(hub_url, additional_headers=headers) as socket:
        await _greet(socket)


@pytest.mark.parametrize("query", ["", "?access_token=", "?access_token=a.b.c"])
async def test_without_a_good_token_neither_negotiation_nor_upgrade_works(
    anonymous: httpx.AsyncClient, hub_url: str, query: str
) -> None:
    response = await anonymous.post(f"/hubs/user/negotiate{query}")
    assert (response.status_code, response.content) == (401, b"")
    with pytest.raises(InvalidStatus) as failure:
        await connect(hub_url + query)
    assert failure.value.response.status_code == 401
    assert failure.value.response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_expired_tokens_close_no_open_connection_and_open_no_closed_one(
    user_hub: "HubClient", sandbox: TopStepXSandbox, hub_url: str, token: str
) -> None:
    sandbox.expire_tokens()
    assert (await user_hub.invoke("SubscribeAccounts"))["result"] == 0
    with pytest.raises(InvalidStatus):
        await connect(f"{hub_url}?access_token={token}")


async def test_compression_is_off(hub_url: str, token: str) -> None:
    async with connect(f"{hub_url}?access_token={token}") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


# The handshake


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"protocol": "messagepack", "version": 1}, "The protocol 'messagepack' is not supported."),
        (
            {"protocol": "json", "version": 7},
            "The server does not support version 7 of the 'json' protocol.",
        ),
        ({"type": 6}, "The protocol 'None' is not supported."),
    ],
)
async def test_a_handshake_that_does_not_fit_is_an_error_and_the_end(
    hub_url: str, token: str, request_: dict[str, Any], error: str
) -> None:
    async with connect(f"{hub_url}?access_token={token}") as socket:
        await socket.send(json.dumps(request_) + RS)
        assert await _last_words(socket) == [{"error": error}]


async def test_a_handshake_and_a_call_fit_into_one_frame(hub_url: str, token: str) -> None:
    call = {"type": 1, "target": "SubscribeAccounts", "arguments": [], "invocationId": "0"}
    async with connect(f"{hub_url}?access_token={token}") as socket:
        await socket.send(HELLO + json.dumps(call) + RS)
        assert await socket.recv() == "{}" + RS
        assert await socket.recv() == '{"type":3,"invocationId":"0","result":0}' + RS


async def test_a_handshake_may_come_in_pieces_and_as_bytes(hub_url: str, token: str) -> None:
    async with connect(f"{hub_url}?access_token={token}") as socket:
        await socket.send(HELLO[:9].encode())
        await socket.send([HELLO[9:15], HELLO[15:]])
        assert await socket.recv() == "{}" + RS


@pytest.mark.parametrize("noise", ["x" + RS, "[]" + RS, RS, "7" + RS, "x" * 40_000])
async def test_noise_instead_of_a_handshake_is_the_end(
    hub_url: str, token: str, noise: str
) -> None:
    async with connect(f"{hub_url}?access_token={token}") as socket:
        await socket.send(noise)
        assert await _last_words(socket) == []


# Calls


@pytest.mark.parametrize(
    "method", ["SubscribeOrders", "SubscribePositions", "SubscribeTrades", "UnsubscribeOrders"]
)
async def test_the_user_hub_takes_an_account_id(user_hub: "HubClient", method: str) -> None:
    assert await user_hub.invoke(method, 1001) == {"type": 3, "invocationId": "1", "result": 0}
    assert (await user_hub.invoke(method.swapcase(), 1001))["result"] == 0


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("SubscribeOrders", ["1001"], DOES_NOT_BIND),
        ("SubscribeOrders", [True], DOES_NOT_BIND),
        ("SubscribeOrders", [1001.5], DOES_NOT_BIND),
        ("SubscribeOrders", [None], DOES_NOT_BIND),
        ("SubscribeOrders", [[1001]], DOES_NOT_BIND),
        (
            "SubscribeOrders",
            [],
            "InvalidDataException: Invocation provides 0 argument(s) but target expects 1.",
        ),
        (
            "SubscribeAccounts",
            [1001],
            "InvalidDataException: Invocation provides 1 argument(s) but target expects 0.",
        ),
        ("SubscribeContractDepth", [1001], NOT_THERE),
        ("SubscribeContractQuotes", ["CON.F.US.MNQ.H26"], NOT_THERE),
    ],
)
async def test_a_call_that_cannot_be_made_is_an_error_completion(
    user_hub: "HubClient", method: str, arguments: list[Any], error: str
) -> None:
    completion = await user_hub.invoke(method, *arguments)
    text = f"Failed to invoke '{method}' due to an error on the server. {error}"
    assert completion == {"type": 3, "invocationId": "1", "error": text}


@pytest.mark.parametrize("contract", [7, None, ["CON.F.US.MNQ.H26"]])
async def test_the_market_hub_takes_a_contract_id(
    market_hub: "HubClient", contract: object
) -> None:
    assert DOES_NOT_BIND in (await market_hub.invoke("SubscribeContractTrades", contract))["error"]
    assert (await market_hub.invoke("SubscribeContractTrades", "CON.F.US.XYZ.H26"))["result"] == 0


@pytest.mark.parametrize(
    "message",
    [
        {"type": 1, "target": "SubscribeAccounts", "arguments": []},
        {"type": 1, "target": "Heartbeat", "arguments": [{"at": 1}], "headers": {}},
        {"type": 2, "invocationId": "9", "item": 1},
        {"type": 3, "invocationId": "9", "result": 1},
        {"type": 4, "invocationId": "9", "target": "X", "arguments": []},
        {"type": 5, "invocationId": "9"},
        {"type": 6},
        {"type": 9, "sequenceId": 1},
        {"type": 99},
        {"type": "x"},
        {},
    ],
)
async def test_what_asks_for_no_answer_gets_none(
    user_hub: "HubClient", message: dict[str, Any]
) -> None:
    await user_hub.say(message)
    assert (await user_hub.invoke("SubscribeAccounts"))["result"] == 0


async def test_extra_members_and_any_invocation_id_are_fine(user_hub: "HubClient") -> None:
    call = {"type": 1, "target": "SubscribeAccounts", "arguments": [], "headers": {"a": "b"}}
    ids = ["0", "5c1e6b0e-5a4e", "ä"]
    await user_hub.say(*(call | {"invocationId": one, "streamIds": []} for one in ids))
    assert [(await user_hub.hear())["invocationId"] for _ in ids] == ids


# The end


async def test_a_close_message_of_the_client_closes_the_socket(user_hub: "HubClient") -> None:
    await user_hub.say({"type": 7})
    assert await _last_words(user_hub.socket) == []
    assert user_hub.socket.close_code == 1000


@pytest.mark.parametrize("noise", ["x" + RS, "[1]" + RS, RS, "y" * 40_000])
async def test_noise_ends_a_connection_for_good(user_hub: "HubClient", noise: str) -> None:
    await user_hub.socket.send(noise)
    assert await _last_words(user_hub.socket) == [
        {"type": 7, "error": "Connection closed with an error."}
    ]


@pytest.mark.parametrize("again", [{"allowReconnect": True}, {}])
async def test_drop_hubs_says_goodbye_to_every_connection(
    connect_hub: Connect, sandbox: TopStepXSandbox, again: dict[str, bool]
) -> None:
    hubs = [await connect_hub(name) for name in ("user", "user", "market")]
    await sandbox.drop_hubs(allow_reconnect=bool(again))
    for hub in hubs:
        assert await _last_words(hub.socket) == [
            {"type": 7, "error": "Connection closed with an error."} | again
        ]
    assert (await (await connect_hub("user")).invoke("SubscribeAccounts"))["result"] == 0


async def test_subscriptions_end_with_their_connection(
    connect_hub: Connect, sandbox: TopStepXSandbox, place: Callable[..., Awaitable[object]]
) -> None:
    await (await connect_hub("user")).follow("Orders", key=1001)
    await sandbox.drop_hubs()
    hub = await connect_hub("user")
    await place()
    assert (await hub.invoke("SubscribeOrders", 1001))["result"] == 0


async def _impatient(limits: HubLimits, clock: ManualClock) -> list[dict[str, Any]]:
    """What a client hears that shakes hands and then only listens."""
    async with TopStepXSandbox(clock=clock, hub_limits=limits) as sandbox:
        async with plain_http(sandbox.url) as client:
            body = {"userName": "sandbox", "apiKey": "sandbox-key"}
            token = (await client.post("/api/Auth/loginKey", json=body)).json()["token"]
        url = f"ws://127.0.0.1:{sandbox.port}/hubs/user?access_token={token}"
        async with connect(url) as socket:
            await _greet(socket)
            return await _last_words(socket)


async def test_a_client_that_is_silent_for_too_long_is_closed(clock: ManualClock) -> None:
    said = await _impatient(HubLimits(silence_seconds=0.05), clock)
    assert said == [
        {"type": 7, "error": "Connection closed with an error.", "allowReconnect": True}
    ]


async def test_a_hub_with_nothing_to_say_pings(clock: ManualClock) -> None:
    *pings, _ = await _impatient(HubLimits(ping_seconds=0.02, silence_seconds=0.2), clock)
    assert len(pings) > 2
    assert all(one == {"type": 6} for one in pings)


def test_the_patience_of_a_hub_is_that_of_the_venue() -> None:
    assert (HubLimits().ping_seconds, HubLimits().silence_seconds) == (15, 30)


CALL: dict[str, Any] = {"type": 1, "target": "SubscribeAccounts", "arguments": []}


@pytest.mark.parametrize(
    "call",
    [
        CALL | {"invocationId": 1},
        CALL | {"invocationId": {}},
        CALL | {"target": None},
        CALL | {"target": 7},
        CALL | {"target": ""},
        CALL | {"arguments": None},
        CALL | {"arguments": {}},
        {"type": 1, "target": "SubscribeAccounts", "invocationId": "1"},
        {"type": 1, "arguments": [], "invocationId": "1"},
    ],
)
async def test_what_is_no_call_at_all_ends_the_connection(
    user_hub: "HubClient", call: dict[str, Any]
) -> None:
    """As the framework does; a client that gets away with it here would fail there."""
    await user_hub.say(call)
    assert await user_hub.hear() == {"type": 7, "error": "Connection closed with an error."}
    await user_hub.socket.wait_closed()


async def test_a_refused_upgrade_is_nothing_to_log(
    sandbox: TopStepXSandbox, anonymous: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR")
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{sandbox.port}/hubs/user").__aenter__()
    assert (await anonymous.get("/api/Status/ping")).is_success
    assert caplog.records == []
