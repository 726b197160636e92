"""The private and the trade socket: who may listen, what is told, and orders without REST."""

import asyncio
from typing import Any

import pytest
from tests.bybit.sandbox.conftest import Client, away
from tests.bybit.sandbox.sockets import Socket, open_socket, pass_time

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock

LIMIT = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}


async def test_a_stranger_hears_nothing(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        assert not (await socket.ask(op="subscribe", args=["order"]))["success"]
        past = int(clock.now().timestamp() * 1000)
        assert not (await socket.log_in(past))["success"]
        assert not (await socket.ask(op="auth", args=["who", past + 9999, "x"]))["success"]
        assert (await socket.log_in(str(past + 10_000)))["success"]  # as text, as some send it
        pong = await socket.ask(op="ping", req_id="2")
        assert (pong["op"], pong["req_id"], len(pong["args"])) == ("pong", "2", 1)


async def test_an_order_is_told_a_moment_after_its_answer(
    sandbox: BybitSandbox, clock: ManualClock, client: Client
) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        await socket.subscribe("order", "execution", "position", "wallet")
        names = (await client.place(price=away(sandbox, "-5")))["result"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await socket.hear()
        await pass_time(clock, 0.1)
        heard = {one["topic"]: one for one in [await socket.hear(), await socket.hear()]}
        (order,) = heard["order"]["data"]
        assert (order["orderStatus"], order["orderId"]) == ("New", names["orderId"])
        assert (order["category"], heard["order"]["creationTime"]) == ("linear", client.now - 100)
        (position,) = heard["position"]["data"]
        assert (position["side"], position["entryPrice"]) == ("", "0")


async def test_a_market_order_is_told_filled_once(
    sandbox: BybitSandbox, clock: ManualClock, client: Client
) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        await socket.subscribe("order.linear", "execution.linear", "execution.fast", "wallet")
        names = (await client.place())["result"]
        await pass_time(clock, 0.1)
        order = (await socket.hear("order.linear"))["data"][0]
        assert (order["orderStatus"], order["orderId"]) == ("Filled", names["orderId"])


async def test_topics_of_which_nothing_comes(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        await socket.subscribe("wallet", "greeks", "dcp.future")
        ack = await socket.ask(op="subscribe", args=["wallet.linear"])
        assert not ack["success"]


async def test_the_whole_topic_and_a_part_of_it_exclude_each_other(
    sandbox: BybitSandbox, clock: ManualClock
) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        assert not (await socket.ask(op="subscribe", args=["order", "order.spot"]))["success"]


# --- the trade socket ---


async def _order(socket: Socket, op: str, body: dict[str, Any], **more: object) -> dict[str, Any]:
    time = str(int(socket.clock.now().timestamp() * 1000))
    return await socket.ask(op=op, header={"X-BAPI-TIMESTAMP": time}, args=[body], **more)


async def test_orders_over_the_socket(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "trade") as socket:
        asked = {**LIMIT, "qty": "0.01", "price": away(sandbox, "-5")}
        assert (await _order(socket, "order.create", asked))["retCode"] == 10007
        login = await socket.log_in()
        assert (login["retCode"], login["op"]) == (0, "auth") and "connId" in login
        assert (await socket.log_in())["retCode"] == 20001
        made = await _order(socket, "order.create", asked, reqId="one")
        assert (made["retCode"], made["reqId"]) == (0, "one")
        assert made["header"]["X-Bapi-Limit-Status"] == "9"
        assert (await _order(socket, "order.create", asked, reqId="one"))["retCode"] == 20006
        assert (await _order(socket, "order.close", asked))["retCode"] == 10404
        of = {"category": "linear", "symbol": "BTCUSDT", "orderId": made["data"]["orderId"]}
        assert (await _order(socket, "order.cancel", of))["retCode"] == 0
        again = await _order(socket, "order.cancel", of)
        assert (again["retCode"], again["data"]) == (110001, {})
        pong = await socket.ask(op="ping", reqId="7")
        assert (pong["op"], pong["retCode"], len(pong["data"])) == ("pong", 0, 1)
        assert "reqId" not in pong


async def test_the_socket_shares_the_limits_of_rest(
    sandbox: BybitSandbox, clock: ManualClock, client: Client
) -> None:
    async with open_socket(sandbox, clock, "trade") as socket:
        await socket.log_in()
        for _ in range(10):
            assert (await client.place(price=away(sandbox, "-5")))["retCode"] == 0
        asked = {**LIMIT, "qty": "0.01", "price": away(sandbox, "-5")}
        assert (await _order(socket, "order.create", asked))["retCode"] == 10006


async def test_a_clock_that_is_off(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "trade") as socket:
        await socket.log_in()
        sandbox.venue.ahead = 30
        asked = {**LIMIT, "qty": "0.01", "price": away(sandbox, "-5")}
        assert (await _order(socket, "order.create", asked))["retCode"] == 10002
