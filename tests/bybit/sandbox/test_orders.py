"""Orders over REST: taken, refused, looked up, changed and taken back."""

from decimal import Decimal

import pytest
from tests.bybit.sandbox.conftest import SPOT, Client, away

from tradeforge_bybit.sandbox import BybitSandbox

CREATE, AMEND, CANCEL = "/v5/order/create", "/v5/order/amend", "/v5/order/cancel"


async def test_a_market_order_is_filled_with_a_fee_of_its_value(client: Client) -> None:
    names = (await client.place(qty="0.005", orderLinkId="mine-1"))["result"]
    assert names["orderLinkId"] == "mine-1"
    row = await client.order(names["orderId"])
    assert (row["orderStatus"], row["cumExecQty"], row["leavesQty"]) == ("Filled", "0.005", "0")
    fills = await client.rows("/v5/execution/list", category="linear", orderId=names["orderId"])
    assert sum(float(one["execQty"]) for one in fills) == pytest.approx(0.005)
    for one in fills:
        assert float(one["execFee"]) == pytest.approx(float(one["execValue"]) * 0.00055)
        assert (one["feeCurrency"], one["isMaker"]) == ("USDT", False)


async def test_a_limit_rests_is_changed_and_cancelled(
    client: Client, sandbox: BybitSandbox
) -> None:
    names = (await client.place(price=away(sandbox, "-5"), timeInForce="PostOnly"))["result"]
    assert names["orderLinkId"] == ""
    assert (await client.order(names["orderId"]))["orderStatus"] == "New"
    of = {"category": "linear", "symbol": "BTCUSDT", "orderId": names["orderId"]}
    await client.done(AMEND, **of, qty="0.02", price=away(sandbox, "-6"))
    row = await client.order(names["orderId"])
    assert (row["qty"], row["price"]) == ("0.02", away(sandbox, "-6").rstrip("0").rstrip("."))
    await client.done(CANCEL, **of)
    row = await client.order(names["orderId"])
    told = (row["orderStatus"], row["cancelType"], row["rejectReason"])
    assert told == ("Cancelled", "CancelByUser", "EC_PerCancelRequest")
    assert (await client.post(CANCEL, **of))["retCode"] == 110001


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"category": "option"}, 10001),
        ({"symbol": "XYZUSDT"}, 10001),
        ({"side": "buy"}, 10001),
        ({"orderType": "market"}, 10001),
        ({"qty": 0.01}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": "0.0005"}, 10001),
        ({"qty": "NaN"}, 10001),
        ({"qty": "1e99999"}, 10001),
        ({"qty": "5000"}, 10001),
        ({"price": "59000.05"}, 10001),
        ({"price": "-1"}, 10001),
        ({"price": "100", "qty": "0.001"}, 110094),
        ({"price": "70000"}, 30208),
        ({"side": "Sell", "price": "50000"}, 30209),
        ({"qty": "100", "price": "59000"}, 110007),
        ({"reduceOnly": True}, 110017),
        ({"positionIdx": 1}, 10001),
        ({"timeInForce": "DAY"}, 10001),
        ({"orderLinkId": "with space"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"triggerPrice": "61000"}, 10001),
        ({"triggerPrice": "59000", "triggerDirection": 1}, 110092),
        ({"triggerPrice": "61000", "triggerDirection": 2}, 110093),
    ],
)
async def test_what_is_wrong_has_a_code_and_books_nothing(
    client: Client, sandbox: BybitSandbox, changes: dict[str, object], code: int
) -> None:
    changed = {"side": "Buy", "qty": "0.01"} | changes
    answer = await client.place(**changed)  # type: ignore[arg-type]
    assert answer["retCode"] == code, answer
    assert sandbox.exchange.orders(sandbox.venue.account.id) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "XYZUSDT"}, 170121),
        ({"side": "buy"}, 170117),
        ({"orderType": "market"}, 170116),
        ({"timeInForce": "DAY"}, 170115),
        ({"side": "Sell", "qty": "0.0000001"}, 170137),
        ({"side": "Sell", "qty": "0"}, 170136),
        ({"price": "59000.05"}, 170134),
        ({"price": "100", "qty": "0.001"}, 170140),
        ({"qty": "4"}, 170140),
        ({"price": "70000", "qty": "0.1"}, 170193),
        ({"side": "Sell", "price": "50000", "qty": "1"}, 170194),
        ({"side": "Sell", "qty": "3"}, 170131),
        ({"price": "59900", "qty": "10"}, 170131),
        ({"qty": "0.0001", "price": "59999", "side": "Sell", "orderLinkId": "*"}, 10001),
    ],
)
async def test_spot_has_codes_of_its_own(
    client: Client, sandbox: BybitSandbox, changes: dict[str, object], code: int
) -> None:
    changed = {"side": "Buy", "qty": "100", "category": "spot"} | changes
    answer = await client.place(**changed)  # type: ignore[arg-type]
    assert answer["retCode"] == code, answer
    assert sandbox.exchange.orders(sandbox.venue.account.id) == []


@pytest.mark.parametrize(("category", "code"), [("linear", 110072), ("spot", 170141)])
async def test_a_name_is_used_once(
    client: Client, sandbox: BybitSandbox, category: str, code: int
) -> None:
    asked = {"category": category, "price": away(sandbox, "-5"), "orderLinkId": "once"}
    assert (await client.place(**asked))["retCode"] == 0
    assert (await client.place(**asked))["retCode"] == code


async def test_post_only_that_would_take_is_acknowledged_and_cancelled(
    client: Client, sandbox: BybitSandbox
) -> None:
    answer = await client.place(price=away(sandbox, "0.5"), timeInForce="PostOnly")
    assert answer["retCode"] == 0
    row = await client.order(answer["result"]["orderId"])
    assert row["orderStatus"] == "Cancelled"
    assert row["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"


@pytest.mark.parametrize(
    ("time", "filled", "reason"),
    [("IOC", True, "EC_CancelForNoFullFill"), ("FOK", False, "EC_NoEnoughQtyToFill")],
)
async def test_what_cannot_be_filled_at_once_is_cancelled(
    client: Client, sandbox: BybitSandbox, time: str, filled: bool, reason: str
) -> None:
    ask = str(sandbox.exchange.quote("linear:BTCUSDT").ask)
    answer = await client.place(qty="10", price=ask, timeInForce=time)
    row = await client.order(answer["result"]["orderId"])
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", reason)
    assert (row["cumExecQty"] != "0") == filled


async def test_a_spot_buy_counts_money_and_pays_its_fee_in_coin(
    client: Client, sandbox: BybitSandbox
) -> None:
    before = sandbox.venue.account
    answer = await client.place(category="spot", qty="50")
    names = answer["result"]
    assert names["orderId"].isdigit() and names["orderLinkId"].isdigit()
    row = await client.order(names["orderId"], "spot")
    assert (row["orderStatus"], row["qty"]) == ("PartiallyFilledCanceled", "50")
    assert row["rejectReason"] == "EC_CancelForNoFullFill"
    assert 0 < float(row["leavesValue"]) < 0.1
    assert set(row["cumFeeDetail"]) == {"BTC"}
    assert not {"createType", "tpslMode"} & set(row)
    assert (row["lastPriceOnCreated"], row["ocoTriggerBy"]) == ("", "OcoTriggerByUnknown")
    assert row["triggerPrice"] == row["takeProfit"] == row["stopLoss"] == "0.00"
    after = sandbox.venue.account
    assert before.balance - after.balance == pytest.approx(50, abs=0.1)
    got = float(after.coins["BTC"] - before.coins["BTC"])
    assert got == pytest.approx(float(row["cumExecQty"]) * 0.999, abs=1e-8)


@pytest.mark.parametrize(("side", "more"), [("Buy", {}), ("Sell", {"marketUnit": "quoteCoin"})])
async def test_money_is_counted_behind_a_trigger_too(
    client: Client, sandbox: BybitSandbox, side: str, more: dict[str, str]
) -> None:
    of = {"category": "spot", "symbol": "BTCUSDT"}
    asked = {**of, "triggerPrice": away(sandbox, "1", SPOT), "orderFilter": "StopOrder", **more}
    order_id = (await client.place(side, "300", **asked))["result"]["orderId"]
    row = await client.order(order_id, "spot")
    assert (row["qty"], row["leavesQty"], row["marketUnit"]) == ("300", "300", "quoteCoin")
    await client.done(AMEND, **of, orderId=order_id, qty="500")
    assert (await client.order(order_id, "spot"))["qty"] == "500"
    assert (await client.post(AMEND, **of, orderId=order_id, qty="0.01"))["retCode"] == 170140
    sandbox.exchange.move_to(SPOT, Decimal(away(sandbox, "1.02", SPOT)))
    row = await client.order(order_id, "spot")
    assert row["orderStatus"] == "PartiallyFilledCanceled"
    assert 498 < float(row["cumExecValue"]) < 500
    left = Decimal(500) - Decimal(row["cumExecValue"])
    assert (Decimal(row["leavesValue"]), row["leavesQty"]) == (left, "0")
    assert (await client.place(side, "1", **asked))["retCode"] == 170140


async def test_spot_locks_what_its_orders_may_cost(client: Client, sandbox: BybitSandbox) -> None:
    price = away(sandbox, "-5", SPOT)
    await client.place(category="spot", price=price, qty="0.1")
    (wallet,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT")
    assert float(wallet["coin"][0]["locked"]) == pytest.approx(float(price) / 10)


async def test_cancel_all_needs_to_know_of_what(client: Client, sandbox: BybitSandbox) -> None:
    path = "/v5/order/cancel-all"
    assert (await client.post(path, category="linear"))["retCode"] == 10001
    ids = [(await client.place(price=away(sandbox, "-5")))["result"]["orderId"] for _ in range(3)]
    result = await client.done(path, category="linear", settleCoin="USDT")
    assert [one["orderId"] for one in result["list"]] == ids
    assert result["success"] == "1"
    assert await client.rows("/v5/order/realtime", category="linear", symbol="BTCUSDT") == []


async def test_spot_keeps_orders_with_a_trigger_apart(
    client: Client, sandbox: BybitSandbox
) -> None:
    path, of = "/v5/order/realtime", {"category": "spot", "symbol": "BTCUSDT"}
    asked = {"qty": "0.01", "price": away(sandbox, "3", SPOT)}
    waiting = {**asked, "triggerPrice": away(sandbox, "2", SPOT), "category": "spot"}
    ids = {
        kind: (await client.place(**waiting, orderFilter=kind))["result"]["orderId"]
        for kind in ("StopOrder", "tpslOrder")
    }
    for kind, shown in (("StopOrder", "Stop"), ("tpslOrder", "tpslOrder")):
        (row,) = await client.rows(path, **of, orderFilter=kind)
        assert (row["orderId"], row["stopOrderType"]) == (ids[kind], shown)
    assert (await client.place(**waiting, orderFilter="Stop"))["retCode"] == 170201
    cancel = "/v5/order/cancel"
    assert (await client.post(cancel, **of, orderId=ids["StopOrder"]))["retCode"] == 170213
    await client.done(cancel, **of, orderId=ids["StopOrder"], orderFilter="StopOrder")
    result = await client.done("/v5/order/cancel-all", **of, orderFilter="StopOrder")
    assert result["list"] == []
    result = await client.done("/v5/order/cancel-all", **of, orderFilter="tpslOrder")
    assert [one["orderId"] for one in result["list"]] == [ids["tpslOrder"]]


async def test_a_batch_succeeds_though_its_orders_may_not(
    client: Client, sandbox: BybitSandbox
) -> None:
    good = {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.01",
        "price": away(sandbox, "-5"),
    }
    bad = good | {"qty": "0.0001", "orderLinkId": "bad"}
    answer = await client.post("/v5/order/create-batch", category="linear", request=[good, bad])
    first, second = answer["result"]["list"]
    assert first["orderId"] and not second["orderId"]
    assert [one["code"] for one in answer["retExtInfo"]["list"]] == [0, 10001]
    assert second["orderLinkId"] == "bad"
    asked = [{"symbol": "BTCUSDT", "orderId": first["orderId"]}] * 2
    answer = await client.post("/v5/order/cancel-batch", category="linear", request=asked)
    assert [one["code"] for one in answer["retExtInfo"]["list"]] == [0, 110001]


async def test_pages_follow_each_other(client: Client, sandbox: BybitSandbox) -> None:
    """The last one that has a row leads to an empty one."""
    ids = [(await client.place(price=away(sandbox, "-5")))["result"]["orderId"] for _ in range(5)]
    pages: list[list[str]] = []
    cursor = ""
    while not pages or cursor:
        answer = await client.get(
            "/v5/order/realtime", category="linear", symbol="BTCUSDT", limit=2, cursor=cursor
        )
        pages.append([one["orderId"] for one in answer["result"]["list"]])
        cursor = answer["result"]["nextPageCursor"]
    newest = ids[::-1]
    assert pages == [newest[:2], newest[2:4], newest[4:], []]


async def test_an_order_without_a_fill_is_forgotten_after_a_day(
    client: Client, sandbox: BybitSandbox
) -> None:
    filled = (await client.place())["result"]["orderId"]
    gone = (await client.place(price=away(sandbox, "-5")))["result"]["orderId"]
    await client.done(CANCEL, category="linear", symbol="BTCUSDT", orderId=gone)
    path = "/v5/order/history"
    rows = await client.rows(path, category="linear")
    assert [one["orderId"] for one in rows] == [gone, filled]
    sandbox.exchange.close_market()
    client.clock.advance(86_401)
    assert [one["orderId"] for one in await client.rows(path, category="linear")] == [filled]
    client.clock.advance(7 * 86_400)
    assert await client.rows(path, category="linear") == []
    week = 7 * 86_400_000
    start = client.now - 8 * 86_400_000 - 10_000
    rows = await client.rows(path, category="linear", startTime=start, endTime=start + week)
    assert [one["orderId"] for one in rows] == [filled]
    too_long = {"startTime": start, "endTime": start + week + 1}
    assert (await client.get(path, category="linear", **too_long))["retCode"] == 10001
