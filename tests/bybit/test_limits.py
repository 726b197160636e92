"""Bybit's request limits: kept on this side, and heeded where the venue tells them."""

import asyncio

import pytest
from attrs import evolve
from tests.bybit.small_venue import ACCOUNT, SETTINGS, Answer, SmallVenue, new_order

from tradeforge_bybit import _endpoints
from tradeforge_bybit._budgets import budgets_of
from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    NotSent,
    OrderRejected,
    OrderRequest,
    OrderSide,
    RateLimited,
    Secret,
    Settings,
)
from tradeforge_testing import ManualClock

WALLET = "/v5/account/wallet-balance"
CREATE = "/v5/order/create"
LINEAR = "linear:BTCUSDT"


def told(limit: int, left: int, reset: int = 0) -> dict[str, str]:
    return {
        "X-Bapi-Limit": str(limit),
        "X-Bapi-Limit-Status": str(left),
        "X-Bapi-Limit-Reset-Timestamp": str(reset),
    }


def limit() -> OrderRequest:
    return OrderRequest.limit(ACCOUNT, LINEAR, OrderSide.BUY, 1, 100)


def test_each_operation_has_a_limit_and_all_have_one_together() -> None:
    config = BybitConfig.from_settings(Settings("bybit", SETTINGS))
    budgets = budgets_of(config, ManualClock())
    spot = budgets.of(_endpoints.CREATE, "spot")
    linear = budgets.of(_endpoints.CREATE, "linear")
    assert (spot.limit, linear.limit, spot.window) == (20, 10, 1)
    assert budgets.of(_endpoints.CREATE, "inverse") is linear
    assert budgets.of(_endpoints.CANCEL, "linear") is not linear
    assert budgets.of(_endpoints.KLINE, "linear") is budgets.address
    assert (budgets.address.limit, budgets.address.window) == (600, 5)
    assert budgets.of(_endpoints.AMEND, "spot") is budgets.of(_endpoints.AMEND, "linear")
    assert set(budgets.by_name) == {
        "address",
        "/v5/order/create",
        "/v5/order/create spot",
        "/v5/order/cancel",
        "/v5/order/amend",
    }


def test_two_providers_of_one_key_count_together() -> None:
    config, clock = BybitConfig.from_settings(Settings("bybit", SETTINGS)), ManualClock()
    budgets = budgets_of(config, clock)
    budgets.address.cool_down(9)
    assert budgets_of(config, clock) is budgets
    other = evolve(config, api_key=Secret("another"))
    assert budgets_of(other, clock) is not budgets


async def test_an_order_that_finds_no_room_does_not_leave(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    budget = broker._rest._budgets.of(_endpoints.CREATE, "linear")
    budget.cool_down(30)
    began = broker._clock.monotonic()
    with pytest.raises(NotSent, match="limit of 10 requests in 1 s"):
        await broker.place_order(limit())
    assert broker._clock.monotonic() - began == pytest.approx(3, abs=0.5)
    assert venue.asked(CREATE) == []


async def test_a_burst_of_orders_waits_for_its_turn(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    began = broker._clock.monotonic()
    placed = await asyncio.gather(*(broker.place_order(limit()) for _ in range(20)))
    assert broker._clock.monotonic() - began > 1.5
    links = [one["orderLinkId"] for one in venue.asked(CREATE)]
    assert sorted(links) == sorted(str(one.client_order_id) for one in placed)


async def test_an_order_that_waits_does_not_leave_once_trading_is_halted(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    await broker.place_order(limit())
    broker._rest._budgets.of(_endpoints.CREATE, "linear").cool_down(1)
    waiting = asyncio.create_task(broker.place_order(limit()))
    await broker._clock.sleep(0.3)
    broker.halt("enough")
    with pytest.raises(NotSent, match="halted while the order waited: enough"):
        await waiting
    broker.resume()
    assert len(venue.asked(CREATE)) == 1


async def test_what_the_venue_says_of_its_limit_counts(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    budget = broker._rest._budgets.of(_endpoints.WALLET, None)
    venue.tell(WALLET, Answer(headers=told(70, 20)))
    await broker.get_accounts()
    assert (budget.limit, budget.used) == (70, 50)


@pytest.mark.parametrize("header", ["now", "-1", "", "9" * 30, "1.5"])
async def test_a_header_that_makes_no_sense_is_passed_over(
    venue: SmallVenue, broker: BybitProvider, header: str
) -> None:
    budget = broker._rest._budgets.of(_endpoints.WALLET, None)
    venue.tell(WALLET, Answer(headers=told(70, 20) | {"X-Bapi-Limit": header}))
    await broker.get_accounts()
    assert budget.limit == 50


async def test_too_many_visits_are_followed_by_silence_until_the_venue_says(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    reset = broker._time.milliseconds() + 700
    venue.tell(WALLET, Answer(code=10006, text="Too many visits!", headers=told(50, 0, reset)))
    with pytest.raises(RateLimited, match="too many visits") as caught:
        await broker.get_accounts()
    assert caught.value.retry_after == pytest.approx(0.7, abs=0.3)
    before = broker._clock.monotonic()
    await broker.get_accounts()
    assert broker._clock.monotonic() - before > 0.2


async def test_an_order_that_came_too_soon_was_not_made(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.tell(CREATE, Answer(code=10006, text="Too many visits!"))
    with pytest.raises(OrderRejected, match="Too many visits"):
        await broker.place_order(limit())
    began = broker._clock.monotonic()
    await broker.place_order(limit())
    assert broker._clock.monotonic() - began > 0.5


async def test_many_cancels_wait_for_each_other(venue: SmallVenue, broker: BybitProvider) -> None:
    """The venue takes ten in a second."""
    for number in range(24):
        row = new_order(f"id-{number}", venue.milliseconds, **ORDER, orderLinkId=f"link-{number}")
        venue.orders[row["orderId"]] = row
    results = await broker.cancel_all_orders(ACCOUNT)
    assert [one.error for one in results] == [None] * 24
    assert {one["orderStatus"] for one in venue.orders.values()} == {"Cancelled"}
    assert len(venue.asked("/v5/order/cancel")) == 24


ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "1",
    "price": "100",
}


async def test_an_address_that_is_barred_is_silent(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.tell(WALLET, Answer(status=403, body=b"<html>access too frequent"))
    with pytest.raises(RateLimited, match="HTTP 403") as caught:
        await broker.get_accounts()
    assert caught.value.retry_after == 600
    address = broker._rest.budgets["address"]
    assert not address.is_idle
    with pytest.raises(NotSent):
        await broker.place_order(limit())
