"""How far apart the venue tells the events of an order."""

from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import TopStepXSandbox

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Call = Callable[..., Awaitable[dict[str, Any]]]
MNQ = "CON.F.US.MNQ.H26"
BRACKETS = {
    "stopLossBracket": {"ticks": -20, "type": 4},
    "takeProfitBracket": {"ticks": 40, "type": 1},
}


@pytest.fixture
async def sandbox(clock: ManualClock) -> AsyncIterator[TopStepXSandbox]:
    async with TopStepXSandbox(clock=clock, timing=True, tick_seconds=1000) as sandbox:
        yield sandbox


@pytest.fixture
async def follower(user_hub: "HubClient") -> "HubClient":
    await user_hub.follow("Orders", key=1001)
    return user_hub


async def _statuses(hub: "HubClient", count: int) -> list[int]:
    """Of so many events, and then of none."""
    statuses = [body["data"]["status"] for _, (body,) in await hub.events(count)]
    assert "error" in await hub.invoke("Nothing")
    return statuses


async def _later(hub: "HubClient", clock: ManualClock, seconds: float, count: int) -> list[int]:
    """What comes after that time, and not a millisecond before."""
    clock.advance(seconds - 0.001)
    assert await _statuses(hub, 0) == []
    clock.advance(0.001)
    return await _statuses(hub, count)


async def test_a_bracketed_entry_takes_its_time(
    follower: "HubClient", place: Call, clock: ManualClock, exchange: Exchange
) -> None:
    entry_id = (await place(**BRACKETS))["orderId"]
    assert await _statuses(follower, 3) == [8, 6, 8]
    assert await _later(follower, clock, 0.008, 1) == [2]
    assert await _later(follower, clock, 0.018, 2) == [1, 1]
    limit = exchange.order(1001, entry_id + 2).limit_price
    assert limit is not None
    exchange.move_to(MNQ, limit)
    assert await _statuses(follower, 1) == [2]
    assert await _later(follower, clock, 0.012, 1) == [3]


async def test_a_fill_and_a_rejection_come_after_a_pause(
    follower: "HubClient", place: Call, clock: ManualClock
) -> None:
    await place()
    assert await _statuses(follower, 1) == [6]
    assert await _later(follower, clock, 0.008, 1) == [2]
    await place(size=0)
    assert await _statuses(follower, 1) == [6]
    assert await _later(follower, clock, 0.002, 1) == [5]


async def test_what_a_user_does_is_told_at_once(
    follower: "HubClient", place: Call, call: Call
) -> None:
    body = {"accountId": 1001, "orderId": (await place(type=1, limitPrice=29000))["orderId"]}
    await call("Order/cancel", **body)
    assert await _statuses(follower, 2) == [1, 3]


async def test_nothing_overtakes_a_late_event(
    follower: "HubClient", place: Call, clock: ManualClock, exchange: Exchange
) -> None:
    await place()
    await place(type=1, limitPrice=29000)
    assert await _statuses(follower, 1) == [6]
    exchange.move_to(MNQ, Decimal(29000))
    clock.advance(0.008)
    assert await _statuses(follower, 3) == [2, 1, 2]
