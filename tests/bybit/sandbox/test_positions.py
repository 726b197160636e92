"""Positions: sizes and profits, leverage, both modes, triggers, and exits."""

from decimal import Decimal
from typing import Any

import pytest
from tests.bybit.sandbox.conftest import LINEAR, Client, away, last

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock

LIST, STOP = "/v5/position/list", "/v5/position/trading-stop"
OF = {"category": "linear", "symbol": "BTCUSDT"}


async def _position(client: Client, **of: object) -> dict[str, Any]:
    (row,) = await client.rows(LIST, **(of or OF))
    return dict(row)


async def test_a_flat_position_is_shown_for_a_symbol_only(client: Client) -> None:
    row = await _position(client)
    assert (row["side"], row["size"], row["seq"]) == ("", "0", -1)
    assert {row[name] for name in ("avgPrice", "markPrice", "positionStatus")} == {""}
    assert await client.rows(LIST, category="linear", settleCoin="USDT") == []
    assert (await client.get(LIST, category="linear"))["retCode"] == 10001


async def test_a_linear_position_gains_the_difference(
    client: Client, sandbox: BybitSandbox
) -> None:
    await client.place(qty="0.1")
    row = await _position(client)
    assert (row["side"], row["size"]) == ("Buy", "0.1")
    sandbox.exchange.move_to(LINEAR, last(sandbox) + 100)
    row = await _position(client)
    gained = (last(sandbox) - Decimal(row["avgPrice"])) * Decimal("0.1")
    assert Decimal(row["unrealisedPnl"]) == gained.quantize(Decimal("0.00000001"))
    balance = sandbox.venue.account.balance
    await client.place("Sell", "0.1", reduceOnly=True)
    fills = sandbox.exchange.fills(sandbox.venue.account.id)
    realized = sum(one.realized_pnl or 0 for one in fills)
    closing = sum(one.fees for one in fills if one.realized_pnl is not None)
    assert sandbox.venue.account.balance == balance + realized - closing


async def test_an_inverse_position_gains_coin(client: Client, sandbox: BybitSandbox) -> None:
    of = {"category": "inverse", "symbol": "BTCUSD"}
    before = sandbox.venue.account
    await client.place(qty="6000", **of)
    entry = Decimal((await _position(client, **of))["avgPrice"])
    sandbox.exchange.move_to("inverse:BTCUSD", Decimal(60_600))
    bought = sandbox.venue.account.coins["BTC"]
    await client.place("Sell", "6000", reduceOnly=True, **of)
    fills = sandbox.exchange.fills(sandbox.venue.account.id)
    realized = sum(one.realized_pnl or 0 for one in fills)
    values = [one.price * one.size for one in fills if one.realized_pnl is not None]
    exit_ = sum(values, Decimal(0)) / 6000
    assert float(realized) == pytest.approx(float(6000 / entry - 6000 / exit_), rel=1e-4)
    after = sandbox.venue.account
    closing = sum(one.fees for one in fills if one.realized_pnl is not None)
    assert after.coins["BTC"] == bought + realized - closing
    assert after.balance == before.balance


async def test_leverage_decides_how_much_can_be_held(client: Client, sandbox: BybitSandbox) -> None:
    path = "/v5/position/set-leverage"
    price = away(sandbox, "-0.5")
    big = {"qty": "30", "price": price}  # 1.8 million, with a margin of 180 thousand
    assert (await client.place(**big))["retCode"] == 110007
    assert (await client.post(path, **OF, buyLeverage="10", sellLeverage="10"))["retCode"] == 110043
    assert (await client.post(path, **OF, buyLeverage="101", sellLeverage="101"))["retCode"]
    await client.done(path, **OF, buyLeverage="50", sellLeverage="50")
    assert (await client.place(**big))["retCode"] == 0
    (wallet,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED")
    assert float(wallet["totalInitialMargin"]) > 30_000


async def test_both_sides_are_held_apart_in_hedge_mode(client: Client) -> None:
    path = "/v5/position/switch-mode"
    await client.done(path, **OF, mode=3)
    assert (await client.post(path, **OF, mode=3))["retCode"] == 110025
    assert (await client.place())["retCode"] == 10001
    assert (await client.place(positionIdx=1))["retCode"] == 0
    assert (await client.place("Sell", "0.02", positionIdx=2))["retCode"] == 0
    rows = await client.rows(LIST, **OF)
    held = [(one["positionIdx"], one["side"], one["size"]) for one in rows]
    assert held == [(1, "Buy", "0.01"), (2, "Sell", "0.02")]
    assert (await client.post(path, **OF, mode=0))["retCode"] == 110024
    await client.place("Sell", "0.01", positionIdx=1, reduceOnly=True)
    await client.place("Buy", "0.02", positionIdx=2, reduceOnly=True)
    await client.done(path, **OF, mode=0)


async def test_each_side_has_gained_what_its_own_fills_have(
    client: Client, sandbox: BybitSandbox
) -> None:
    await client.done("/v5/position/switch-mode", **OF, mode=3)
    await client.place(positionIdx=1)
    await client.place("Sell", "0.02", positionIdx=2)
    long, short = await client.rows(LIST, **OF)
    for row in (long, short):
        fees = Decimal(row["positionValue"]) * Decimal("0.00055")
        assert Decimal(row["curRealisedPnl"]) == Decimal(row["cumRealisedPnl"]) == -fees
    coin = await _usdt(client)
    gained = Decimal(long["cumRealisedPnl"]) + Decimal(short["cumRealisedPnl"])
    assert Decimal(coin["cumRealisedPnl"]) == gained


async def _usdt(client: Client) -> dict[str, Any]:
    (row,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT")
    return dict(row["coin"][0])


@pytest.mark.parametrize("closing", ["0.01", "0.03"])
async def test_a_new_position_has_gained_nothing_of_the_one_before(
    client: Client, clock: ManualClock, closing: str
) -> None:
    await client.place()
    first = await _position(client)
    clock.advance(7)
    await client.place("Sell", closing)
    await client.place("Sell")
    row = await _position(client)
    fees = Decimal(row["positionValue"]) * Decimal("0.00055")
    assert Decimal(row["curRealisedPnl"]) == pytest.approx(-fees, abs=Decimal("0.00000001"))
    assert Decimal(row["cumRealisedPnl"]) < Decimal(row["curRealisedPnl"])
    assert row["createdTime"] == first["createdTime"] < row["updatedTime"]
    assert str(row["openTime"]) == row["updatedTime"]


async def test_a_position_that_was_closed_keeps_when_it_was_first_there(client: Client) -> None:
    assert (await _position(client))["createdTime"] == ""
    await client.place()
    opened = await _position(client)
    await client.place("Sell")
    row = await _position(client)
    assert (row["size"], row["createdTime"]) == ("0", opened["createdTime"])
    assert (row["avgPrice"], row["positionStatus"]) == ("0", "Normal")
    assert row["seq"] > 0 and Decimal(row["curRealisedPnl"]) < 0


async def test_what_only_reduces_shrinks_with_the_position(
    client: Client, sandbox: BybitSandbox
) -> None:
    await client.place(qty="0.03")
    resting = (await client.place("Sell", "0.03", price=away(sandbox, "3"), reduceOnly=True))[
        "result"
    ]["orderId"]
    await client.place("Sell", "0.01")
    assert (await client.order(resting))["qty"] == "0.02"
    await client.place("Sell", "0.02")
    row = await client.order(resting)
    assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelByReduceOnly")


@pytest.mark.parametrize(("side", "direction", "way"), [("Buy", 2, "-1"), ("Sell", 1, "1")])
async def test_a_trigger_has_a_direction(
    client: Client, sandbox: BybitSandbox, side: str, direction: int, way: str
) -> None:
    trigger = away(sandbox, way)
    asked: dict[str, Any] = {
        "triggerPrice": trigger,
        "triggerDirection": direction,
        "price": trigger,
    }
    order_id = (await client.place(side, **asked))["result"]["orderId"]
    row = await client.order(order_id)
    assert (row["orderStatus"], row["stopOrderType"]) == ("Untriggered", "Stop")
    assert (row["triggerDirection"], row["triggerBy"]) == (direction, "LastPrice")
    sandbox.exchange.move_to(LINEAR, Decimal(trigger))
    row = await client.order(order_id)
    assert row["orderStatus"] in ("New", "PartiallyFilled", "Filled")


async def test_a_trigger_that_is_cancelled_is_deactivated(
    client: Client, sandbox: BybitSandbox
) -> None:
    asked: dict[str, Any] = {"triggerPrice": away(sandbox, "2"), "triggerDirection": 1}
    order_id = (await client.place(**asked))["result"]["orderId"]
    await client.done("/v5/order/cancel", **OF, orderId=order_id)
    assert (await client.order(order_id))["orderStatus"] == "Deactivated"


async def _exits(client: Client) -> dict[str, dict[str, Any]]:
    rows = await client.rows("/v5/order/realtime", category="linear", symbol="BTCUSDT")
    return {one["stopOrderType"]: one for one in rows}


async def test_exits_come_with_the_fill_and_end_each_other(
    client: Client, sandbox: BybitSandbox
) -> None:
    target, stop = away(sandbox, "2"), away(sandbox, "-2")
    await client.place(qty="0.02", takeProfit=target, stopLoss=stop)
    exits = await _exits(client)
    assert set(exits) == {"TakeProfit", "StopLoss"}
    assert {one["qty"] for one in exits.values()} == {"0.02"}
    assert exits["StopLoss"]["createType"] == "CreateByStopLoss"
    assert Decimal((await _position(client))["stopLoss"]) == Decimal(stop)
    await client.place(qty="0.01")
    assert {one["qty"] for one in (await _exits(client)).values()} == {"0.03"}
    sandbox.exchange.move_to(LINEAR, Decimal(stop))
    assert (await _position(client))["size"] == "0"
    assert await _exits(client) == {}
    row = await client.order(exits["TakeProfit"]["orderId"])
    assert row["cancelType"] == "CancelByTpSlTsClear"


async def test_exits_of_a_position_are_set_changed_and_taken_away(
    client: Client, sandbox: BybitSandbox
) -> None:
    of = {**OF, "tpslMode": "Full", "positionIdx": 0}
    assert (await client.post(STOP, **of, stopLoss=away(sandbox, "-2")))["retCode"] == 10001
    await client.place()
    await client.done(STOP, **of, stopLoss=away(sandbox, "-2"))
    assert (await client.post(STOP, **of, stopLoss=away(sandbox, "-2")))["retCode"] == 34040
    assert (await client.post(STOP, **of, stopLoss=away(sandbox, "2")))["retCode"] == 10001
    await client.done(STOP, **of, stopLoss=away(sandbox, "-3"), takeProfit=away(sandbox, "3"))
    exits = await _exits(client)
    assert Decimal(exits["StopLoss"]["triggerPrice"]) == Decimal(away(sandbox, "-3"))
    await client.done(STOP, **of, stopLoss="0")
    assert set(await _exits(client)) == {"TakeProfit"}


@pytest.mark.parametrize("exits", [{"takeProfit": "-1"}, {"stopLoss": "1"}])
async def test_an_exit_is_on_its_side(
    client: Client, sandbox: BybitSandbox, exits: dict[str, str]
) -> None:
    asked = {name: away(sandbox, percent) for name, percent in exits.items()}
    assert (await client.place(**asked))["retCode"] == 10001
