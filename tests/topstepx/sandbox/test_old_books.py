"""Reads that are behind what has happened, as those of a replica are."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import Fault, TopStepXSandbox

Call = Callable[..., Awaitable[dict[str, Any]]]
TRADES = {"accountId": 1001, "startTimestamp": "2026-03-01T00:00:00Z"}
READS: list[tuple[str, dict[str, Any], str]] = [
    ("Order/v2/query", {"filter": {"accountId": 1001}}, "orders"),
    ("Order/search", TRADES, "orders"),
    ("Position/searchOpen", {"accountId": 1001}, "positions"),
    ("Trade/search", TRADES, "trades"),
]


@pytest.mark.parametrize(("path", "body", "rows"), READS)
async def test_a_stale_look_up_finds_it_at_the_third_look(
    call: Call, place: Call, sandbox: TopStepXSandbox, path: str, body: dict[str, Any], rows: str
) -> None:
    sandbox.fail_next(f"/api/{path}", Fault.STALE, count=2)
    await place()
    found = [len((await call(path, **body))[rows]) for _ in range(3)]
    assert found == [0, 0, 1]


async def test_a_stale_order_cannot_be_looked_up_and_is_as_it_was(
    call: Call, place: Call, sandbox: TopStepXSandbox, exchange: Exchange
) -> None:
    working = (await place(type=1, limitPrice=29000))["orderId"]
    sandbox.fail_next("/api/Order/searchById", Fault.STALE, count=2)
    sandbox.fail_next("/api/Order/searchOpen", Fault.STALE)
    unseen = (await place())["orderId"]
    exchange.cancel(1001, working)
    assert (await call("Order/searchById", accountId=1001, orderId=working))["order"]["status"] == 1
    assert (await call("Order/searchById", accountId=1001, orderId=unseen))["errorCode"] == 1
    assert [one["id"] for one in await open_orders(call)] == [working]
    assert await open_orders(call) == []


async def test_only_reads_are_stale(place: Call, sandbox: TopStepXSandbox) -> None:
    sandbox.fail_next("/api/Order/place", Fault.STALE)
    assert (await place(customTag="mine"))["success"]
    assert not (await place(customTag="mine"))["success"]


async def open_orders(call: Call) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await call("Order/searchOpen", accountId=1001))["orders"]
    return rows


@pytest.mark.parametrize(("path", "body", "rows"), READS)
async def test_reads_lag_by_the_clock(
    call: Call,
    place: Call,
    sandbox: TopStepXSandbox,
    clock: ManualClock,
    path: str,
    body: dict[str, Any],
    rows: str,
) -> None:
    sandbox.lag_reads(2)
    await place()
    found = []
    for _ in range(3):
        found.append(len((await call(path, **body))[rows]))
        clock.advance(1)
    assert found == [0, 0, 1]


async def test_a_lag_shows_what_was_then_and_nothing_between(
    call: Call, sandbox: TopStepXSandbox, place: Call, exchange: Exchange, clock: ManualClock
) -> None:
    await place()
    sandbox.lag_reads(2)
    assert len(await positions(call)) == 1
    clock.advance(1)
    exchange.close_position(1001, "CON.F.US.MNQ.H26")
    clock.advance(1)
    await place(size=3, side=1)
    sizes = []
    for _ in range(3):
        sizes.append([one["size"] for one in await positions(call)])
        clock.advance(1)
    assert sizes == [[1], [], [3]]


async def test_a_lag_ends(call: Call, place: Call, sandbox: TopStepXSandbox) -> None:
    sandbox.lag_reads(60)
    await place()
    assert await positions(call) == []
    sandbox.lag_reads(0)
    assert len(await positions(call)) == 1
    sandbox.lag_reads(60)
    await place()
    await sandbox.reset()
    await place()
    assert len(await positions(call)) == 1


async def test_an_account_that_there_is_not_is_refused_all_the_same(
    call: Call, sandbox: TopStepXSandbox
) -> None:
    sandbox.lag_reads(2)
    for path, body, _ in READS:
        body = {"filter": {"accountId": 5}} if "filter" in body else body | {"accountId": 5}
        assert (await call(path, **body))["errorCode"] == 1


async def positions(call: Call) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await call("Position/searchOpen", accountId=1001))["positions"]
    return rows
