"""What a fill leaves behind: a position, a trade, a balance; and closing again."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox.refusals import CLOSE, CLOSE_PART

Call = Callable[..., Awaitable[dict[str, Any]]]
MNQ, MES = "CON.F.US.MNQ.H26", "CON.F.US.MES.H26"
HELD = {"accountId": 1001, "contractId": MNQ}
SINCE = {"accountId": 1001, "startTimestamp": "2026-03-02T00:00:00Z"}
OK = {"success": True, "errorCode": 0, "errorMessage": None}


def _failure(code: int) -> dict[str, Any]:
    return {"success": False, "errorCode": code, "errorMessage": None}


async def _positions(call: Call) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await call("Position/searchOpen", accountId=1001))["positions"]
    return rows


@pytest.mark.parametrize(("side", "kind"), [(0, 1), (1, 2)])
async def test_a_position_has_the_members_of_the_venue(
    call: Call, place: Call, exchange: Exchange, side: int, kind: int
) -> None:
    await place(side=side, size=2)
    (position,) = await _positions(call)
    (held,) = exchange.positions(1001)
    assert position == {
        "id": held.id,
        "accountId": 1001,
        "contractId": MNQ,
        "contractDisplayName": "MNQH26",
        "creationTimestamp": "2026-03-02T14:30:00+00:00",
        "type": kind,
        "size": 2,
        "averagePrice": float(held.average_price),
    }


async def test_without_a_position_there_is_no_row(call: Call) -> None:
    assert await _positions(call) == []


@pytest.mark.parametrize("path", ["Position/searchOpen", "Trade/search"])
async def test_an_unknown_account_is_code_1(call: Call, path: str) -> None:
    answer = await call(path, **(SINCE | {"accountId": 9}))
    assert (answer["success"], answer["errorCode"]) == (False, 1)


async def test_closing_is_an_order_without_a_tag_and_leaves_working_orders(
    call: Call, place: Call
) -> None:
    await place(size=2, customTag="entry")
    working = (await place(type=1, side=1, size=2, limitPrice=30000))["orderId"]
    assert await call("Position/closeContract", **HELD) == OK
    assert await _positions(call) == []
    last = (await call("Order/search", **SINCE))["orders"][-1]
    assert (last["type"], last["side"], last["size"], last["customTag"]) == (2, 1, 2, None)
    assert [one["id"] for one in (await call("Order/searchOpen", accountId=1001))["orders"]] == [
        working
    ]


async def test_a_part_can_be_closed(call: Call, place: Call) -> None:
    await place(size=3)
    assert await call("Position/partialCloseContract", **HELD, size=1) == OK
    assert [one["size"] for one in await _positions(call)] == [2]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"accountId": 9}, 1),
        ({"contractId": MES}, 2),
        ({"accountId": 1002}, 2),
        ({"contractId": "CON.F.US.XYZ.H26"}, 3),
    ],
)
@pytest.mark.parametrize("path", ["closeContract", "partialCloseContract"])
async def test_what_is_not_held_cannot_be_closed(
    call: Call, place: Call, path: str, change: dict[str, Any], code: int
) -> None:
    await place()
    answer = await call(f"Position/{path}", **(HELD | {"size": 1} | change))
    assert answer == _failure(code)
    assert len(await _positions(call)) == 1


@pytest.mark.parametrize("size", [0, -1, 4])
async def test_a_part_must_be_a_part(call: Call, place: Call, size: int) -> None:
    await place(size=3)
    assert await call("Position/partialCloseContract", **HELD, size=size) == _failure(5)
    assert [one["size"] for one in await _positions(call)] == [3]


@pytest.mark.parametrize(("path", "code"), [("closeContract", 5), ("partialCloseContract", 6)])
async def test_closing_is_rejected_while_the_market_is_closed(
    call: Call, place: Call, exchange: Exchange, path: str, code: int
) -> None:
    await place()
    exchange.close_market()
    assert await call(f"Position/{path}", **HELD, size=1) == _failure(code)
    assert len(await _positions(call)) == 1


def test_the_codes_of_a_partial_close_are_shifted_from_5_on() -> None:
    for reason, (code, _) in CLOSE.items():
        assert CLOSE_PART[reason][0] == (code if code < 5 else code + 1)


async def test_trades_come_newest_first_and_the_opening_one_has_no_profit(
    call: Call, place: Call, exchange: Exchange, clock: ManualClock
) -> None:
    order_id = (await place(size=2))["orderId"]
    clock.advance(1)
    exchange.move_to(MNQ, exchange.quote(MNQ).last + 10)
    await call("Position/closeContract", **HELD)
    closing, opening = (await call("Trade/search", **SINCE))["trades"]
    assert opening == {
        "id": opening["id"],
        "accountId": 1001,
        "contractId": MNQ,
        "creationTimestamp": "2026-03-02T14:30:00+00:00",
        "price": opening["price"],
        "profitAndLoss": None,
        "fees": 0.72,
        "commissions": 0.5,
        "side": 0,
        "size": 2,
        "voided": False,
        "orderId": order_id,
    }
    gain = (closing["price"] - opening["price"]) / 0.25 * 0.5 * 2
    assert (closing["side"], closing["profitAndLoss"]) == (1, gain)
    assert gain > 0


async def test_the_balance_moves_by_profit_less_fees_and_commissions(
    call: Call, place: Call, exchange: Exchange
) -> None:
    await place()
    exchange.move_to(MNQ, exchange.quote(MNQ).last - 20)
    await call("Position/closeContract", **HELD)
    trades = (await call("Trade/search", **SINCE))["trades"]
    change = sum(
        Decimal(str(one["profitAndLoss"] or 0))
        - Decimal(str(one["fees"]))
        - Decimal(str(one["commissions"]))
        for one in trades
    )
    account = (await call("Account/search", onlyActiveAccounts=True))["accounts"][0]
    assert Decimal(str(account["balance"])) == 150_000 + change


async def test_trades_are_those_of_the_window_and_of_the_account(
    call: Call, place: Call, clock: ManualClock
) -> None:
    await place()
    clock.advance(60)
    await place()
    await place(accountId=1002)
    late = "2026-03-02T14:30:30Z"
    for body, count in (
        ({"accountId": 1001}, 2),
        ({"accountId": 1001, "startTimestamp": late}, 1),
        ({"accountId": 1001, "startTimestamp": None, "endTimestamp": late}, 1),
        ({"accountId": 1002}, 1),
    ):
        assert len((await call("Trade/search", **body))["trades"]) == count
