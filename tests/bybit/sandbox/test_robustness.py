"""Whatever a client sends, the sandbox answers, and the other clients do not notice."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from tests.bybit.sandbox.conftest import KEY, SECRET, Client, away
from tests.bybit.sandbox.sockets import open_socket

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.endpoints import ALL
from tradeforge_testing import ManualClock
from tradeforge_testing.hostile_values import HOSTILE, NESTED

ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
    "timeInForce": "GTC",
    "reduceOnly": False,
    "positionIdx": 0,
    "triggerDirection": 1,
    "triggerPrice": "",
    "marketUnit": "",
    "takeProfit": "",
    "stopLoss": "",
    "tpslMode": "",
    "orderLinkId": "",
    "orderFilter": "",
    "closeOnTrigger": False,
}
"""A price is added, and then one member after the other is spoiled."""
QUERY = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "settleCoin": "USDT",
    "accountType": "UNIFIED",
    "interval": "1",
    "intervalTime": "1h",
    "limit": "5",
    "cursor": "",
    "startTime": "1",
    "endTime": "2",
    "start": "1",
    "end": "2",
    "orderId": "",
    "orderLinkId": "",
    "openOnly": "0",
    "coin": "USDT",
    "execType": "",
    "status": "",
}
POSTS = [one for one in ALL if one.method == "POST"]
GETS = [one for one in ALL if one.method == "GET"]


@pytest.fixture
async def sandbox(clock: ManualClock) -> AsyncIterator[BybitSandbox]:
    async with BybitSandbox(clock=clock, seed=1, limits=False) as sandbox:
        yield sandbox


def is_envelope(answer: httpx.Response) -> bool:
    said: Any = answer.json()
    return answer.status_code == 200 and said.keys() == {
        "retCode",
        "retMsg",
        "result",
        "retExtInfo",
        "time",
    }


def spoiled(body: dict[str, Any], name: str, value: bytes) -> bytes:
    """The body with these bytes in place of that member."""
    raw = json.dumps({**body, name: "#here#"}).encode()
    return raw.replace(b'"#here#"', value)


@pytest.mark.parametrize("op", ["create", "amend", "cancel"])
async def test_every_member_of_an_order_of_a_batch_may_be_anything(
    client: Client, sandbox: BybitSandbox, op: str
) -> None:
    order = {**ORDER, "price": away(sandbox, "-5"), "orderId": "x"}
    random = Random(op)
    for name in order:
        for value in random.sample((*HOSTILE, *NESTED), 10):
            item = spoiled(order, name, value)
            raw = b'{"category": "linear", "request": [' + item + b"]}"
            await _post(client, f"/v5/order/{op}-batch", raw)


def named(endpoint: Endpoint) -> str:
    return endpoint.path


@pytest.mark.parametrize("endpoint", POSTS, ids=named)
async def test_every_member_of_a_body_may_be_anything(
    client: Client, sandbox: BybitSandbox, endpoint: Endpoint
) -> None:
    ack = await client.place(price=away(sandbox, "-5"))
    body = {**ORDER, "price": away(sandbox, "-5"), "orderId": ack["result"]["orderId"]}
    body |= {"mode": 3, "buyLeverage": "10", "sellLeverage": "10", "request": [dict(body)]}
    random = Random(endpoint.path)
    for name in body:
        for value in random.sample((*HOSTILE, *NESTED), 4):
            await _post(client, endpoint.path, spoiled(body, name, value))
    assert (await client.get("/v5/market/time"))["retCode"] == 0


async def _post(client: Client, path: str, raw: bytes) -> None:
    answer = await client.http.post(path, content=raw, headers=_headers(client, raw))
    assert is_envelope(answer), (answer.status_code, raw[:300])


def _headers(client: Client, raw: bytes) -> dict[str, str]:
    """Bytes that are no text are signed as they are."""
    headers = client.headers("")
    text = f"{client.now}{KEY}5000".encode() + raw
    sign = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    return {**headers, "X-BAPI-SIGN": sign, "Content-Type": "application/json"}


@pytest.mark.parametrize("endpoint", GETS, ids=named)
async def test_every_member_of_a_query_may_be_anything(client: Client, endpoint: Endpoint) -> None:
    random = Random(endpoint.path)
    for name in QUERY:
        for value in random.sample(HOSTILE, 4):
            members = {**QUERY, name: quote_from_bytes(value.strip(b'"')[:2000], safe="")}
            query = "&".join(f"{one}={said}" for one, said in members.items() if said)
            headers = client.headers(query)
            answer = await client.http.get(f"{endpoint.path}?{query}", headers=headers)
            assert is_envelope(answer), (answer.status_code, name, value[:100])


@pytest.mark.parametrize("path", ["public/linear", "public/spot", "private", "trade"])
async def test_a_socket_may_be_told_anything(
    sandbox: BybitSandbox, clock: ManualClock, path: str
) -> None:
    random = Random(path)
    async with open_socket(sandbox, clock, path) as socket:
        if path in ("private", "trade"):
            await socket.log_in()
        for value in (*random.sample(HOSTILE, 40), *NESTED):
            for frame in _frames(value):
                await socket.connection.send(frame)
                await socket.connection.send('{"op": "ping"}')
                while "pong" not in json.dumps(await socket.hear()):
                    pass


def _frames(value: bytes) -> list[str]:
    said = value.decode("utf-8", "replace")
    return [
        said,
        f'{{"op": {said}}}',
        f'{{"op": "subscribe", "args": {said}, "req_id": {said}}}',
        f'{{"op": "auth", "args": {said}}}',
        f'{{"op": "auth", "args": ["sandbox-key", {said}, {said}]}}',
        f'{{"op": "order.create", "reqId": "1", "header": {{"X-BAPI-TIMESTAMP": {said}}},'
        f' "args": [{said}]}}',
    ]


async def test_a_signature_may_be_anything(client: Client) -> None:
    query = "accountType=UNIFIED"
    for name in client.headers(query):
        for value in ("", "0", "-1", "9" * 400, "\u00ff", "1e3", "null", "\x00"):
            headers = client.headers(query) | {name: value}
            try:
                answer = await client.http.get(
                    f"/v5/account/wallet-balance?{query}", headers=headers
                )
            except (httpx.LocalProtocolError, UnicodeEncodeError):
                continue  # no client can send it
            assert is_envelope(answer) and answer.json()["retCode"] != 0, (name, value)
