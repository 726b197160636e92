"""The control API: everything a test can do to the sandbox, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.plain_http import plain_http

from tradeforge_core.enums import OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import RateLimit, RateLimits, TopStepXSandbox, create
from tradeforge_topstepx.sandbox.commands import COMMANDS

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Call = Callable[..., Awaitable[dict[str, Any]]]
Connect = Callable[[str], Awaitable["HubClient"]]
PLACE = "/api/Order/place"
MNQ, MES, OLD = "CON.F.US.MNQ.H26", "CON.F.US.MES.H26", "CON.F.US.MNQ.Z25"


@pytest.fixture
async def sandbox(clock: ManualClock) -> AsyncIterator[TopStepXSandbox]:
    async with TopStepXSandbox(clock=clock, control=True) as sandbox:
        yield sandbox


@pytest.fixture
def do(anonymous: httpx.AsyncClient) -> Call:
    """Run a command; no token is needed."""

    async def do(command: str, **arguments: object) -> dict[str, Any]:
        response = await anonymous.post(f"/_sandbox/{command}", json=arguments)
        assert response.status_code == 200, response.text
        payload: dict[str, Any] = response.json()
        assert payload.pop("done") == command
        return payload

    return do


async def test_it_is_off_unless_asked_for(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock) as sandbox, plain_http() as client:
        assert (await client.get(f"{sandbox.url}/_sandbox")).status_code == 404
        assert (await client.post(f"{sandbox.url}/_sandbox/reset")).status_code == 404
    async with create(control=True) as sandbox, plain_http() as client:
        assert (await client.get(f"{sandbox.url}/_sandbox")).status_code == 200


async def test_it_lists_every_command(anonymous: httpx.AsyncClient) -> None:
    listed = (await anonymous.get("/_sandbox")).json()
    assert [one["command"] for one in listed] == [f"POST /_sandbox/{one.name}" for one in COMMANDS]
    assert all(one["does"] for one in listed)
    drop = next(one for one in listed if one["command"].endswith("/drop_hubs"))
    assert drop["arguments"] == []
    assert drop["optional"] == {"hubs": "both", "allow_reconnect": True}


def test_every_command_has_a_test() -> None:
    """Here, by the name it is called with."""
    text = Path(__file__).read_text()
    assert [one.name for one in COMMANDS if f'do("{one.name}"' not in text] == []


@pytest.mark.parametrize(
    ("command", "body", "status", "error"),
    [
        ("move", "{}", 400, "contract_id"),
        ("move", "no json", 400, "malformed"),
        ("move", '{"contract_id": "X", "price": "1"}', 409, "unknown_instrument"),
        ("move", f'{{"contract_id": "{MNQ}", "price": "0.1"}}', 409, "price_off_tick"),
        ("advance", '{"step": 1}', 400, "step"),
        ("advance", '{"steps": 0}', 400, "steps"),
        ("fill_order", '{"account_id": 1001, "order_id": 1}', 409, "unknown_order"),
        ("roll", '{"contract_id": "X"}', 409, "unknown_instrument"),
        ("roll", f'{{"contract_id": "{OLD}"}}', 400, "same id"),
        ("fail_next", '{"path": "/x", "fault": 200}', 400, "fault"),
        ("fail_next", '{"path": "/x", "fault": "burn"}', 400, "Invalid enum value 'burn'"),
        ("fail_next", '{"path": "/x", "fault": 503}', 400, "no path '/x'"),
        ("fail_next", f'{{"path": "{PLACE}", "fault": 503, "when": 1}}', 400, "when"),
        ("fail_next", f'{{"path": "{PLACE}", "fault": "html", "code": 1}}', 400, "code goes with"),
        (
            "fail_next",
            f'{{"path": "{PLACE}", "fault": 429, "retry_after": []}}',
            400,
            "retry_after",
        ),
        ("fail_next", f'{{"path": "{PLACE}", "fault": "envelope"}}', 400, "needs a code"),
        ("lag_reads", '{"seconds": -1}', 400, "seconds"),
        ("fail_events", '{"event": "Nothing", "fault": "lost"}', 400, "Nothing"),
        ("drop_hubs", '{"hubs": "all"}', 400, "hubs"),
    ],
)
async def test_a_command_that_makes_no_sense_says_why(
    anonymous: httpx.AsyncClient, command: str, body: str, status: int, error: str
) -> None:
    response = await anonymous.post(f"/_sandbox/{command}", content=body)
    assert response.status_code == status
    assert error in response.json()["error"]


async def test_an_unknown_command_is_404(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.post("/_sandbox/nothing")).status_code == 404
    assert (await anonymous.get("/_sandbox/reset")).status_code == 405


# The market


async def test_move_and_advance(do: Call, exchange: Exchange) -> None:
    for price in ("29600.25", 29550.5):
        await do("move", contract_id=MNQ, price=price)
        assert exchange.quote(MNQ).last == Decimal(str(price))
    before = exchange.quote(MES)
    await do("advance", steps=20)
    assert exchange.quote(MES) != before


async def test_the_market_opens_and_closes(do: Call, place: Call) -> None:
    await do("close_market")
    assert not (await place())["success"]
    await do("open_market")
    assert (await place())["success"]


async def test_one_contract_can_be_halted(do: Call, place: Call) -> None:
    await do("halt", contract_id=MNQ)
    assert "not in an active trading status" in (await place())["errorMessage"]
    assert (await place(contractId=MES))["success"]
    await do("resume", contract_id=MNQ)
    assert (await place())["success"]


async def test_an_expired_contract_can_only_be_looked_up(do: Call, place: Call, call: Call) -> None:
    resting = (await place(type=1, limitPrice=29000))["orderId"]
    await do("expire_contract", contract_id=MNQ)
    assert (await place())["errorCode"] == 9
    order = (await call("Order/searchById", accountId=1001, orderId=resting))["order"]
    assert order["status"] == 4
    found = (await call("Contract/searchById", contractId=MNQ))["contract"]
    assert not found["activeContract"]
    for path, body in (("available", {}), ("search", {"searchText": "MNQ"})):
        listed = (await call(f"Contract/{path}", live=False, **body))["contracts"]
        assert MNQ not in [one["id"] for one in listed]


async def test_a_rolled_contract_is_followed_by_the_next(
    do: Call, place: Call, call: Call, connect_hub: Connect
) -> None:
    following = (await do("roll", contract_id=MNQ))["id"]
    assert following == "CON.F.US.MNQ.M26"
    assert (await do("roll", contract_id=following))["id"] == "CON.F.US.MNQ.U26"
    listed = (await call("Contract/available", live=False))["contracts"]
    (found,) = [one for one in listed if one["symbolId"] == "F.US.MNQ"]
    assert (found["id"], found["name"]) == ("CON.F.US.MNQ.U26", "MNQU6")
    assert (await place(contractId=found["id"]))["success"]
    market = await connect_hub("market")
    await market.follow("ContractQuotes", key=found["id"])
    assert (await market.event())[1][1]["lastPrice"] > 0


@pytest.mark.parametrize(
    ("contract_id", "following"),
    [("CON.F.US.GCE.J26", "CON.F.US.GCE.M26"), ("CON.F.US.CLE.J26", "CON.F.US.CLE.K26")],
)
async def test_every_product_has_its_months(do: Call, contract_id: str, following: str) -> None:
    assert (await do("roll", contract_id=contract_id))["id"] == following


# Orders and accounts


async def test_orders_are_filled_rejected_and_expired(
    do: Call, place: Call, exchange: Exchange
) -> None:
    ids = [(await place(type=1, limitPrice=29000, size=2))["orderId"] for _ in range(3)]
    await do("fill_order", account_id=1001, order_id=ids[0], size=1, price="28999.75")
    assert await do("reject_order", account_id=1001, order_id=ids[1]) == {"id": ids[1]}
    await do("expire_order", account_id=1001, order_id=ids[2])
    orders = [exchange.order(1001, one) for one in ids]
    assert [one.status for one in orders] == [
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    ]
    assert orders[0].average_fill_price == Decimal("28999.75")
    with pytest.raises(AssertionError, match="order_not_working"):
        await do("fill_order", account_id=1001, order_id=ids[2])


async def test_an_entry_is_booked_without_its_legs(
    do: Call, place: Call, exchange: Exchange
) -> None:
    legs = {
        "stopLossBracket": {"ticks": -40, "type": 4},
        "takeProfitBracket": {"ticks": 40, "type": 1},
    }
    await do("lose_legs", account_id=1001, take_profit=False)
    await place(**legs)
    entry, take_profit = exchange.orders(1001)
    assert (take_profit.parent_id, take_profit.type) == (entry.id, OrderType.LIMIT)
    await do("lose_legs", account_id=1001, count=2)
    for _ in range(3):
        await place(**legs)
    assert len(exchange.orders(1001)) == 2 + 1 + 1 + 3


async def test_a_trade_can_be_taken_back(do: Call, place: Call, call: Call) -> None:
    await place()
    search = {"accountId": 1001, "startTimestamp": "2026-03-02T00:00:00Z"}
    (trade,) = (await call("Trade/search", **search))["trades"]
    await do("void_fill", account_id=1001, fill_id=trade["id"])
    assert (await call("Trade/search", **search))["trades"] == [trade | {"voided": True}]
    assert (await call("Position/searchOpen", accountId=1001))["positions"] == []


async def test_an_account_can_be_locked_and_change_its_mode(do: Call, place: Call) -> None:
    bracket = {"stopLossBracket": {"ticks": -20, "type": 4}, "accountId": 1002}
    assert not (await place(**bracket))["success"]
    await do("set_account", account_id=1002, auto_oco=True)
    assert (await place(**bracket))["success"]
    await do("set_account", account_id=1002, can_trade=False)
    assert (await place(**bracket))["errorCode"] == 10


# Requests


async def test_requests_fail_so_often_and_so_late(
    do: Call, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    path = "/api/Account/search"
    body = {"onlyActiveAccounts": True}
    await do("fail_next", path=path, fault=503, count=2, retry_after=7)
    for _ in range(2):
        response = await http.post(path, json=body)
        assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    await do("fail_next", path=path, fault="html")
    assert "html" in (await http.post(path, json=body)).headers["Content-Type"]
    await do("fail_next", path=path, fault="delay", seconds=2)
    late = asyncio.create_task(http.post(path, json=body))
    await asyncio.wait([late], timeout=0.05)
    assert not late.done()
    while not late.done():
        clock.advance(1)
        await asyncio.wait([late], timeout=0.01)
    assert late.result().json()["success"]


@pytest.mark.parametrize(
    ("fault", "details", "status", "content"),
    [
        (302, {"location": "/elsewhere?x"}, 302, None),
        (429, {"retry_after": "in ten years"}, 429, None),
        ("problem", {}, 400, "validation"),
        ("empty", {"handled": False}, 200, None),
        ("envelope", {"code": 6, "message": "pending"}, 200, '"errorMessage":"pending"'),
        ("json", {"body": [None]}, 200, "[null]"),
        ("json", {}, 200, "null"),
        ("mistyped", {}, 200, '"success":true'),
        ("drip", {}, 200, '"success":true'),
        ("stale", {}, 200, '"success":true'),
    ],
)
async def test_every_fault_has_the_same_words(
    do: Call,
    http: httpx.AsyncClient,
    fault: str | int,
    details: dict[str, Any],
    status: int,
    content: str | None,
) -> None:
    await do("fail_next", path=PLACE, fault=fault, **details)
    order = {"accountId": 1001, "contractId": MNQ, "type": 2, "side": 0, "size": 1}
    answer = await http.post(PLACE, json=order)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == details.get("retry_after")
    assert answer.headers.get("Location") == details.get("location")
    assert content in answer.text if content else not answer.text


async def test_reads_lag(do: Call, place: Call, call: Call) -> None:
    await do("lag_reads", seconds=2)
    await place()
    assert (await call("Position/searchOpen", accountId=1001))["positions"] == []
    await do("lag_reads", seconds=0)
    assert len((await call("Position/searchOpen", accountId=1001))["positions"]) == 1


async def test_planned_faults_are_forgotten(do: Call, place: Call) -> None:
    await do("fail_next", path="/api/Order/place", fault=500)
    await do("forget_faults")
    assert (await place())["success"]


async def test_half_open_connections_are_answered_no_more_and_new_ones_are(
    do: Call, http: httpx.AsyncClient, exchange: Exchange
) -> None:
    order = {"accountId": 1001, "contractId": MNQ, "type": 2, "side": 0, "size": 1}
    await http.post("/api/Order/place", json=order)
    await do("half_open")
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/api/Order/place", json=order, timeout=0.1)
    assert len(exchange.orders(1001)) == 1
    answer = await http.post("/api/Order/place", json=order)
    assert answer.json()["success"]


async def test_limits_are_set(do: Call, sandbox: TopStepXSandbox) -> None:
    await do("set_limits", others={"requests": 3, "seconds": 10}, retry_after=True)
    assert sandbox.limits == RateLimits(others=RateLimit(3, 10), retry_after=True)
    await do("set_limits", enforced=False)
    assert sandbox.limits is None


async def test_tokens_expire(do: Call, http: httpx.AsyncClient) -> None:
    await do("expire_tokens")
    assert (await http.post("/api/Account/search", json={})).status_code == 401


# Hubs


async def test_hubs_are_dropped_and_cut(do: Call, connect_hub: Connect) -> None:
    user, market = await connect_hub("user"), await connect_hub("market")
    await do("drop_hubs", hubs="user", allow_reconnect=False)
    assert await user.hear() == {"type": 7, "error": "Connection closed with an error."}
    assert "error" in await market.invoke("Nothing")
    await do("reset_hubs")
    await market.socket.wait_closed()
    assert market.socket.close_code == 1006


async def test_hubs_go_silent_and_log_out_and_say_anything(do: Call, user_hub: "HubClient") -> None:
    await do("mute_hubs", silence="events")
    await do("log_out")
    await do("mute_hubs", silence=None)
    await do("log_out", reason="why", hubs="user")
    assert await user_hub.event() == ("GatewayLogout", ["why"])
    await do("say", text="anything")
    assert await user_hub.socket.recv() == "anything"


async def test_events_are_late_and_fail(
    do: Call, user_hub: "HubClient", place: Call, clock: ManualClock
) -> None:
    await user_hub.follow("Accounts")
    await do("fail_events", event="GatewayUserAccount", fault="lost")
    await do("delay_events", seconds=0.5)
    await place()
    assert "error" in await user_hub.invoke("Nothing")
    clock.advance(0.5)
    assert (await user_hub.event())[0] == "GatewayUserAccount"
    assert "error" in await user_hub.invoke("Nothing")


# The whole


async def test_the_state_is_the_truth(
    anonymous: httpx.AsyncClient, exchange: Exchange, place: Call, user_hub: "HubClient"
) -> None:
    await user_hub.follow("Accounts", "Orders", key=1001)
    order_id = (await place(customTag="mine"))["orderId"]
    state = (await anonymous.get("/_sandbox/state")).json()
    assert state["exchange"] == exchange.snapshot()
    account = state["exchange"]["accounts"][0]
    assert account["balance"] == "149999.39"
    assert [one["id"] for one in account["orders"]] == [order_id]
    assert state["hubs"] == {
        "user": {
            "connections": 1,
            "followers": {"GatewayUserAccount": {"": 1}, "GatewayUserOrder": {"1001": 1}},
        },
        "market": {"connections": 0, "followers": {}},
    }
    assert state["requests"] == {"/api/Auth/loginKey": 1, "/hubs/user": 1, "/api/Order/place": 1}
    assert state["worst_rates"] == {"bars": 0, "others": 2}


async def test_a_reset_begins_anew(
    do: Call, connect_hub: Connect, place: Call, call: Call, sandbox: TopStepXSandbox
) -> None:
    user = await connect_hub("user")
    await place()
    sandbox.fail_next("/api/Order/place", 503)
    sandbox.delay_events(10)
    quote = sandbox.exchange.quote(MNQ)
    await do("reset", seed=3)
    assert (await user.hear())["allowReconnect"]
    assert sandbox.exchange.orders(1001) == []
    assert sandbox.exchange.quote(MNQ) != quote
    assert sandbox.requests == {}
    user, market = await connect_hub("user"), await connect_hub("market")
    await user.follow("Orders", key=1001)
    await market.follow("ContractTrades", key=MNQ)
    await place()
    assert (await user.event())[0] == "GatewayUserOrder"
    assert (await market.event())[0] == "GatewayTrade"


async def test_the_same_seed_gives_the_same_market_again(
    do: Call, sandbox: TopStepXSandbox
) -> None:
    quotes = []
    for seed in (5, None, 6):
        await do("reset", seed=seed)
        await do("advance", steps=20)
        quotes.append(sandbox.exchange.quote(MNQ))
    assert quotes[0] == quotes[1] != quotes[2]
