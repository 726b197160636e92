"""Orders with a stop loss and a take profit: what is taken, what is told, where they are seen."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Call = Callable[..., Awaitable[dict[str, Any]]]
MNQ = "CON.F.US.MNQ.H26"
SINCE = {"accountId": 1001, "startTimestamp": "2026-03-02T00:00:00Z"}
LONG = {
    "side": 0,
    "stopLossBracket": {"ticks": -20, "type": 4},
    "takeProfitBracket": {"ticks": 40, "type": 1},
}
SHORT = {
    "side": 1,
    "stopLossBracket": {"ticks": 20, "type": 4},
    "takeProfitBracket": {"ticks": -40, "type": 1},
}
RESTING = {"type": 1, "limitPrice": 29000}


def _bracket(stop_loss: int | None, take_profit: int | None, type_: int = 4) -> dict[str, Any]:
    return {
        "stopLossBracket": stop_loss and {"ticks": stop_loss, "type": type_},
        "takeProfitBracket": take_profit and {"ticks": take_profit, "type": 1},
    }


async def _family(call: Call, entry_id: int) -> list[dict[str, Any]]:
    """The entry, the stop loss and the take profit, wherever they can be seen."""
    orders = (await call("Order/v2/query", filter={"accountId": 1001}))["orders"]
    return [one for one in orders if entry_id in (one["id"], one["parentOrderId"])]


async def _statuses(call: Call, entry_id: int) -> list[int]:
    return [one["status"] for one in await _family(call, entry_id)]


# What is taken


async def test_children_are_born_with_their_entry(call: Call, place: Call) -> None:
    entry_id = (await place(**LONG, **RESTING, customTag="mine", size=2))["orderId"]
    entry, stop_loss, take_profit = await _family(call, entry_id)
    assert (entry["status"], entry["parentOrderId"], entry["linkedOrderId"]) == (1, None, None)
    assert (entry["trailDistance"], entry["trailPrice"]) == (None, None)
    assert entry_id < stop_loss["id"] < take_profit["id"]
    assert [one["type"] for one in (stop_loss, take_profit)] == [4, 1]
    assert [one["customTag"] for one in (stop_loss, take_profit)] == ["mine-SL", "mine-TP"]
    assert [one["linkedOrderId"] for one in (stop_loss, take_profit)] == [None, stop_loss["id"]]
    assert [one["trailDistance"] for one in (stop_loss, take_profit)] == [-20, 40]
    assert [one["trailPrice"] for one in (stop_loss, take_profit)] == [-5, 10]
    for child in (stop_loss, take_profit):
        assert (child["status"], child["side"], child["size"]) == (8, 1, 2)
        assert (child["limitPrice"], child["stopPrice"]) == (None, None)
        assert child["creationTimestamp"] == entry["creationTimestamp"]


async def test_children_of_an_untagged_entry_have_no_tag(call: Call, place: Call) -> None:
    entry_id = (await place(**LONG, **RESTING))["orderId"]
    assert [one["customTag"] for one in await _family(call, entry_id)] == [None] * 3


@pytest.mark.parametrize(
    ("order", "side", "sign"), [(LONG, 1, 1), (SHORT, 0, -1)], ids=["long", "short"]
)
async def test_children_work_from_the_fill_of_their_entry(
    call: Call, place: Call, order: dict[str, Any], side: int, sign: int
) -> None:
    entry, stop_loss, take_profit = await _family(call, (await place(**order))["orderId"])
    filled = entry["filledPrice"]
    assert [one["status"] for one in (entry, stop_loss, take_profit)] == [2, 1, 1]
    assert stop_loss["stopPrice"] == filled - sign * 5
    assert take_profit["limitPrice"] == filled + sign * 10
    assert [one["side"] for one in (stop_loss, take_profit)] == [side, side]


async def test_a_trailing_stop_loss_keeps_its_sign(
    call: Call, place: Call, exchange: Exchange
) -> None:
    answer = await place(side=1, **_bracket(101, -99, type_=5))
    _, stop_loss, take_profit = await _family(call, answer["orderId"])
    assert (stop_loss["type"], stop_loss["status"]) == (5, 1)
    assert (stop_loss["trailDistance"], stop_loss["trailPrice"]) == (101, 25.25)
    assert (take_profit["trailDistance"], take_profit["trailPrice"]) == (-99, -24.75)
    exchange.move_to(MNQ, Decimal(29530))
    moved = (await _family(call, answer["orderId"]))[1]
    assert moved == stop_loss | {"stopPrice": 29555.25}


async def test_a_trailing_stop_loss_of_a_long_entry_is_below_zero(call: Call, place: Call) -> None:
    _, stop_loss = await _family(call, (await place(**_bracket(-101, None, type_=5)))["orderId"])
    assert (stop_loss["trailDistance"], stop_loss["trailPrice"]) == (-101, -25.25)


@pytest.mark.parametrize(("exit_", "statuses"), [(-5, [2, 2, 3]), (10, [2, 3, 2])])
async def test_one_exit_cancels_the_other(
    call: Call, place: Call, exchange: Exchange, exit_: int, statuses: list[int]
) -> None:
    entry_id = (await place(**LONG))["orderId"]
    filled = (await _family(call, entry_id))[0]["filledPrice"]
    exchange.move_to(MNQ, Decimal(str(filled + exit_)))
    assert await _statuses(call, entry_id) == statuses
    assert (await call("Position/searchOpen", accountId=1001))["positions"] == []


async def test_a_modified_leg_leaves_the_other_alone(call: Call, place: Call) -> None:
    _, stop_loss, take_profit = await _family(call, (await place(**LONG))["orderId"])
    body = {"accountId": 1001, "orderId": stop_loss["id"], "stopPrice": 29000}
    assert (await call("Order/modify", **body))["success"]
    _, moved, untouched = await _family(call, stop_loss["parentOrderId"])
    assert (moved["stopPrice"], untouched) == (29000, take_profit)


async def test_closing_the_position_leaves_the_legs_working(call: Call, place: Call) -> None:
    entry_id = (await place(**LONG))["orderId"]
    assert (await call("Position/closeContract", accountId=1001, contractId=MNQ))["success"]
    assert await _statuses(call, entry_id) == [2, 1, 1]


async def test_a_cancelled_entry_takes_its_children_with_it(call: Call, place: Call) -> None:
    entry_id = (await place(**LONG, **RESTING))["orderId"]
    assert (await call("Order/cancel", accountId=1001, orderId=entry_id))["success"]
    assert await _statuses(call, entry_id) == [3, 3, 3]


# Where they are seen


async def test_suspended_children_hide_from_both_searches(call: Call, place: Call) -> None:
    entry_id = (await place(**LONG, **RESTING))["orderId"]
    _, stop_loss, take_profit = await _family(call, entry_id)
    for path in ("Order/search", "Order/searchOpen"):
        assert [one["id"] for one in (await call(path, **SINCE))["orders"]] == [entry_id]
    for child in (stop_loss, take_profit):
        found = await call("Order/searchById", accountId=1001, orderId=child["id"])
        assert found["order"] == child
    query = {"filter": {"accountId": 1001, "statuses": [8]}}
    assert (await call("Order/v2/query", **query))["orders"] == [stop_loss, take_profit]


async def test_working_children_show_in_both_searches(call: Call, place: Call) -> None:
    family = await _family(call, (await place(**LONG))["orderId"])
    assert (await call("Order/search", **SINCE))["orders"] == family
    assert (await call("Order/searchOpen", accountId=1001))["orders"] == family[1:]


# What is told


def _told(events: list[tuple[str, list[Any]]]) -> list[tuple[int, int]]:
    """The id and the status of every order event."""
    bodies = [body["data"] for name, (body,) in events if name == "GatewayUserOrder"]
    return [(one["id"], one["status"]) for one in bodies]


async def test_the_story_of_a_market_entry_is_told_as_the_venue_does(
    user_hub: "HubClient", place: Call
) -> None:
    await user_hub.follow("Orders", key=1001)
    entry = (await place(**LONG))["orderId"]
    stop_loss, take_profit = entry + 1, entry + 2
    events = await user_hub.events(6)
    assert _told(events) == [
        (stop_loss, 8),
        (entry, 6),
        (take_profit, 8),
        (entry, 2),
        (take_profit, 1),
        (stop_loss, 1),
    ]
    born = events[0][1][0]["data"]
    assert "stopPrice" not in born and "linkedOrderId" not in born
    assert (born["parentOrderId"], born["trailDistance"], born["trailPrice"]) == (entry, -20, -5)
    assert events[2][1][0]["data"]["linkedOrderId"] == stop_loss


async def test_the_story_of_an_exit_ends_with_the_other_leg(
    user_hub: "HubClient", call: Call, place: Call, exchange: Exchange
) -> None:
    _, stop_loss, take_profit = await _family(call, (await place(**LONG))["orderId"])
    await user_hub.follow("Orders", "Trades", "Positions", "Accounts", key=1001)
    exchange.move_to(MNQ, Decimal(str(take_profit["limitPrice"])))
    events = await user_hub.events(7)
    assert [name.removeprefix("GatewayUser") for name, _ in events] == [
        "Order",
        "Trade",
        "Trade",
        "Position",
        "Account",
        "Account",
        "Order",
    ]
    assert _told(events) == [(take_profit["id"], 2), (stop_loss["id"], 3)]


# What is refused

POSITION_BRACKETS = (
    "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
)
NEAR = "Price should be at least 4 ticks away."
LOW_STOP = "Stop loss tick value should be at least 4 ticks."
LOW_PROFIT = "Take profit tick value should be at least 4 ticks."
LONGING = "Ticks should be less than zero when longing."
GOING_SHORT = "Ticks should be less than zero when going short."


def _legs(side: int, stop_loss: int | None, take_profit: int | None) -> dict[str, Any]:
    return {"side": side, **_bracket(stop_loss, take_profit)}


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (_legs(0, 40, None), f"Invalid stop loss ticks (40). {LONGING}"),
        (_legs(0, 2, None), f"Invalid stop loss ticks (2). {LONGING}"),
        (_legs(0, -3, None), f"Invalid stop loss ticks (-3). {NEAR}"),
        (_legs(1, -50, None), f"Invalid stop loss ticks (-50). {LOW_STOP}"),
        (_legs(1, 3, None), f"Invalid stop loss ticks (3). {LOW_STOP}"),
        (_legs(1, None, 30), f"Invalid take profit ticks (30). {GOING_SHORT}"),
        (_legs(1, None, -3), f"Invalid take profit ticks (-3). {NEAR}"),
        (_legs(0, None, -30), f"Invalid take profit ticks (-30). {LOW_PROFIT}"),
        (_legs(0, None, 3), f"Invalid take profit ticks (3). {LOW_PROFIT}"),
        ({"stopLossBracket": {"ticks": 0, "type": 4}}, f"Invalid stop loss ticks (0). {LONGING}"),
        (
            {"takeProfitBracket": {"ticks": 0, "type": 1}},
            f"Invalid take profit ticks (0). {LOW_PROFIT}",
        ),
        ({"stopLossBracket": {"ticks": -20, "type": 1}}, "Invalid stop loss type (Limit)"),
        ({"stopLossBracket": {"ticks": -20, "type": 6}}, "Invalid stop loss type (JoinBid)"),
        ({"stopLossBracket": {"ticks": -20, "type": 99}}, "Invalid stop loss type (99)"),
        ({"takeProfitBracket": {"ticks": 20, "type": 4}}, "Invalid take profit type (Stop)"),
        ({"accountId": 1002, **LONG}, POSITION_BRACKETS),
    ],
)
async def test_a_refused_bracket_is_a_rejected_order_without_children(
    call: Call, place: Call, order: dict[str, Any], text: str
) -> None:
    answer = await place(**order)
    assert answer == {
        "orderId": answer["orderId"],
        "success": False,
        "errorCode": 2,
        "errorMessage": text,
    }
    query = {"filter": {"accountId": order.get("accountId", 1001)}}
    (rejected,) = (await call("Order/v2/query", **query))["orders"]
    assert (rejected["id"], rejected["status"]) == (answer["orderId"], 5)


@pytest.mark.parametrize("ticks", [4, -4])
async def test_four_ticks_are_enough(place: Call, ticks: int) -> None:
    side = 0 if ticks < 0 else 1
    assert (await place(side=side, **_bracket(ticks, -ticks)))["success"]


async def test_the_bracket_mode_can_be_switched(place: Call, exchange: Exchange) -> None:
    exchange.set_auto_oco(1002, True)
    assert (await place(accountId=1002, **LONG))["success"]
    exchange.set_auto_oco(1002, False)
    assert (await place(accountId=1002, **LONG))["errorMessage"] == POSITION_BRACKETS
    assert (await place(accountId=1002))["success"]


@pytest.mark.parametrize("tag", ["mine-SL", "mine-TP"])
async def test_the_tags_of_children_are_used_up_as_well(place: Call, tag: str) -> None:
    assert (await place(**LONG, customTag="mine"))["success"]
    answer = await place(customTag=tag)
    assert answer["errorMessage"] == "Specified custom tag is already in use"


async def test_children_have_the_time_at_which_they_began_to_work(
    call: Call, place: Call, exchange: Exchange, clock: ManualClock
) -> None:
    entry_id = (await place(**LONG, **RESTING))["orderId"]
    clock.advance(60)
    exchange.fill_order(1001, entry_id)
    entry, *children = await _family(call, entry_id)
    assert entry["updateTimestamp"] == "2026-03-02T14:30:00+00:00"
    assert {one["updateTimestamp"] for one in children} == {"2026-03-02T14:31:00+00:00"}
