"""What goes on until now goes on until Bybit's own now, where the machine's clock is behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.bybit.small_venue import ACCOUNT, SmallVenue

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import OrderRequest, OrderSafety, OrderSide, RiskLimits

HOUR = timedelta(hours=1)
EXECUTIONS, HISTORY, CLOSED = "/v5/execution/list", "/v5/order/history", "/v5/position/closed-pnl"


def time_of(asked: dict[str, Any], name: str) -> datetime:
    return datetime.fromtimestamp(int(asked[name]) / 1000, UTC)


@pytest.mark.parametrize("ahead", [0.0, 300.0, -300.0])
async def test_a_history_until_now(venue: SmallVenue, broker: BybitProvider, ahead: float) -> None:
    venue.ahead = ahead
    await broker.get_accounts()  # the time is measured anew by that
    start = datetime.now(UTC).replace(microsecond=0) - HOUR
    await broker.get_trade_history(ACCOUNT, start=start)
    await broker.get_order_history(ACCOUNT, start=start)
    latest = max(datetime.now(UTC), datetime.fromtimestamp(venue.milliseconds / 1000, UTC))
    for asked in (*venue.asked(EXECUTIONS), *venue.asked(HISTORY)):
        assert time_of(asked, "startTime") == start, "it is as it was said"
        assert abs(time_of(asked, "endTime") - latest) < timedelta(seconds=3)


async def test_what_was_lost_a_moment_ago_counts(venue: SmallVenue, broker: BybitProvider) -> None:
    await broker.disconnect()
    broker.safety = OrderSafety(limits=RiskLimits(max_daily_loss=50))
    await broker.connect()
    venue.ahead = 300.0
    await broker.get_accounts()
    await broker.place_order(OrderRequest.market(ACCOUNT, "linear:BTCUSDT", OrderSide.BUY, 1))
    (asked,) = venue.asked(CLOSED)[-1:]
    assert time_of(asked, "endTime").timestamp() * 1000 > venue.milliseconds - 3_000


async def test_exits_are_looked_for_until_the_venues_now(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.ahead = 300.0
    await broker.get_accounts()
    request = OrderRequest.market(ACCOUNT, "linear:BTCUSDT", OrderSide.BUY, 1)
    order = await broker.place_order(request)
    await broker.get_order_family(ACCOUNT, order.id)
    (asked,) = venue.asked(HISTORY)[-1:]
    assert time_of(asked, "endTime").timestamp() * 1000 > venue.milliseconds - 3_000
