"""Trailing stops and orders that join the bid or the ask."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_testing.exchange import Exchange, Instrument

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Call = Callable[..., Awaitable[dict[str, Any]]]
MNQ = "CON.F.US.MNQ.H26"
OIL = "CON.F.US.CLE.J26"
LAST = 29540


async def _order(call: Call, order_id: int) -> dict[str, Any]:
    order: dict[str, Any] = (await call("Order/searchById", accountId=1001, orderId=order_id))[
        "order"
    ]
    return order


@pytest.mark.parametrize(
    ("side", "trail_price"), [(1, "70.44"), (0, "70.56"), (0, "70.44"), (1, "70.56")]
)
async def test_a_trail_price_is_written_as_a_level_and_read_as_a_distance(
    call: Call, place: Call, side: int, trail_price: str
) -> None:
    answer = await place(contractId=OIL, type=5, side=side, trailPrice=float(trail_price))
    order = await _order(call, answer["orderId"])
    assert (order["type"], order["status"]) == (5, 1)
    assert (order["trailPrice"], order["trailDistance"]) == (0.06, 6)
    assert order["stopPrice"] == (70.56 if side == 0 else 70.44)


async def test_it_follows_the_market_and_is_filled_when_that_turns(
    call: Call, place: Call, exchange: Exchange
) -> None:
    order_id = (await place(type=5, side=1, trailPrice=LAST - 10))["orderId"]
    for price, stop in ((LAST + 20, LAST + 10), (LAST + 15, LAST + 10)):
        exchange.move_to(MNQ, Decimal(price))
        order = await _order(call, order_id)
        assert (order["status"], order["stopPrice"], order["trailPrice"]) == (1, stop, 10)
    exchange.move_to(MNQ, Decimal(LAST + 10))
    assert (await _order(call, order_id))["status"] == 2


async def test_the_hub_shows_the_distance_too(
    user_hub: "HubClient", place: Call, exchange: Exchange
) -> None:
    await user_hub.follow("Orders", key=1001)
    await place(type=5, side=1, trailPrice=LAST - 10)
    data = (await user_hub.event())[1][0]["data"]
    assert (data["trailDistance"], data["trailPrice"], data["stopPrice"]) == (40, 10, LAST - 10)
    exchange.move_to(MNQ, Decimal(LAST + 1))
    moved = (await user_hub.event())[1][0]["data"]
    assert moved == data | {"stopPrice": moved["stopPrice"]}


async def test_a_modified_trail_price_is_a_level_without_a_maximum(call: Call, place: Call) -> None:
    order_id = (await place(type=5, side=1, trailPrice=LAST - 10))["orderId"]
    body = {"accountId": 1001, "orderId": order_id}
    assert (await call("Order/modify", **body, trailPrice=LAST - 500))["success"]
    order = await _order(call, order_id)
    assert (order["trailDistance"], order["trailPrice"]) == (2000, 500)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"trailPrice": LAST - 0.1}, "Invalid trail price. Price is not aligned to tick size."),
        ({"stopPrice": LAST - 20}, None),
    ],
)
async def test_what_is_wrong_with_a_modified_trail_is_code_3(
    call: Call, place: Call, change: dict[str, Any], text: str | None
) -> None:
    order_id = (await place(type=5, side=1, trailPrice=LAST - 10))["orderId"]
    answer = await call("Order/modify", accountId=1001, orderId=order_id, **change)
    assert (answer["errorCode"], answer["errorMessage"]) == (3, text)


async def test_a_contract_that_never_traded_cannot_be_trailed(
    place: Call, exchange: Exchange
) -> None:
    exchange.add_instrument(
        Instrument(
            id="CON.F.US.NEW.H26",
            symbol="NEWH6",
            root="NEW",
            description="Something new",
            tick_size=Decimal(1),
            tick_value=Decimal(1),
            start_price=Decimal(100),
            fee=Decimal(0),
            commission=Decimal(0),
            newly_listed=True,
        )
    )
    answer = await place(contractId="CON.F.US.NEW.H26", type=5, trailPrice=90)
    assert answer["errorMessage"] == "Cannot trail without a last price"


@pytest.mark.parametrize(("type_", "side", "joined"), [(6, 0, "bid"), (7, 1, "ask")])
async def test_a_join_order_rests_at_the_best_price_of_its_side(
    call: Call, place: Call, exchange: Exchange, type_: int, side: int, joined: str
) -> None:
    price = float(getattr(exchange.quote(MNQ), joined))
    order = await _order(call, (await place(type=type_, side=side))["orderId"])
    assert (order["type"], order["status"], order["limitPrice"]) == (type_, 1, price)
    exchange.move_to(MNQ, Decimal(LAST - 10 if side == 0 else LAST + 10))
    assert (await _order(call, order["id"]))["filledPrice"] == price
