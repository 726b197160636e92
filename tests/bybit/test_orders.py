"""Orders at Bybit: what leaves, what counts as accepted, and what becomes of lost answers."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from tests.bybit.small_venue import (
    ACCOUNT,
    Answer,
    Row,
    SmallVenue,
    fill,
    new_order,
    position,
    reject,
)

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    InvalidOrder,
    MarketClosed,
    NotFound,
    NotSupported,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    VenueError,
)

BUY, SELL = OrderSide.BUY, OrderSide.SELL
CREATE, REALTIME = "/v5/order/create", "/v5/order/realtime"
LINEAR, SPOT, INVERSE = "linear:BTCUSDT", "spot:BTCUSDT", "inverse:BTCUSD"


def limit(contract: str = LINEAR, side: OrderSide = BUY, **more: Any) -> OrderRequest:
    return evolve(OrderRequest.limit(ACCOUNT, contract, side, "0.5", "100.5"), **more)


def market(contract: str = LINEAR, side: OrderSide = BUY, **more: Any) -> OrderRequest:
    return evolve(OrderRequest.market(ACCOUNT, contract, side, "0.5"), **more)


def sent(venue: SmallVenue) -> Row:
    (body,) = venue.asked(CREATE)
    return {name: value for name, value in body.items() if name != "orderLinkId"}


# --- what leaves ---


async def test_a_limit_order(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(limit(time_in_force=TimeInForce.IOC))
    assert sent(venue) == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.5",
        "price": "100.5",
        "timeInForce": "IOC",
        "positionIdx": 0,
    }
    assert (order.status, order.type, order.size) == (
        OrderStatus.WORKING,
        OrderType.LIMIT,
        Decimal("0.5"),
    )
    assert order.client_order_id == venue.asked(CREATE)[0]["orderLinkId"]


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (market(), {"orderType": "Market"}),
        (market(SPOT), {"orderType": "Market", "marketUnit": "baseCoin"}),
        (market(SPOT, in_quote=True, size="50"), {"marketUnit": "quoteCoin", "qty": "50"}),
        (limit(post_only=True), {"timeInForce": "PostOnly"}),
        (limit(reduce_only=True), {"reduceOnly": True}),
        (limit(time_in_force=TimeInForce.FOK), {"timeInForce": "FOK"}),
        (
            OrderRequest.stop(ACCOUNT, LINEAR, BUY, 1, 110),
            {"orderType": "Market", "triggerPrice": "110", "triggerDirection": 1},
        ),
        (
            OrderRequest.stop(ACCOUNT, LINEAR, SELL, 1, 90),
            {"triggerPrice": "90", "triggerDirection": 2},
        ),
        (
            limit(SPOT, SELL, type=OrderType.STOP_LIMIT, stop_price="90"),
            {"orderType": "Limit", "triggerPrice": "90", "orderFilter": "StopOrder"},
        ),
    ],
    ids=str,
)
async def test_what_an_order_is_in_the_words_of_the_venue(
    venue: SmallVenue, broker: BybitProvider, request_: OrderRequest, more: Row
) -> None:
    order = await broker.place_order(request_)
    assert {name: sent(venue)[name] for name in more} == more
    assert (order.type, order.side, order.in_quote) == (
        request_.type,
        request_.side,
        request_.in_quote,
    )
    assert (order.reduce_only, order.post_only) == (request_.reduce_only, request_.post_only)


@pytest.mark.parametrize(
    ("request_", "index"),
    [
        (limit(), 1),
        (limit(side=SELL), 2),
        (limit(side=SELL, reduce_only=True), 1),
        (limit(reduce_only=True), 2),
    ],
)
async def test_of_two_positions_an_order_says_which(
    venue: SmallVenue, broker: BybitProvider, request_: OrderRequest, index: int
) -> None:
    venue.positions = [position("0", index=1), position("0", index=2)]
    await broker.place_order(request_)
    assert sent(venue)["positionIdx"] == index


async def test_the_mode_is_asked_for_once_and_again_after_a_refusal(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    await broker.get_contract(LINEAR)
    assert len(venue.asked("/v5/position/list")) == 1
    await broker.place_order(limit())
    await broker.place_order(limit())
    assert len(venue.asked("/v5/position/list")) == 1
    venue.positions = [position("0", index=1), position("0", index=2)]
    said = Answer(code=10001, text="position idx not match position mode")
    venue.tell(CREATE, said)
    with pytest.raises(OrderRejected, match="the position mode was changed: try again"):
        await broker.place_order(limit())
    await broker.place_order(limit())
    assert venue.asked(CREATE)[-1]["positionIdx"] == 1


@pytest.mark.parametrize(
    ("request_", "error", "said"),
    [
        (limit(SPOT, SELL, reduce_only=True), NotSupported, "spot has no positions"),
        (market(in_quote=True, size="50"), NotSupported, "only spot has a size in_quote"),
        (limit(client_order_id="x" * 37), InvalidOrder, "at most 36 letters"),
        (limit(client_order_id="a b"), InvalidOrder, "at most 36 letters"),
        (limit(contract_id="option:X"), NotFound, "an id here is like linear:BTCUSDT"),
        (limit(account_id="other"), NotFound, "no account 'other'"),
        (limit(size="0.0001"), InvalidOrder, "multiple of 0.001"),
    ],
    ids=str,
)
async def test_what_cannot_be_right_does_not_leave(
    venue: SmallVenue,
    broker: BybitProvider,
    request_: OrderRequest,
    error: type[Exception],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        await broker.place_order(request_)
    assert venue.asked(CREATE) == []


# --- an answer is no acceptance ---


async def test_an_order_counts_when_it_is_shown(venue: SmallVenue, broker: BybitProvider) -> None:
    venue.hidden = 3
    order = await broker.place_order(limit())
    assert order.status is OrderStatus.WORKING
    assert len(venue.asked(REALTIME)) == 4


async def test_an_order_that_has_filled_meanwhile_is_filled(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.on_create = fill
    order = await broker.place_order(market())
    assert (order.status, order.filled_size) == (OrderStatus.FILLED, Decimal("0.5"))
    assert order.average_fill_price == 100


async def test_what_is_taken_in_and_refused_then_is_refused(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.on_create = reject
    with pytest.raises(OrderRejected, match="EC_PostOnlyWillTakeLiquidity") as caught:
        await broker.place_order(limit(post_only=True))
    assert caught.value.order_id == "id-1"
    assert [one.status for one in broker.unsettled_outcomes()] == []  # type: ignore[union-attr]


async def test_what_is_not_shown_in_time_is_unknown_and_found_later(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    broker._proofs.longest = 0.3
    venue.late = 600
    order = await broker.place_order(limit())
    assert order.status is OrderStatus.WORKING
    (entry,) = await broker.get_journal()
    assert entry.state.value == "accepted"


# --- lost answers ---


@pytest.mark.parametrize(
    "answer",
    [
        Answer(lost=True),
        Answer(code=10000, text="Server Timeout"),
        Answer(code=10016, text="System error. Please try again later."),
        Answer(code=170007, text="timeout"),
        Answer(status=502, body=b"<html>bad gateway"),
        Answer(status=500, body=b'{"retCode":10001,"retMsg":"x"}'),
        Answer(body=b'{"retCode":'),
        Answer(code=987654, text="what is this"),
    ],
    ids=str,
)
async def test_an_order_whose_answer_is_lost_is_found_by_its_name(
    venue: SmallVenue, broker: BybitProvider, answer: Answer
) -> None:
    """The venue has it, whatever it says."""
    request = limit(client_order_id="mine-1")
    if not answer.lost:
        row = new_order("id-9", venue.milliseconds, **_body(request))
        venue.orders["id-9"] = row
    venue.tell(CREATE, answer)
    order = await broker.place_order(request)
    assert (order.client_order_id, order.status) == ("mine-1", OrderStatus.WORKING)
    assert len(venue.asked(CREATE)) == 1


def _body(request: OrderRequest) -> Row:
    return {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.5",
        "price": "100.5",
        "orderLinkId": request.client_order_id,
    }


async def test_a_duplicate_of_our_own_is_the_original(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    """As when a proxy has sent the request twice."""
    request = limit(client_order_id="mine-2")
    venue.orders["id-9"] = new_order("id-9", venue.milliseconds, **_body(request))
    order = await broker.place_order(request)
    assert order.id == "id-9"


async def test_an_order_that_only_its_fills_tell_of_is_found(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.tell(CREATE, Answer(code=10016))
    venue.executions = [execution(orderLinkId="mine-3")]
    order = await broker.place_order(market(client_order_id="mine-3"))
    assert (order.status, order.filled_size) == (OrderStatus.FILLED, Decimal("0.5"))


def execution(**more: Any) -> Row:
    return {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": "id-8",
        "orderLinkId": "",
        "side": "Buy",
        "orderType": "Market",
        "orderQty": "0.5",
        "leavesQty": "0",
        "execId": "e-1",
        "execPrice": "100",
        "execQty": "0.5",
        "execType": "Trade",
        "execFee": "0.03",
        "execTime": "1700000000000",
        **more,
    }


async def test_an_order_that_is_nowhere_stays_unknown(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.tell(CREATE, Answer(code=10000, text="Server Timeout"))
    with pytest.raises(OrderOutcomeUnknown):
        await broker.place_order(limit())
    assert len(venue.asked(CREATE)) == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (110007, OrderRejected),
        (110094, OrderRejected),
        (10001, OrderRejected),
        (10003, OrderRejected),
        (10005, OrderRejected),
        (10006, OrderRejected),
        (110066, MarketClosed),
        (170131, OrderRejected),
        (30208, OrderRejected),
    ],
)
async def test_a_documented_refusal_is_one(
    venue: SmallVenue, broker: BybitProvider, code: int, error: type[VenueError]
) -> None:
    venue.tell(CREATE, Answer(code=code, text="the venue's own words"))
    with pytest.raises(error, match="the venue's own words") as caught:
        await broker.place_order(limit())
    assert caught.value.code == code
    assert len(venue.asked(CREATE)) == 1


async def test_an_order_with_the_wrong_time_does_not_leave_twice(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    await broker.place_order(limit())  # the mode is known by that
    venue.ahead = 60.0
    with pytest.raises(OrderRejected, match="time outside the window"):
        await broker.place_order(limit())
    assert len(venue.asked(CREATE)) == 2
    await broker.place_order(limit())  # the time was measured anew


# --- changes and cancels ---


async def test_a_change_names_what_is_different(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(limit())
    await broker.modify_order(ACCOUNT, order.id, limit_price="99.5")
    (body,) = venue.asked("/v5/order/amend")
    assert body == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": order.id,
        "price": "99.5",
    }


async def test_a_change_that_never_shows_is_none(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(limit())
    venue.tell("/v5/order/amend", Answer(result={"orderId": order.id, "orderLinkId": ""}))
    venue.orders[order.id] |= {"orderStatus": "Cancelled"}
    with pytest.raises(OrderRejected, match="cancelled, without the change"):
        await broker.modify_order(ACCOUNT, order.id, limit_price="99.5")


async def test_a_cancel_is_done_when_the_order_is_cancelled(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit())
    await broker.cancel_order(ACCOUNT, order.id)
    assert (await broker.get_order(ACCOUNT, order.id)).status is OrderStatus.CANCELLED


async def test_a_cancel_that_a_fill_was_faster_than_is_refused(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    order = await broker.place_order(limit())
    fill(venue.orders[order.id])
    venue.tell("/v5/order/cancel", Answer(result={}))
    with pytest.raises(OrderRejected, match="is filled already"):
        await broker.cancel_order(ACCOUNT, order.id)


async def test_an_order_that_was_never_seen_is_looked_for_before_its_cancel(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    row = new_order("old-1", venue.milliseconds, **_body(limit()) | {"orderLinkId": "theirs"})
    venue.orders["old-1"] = row
    await broker.cancel_order(ACCOUNT, "old-1")
    (body,) = venue.asked("/v5/order/cancel")
    assert body == {"category": "linear", "symbol": "BTCUSDT", "orderId": "old-1"}


async def test_a_stop_of_spot_is_cancelled_as_one(venue: SmallVenue, broker: BybitProvider) -> None:
    order = await broker.place_order(OrderRequest.stop(ACCOUNT, SPOT, SELL, 1, 90))
    await broker.cancel_order(ACCOUNT, order.id)
    assert venue.asked("/v5/order/cancel")[0]["orderFilter"] == "StopOrder"


async def test_there_is_no_order_to_cancel(broker: BybitProvider) -> None:
    with pytest.raises(NotFound):
        await broker.cancel_order(ACCOUNT, "never-was")
