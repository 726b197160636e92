"""What is read: pages, windows, candles, books, and what every fill leaves of its order."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.bybit.sandbox.conftest import Client, Row, away
from tests.bybit.sandbox.sockets import open_socket, pass_time

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_bybit.sandbox.literals import order_id_text
from tradeforge_testing import ManualClock

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


async def candles(client: Client, interval: str = "1", **more: object) -> list[list[str]]:
    return await client.rows(
        "/v5/market/kline",
        **{"category": "linear", "symbol": "BTCUSDT", "interval": interval, **more},
    )


def starts(rows: list[list[str]]) -> list[int]:
    return [int(one[0]) for one in rows]


async def test_candles_come_newest_first_and_end_with_the_one_of_the_end(client: Client) -> None:
    end = client.now // MINUTE * MINUTE - 10 * MINUTE
    rows = await candles(client, start=end - 4 * MINUTE, end=end)
    assert starts(rows) == [end - number * MINUTE for number in range(5)]
    assert all(len(one) == 7 and all(isinstance(text, str) for text in one) for one in rows)


async def test_too_many_candles_are_cut_at_their_beginning(client: Client) -> None:
    end = client.now // MINUTE * MINUTE - 10 * MINUTE
    rows = await candles(client, start=end - 9 * MINUTE, end=end, limit=3)
    assert starts(rows) == [end, end - MINUTE, end - 2 * MINUTE]


async def test_a_start_alone_has_the_candles_that_follow_it(client: Client) -> None:
    start = client.now // MINUTE * MINUTE - 100 * MINUTE
    rows = await candles(client, start=start, limit=3)
    assert starts(rows) == [start + 2 * MINUTE, start + MINUTE, start]


@pytest.mark.parametrize(("interval", "weekday"), [("W", 0), ("D", None), ("M", None)])
async def test_long_candles_begin_with_the_calendar(
    client: Client, interval: str, weekday: int | None
) -> None:
    for start in starts(await candles(client, interval, limit=3)):
        time = datetime.fromtimestamp(start / 1000, UTC)
        assert (time.hour, time.minute, time.second) == (0, 0, 0)
        assert weekday is None or time.weekday() == weekday
        assert interval != "M" or time.day == 1


@pytest.mark.parametrize(
    ("start", "end"), [(1, 2), (5, 4), (253_402_214_400_000, 0), (10**15, 10**16)]
)
async def test_there_are_no_candles_outside_of_what_there_is(
    client: Client, start: int, end: int
) -> None:
    answer = await client.get(
        "/v5/market/kline", category="linear", symbol="BTCUSDT", interval="1", start=start, end=end
    )
    assert answer["retCode"] == 10001 or answer["result"]["list"] == []


async def test_a_wrong_interval_is_a_wrong_parameter(client: Client) -> None:
    answer = await client.get("/v5/market/kline", category="linear", symbol="BTCUSDT", interval="2")
    assert answer["retCode"] == 10001


@pytest.mark.parametrize("of", ["mark", "index", "premium-index"])
async def test_the_prices_of_a_contract_have_candles_without_a_volume(
    client: Client, of: str
) -> None:
    asked = {"category": "linear", "symbol": "BTCUSDT", "interval": "5", "limit": 3}
    rows = await client.rows(f"/v5/market/{of}-price-kline", **asked)
    traded = await candles(client, "5", limit=3)
    assert starts(rows) == starts(traded) and all(len(one) == 5 for one in rows)
    expected = ["0"] * 4 if of == "premium-index" else traded[0][1:5]
    assert rows[0][1:] == expected
    spot = await client.get(f"/v5/market/{of}-price-kline", **{**asked, "category": "spot"})
    assert spot["retCode"] == 10001


async def test_open_interest_comes_in_pages(client: Client) -> None:
    asked = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min", "limit": 2}
    path, end = "/v5/market/open-interest", client.now // (5 * MINUTE) * 5 * MINUTE
    window = {"startTime": end - 20 * MINUTE, "endTime": end}
    times, cursor = [], ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get(path, **asked, **window, **more))["result"]
        times += [int(one["timestamp"]) for one in page["list"]]
        if not (cursor := page["nextPageCursor"]):
            break
    assert times == [end - 5 * MINUTE * number for number in range(5)]
    assert len(await client.rows(path, **asked)) == 2
    assert (await client.get(path, **{**asked, "intervalTime": "2min"}))["retCode"] == 10001
    assert (await client.get(path, **{**asked, "category": "spot"}))["retCode"] == 10001


async def test_a_risk_limit_goes_with_the_position(client: Client) -> None:
    path = "/v5/market/risk-limit"
    (tier,) = await client.rows(path, category="linear", symbol="BTCUSDT")
    (position,) = await client.rows("/v5/position/list", category="linear", symbol="BTCUSDT")
    assert (tier["id"], tier["riskLimitValue"]) == (position["riskId"], position["riskLimitValue"])
    every = await client.rows(path, category="linear")
    assert [one["symbol"] for one in every] == ["BTCUSDT", "ETHUSDT"]
    assert (await client.get(path, category="spot"))["retCode"] == 10001


async def test_all_coins_are_collateral_in_the_one_mode_of_margin(client: Client) -> None:
    rows = await client.rows("/v5/account/collateral-info")
    assert [one["currency"] for one in rows if one["collateralSwitch"]] == ["BTC", "ETH", "USDT"]
    (one,) = await client.rows("/v5/account/collateral-info", currency="BTC")
    assert one["currency"] == "BTC"
    path = "/v5/account/set-margin-mode"
    info = (await client.get("/v5/account/info"))["result"]
    assert await client.done(path, setMarginMode=info["marginMode"]) == {"reasons": []}
    assert (await client.post(path, setMarginMode="ISOLATED_MARGIN"))["retCode"] == 3400045
    assert (await client.post(path, setMarginMode="CROSS"))["retCode"] == 10001


async def test_contracts_come_in_pages_and_spot_at_once(client: Client) -> None:
    path, seen, cursor = "/v5/market/instruments-info", [], ""
    while True:
        answer = await client.get(path, category="linear", limit=1, cursor=cursor)
        seen += [one["symbol"] for one in answer["result"]["list"]]
        cursor = answer["result"]["nextPageCursor"]
        if not cursor:
            break
    whole = await client.rows(path, category="linear")
    assert seen == [one["symbol"] for one in whole] and len(seen) > 1
    spot = await client.get(path, category="spot", limit=1)
    assert spot["result"].get("nextPageCursor", "") == ""
    assert len(spot["result"]["list"]) == len(await client.rows(path, category="spot"))


async def test_the_book_is_sorted_and_as_deep_as_asked(client: Client) -> None:
    answer = await client.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=3)
    bids, asks = ([Decimal(one[0]) for one in answer["result"][side]] for side in "ba")
    assert bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]
    assert len(bids) == len(asks) == 3
    usual = await client.get("/v5/market/orderbook", category="spot", symbol="BTCUSDT")
    assert len(usual["result"]["b"]) == 1


async def test_trades_come_newest_first(client: Client, sandbox: BybitSandbox) -> None:
    for _ in range(5):
        sandbox.exchange.advance()
    rows = await client.rows(
        "/v5/market/recent-trade", category="linear", symbol="BTCUSDT", limit=2
    )
    assert len(rows) == 2 and int(rows[0]["seq"]) > int(rows[1]["seq"])
    assert rows[0]["side"] in ("Buy", "Sell")


async def test_every_fill_tells_what_it_has_left_of_its_order(
    client: Client, sandbox: BybitSandbox, clock: ManualClock
) -> None:
    size = await _of_two_levels(client)
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        await socket.subscribe("execution")
        ack = await client.place("Buy", str(size))
        await pass_time(clock, 0.5)
        pushed: list[Row] = []
        while sum(Decimal(one["execQty"]) for one in pushed) < size:
            pushed += (await socket.hear("execution"))["data"]
    listed = await client.rows(
        "/v5/execution/list", category="linear", orderId=ack["result"]["orderId"]
    )
    for rows in (pushed, listed[::-1]):
        left = size
        for row in rows:
            left -= Decimal(row["execQty"])
            assert Decimal(row["leavesQty"]) == left
        assert len(rows) > 1 and left == 0


async def _of_two_levels(client: Client) -> Decimal:
    """More than the first level of the asks has, and less than the first two."""
    answer = await client.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=2)
    return sum((Decimal(one[1]) for one in answer["result"]["a"]), Decimal()) - Decimal("0.001")


async def test_a_name_is_overruled_by_an_id(client: Client, sandbox: BybitSandbox) -> None:
    names = [
        await client.place(price=away(sandbox, "-3"), orderLinkId=name) for name in ("one", "two")
    ]
    (row,) = await client.rows(
        "/v5/order/realtime",
        category="linear",
        orderId=names[0]["result"]["orderId"],
        orderLinkId="two",
    )
    assert row["orderLinkId"] == "one"


@pytest.mark.parametrize(
    "name", ["", "1", "x", "00000000-0000-4000-8000-{serial}", "{upper}", "{id}0", "-1", "{spot}"]
)
async def test_an_id_that_is_not_quite_one_finds_no_order(
    client: Client, sandbox: BybitSandbox, name: str
) -> None:
    ack = await client.place(price=away(sandbox, "-3"))
    right = ack["result"]["orderId"]
    (booked,) = sandbox.exchange.orders(sandbox.venue.account.id)
    spot = order_id_text(booked.id, spot=True)
    said = name.format(serial=right[-12:], upper=right.upper(), id=right, spot=spot)
    answer = await client.post(
        "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId=said
    )
    assert answer["retCode"] in (110001, 10001) and answer["result"] == {}
    assert (await client.order(right))["orderStatus"] == "New"


@pytest.mark.parametrize(
    "path", ["/v5/order/history", "/v5/execution/list", "/v5/position/closed-pnl"]
)
async def test_a_window_is_a_week_at_most_and_has_its_ends(
    client: Client, sandbox: BybitSandbox, clock: ManualClock, path: str
) -> None:
    await client.place("Buy")
    await client.place("Sell")
    made = client.now
    clock.advance(8 * DAY / 1000)
    linear = {"category": "linear", "symbol": "BTCUSDT"}
    assert await client.rows(path, **linear) == []
    assert await client.rows(path, **linear, startTime=made, endTime=made) != []
    assert await client.rows(path, **linear, startTime=made) != []
    assert await client.rows(path, **linear, startTime=made + 1, endTime=made + 2) == []
    wrong = await client.get(path, **linear, startTime=made + 2, endTime=made + 1)
    assert wrong["retCode"] == 10001


async def test_a_cursor_may_be_encoded_once_more(client: Client, sandbox: BybitSandbox) -> None:
    for _ in range(3):
        await client.place(price=away(sandbox, "-3"))
    whole = await client.rows("/v5/order/realtime", category="linear", symbol="BTCUSDT")
    first = await client.get("/v5/order/realtime", category="linear", symbol="BTCUSDT", limit=1)
    cursor = first["result"]["nextPageCursor"]
    query = f"category=linear&symbol=BTCUSDT&limit=1&cursor={cursor}"  # as it is, not encoded
    answer = await client.http.get(f"/v5/order/realtime?{query}", headers=client.headers(query))
    assert answer.json()["result"]["list"] == whole[1:2]
    again = await client.rows(
        "/v5/order/realtime", category="linear", symbol="BTCUSDT", limit=1, cursor=cursor
    )
    assert again == whole[1:2]


async def test_a_page_goes_on_where_it_ended_though_there_is_a_newer_order(
    client: Client, sandbox: BybitSandbox
) -> None:
    for _ in range(3):
        await client.place(price=away(sandbox, "-3"))
    whole = await client.rows("/v5/order/realtime", category="linear", symbol="BTCUSDT")
    first = await client.get("/v5/order/realtime", category="linear", symbol="BTCUSDT", limit=2)
    await client.place(price=away(sandbox, "-3"))
    rest = await client.rows(
        "/v5/order/realtime",
        category="linear",
        symbol="BTCUSDT",
        cursor=first["result"]["nextPageCursor"],
    )
    assert rest == whole[2:]


async def test_a_page_goes_on_though_the_order_that_it_ended_with_is_gone(
    client: Client, sandbox: BybitSandbox
) -> None:
    path, of = "/v5/order/realtime", {"category": "linear", "symbol": "BTCUSDT"}
    for _ in range(4):
        await client.place(price=away(sandbox, "-3"))
    whole = await client.rows(path, **of)
    first = (await client.get(path, **of, limit=2))["result"]
    await client.done("/v5/order/cancel", **of, orderId=first["list"][1]["orderId"])
    await client.done("/v5/order/cancel", **of, orderId=whole[2]["orderId"])
    assert await client.rows(path, **of, cursor=first["nextPageCursor"]) == whole[3:]
    for wrong in ("x", "1,", "1,2,3", "1,9" + "9" * 30):
        assert (await client.get(path, **of, cursor=wrong))["retCode"] == 10001


async def test_positions_come_in_pages(client: Client) -> None:
    await client.place()
    await client.place(symbol="ETHUSDT", qty="0.1")
    path, of = "/v5/position/list", {"category": "linear", "settleCoin": "USDT"}
    first = (await client.get(path, **of, limit=1))["result"]
    rest = await client.rows(path, **of, limit=1, cursor=first["nextPageCursor"])
    symbols = [one["symbol"] for one in (*first["list"], *rest)]
    assert symbols == ["BTCUSDT", "ETHUSDT"]
    whole = (await client.get(path, **of))["result"]
    assert whole["nextPageCursor"] != ""
    assert (await client.get(path, **of, cursor=whole["nextPageCursor"]))["result"]["list"] == []


async def test_the_wallet_has_the_coins_that_were_asked_for(client: Client) -> None:
    (row,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT,BTC")
    assert {one["coin"] for one in row["coin"]} == {"USDT", "BTC"}
    assert (await client.get("/v5/account/wallet-balance"))["retCode"] == 10001


async def test_an_order_of_no_size_closes_the_whole_position(
    client: Client, sandbox: BybitSandbox
) -> None:
    await client.place("Buy", "0.03")
    ack = await client.place("Sell", "0", reduceOnly=True, closeOnTrigger=True)
    order = await client.order(ack["result"]["orderId"])
    assert (order["orderStatus"], order["cumExecQty"]) == ("Filled", "0.03")
