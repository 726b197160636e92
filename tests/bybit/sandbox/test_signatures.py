"""Who may ask: signatures over the very bytes, the clock, and what is said to strangers."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.bybit.sandbox.conftest import KEY, LINEAR, Client

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_core import OrderRequest, OrderSide, UserDataType, UserTradeEvent, load_provider

WALLET = "/v5/account/wallet-balance"
QUERY = "accountType=UNIFIED"


def _public(key: Any) -> str:
    public = key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(public.public_bytes(serialization.Encoding.PEM, form).decode())


def _signature(key: rsa.RSAPrivateKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


async def test_the_time_is_public(client: Client) -> None:
    answer = (await client.http.get("/v5/market/time")).json()
    assert answer["result"]["timeSecond"] == str(answer["time"] // 1000)
    assert answer["result"]["timeNano"].startswith(answer["result"]["timeSecond"])


async def test_a_query_is_signed_as_it_is_sent(client: Client) -> None:
    query = "coin=USDT%2CBTC&accountType=UNIFIED"  # neither sorted nor decoded
    answer = await client.http.get(f"{WALLET}?{query}", headers=client.headers(query))
    assert answer.json()["retCode"] == 0
    other = "coin=USDT,BTC&accountType=UNIFIED"
    answer = await client.http.get(f"{WALLET}?{query}", headers=client.headers(other))
    assert answer.json()["retCode"] == 10004


async def test_a_body_is_signed_as_it_is_sent(client: Client) -> None:
    body = '{ "category":"linear",\n"symbol":"BTCUSDT", "orderId":"x"}'
    headers = client.headers(body)
    answer = await client.http.post("/v5/order/cancel", content=body, headers=headers)
    assert answer.json()["retCode"] == 110001
    answer = await client.http.post("/v5/order/cancel", content=body + " ", headers=headers)
    assert answer.json()["retCode"] == 10004


@pytest.mark.parametrize(("ahead", "code"), [(999, 0), (1000, 10002), (-5000, 0), (-5001, 10002)])
async def test_a_time_is_right_within_the_window_and_a_second(
    client: Client, ahead: int, code: int
) -> None:
    headers = client.headers(QUERY, time=client.now + ahead)
    answer = (await client.http.get(f"{WALLET}?{QUERY}", headers=headers)).json()
    assert answer["retCode"] == code
    if code:
        assert f"server_timestamp[{client.now}],recv_window[5000]" in answer["retMsg"]


async def test_a_stranger_is_told_so(client: Client) -> None:
    headers = client.headers(QUERY) | {"X-BAPI-API-KEY": "another"}
    answer = await client.http.get(f"{WALLET}?{QUERY}", headers=headers)
    assert answer.json()["retCode"] == 10003
    answer = await client.http.get(f"{WALLET}?{QUERY}")
    assert answer.json()["retCode"] == 10001
    assert "openapi sign params error!" in answer.json()["retMsg"]


async def test_an_rsa_key_signs_too(client: Client, sandbox: BybitSandbox) -> None:
    mine, another = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12")
    sandbox.trust(_public(mine))
    for key, code in ((mine, 0), (another, 10004)):
        stamp = client.headers(QUERY)["X-BAPI-TIMESTAMP"]
        sign = _signature(key, f"{stamp}{KEY}5000{QUERY}")
        headers = client.headers(QUERY) | {"X-BAPI-SIGN": sign}
        answer = (await client.http.get(f"{WALLET}?{QUERY}", headers=headers)).json()
        assert answer["retCode"] == code
    assert (await client.get(WALLET, accountType="UNIFIED"))["retCode"] == 0


@pytest.mark.parametrize("pem", ["", "none", "EC"])
def test_what_is_no_rsa_key_is_not_trusted(pem: str) -> None:
    if pem == "EC":
        pem = _public(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ValueError, match=r"PEM|no RSA key"):
        BybitSandbox().trust(pem)


async def test_a_provider_trades_with_an_rsa_key() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    async with BybitSandbox(seed=1) as sandbox:
        sandbox.trust(_public(key))
        settings = {**sandbox.settings, "BYBIT_ORDER_ENTRY": "socket"}
        del settings["BYBIT_API_SECRET"]
        settings["BYBIT_PRIVATE_KEY"] = pem.decode()
        async with load_provider("bybit", settings=settings) as broker:
            (account,) = await broker.get_accounts()
            async with broker.subscribe_user_data([account.id], UserDataType.USER_TRADE) as fills:
                request = OrderRequest.market(account.id, LINEAR, OrderSide.BUY, "0.01")
                order = await broker.place_order(request)
                async for event in fills:
                    if isinstance(event, UserTradeEvent):
                        assert event.trade.order_id == order.id
                        break


async def test_the_headers_tell_what_is_left(client: Client) -> None:
    answer = await client.http.get(f"{WALLET}?{QUERY}", headers=client.headers(QUERY))
    assert answer.headers["X-Bapi-Limit"] == "50"
    assert answer.headers["X-Bapi-Limit-Status"] == "49"
    assert answer.headers["X-Bapi-Limit-Reset-Timestamp"] == str(client.now)


async def test_one_too_many_is_told_when_to_come_again(client: Client) -> None:
    for _ in range(10):
        assert (await client.get("/v5/user/query-api"))["retCode"] == 0
    answer = await client.http.get("/v5/user/query-api", headers=client.headers(""))
    assert (answer.status_code, answer.json()["retCode"]) == (200, 10006)
    assert answer.headers["X-Bapi-Limit-Status"] == "0"
    assert int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) == client.now + 1001
    client.clock.advance(1.0)
    assert (await client.get("/v5/user/query-api"))["retCode"] == 0


async def test_a_get_with_a_body_and_a_path_that_there_is_not(client: Client) -> None:
    answer = await client.http.request("GET", "/v5/market/time", content=b"{}")
    assert answer.status_code == 403
    assert (await client.http.get("/v5/market/tim")).status_code == 404
    assert (await client.http.get("/v5/order/create")).json()["retCode"] == 10017


@pytest.mark.parametrize("body", ["", "[]", "{", "null", '"x"'])
async def test_a_body_is_an_object(client: Client, body: str) -> None:
    headers = client.headers(body)
    answer = await client.http.post("/v5/order/create", content=body, headers=headers)
    assert answer.json()["retCode"] == 10001
