"""Exits that belong to one order, in the venue's mode `Partial`."""

from decimal import Decimal
from typing import Any

import pytest
from tests.bybit.sandbox.conftest import LINEAR, Client, away, last

from tradeforge_bybit.sandbox import BybitSandbox

OF: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
CANCEL, AMEND = "/v5/order/cancel", "/v5/order/amend"


async def _exits(client: Client, *, open_only: str = "0") -> list[dict[str, Any]]:
    rows = await client.rows("/v5/order/realtime", **OF, openOnly=open_only)
    return [one for one in rows if one["stopOrderType"].startswith("Partial")]


async def _enter(client: Client, sandbox: BybitSandbox, name: str = "", **more: str) -> str:
    exits = {"takeProfit": away(sandbox, "2"), "stopLoss": away(sandbox, "-2")}
    answer = await client.place(orderLinkId=name, tpslMode="Partial", **{**exits, **more})
    assert answer["retCode"] == 0, answer
    return str(answer["result"]["orderId"])


async def test_each_order_has_exits_of_its_own(client: Client, sandbox: BybitSandbox) -> None:
    await _enter(client, sandbox, "one", qty="0.02")
    await _enter(client, sandbox, "two", qty="0.03", takeProfit=away(sandbox, "4"))
    told = {
        (one["parentOrderLinkId"], one["stopOrderType"], one["qty"]) for one in await _exits(client)
    }
    assert told == {
        ("one", "PartialTakeProfit", "0.02"),
        ("one", "PartialStopLoss", "0.02"),
        ("two", "PartialTakeProfit", "0.03"),
        ("two", "PartialStopLoss", "0.03"),
    }
    for row in await _exits(client):
        assert (row["orderStatus"], row["side"], row["reduceOnly"]) == ("Untriggered", "Sell", True)
        assert row["createType"] == f"CreateBy{row['stopOrderType']}"
        rises = row["stopOrderType"] == "PartialTakeProfit"
        assert row["triggerDirection"] == (1 if rises else 2)


async def test_one_exit_ends_the_other_of_its_order_only(
    client: Client, sandbox: BybitSandbox
) -> None:
    await _enter(client, sandbox, "one", qty="0.02")
    await _enter(client, sandbox, "two", qty="0.03", takeProfit=away(sandbox, "4"))
    sandbox.exchange.move_to(LINEAR, last(sandbox) * 103 / 100 // 1)
    assert {one["parentOrderLinkId"] for one in await _exits(client)} == {"two"}
    ended = {one["stopOrderType"]: one for one in await _exits(client, open_only="1")}
    assert ended["PartialTakeProfit"]["orderStatus"] == "Filled"
    stop = ended["PartialStopLoss"]
    assert stop["cancelType"] == "CancelByOCOSlCanceledByTpTriggered"
    (row,) = await client.rows("/v5/position/list", **OF)
    assert row["size"] == "0.03"


async def test_before_the_fill_there_is_no_exit(client: Client, sandbox: BybitSandbox) -> None:
    entry = await _enter(client, sandbox, price=away(sandbox, "-1"), qty="0.02")
    assert await _exits(client) == []
    account = sandbox.exchange.accounts()[0].id
    (booked, *_) = sandbox.exchange.orders(account)
    sandbox.exchange.fill_order(account, booked.id, 10)
    row = await client.order(entry)
    assert (row["orderStatus"], row["tpslMode"]) == ("PartiallyFilled", "Partial")
    assert {one["qty"] for one in await _exits(client)} == {row["cumExecQty"]}
    await client.done(CANCEL, **OF, orderId=entry)
    assert len(await _exits(client)) == 2


async def test_an_entry_that_never_fills_leaves_nothing(
    client: Client, sandbox: BybitSandbox
) -> None:
    entry = await _enter(client, sandbox, price=away(sandbox, "-1"))
    await client.done(CANCEL, **OF, orderId=entry)
    assert await _exits(client) == []
    assert await _exits(client, open_only="1") == []


async def test_exits_are_no_larger_than_what_is_held(client: Client, sandbox: BybitSandbox) -> None:
    await _enter(client, sandbox, qty="0.05")
    await client.place("Sell", qty="0.03", reduceOnly=True)
    assert {one["qty"] for one in await _exits(client)} == {"0.02"}
    await client.place("Sell", qty="0.02", reduceOnly=True)
    assert await _exits(client) == []
    ended = await _exits(client, open_only="1")
    assert {one["cancelType"] for one in ended} == {"CancelByTpSlTsClear"}


async def test_an_exit_is_moved_and_cancelled_by_its_own_id(
    client: Client, sandbox: BybitSandbox
) -> None:
    await _enter(client, sandbox)
    exits = {one["stopOrderType"]: one["orderId"] for one in await _exits(client)}
    stop = exits["PartialStopLoss"]
    await client.done(AMEND, **OF, orderId=stop, triggerPrice=away(sandbox, "-3"))
    assert Decimal((await client.order(stop))["triggerPrice"]) == Decimal(away(sandbox, "-3"))
    await client.done(CANCEL, **OF, orderId=stop)
    row = await client.order(stop)
    assert (row["orderStatus"], row["cancelType"]) == ("Deactivated", "CancelByUser")
    assert [one["orderId"] for one in await _exits(client)] == [exits["PartialTakeProfit"]]


async def test_a_take_profit_may_have_a_limit(client: Client, sandbox: BybitSandbox) -> None:
    limit = away(sandbox, "2")
    await _enter(client, sandbox, tpOrderType="Limit", tpLimitPrice=limit)
    exits = {one["stopOrderType"]: one for one in await _exits(client)}
    assert exits["PartialTakeProfit"]["orderType"] == "Limit"
    assert Decimal(exits["PartialTakeProfit"]["price"]) == Decimal(limit)
    assert exits["PartialStopLoss"]["orderType"] == "Market"


@pytest.mark.parametrize(
    "wrong",
    [
        {"tpOrderType": "Limit"},
        {"takeProfit": "1"},
        {"stopLoss": "0.05"},
        {"tpslMode": "Half"},
        {"slOrderType": "Stop"},
    ],
)
async def test_what_is_no_exit_is_refused(
    client: Client, sandbox: BybitSandbox, wrong: dict[str, str]
) -> None:
    exits = {"takeProfit": away(sandbox, "2"), "stopLoss": away(sandbox, "-2")}
    answer = await client.place(**{"tpslMode": "Partial", **exits, **wrong})
    assert answer["retCode"] == 10001
    assert await client.rows("/v5/order/realtime", **OF) == []
