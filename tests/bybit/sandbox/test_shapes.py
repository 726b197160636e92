"""The members of what the sandbox says, and their types, beside those of captured messages."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.bybit.sandbox.conftest import LINEAR, Client, away, last
from tests.bybit.sandbox.sockets import Socket, open_socket, pass_time

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock

FOLDER = Path(__file__).parents[4] / "shared" / "payloads" / "bybit"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the captured messages are not on this machine"
)

BTC = {"category": "linear", "symbol": "BTCUSDT"}
SPOT = {"category": "spot", "symbol": "BTCUSDT"}
LOOSE = frozenset({"cumFeeDetail", "permissions"})
"""Objects whose members are names of coins or rights."""


def captured(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())["payload"]


def differences(true: Any, said: Any, where: str = "") -> list[str]:
    """What a captured message has and the sandbox has not, or has as another type."""
    if isinstance(true, list) and isinstance(said, list):
        if true and said:
            return differences(true[0], said[0], f"{where}[0]")
        return [f"{where} is empty"] if true else []
    if isinstance(true, Mapping) and isinstance(said, Mapping):
        lines = [] if where.rpartition(".")[2] in LOOSE else _of_members(true, said, where)
        return lines
    same = type(true) is type(said) or true is None or said is None
    return [] if same else [f"{where} is {said!r}, and {true!r} was captured"]


def _of_members(true: Mapping[str, Any], said: Mapping[str, Any], where: str) -> list[str]:
    lines = [f"{where}.{name} is missing" for name in true if name not in said]
    for name in true.keys() & said.keys():
        lines += differences(true[name], said[name], f"{where}.{name}")
    return lines


GETS: dict[str, tuple[str, dict[str, Any]]] = {
    "rest_account_info": ("/v5/account/info", {}),
    "rest_closed_pnl_linear": ("/v5/position/closed-pnl", BTC),
    "rest_execution_list_linear": ("/v5/execution/list", {"category": "linear"}),
    "rest_execution_list_spot": ("/v5/execution/list", {"category": "spot"}),
    "rest_fee_rate": ("/v5/account/fee-rate", {"category": "linear"}),
    "rest_instruments_linear": ("/v5/market/instruments-info", {"category": "linear"}),
    "rest_instruments_spot": ("/v5/market/instruments-info", {"category": "spot"}),
    "rest_kline_linear_1h": ("/v5/market/kline", {**BTC, "interval": "60"}),
    "rest_market_time": ("/v5/market/time", {}),
    "rest_order_history_linear_cancelled_by_user": ("/v5/order/history", {"category": "linear"}),
    "rest_order_history_linear_market_filled": ("/v5/order/history", {"category": "linear"}),
    "rest_orderbook_linear": ("/v5/market/orderbook", BTC),
    "rest_position_list_linear": ("/v5/position/list", BTC),
    "rest_recent_trade_linear": ("/v5/market/recent-trade", BTC),
    "rest_tickers_linear": ("/v5/market/tickers", BTC),
    "rest_tickers_spot": ("/v5/market/tickers", SPOT),
    "rest_user_query_api": ("/v5/user/query-api", {}),
    "rest_wallet_balance_unified": (
        "/v5/account/wallet-balance",
        {"accountType": "UNIFIED"},
    ),
}


@pytest.mark.parametrize("name", GETS)
async def test_what_is_asked_for(client: Client, sandbox: BybitSandbox, name: str) -> None:
    sandbox.exchange.move_to(LINEAR, last(sandbox) + 1)
    await client.place("Sell", "0.02")
    await client.place("Buy", "0.01")
    await client.place(category="spot", qty="50")
    path, params = GETS[name]
    assert differences(captured(name), await client.get(path, **params)) == []


async def test_acknowledgements(client: Client, sandbox: BybitSandbox) -> None:
    said = await client.place(category="spot", qty="50")
    assert differences(captured("rest_order_create_spot_ack"), said) == []
    one = {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.01",
        "price": away(sandbox, "-5"),
    }
    said = await client.post("/v5/order/create-batch", category="linear", request=[one])
    assert differences(captured("rest_order_create_batch_ack"), said) == []
    asked = [{"symbol": "BTCUSDT", "orderId": said["result"]["list"][0]["orderId"]}]
    said = await client.post("/v5/order/cancel-batch", category="linear", request=asked)
    assert differences(captured("rest_order_cancel_batch_partial_error"), said) == []


async def test_private_messages(client: Client, sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        await socket.subscribe("order", "execution", "wallet")
        await client.place()
        await pass_time(clock, 0.1)
        heard: dict[str, Any] = {}
        while len(heard) < 3:
            message = await socket.hear()
            heard[message["topic"]] = message
        for topic in ("order", "execution", "wallet"):
            assert differences(captured(f"ws_{topic}"), heard[topic], topic) in ([], _UNTAXED)


_UNTAXED = ["execution.data[0].extraFees is empty"]


async def test_public_messages(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("publicTrade.BTCUSDT", "kline.5.BTCUSDT")
        sandbox.exchange.move_to(LINEAR, last(sandbox) + 1)
        await pass_time(clock, 0.1)
        trade = await socket.hear("publicTrade.BTCUSDT")
        assert differences(captured("ws_public_trade"), trade) == []
        assert differences(captured("ws_kline"), await socket.hear("kline.5.BTCUSDT")) == []


async def test_control_frames(sandbox: BybitSandbox, clock: ManualClock) -> None:
    frames = captured("ws_control_frames")
    async with open_socket(sandbox, clock, "private") as socket:
        assert differences(frames["private_auth_ok"], await socket.log_in()) == []
        ack = await socket.ask(op="subscribe", args=["order"])
        assert differences(frames["subscribe_ack_private"], ack) == []
        pong = await socket.ask(op="ping", req_id="2")
        assert differences(frames["pong_private"], pong) == []
        bad = await socket.ask(op="", args=None)
        assert differences(frames["bad_op_error"], bad) == []
    async with open_socket(sandbox, clock, "trade") as socket:
        assert differences(frames["trade_auth_ok"], await socket.log_in()) == []
        assert differences(frames["pong_trade"], await socket.ask(op="ping")) == []
    for category in ("spot", "linear"):
        async with open_socket(sandbox, clock, f"public/{category}") as socket:
            assert await _public(socket, frames, category) == []


async def _public(socket: Socket, frames: Any, category: str) -> list[str]:
    ack = await socket.ask(op="subscribe", args=["tickers.BTCUSDT"], req_id="1")
    assert (await socket.hear())["type"] == "snapshot"
    pong = await socket.ask(op="ping")
    return [
        *differences(frames[f"subscribe_ack_public_{category}"], ack),
        *differences(frames[f"pong_public_{category}"], pong),
    ]
