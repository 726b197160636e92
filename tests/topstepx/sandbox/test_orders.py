"""Placing, changing and cancelling orders, and every way to look them up."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange

Call = Callable[..., Awaitable[dict[str, Any]]]
MNQ = "CON.F.US.MNQ.H26"
SINCE = {"accountId": 1001, "startTimestamp": "2026-03-02T00:00:00Z"}
OK = {"success": True, "errorCode": 0, "errorMessage": None}


def _failure(code: int, text: str | None = None) -> dict[str, Any]:
    return {"success": False, "errorCode": code, "errorMessage": text}


async def test_a_market_order_is_accepted_and_filled(call: Call, place: Call) -> None:
    answer = await place(size=2, customTag="first")
    assert answer == {"orderId": answer["orderId"]} | OK
    (order,) = (await call("Order/search", **SINCE))["orders"]
    assert order == {
        "id": answer["orderId"],
        "accountId": 1001,
        "contractId": MNQ,
        "symbolId": "F.US.MNQ",
        "creationTimestamp": "2026-03-02T14:30:00+00:00",
        "updateTimestamp": "2026-03-02T14:30:00+00:00",
        "status": 2,
        "type": 2,
        "side": 0,
        "size": 2,
        "limitPrice": None,
        "stopPrice": None,
        "fillVolume": 2,
        "filledPrice": order["filledPrice"],
        "customTag": "first",
        "trailDistance": None,
        "trailPrice": None,
        "parentOrderId": None,
        "linkedOrderId": None,
    }
    assert order["filledPrice"] > 0


async def test_ids_do_not_fit_into_32_bits(place: Call) -> None:
    assert (await place())["orderId"] > 2**31


@pytest.mark.parametrize(
    ("order", "price"),
    [
        ({"type": 1, "side": 0, "limitPrice": 29000.25}, "limitPrice"),
        ({"type": 1, "side": 1, "limitPrice": 30000}, "limitPrice"),
        ({"type": 4, "side": 0, "stopPrice": 30000}, "stopPrice"),
        ({"type": 4, "side": 1, "stopPrice": 29000.25}, "stopPrice"),
    ],
)
async def test_limit_and_stop_orders_work_until_the_market_comes(
    call: Call, place: Call, exchange: Exchange, order: dict[str, Any], price: str
) -> None:
    order_id = (await place(**order))["orderId"]
    (open_,) = (await call("Order/searchOpen", accountId=1001))["orders"]
    assert (open_["id"], open_["status"], open_[price]) == (order_id, 1, order[price])
    exchange.move_to(MNQ, Decimal(str(order[price])))
    found = (await call("Order/searchById", accountId=1001, orderId=order_id))["order"]
    assert (found["status"], found["fillVolume"]) == (2, 1)
    assert (await call("Order/searchOpen", accountId=1001))["orders"] == []


async def test_a_fill_does_not_move_the_update_time_and_a_cancel_does(
    call: Call, place: Call, exchange: Exchange, clock: ManualClock
) -> None:
    filled = (await place(type=1, limitPrice=29000))["orderId"]
    cancelled = (await place(type=1, limitPrice=28000))["orderId"]
    clock.advance(60)
    exchange.move_to(MNQ, Decimal(29000))
    await call("Order/cancel", accountId=1001, orderId=cancelled)
    first, second = (await call("Order/search", **SINCE))["orders"]
    assert (first["id"], first["status"]) == (filled, 2)
    assert first["updateTimestamp"] == first["creationTimestamp"]
    assert second["updateTimestamp"] == "2026-03-02T14:31:00+00:00"


UNAVAILABLE = "Trading is currently unavailable. The instrument is not in an active trading status."
REJECTED: list[tuple[dict[str, Any], int, str | None]] = [
    ({"accountId": 1003}, 10, None),
    ({"contractId": "CON.F.US.MNQ.Z25"}, 9, None),
    ({"size": 0}, 2, "Invalid order size."),
    ({"size": -1}, 2, "Invalid order size."),
    ({"size": 1_000_000}, 3, None),
    ({"type": 1}, 2, "Price not set."),
    ({"type": 4}, 2, "Price not set."),
    (
        {"type": 1, "limitPrice": 29000.1},
        2,
        "Invalid limit price. Price is not aligned to tick size.",
    ),
    ({"type": 1, "limitPrice": 0}, 2, "Invalid limit price. Price is not aligned to tick size."),
    ({"type": 1, "limitPrice": -5}, 2, "Invalid limit price. Price is not aligned to tick size."),
    (
        {"type": 4, "stopPrice": 30000.1},
        2,
        "Invalid stop price. Price is not aligned to tick size.",
    ),
    ({"type": 4, "stopPrice": 29000}, 2, "Invalid stop price"),
    ({"type": 4, "side": 1, "stopPrice": 30000}, 2, "Invalid stop price"),
    ({"type": 3, "limitPrice": 29000, "stopPrice": 29000}, 2, "Invalid order type (StopLimit)"),
    ({"type": 0}, 2, "Invalid order type (Unknown)"),
    ({"type": 99}, 2, "Invalid order type (99)"),
    ({"type": -1}, 2, "Invalid order type (-1)"),
    ({"type": 5}, 2, "Trail Distance not set."),
    (
        {"type": 5, "trailPrice": 29000.1},
        2,
        "Invalid trail price. Price is not aligned to tick size.",
    ),
    ({"type": 5, "trailPrice": 12.5}, 2, "Trail Distance exceeds maximum (1000)"),
    ({"type": 5, "trailPrice": 29540}, 2, "Invalid trail price"),
]


@pytest.mark.parametrize(("order", "code", "text"), REJECTED)
async def test_a_rejected_order_exists_and_has_an_id(
    call: Call, place: Call, order: dict[str, Any], code: int, text: str | None
) -> None:
    answer = await place(**order)
    assert answer == {"orderId": answer["orderId"]} | _failure(code, text)
    account = order.get("accountId", 1001)
    found = await call("Order/searchById", accountId=account, orderId=answer["orderId"])
    assert (found["order"]["status"], found["order"]["fillVolume"]) == (5, 0)


REFUSED: list[tuple[dict[str, Any], int, str | None]] = [
    ({"accountId": 9}, 1, None),
    ({"contractId": "CON.F.US.XYZ.H26"}, 8, None),
    ({"contractId": ""}, 8, None),
    ({"side": 2}, 2, "Invalid order side."),
]


@pytest.mark.parametrize(("order", "code", "text"), REFUSED)
async def test_what_makes_no_order_leaves_none(
    call: Call, place: Call, order: dict[str, Any], code: int, text: str | None
) -> None:
    assert await place(**order) == {"orderId": None} | _failure(code, text)
    assert (await call("Order/search", **SINCE))["orders"] == []


async def test_null_brackets_are_no_brackets(place: Call) -> None:
    assert (await place(stopLossBracket=None, takeProfitBracket=None))["success"]


@pytest.mark.parametrize("first", [{}, {"size": 0}, {"type": 5}])
async def test_a_tag_is_used_up_for_ever_even_by_a_rejected_order(
    place: Call, first: dict[str, Any]
) -> None:
    await place(customTag="tag", **first)
    again = await place(customTag="tag")
    assert again["orderId"] > 0
    assert again == {"orderId": again["orderId"]} | _failure(
        2, "Specified custom tag is already in use"
    )


async def test_tags_belong_to_their_account_and_nothing_is_no_tag(place: Call) -> None:
    for order in ({"accountId": 1001}, {"accountId": 1002}):
        assert (await place(customTag="tag", **order))["success"]
    for tag in ("", None, "", None):
        assert (await place(customTag=tag))["success"]


async def test_nothing_is_placed_while_the_market_is_closed(
    place: Call, exchange: Exchange
) -> None:
    exchange.close_market()
    answer = await place()
    assert answer == {"orderId": answer["orderId"]} | _failure(2, UNAVAILABLE)
    exchange.open_market()
    assert (await place())["success"]


@pytest.mark.parametrize(
    ("change", "member", "value"),
    [
        ({"size": 3}, "size", 3),
        ({"limitPrice": 29001.25}, "limitPrice", 29001.25),
        ({"limitPrice": None, "size": 2, "stopPrice": None}, "limitPrice", 29000),
    ],
)
async def test_modify_changes_what_is_given(
    call: Call, place: Call, change: dict[str, Any], member: str, value: object
) -> None:
    order_id = (await place(type=1, limitPrice=29000))["orderId"]
    assert await call("Order/modify", accountId=1001, orderId=order_id, **change) == OK
    (order,) = (await call("Order/searchOpen", accountId=1001))["orders"]
    assert order[member] == value


NOT_MODIFIED: list[tuple[dict[str, Any], int, str | None]] = [
    ({"accountId": 9}, 1, None),
    ({"orderId": 9}, 2, None),
    ({"accountId": 1002}, 2, None),
    ({"size": 0}, 3, "Invalid order size."),
    ({"limitPrice": 29000.1}, 3, "Invalid price. Price is not aligned to tick size."),
    ({"stopPrice": 29000}, 3, None),
    ({"trailPrice": 29000}, 3, "Trail price can only be set on a trailing stop."),
]


@pytest.mark.parametrize(("change", "code", "text"), NOT_MODIFIED)
async def test_what_cannot_be_modified_stays(
    call: Call, place: Call, change: dict[str, Any], code: int, text: str | None
) -> None:
    order_id = (await place(type=1, limitPrice=29000))["orderId"]
    body = {"accountId": 1001, "orderId": order_id} | change
    assert await call("Order/modify", **body) == _failure(code, text)
    (order,) = (await call("Order/searchOpen", accountId=1001))["orders"]
    assert (order["size"], order["limitPrice"]) == (1, 29000)


async def test_a_stop_cannot_be_moved_beyond_the_market(call: Call, place: Call) -> None:
    order_id = (await place(type=4, stopPrice=30000))["orderId"]
    body = {"accountId": 1001, "orderId": order_id, "stopPrice": 29000}
    assert await call("Order/modify", **body) == _failure(3, "Invalid stop price")


async def test_a_filled_order_is_neither_modified_nor_cancelled(call: Call, place: Call) -> None:
    body = {"accountId": 1001, "orderId": (await place())["orderId"]}
    assert await call("Order/modify", **body, size=2) == _failure(3)
    assert await call("Order/cancel", **body) == _failure(5)


async def test_nothing_is_modified_while_the_market_is_closed(
    call: Call, place: Call, exchange: Exchange
) -> None:
    body = {"accountId": 1001, "orderId": (await place(type=1, limitPrice=29000))["orderId"]}
    exchange.close_market()
    assert await call("Order/modify", **body, size=2) == _failure(3, UNAVAILABLE)
    assert await call("Order/cancel", **body) == OK


async def test_a_cancelled_order_is_over(call: Call, place: Call) -> None:
    body = {"accountId": 1001, "orderId": (await place(type=1, limitPrice=29000))["orderId"]}
    assert await call("Order/cancel", **body) == OK
    assert (await call("Order/searchById", **body))["order"]["status"] == 3
    assert await call("Order/cancel", **body) == _failure(5)


@pytest.mark.parametrize(
    ("change", "code"), [({"accountId": 9}, 1), ({"orderId": 9}, 2), ({"accountId": 1002}, 2)]
)
async def test_what_is_not_there_cannot_be_cancelled(
    call: Call, place: Call, change: dict[str, Any], code: int
) -> None:
    order_id = (await place(type=1, limitPrice=29000))["orderId"]
    body = {"accountId": 1001, "orderId": order_id} | change
    assert await call("Order/cancel", **body) == _failure(code)


@pytest.mark.parametrize("path", ["Order/search", "Order/searchOpen"])
async def test_an_unknown_account_has_no_orders_to_list(call: Call, path: str) -> None:
    answer = await call(path, **(SINCE | {"accountId": 9}))
    assert answer == {"orders": None} | _failure(1)


@pytest.mark.parametrize("change", [{"accountId": 9}, {"orderId": 9}, {"accountId": 1002}])
async def test_search_by_id_does_not_find_what_is_not_there(
    call: Call, place: Call, change: dict[str, Any]
) -> None:
    body = {"accountId": 1001, "orderId": (await place())["orderId"]} | change
    assert await call("Order/searchById", **body) == {"order": None} | _failure(1)


async def test_search_takes_the_orders_created_in_the_window_by_id(
    call: Call, place: Call, clock: ManualClock
) -> None:
    ids = []
    for _ in range(3):
        ids.append((await place())["orderId"])
        clock.advance(60)
    start = clock.now() - timedelta(seconds=120)
    body = {"accountId": 1001, "startTimestamp": start.isoformat()}
    assert await _ids(call, "Order/search", body) == ids[1:]
    assert await _ids(call, "Order/search", body | {"endTimestamp": start.isoformat()}) == [ids[1]]


async def _ids(call: Call, path: str, body: dict[str, Any]) -> list[int]:
    return [one["id"] for one in (await call(path, **body))["orders"]]


async def _query(call: Call, filter_: dict[str, Any] | None = None, **body: Any) -> list[int]:
    return await _ids(
        call, "Order/v2/query", {"filter": {"accountId": 1001} | (filter_ or {})} | body
    )


async def test_query_filters(call: Call, place: Call, clock: ManualClock) -> None:
    first = (await place())["orderId"]
    clock.advance(1)
    second = (await place(type=1, limitPrice=29000))["orderId"]
    third = (await place(contractId="CON.F.US.MES.H26"))["orderId"]
    then = clock.now().isoformat()
    assert await _query(call) == [first, second, third]
    assert await _query(call, {"statuses": [1, 8]}) == [second]
    assert await _query(call, {"statuses": []}) == [first, second, third]
    assert await _query(call, {"contractId": MNQ}) == [first, second]
    assert await _query(call, {"createdAfter": then}) == [second, third]
    assert await _query(call, {"createdBefore": "2026-03-02T14:30:00.5Z"}) == [first]
    assert await _query(call, {"accountId": 1002}) == []


async def test_query_pages_and_sorts(call: Call, place: Call) -> None:
    ids = [(await place())["orderId"] for _ in range(5)]
    assert await _query(call, pageSize=2) == ids[:2]
    assert await _query(call, pageSize=2, pageOffset=2) == ids[2:4]
    assert await _query(call, pageSize=2, pageOffset=9) == []
    assert await _query(call, sortBy=1, sortDirection=1, pageSize=2) == ids[:2:-1]


@pytest.mark.parametrize(("asked", "count"), [(True, 3), (False, None), (None, None)])
async def test_query_counts_all_when_asked(
    call: Call, place: Call, asked: bool | None, count: int | None
) -> None:
    for _ in range(3):
        await place()
    body = {"filter": {"accountId": 1001}, "pageSize": 1, "includeTotalCount": asked}
    assert (await call("Order/v2/query", **body))["totalCount"] == count


async def test_query_of_an_unknown_account_is_code_1(call: Call) -> None:
    answer = await call("Order/v2/query", filter={"accountId": 9})
    assert answer == {"orders": None, "totalCount": None} | _failure(1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filter": {}},
        {"filter": None},
        {"filter": {"accountId": 1001}, "pageSize": 0},
        {"filter": {"accountId": 1001}, "pageSize": -1},
        {"filter": {"accountId": 1001}, "pageSize": 100_000},
        {"filter": {"accountId": 1001}, "pageOffset": -1},
        {"filter": {"accountId": 1001, "statuses": ["open"]}},
        {"filter": {"accountId": 1001, "createdAfter": "then"}},
    ],
)
async def test_a_query_that_makes_no_sense_is_a_400(
    http: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    response = await http.post("/api/Order/v2/query", json=body)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
