"""Who may ask: signatures over the very bytes, the clock, and what is said to strangers."""

import pytest
from tests.bybit.sandbox.conftest import Client

WALLET = "/v5/account/wallet-balance"
QUERY = "accountType=UNIFIED"


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
