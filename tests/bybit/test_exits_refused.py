"""Exits of Bybit that were refused with proof that nothing was done: they go again, in a while."""

import asyncio

import pytest
from tests.bybit.small_venue import ACCOUNT, Answer, SmallVenue, fill, new_order, position

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import OrderRejected, OrderRequest, OrderSide, OrderStatus

CREATE, CANCEL, TIME = "/v5/order/create", "/v5/order/cancel", "/v5/market/time"
LINEAR = "linear:BTCUSDT"
TOO_MANY = Answer(code=10006, text="Too many visits!")
TOO_LATE = Answer(code=10002, text="invalid request, please check your server timestamp")


def limit_order() -> OrderRequest:
    return OrderRequest.limit(ACCOUNT, LINEAR, OrderSide.BUY, "0.5", "100.5")


@pytest.mark.parametrize("answers", [[TOO_MANY], [TOO_MANY, TOO_MANY], [TOO_LATE]], ids=len)
async def test_a_cancel_goes_again(
    venue: SmallVenue, broker: BybitProvider, answers: list[Answer]
) -> None:
    """As where another program with the same key has used up what a second has room for."""
    order = await broker.place_order(limit_order())
    venue.tell(CANCEL, *answers)
    await broker.cancel_order(ACCOUNT, order.id)
    assert (await broker.get_order(ACCOUNT, order.id)).status is OrderStatus.CANCELLED
    assert len(venue.asked(CANCEL)) == len(answers) + 1


@pytest.mark.parametrize("answer", [TOO_MANY, TOO_LATE], ids=["number", "time"])
async def test_a_close_goes_again(venue: SmallVenue, broker: BybitProvider, answer: Answer) -> None:
    venue.positions, venue.on_create = [position("2")], fill
    venue.tell(CREATE, answer)
    await broker.close_position(ACCOUNT, LINEAR)
    assert len(venue.asked(CREATE)) == 2
    assert len(venue.orders) == 1


async def test_a_cancel_bears_the_time_of_the_venue_once_that_has_moved(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit_order())
    venue.ahead = 60.0
    await broker.cancel_order(ACCOUNT, order.id)
    assert venue.orders[order.id]["orderStatus"] == "Cancelled"


async def test_a_look_at_the_clock_holds_no_exit_up(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    """As where the address is barred for a minute: what is urgent is tried all the same."""
    order = await broker.place_order(limit_order())
    venue.tell(CANCEL, TOO_LATE)
    broker._rest.budgets["address"].cool_down(60.0)
    async with asyncio.timeout(5):
        await broker.cancel_order(ACCOUNT, order.id)
    assert venue.orders[order.id]["orderStatus"] == "Cancelled"


async def test_an_order_that_was_never_seen_is_looked_for_as_urgently(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    row = new_order(
        "theirs",
        venue.milliseconds,
        category="linear",
        symbol="BTCUSDT",
        side="Buy",
        orderType="Limit",
        qty="1",
    )
    venue.orders["theirs"] = row
    broker._rest.budgets["address"].cool_down(60.0)
    await broker.cancel_order(ACCOUNT, "theirs")
    assert row["orderStatus"] == "Cancelled"


async def test_a_time_that_stays_wrong_is_told_at_once(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit_order())
    venue.tell(CANCEL, TOO_LATE, TOO_LATE)
    with pytest.raises(OrderRejected, match="time outside the window"):
        await broker.cancel_order(ACCOUNT, order.id)
    assert len(venue.asked(CANCEL)) == 2


async def test_an_exit_that_breaks_a_rule_goes_once(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit_order())
    venue.tell(CANCEL, Answer(code=10005, text="Permission denied"))
    with pytest.raises(OrderRejected, match="Permission denied"):
        await broker.cancel_order(ACCOUNT, order.id)
    assert len(venue.asked(CANCEL)) == 1
