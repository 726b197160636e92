"""Positions of Bybit are closed by orders that can only reduce."""

import pytest
from tests.bybit.small_venue import ACCOUNT, Answer, Row, SmallVenue, fill, position

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    NotFound,
    NotSent,
    NotSupported,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderVetoed,
    RiskLimits,
)

CREATE = "/v5/order/create"
LINEAR, SPOT = "linear:BTCUSDT", "spot:BTCUSDT"


def sent(venue: SmallVenue) -> Row:
    (body,) = venue.asked(CREATE)
    return {name: value for name, value in body.items() if name != "orderLinkId"}


@pytest.mark.parametrize(
    ("held", "size", "body"),
    [
        ([position("2")], None, {"side": "Sell", "qty": "2", "positionIdx": 0}),
        ([position("2", "Sell")], "0.5", {"side": "Buy", "qty": "0.5", "positionIdx": 0}),
        ([position("2")], 5, {"side": "Sell", "qty": "2", "positionIdx": 0}),
        (
            [position("2", "Sell", 2), position("0", index=1)],
            None,
            {"side": "Buy", "qty": "2", "positionIdx": 2},
        ),
    ],
)
async def test_a_close_only_reduces(
    venue: SmallVenue,
    broker: BybitProvider,
    held: list[Row],
    size: str | None,
    body: Row,
) -> None:
    venue.positions, venue.on_create = held, fill
    await broker.close_position(ACCOUNT, LINEAR, size=size)
    assert sent(venue) == body | {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderType": "Market",
        "reduceOnly": True,
    }


async def test_long_and_short_are_closed_each_by_itself(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.positions = [position("2", "Buy", 1), position("3", "Sell", 2)]
    venue.on_create = fill
    await broker.close_position(ACCOUNT, LINEAR)
    sides = [(one["side"], one["qty"], one["positionIdx"]) for one in venue.asked(CREATE)]
    assert sides == [("Sell", "2", 1), ("Buy", "3", 2)]


async def test_nothing_is_held(venue: SmallVenue, broker: BybitProvider) -> None:
    for contract in (LINEAR, SPOT):
        with pytest.raises(NotFound, match="no position"):
            await broker.close_position(ACCOUNT, contract)
    assert venue.asked(CREATE) == []


async def test_a_close_that_fills_in_part_is_told(venue: SmallVenue, broker: BybitProvider) -> None:
    def some(order: Row) -> None:
        order |= {"orderStatus": "Cancelled", "cumExecQty": "1", "rejectReason": "EC_NoEnoughQty"}

    venue.positions, venue.on_create = [position("2")], some
    with pytest.raises(OrderRejected, match="1 of 2 filled"):
        await broker.close_position(ACCOUNT, LINEAR)


@pytest.mark.parametrize("size", [1, 5, None])
async def test_a_close_whose_answer_is_lost_is_known_by_what_is_left(
    venue: SmallVenue, broker: BybitProvider, size: int | None
) -> None:
    """Of more than is held there goes what is held."""
    venue.positions, venue.on_create = [position("2")], fill
    venue.tell(CREATE, Answer(lost=True))
    await broker.close_position(ACCOUNT, LINEAR, size=size)
    assert len(venue.asked(CREATE)) == 1


async def test_a_loss_that_cannot_be_counted_is_no_limit(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    await broker.disconnect()
    broker.safety = OrderSafety(limits=RiskLimits(max_daily_loss=50))
    await broker.connect()
    for contract in (SPOT, "inverse:BTCUSD"):
        order = OrderRequest.market(ACCOUNT, contract, OrderSide.BUY, 1)
        with pytest.raises(NotSupported, match="max_daily_loss cannot be kept"):
            await broker.place_order(order)
    assert venue.asked(CREATE) == []
    await broker.place_order(OrderRequest.market(ACCOUNT, LINEAR, OrderSide.BUY, 1))


@pytest.mark.parametrize(("lost", "may_trade"), [("-49.99", True), ("-50", False)])
async def test_the_venues_own_results_count_for_the_daily_loss(
    venue: SmallVenue, broker: BybitProvider, lost: str, may_trade: bool
) -> None:
    await broker.disconnect()
    broker.safety = OrderSafety(limits=RiskLimits(max_daily_loss=50))
    await broker.connect()
    closed = {"orderId": "id-1", "side": "Sell", "avgEntryPrice": "100", "closedSize": "1"}
    venue.closed = [closed | {"closedPnl": "10"}, closed | {"closedPnl": lost, "orderId": "id-2"}]
    venue.closed += [closed | {"closedPnl": "-10", "orderId": "id-3"}]
    order = OrderRequest.market(ACCOUNT, LINEAR, OrderSide.BUY, 1)
    if may_trade:
        await broker.place_order(order)
    else:
        with pytest.raises(OrderVetoed, match="50 were lost"):
            await broker.place_order(order)


async def test_an_order_that_has_lost_the_same_twice_has_lost_both(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    await broker.disconnect()
    broker.safety = OrderSafety(limits=RiskLimits(max_daily_loss=50))
    await broker.connect()
    row = {"orderId": "id-1", "side": "Sell", "avgEntryPrice": "100", "closedSize": "1"}
    row |= {"closedPnl": "-25"}
    venue.closed = [row | {"updatedTime": f"170000000000{number}"} for number in (1, 2)]
    with pytest.raises(OrderVetoed, match="50 were lost"):
        await broker.place_order(OrderRequest.market(ACCOUNT, LINEAR, OrderSide.BUY, 1))


async def test_results_that_cannot_be_read_let_no_order_pass(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    await broker.disconnect()
    broker.safety = OrderSafety(limits=RiskLimits(max_daily_loss=50))
    await broker.connect()
    venue.tell("/v5/position/closed-pnl", Answer(status=404, body=b""))
    with pytest.raises(NotSent):
        await broker.place_order(OrderRequest.market(ACCOUNT, LINEAR, OrderSide.BUY, 1))
    assert venue.asked(CREATE) == []
