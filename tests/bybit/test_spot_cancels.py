"""Cancels at spot, where the venue looks among the orders of one kind only."""

import pytest
from attrs import evolve
from tests.bybit.small_venue import ACCOUNT, SmallVenue, new_order

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import NotFound, OrderRequest, OrderSide, OrderStatus, OrderType

SPOT, CANCEL = "spot:BTCUSDT", "/v5/order/cancel"


def stop_limit() -> OrderRequest:
    plain = OrderRequest.limit(ACCOUNT, SPOT, OrderSide.SELL, 1, 89)
    return evolve(plain, type=OrderType.STOP_LIMIT, stop_price=90)


async def test_a_stop_that_waits(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(stop_limit())
    await broker.cancel_order(ACCOUNT, order.id)
    assert [one["orderFilter"] for one in venue.asked(CANCEL)] == ["StopOrder"]


async def test_a_stop_that_has_triggered(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(stop_limit())
    venue.orders[order.id] |= {"orderStatus": "New"}
    await broker.cancel_order(ACCOUNT, order.id)
    assert [one.get("orderFilter") for one in venue.asked(CANCEL)] == ["StopOrder", None]
    assert (await broker.get_order(ACCOUNT, order.id)).status is OrderStatus.CANCELLED


@pytest.mark.parametrize("kind", ["tpslOrder", "OcoOrder", "BidirectionalTpslOrder", "Stop"])
@pytest.mark.parametrize("trigger", ["90", "110"])
async def test_what_was_placed_elsewhere(
    venue: SmallVenue, broker: BybitProvider, kind: str, trigger: str
) -> None:
    """A sell may wait for a rise as well: that is a type of its own, which has no name here."""
    row = new_order(
        "theirs",
        venue.milliseconds,
        category="spot",
        symbol="BTCUSDT",
        side="Sell",
        orderType="Market",
        qty="1",
        triggerPrice=trigger,
        basePrice="100",
    )
    venue.orders["theirs"] = row | {"stopOrderType": kind}
    await broker.cancel_order(ACCOUNT, "theirs")
    assert venue.orders["theirs"]["orderStatus"] == "Cancelled"


async def test_what_is_gone_is_not_found(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(stop_limit())
    venue.orders[order.id] |= {"orderStatus": "Filled"}
    with pytest.raises(NotFound):
        await broker.cancel_order(ACCOUNT, order.id)
