"""What the user hub tells, member by member and in which order."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Call = Callable[..., Awaitable[dict[str, Any]]]
Connect = Callable[[str], Awaitable["HubClient"]]
MNQ = "CON.F.US.MNQ.H26"
ALL = ("Accounts", "Orders", "Positions", "Trades")
NOW = "2026-03-02T14:30:00+00:00"

ORDER, TRADE = "GatewayUserOrder", "GatewayUserTrade"
POSITION, ACCOUNT = "GatewayUserPosition", "GatewayUserAccount"


@pytest.fixture
async def follower(user_hub: "HubClient") -> "HubClient":
    """Follows everything of the first account."""
    await user_hub.follow(*ALL, key=1001)
    return user_hub


def _story(events: list[tuple[str, list[Any]]]) -> list[tuple[str, int]]:
    """Per event its name and, of an order, the status; of the others, the action."""
    return [
        (name, body["data"]["status"] if name == ORDER else body["action"])
        for name, (body,) in events
    ]


async def test_a_market_order_tells_its_story_in_the_order_of_the_venue(
    follower: "HubClient", place: Call
) -> None:
    await place()
    assert _story(await follower.events(6)) == [
        (ORDER, 6),
        (TRADE, 0),
        (ORDER, 2),
        (POSITION, 1),
        (ACCOUNT, 1),
        (ACCOUNT, 1),
    ]


async def test_events_have_the_members_of_the_venue_and_no_nulls(
    follower: "HubClient", place: Call
) -> None:
    order_id = (await place(customTag="tag"))["orderId"]
    bodies = [arguments for _, arguments in await follower.events(6)]
    assert all(len(one) == 1 and list(one[0]) == ["action", "data"] for one in bodies)
    pending, trade, filled, position, account, again = [one[0]["data"] for one in bodies]
    assert pending == {
        "id": order_id,
        "accountId": 1001,
        "contractId": MNQ,
        "symbolId": "F.US.MNQ",
        "creationTimestamp": NOW,
        "updateTimestamp": NOW,
        "status": 6,
        "type": 2,
        "side": 0,
        "size": 1,
        "fillVolume": 0,
        "customTag": "tag",
    }
    assert filled == pending | {"status": 2, "fillVolume": 1, "filledPrice": trade["price"]}
    assert trade == {
        "id": trade["id"],
        "accountId": 1001,
        "contractId": MNQ,
        "creationTimestamp": NOW,
        "price": trade["price"],
        "fees": 0.36,
        "commissions": 0.25,
        "side": 0,
        "size": 1,
        "voided": False,
        "orderId": order_id,
    }
    assert position == {
        "id": position["id"],
        "accountId": 1001,
        "contractId": MNQ,
        "contractDisplayName": "MNQH26",
        "creationTimestamp": NOW,
        "type": 1,
        "size": 1,
        "averagePrice": trade["price"],
    }
    assert (
        account
        == again
        == {
            "id": 1001,
            "name": "PRAC-V2-100100-10010001",
            "balance": 149999.39,
            "canTrade": True,
            "isVisible": True,
            "simulated": True,
        }
    )


async def test_a_working_order_shows_up_as_open(follower: "HubClient", place: Call) -> None:
    await place(type=1, limitPrice=29000.25)
    name, (body,) = await follower.event()
    assert (name, body["action"]) == (ORDER, 1)
    assert (body["data"]["status"], body["data"]["limitPrice"]) == (1, 29000.25)
    assert "stopPrice" not in body["data"]


async def test_a_working_order_is_filled_before_its_trade_is_told(
    follower: "HubClient", place: Call, exchange: Exchange
) -> None:
    await place(type=1, limitPrice=29000)
    await follower.event()
    exchange.move_to(MNQ, Decimal(29000))
    assert _story(await follower.events(5)) == [
        (ORDER, 2),
        (TRADE, 0),
        (POSITION, 1),
        (ACCOUNT, 1),
        (ACCOUNT, 1),
    ]


async def test_a_closing_trade_is_followed_by_the_one_that_opened_again(
    follower: "HubClient", place: Call, clock: ManualClock
) -> None:
    await place()
    opening = (await follower.events(6))[1]
    clock.advance(1)
    await place(side=1)
    events = await follower.events(7)
    assert _story(events) == [
        (ORDER, 6),
        (TRADE, 0),
        (TRADE, 0),
        (ORDER, 2),
        (POSITION, 2),
        (ACCOUNT, 1),
        (ACCOUNT, 1),
    ]
    assert "profitAndLoss" in events[1][1][0]["data"]
    assert events[2] == opening


async def test_a_flat_position_keeps_its_id_its_time_and_its_price(
    follower: "HubClient", place: Call, clock: ManualClock
) -> None:
    await place(side=1, size=2)
    opened = (await follower.events(6))[3][1][0]["data"]
    clock.advance(1)
    await place(size=2)
    closed = (await follower.events(7))[4][1][0]
    assert opened["type"] == 2
    assert closed == {"action": 2, "data": opened | {"type": 0, "size": 0}}


async def test_a_reduced_position_is_a_change(follower: "HubClient", place: Call) -> None:
    await place(size=3)
    await follower.events(6)
    await place(side=1, size=1)
    body = (await follower.events(7))[4][1][0]
    assert (body["action"], body["data"]["size"], body["data"]["type"]) == (1, 2, 1)


async def test_a_rejected_order_is_told_without_a_reason(
    follower: "HubClient", place: Call
) -> None:
    await place(size=0)
    events = await follower.events(2)
    assert _story(events) == [(ORDER, 6), (ORDER, 5)]
    assert not any("error" in name.lower() for name in events[1][1][0]["data"])


async def test_a_cancelled_and_a_modified_order_are_told(
    follower: "HubClient", place: Call, call: Call, clock: ManualClock
) -> None:
    body = {"accountId": 1001, "orderId": (await place(type=1, limitPrice=29000))["orderId"]}
    clock.advance(0.25)
    await call("Order/modify", **body, limitPrice=29001)
    await call("Order/cancel", **body)
    _, changed, cancelled = [one[1][0]["data"] for one in await follower.events(3)]
    assert (changed["limitPrice"], changed["status"]) == (29001, 1)
    assert changed["updateTimestamp"] == "2026-03-02T14:30:00.25+00:00"
    assert cancelled["status"] == 3


async def test_events_are_on_their_way_before_the_reply(follower: "HubClient", place: Call) -> None:
    """The reply of a place does not wait for a reader of the hub, nor the hub for the reply."""
    first = asyncio.create_task(follower.event())
    done, _ = await asyncio.wait(
        [first, asyncio.ensure_future(place())], return_when=asyncio.ALL_COMPLETED
    )
    assert len(done) == 2


@pytest.mark.parametrize("kind", ["Orders", "Positions", "Trades"])
async def test_only_what_was_subscribed_to_is_told(
    user_hub: "HubClient", place: Call, kind: str
) -> None:
    await user_hub.follow(kind, key=1001)
    await place(accountId=1002)
    await place()
    name, (body,) = await user_hub.event()
    assert name == f"GatewayUser{kind[:-1]}"
    assert body["data"]["accountId"] == 1001


async def test_accounts_are_those_of_the_user(user_hub: "HubClient", place: Call) -> None:
    await user_hub.follow("Accounts")
    await place(accountId=1002)
    await place(accountId=1001)
    ids = [body["data"]["id"] for _, (body,) in await user_hub.events(4)]
    assert ids == [1002, 1002, 1001, 1001]


async def test_an_unsubscribed_connection_hears_nothing_more(
    user_hub: "HubClient", place: Call
) -> None:
    await user_hub.follow("Orders", "Trades", key=1001)
    assert (await user_hub.invoke("UnsubscribeOrders", 1001))["result"] == 0
    await place()
    assert (await user_hub.event())[0] == TRADE


async def test_subscribing_twice_tells_once(user_hub: "HubClient", place: Call) -> None:
    await user_hub.follow("Orders", "Orders", key=1001)
    await place()
    statuses = [body["data"]["status"] for _, (body,) in await user_hub.events(2)]
    assert statuses == [6, 2]


async def test_every_connection_is_told(connect_hub: Connect, place: Call) -> None:
    hubs = [await connect_hub("user") for _ in range(3)]
    for hub in hubs:
        await hub.follow("Orders", key=1001)
    await place()
    stories = [_story(await hub.events(2)) for hub in hubs]
    assert stories == [[(ORDER, 6), (ORDER, 2)]] * 3


async def test_a_voided_trade_is_told_again_as_a_change(
    follower: "HubClient", place: Call, exchange: Exchange
) -> None:
    await place()
    trade = (await follower.events(6))[1][1][0]["data"]
    exchange.void_fill(1001, trade["id"])
    events = await follower.events(4)
    assert _story(events) == [(TRADE, 1), (POSITION, 2), (ACCOUNT, 1), (ACCOUNT, 1)]
    assert events[0][1][0]["data"] == trade | {"voided": True}
