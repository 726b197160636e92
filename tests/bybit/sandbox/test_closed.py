"""What orders have closed, and what every fill has."""

from decimal import Decimal

import pytest
from tests.bybit.sandbox.conftest import LINEAR, Client, Row, away, last

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock

PATH = "/v5/position/closed-pnl"


async def closed(client: Client, **more: object) -> list[Row]:
    return await client.rows(PATH, **{"category": "linear", "symbol": "BTCUSDT", **more})


async def wallet(client: Client) -> Decimal:
    (row,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT")
    return Decimal(row["coin"][0]["walletBalance"])


async def test_nothing_is_closed_by_what_only_opens(client: Client) -> None:
    await client.place("Buy")
    assert await closed(client) == []


@pytest.mark.parametrize(("opens", "closes", "move"), [("Buy", "Sell", 1), ("Sell", "Buy", -1)])
async def test_a_round_trip_has_the_result_that_the_wallet_has(
    client: Client, sandbox: BybitSandbox, opens: str, closes: str, move: int
) -> None:
    before = await wallet(client)
    await client.place(opens, "0.02")
    sandbox.exchange.move_to(LINEAR, last(sandbox) + move * 100)
    ack = await client.place(closes, "0.02")
    (row,) = await closed(client)
    assert row["orderId"] == ack["result"]["orderId"] and row["side"] == closes
    assert (
        row["closedSize"] == "0.02" and Decimal(row["closedPnl"]) == await wallet(client) - before
    )
    entry, left = Decimal(row["cumEntryValue"]), Decimal(row["cumExitValue"])
    fees = Decimal(row["openFee"]) + Decimal(row["closeFee"])
    assert Decimal(row["closedPnl"]) == move * (left - entry) - fees
    assert Decimal(row["avgEntryPrice"]) == entry / Decimal("0.02")


async def test_a_fill_that_turns_a_position_has_closed_only_what_there_was(
    client: Client,
) -> None:
    await client.place("Buy", "0.02")
    ack = await client.place("Sell", "0.05")
    fills = await client.rows(
        "/v5/execution/list", category="linear", orderId=ack["result"]["orderId"]
    )
    assert sum(Decimal(one["closedSize"]) for one in fills) == Decimal("0.02")
    assert [one["closedSize"] for one in await closed(client)] == ["0.02"]


async def test_the_newest_closing_comes_first_in_pages(client: Client) -> None:
    await client.place("Buy", "0.03")
    acks = [await client.place("Sell", "0.01") for _ in range(3)]
    names = [one["result"]["orderId"] for one in acks][::-1]
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        answer = await client.get(PATH, category="linear", limit=1, cursor=cursor)
        seen += [one["orderId"] for one in answer["result"]["list"]]
        cursor = answer["result"]["nextPageCursor"]
    assert (seen, cursor) == (names, "")


async def test_spot_closes_nothing(client: Client) -> None:
    assert (await client.get(PATH, category="spot"))["retCode"] == 10001


async def test_a_window_of_more_than_a_week_is_refused(client: Client) -> None:
    day = 24 * 60 * 60 * 1000
    answer = await client.get(
        PATH, category="linear", startTime=client.now - 8 * day, endTime=client.now
    )
    assert answer["retCode"] == 10001


async def test_an_order_is_updated_by_its_fill(
    client: Client, sandbox: BybitSandbox, clock: ManualClock
) -> None:
    price = away(sandbox, "-1")
    ack = await client.place("Buy", price=price)
    clock.advance(60)
    sandbox.exchange.move_to(LINEAR, Decimal(price))
    order = await client.order(ack["result"]["orderId"])
    assert order["orderStatus"] == "Filled"
    assert int(order["updatedTime"]) == int(order["createdTime"]) + 60_000


async def test_a_market_order_of_spot_has_no_price(client: Client) -> None:
    ack = await client.place(category="spot", qty="100")
    assert (await client.order(ack["result"]["orderId"], "spot"))["price"] == "0"


async def test_a_fill_that_is_told_again_counts_once(client: Client, sandbox: BybitSandbox) -> None:
    await client.place("Buy", "0.02")
    ack = await client.place("Sell", "0.01")
    before = await client.order(ack["result"]["orderId"])
    account = sandbox.exchange.accounts()[0].id
    sandbox.exchange.void_fill(account, sandbox.exchange.fills(account)[0].id)
    after = await client.order(ack["result"]["orderId"])
    assert (after["cumExecValue"], after["cumExecFee"]) == (
        before["cumExecValue"],
        before["cumExecFee"],
    )
