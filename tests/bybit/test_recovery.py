"""What goes on at Bybit when the caller, the program or the market does not wait."""

import asyncio
import json
from pathlib import Path

import pytest
from attrs import evolve
from tests.bybit.small_venue import (
    ACCOUNT,
    SETTINGS,
    Answer,
    Row,
    SmallVenue,
    fill,
    new_order,
    position,
)

from tradeforge_bybit import _endpoints, _orders
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderUpdateEvent,
    load_provider,
)
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_core.orders.safety import LookUps
from tradeforge_core.outcomes import Accepted

CREATE, CANCEL, REALTIME = "/v5/order/create", "/v5/order/cancel", "/v5/order/realtime"
LINEAR = "linear:BTCUSDT"


def limit(name: str | None = None) -> OrderRequest:
    request = OrderRequest.limit(ACCOUNT, LINEAR, OrderSide.BUY, "0.5", "100.5")
    return evolve(request, client_order_id=name)


async def looked(venue: SmallVenue) -> None:
    """Return once it was asked for an order."""
    async with asyncio.timeout(5):
        while not venue.asked(REALTIME):  # noqa: ASYNC110  # no event says so: it is the venue's
            await asyncio.sleep(0)


async def test_the_next_run_finds_the_order_of_the_one_before(
    venue: SmallVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    settings = SETTINGS | {"BYBIT_REST_URL": venue.url}
    safety = OrderSafety(look_ups=LookUps(deadline=0.3, settle=0.1))
    venue.tell(CREATE, Answer(lost=True))
    venue.late = 700
    async with load_provider("bybit", settings=settings, safety=safety) as first:
        with pytest.raises(OrderOutcomeUnknown):
            await first.place_order(limit("mine-1"))
    async with load_provider("bybit", settings=settings) as second:
        outcome = await second.resolve("mine-1", timeout=10)
    assert isinstance(outcome, Accepted)
    assert len(venue.asked(CREATE)) == 1


async def test_an_order_whose_caller_has_gone_is_known_all_the_same(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.hidden = 4
    placing = asyncio.create_task(broker.place_order(limit("mine-2")))
    await looked(venue)
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert isinstance(await broker.resolve("mine-2", timeout=5), Accepted)
    assert len(venue.asked(CREATE)) == 1


async def test_a_sighting_of_the_stream_is_proof_without_a_look(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    """The lists are behind, and the stream is not."""
    venue.hidden = 10**6
    placing = asyncio.create_task(broker.place_order(limit("mine-3")))
    await looked(venue)
    (row,) = venue.orders.values()
    seen = _endpoints.REALTIME.read(_answer_with(row)).list[0]
    order = _orders.to_order(seen, "linear", ACCOUNT)
    broker._saw(OrderUpdateEvent(order=order, received=broker._clock.now()))
    assert (await placing).id == order.id


async def test_a_sighting_that_came_before_the_answer_is_proof_too(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.hidden = 10**6

    def tell(row: Row) -> None:
        seen = _endpoints.REALTIME.read(_answer_with(row)).list[0]
        order = _orders.to_order(seen, "linear", ACCOUNT)
        broker._saw(OrderUpdateEvent(order=order, received=broker._clock.now()))

    venue.on_create = tell
    broker._proofs.longest = 1.0
    order = await broker.place_order(limit())
    assert venue.asked(REALTIME) == []
    assert order.client_order_id == venue.asked(CREATE)[0]["orderLinkId"]


def _answer_with(row: Row) -> HttpAnswer:
    body = {"retCode": 0, "result": {"list": [row]}}
    return HttpAnswer(200, json.dumps(body).encode(), None)


async def test_flat_means_no_order_and_no_position(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    body = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}
    for number, category in enumerate(("linear", "inverse", "spot")):
        more = body | {"category": category, "qty": "1", "orderLinkId": f"theirs-{number}"}
        venue.orders[f"old-{number}"] = new_order(f"old-{number}", venue.milliseconds, **more)
    venue.positions = [position("2", "Buy", 1), position("3", "Sell", 2)]

    def sell_out(order: Row) -> None:
        fill(order)
        held = venue.positions[order["positionIdx"] - 1]
        held |= {"size": "0", "side": ""}

    venue.on_create = sell_out
    await broker.flatten(ACCOUNT)
    assert len(venue.asked(CANCEL)) == 3
    assert [(one["side"], one["qty"]) for one in venue.asked(CREATE)] == [
        ("Sell", "2"),
        ("Buy", "3"),
    ]
