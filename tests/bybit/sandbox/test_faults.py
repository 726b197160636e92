"""What a test can have the sandbox get wrong, in the process and over HTTP."""

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest
from tests.bybit.sandbox.conftest import LINEAR, Client, away, last
from tests.bybit.sandbox.sockets import open_socket, pass_time
from tests.plain_http import plain_http

from tradeforge_bybit.sandbox import BybitSandbox, Fault
from tradeforge_bybit.sandbox.control_commands import COMMANDS
from tradeforge_testing import ManualClock

CREATE = "/v5/order/create"


async def test_a_lost_answer_leaves_an_order_that_its_name_finds(
    client: Client, sandbox: BybitSandbox
) -> None:
    sandbox.fail_next(CREATE, Fault.RESET)
    price = away(sandbox, "-5")
    with pytest.raises(httpx.TransportError):
        await client.place(price=price, orderLinkId="lost")
    (row,) = await client.rows("/v5/order/realtime", category="linear", orderLinkId="lost")
    assert row["orderStatus"] == "New"
    assert (await client.place(price=price, orderLinkId="lost"))["retCode"] == 110072
    assert sandbox.requests[CREATE] == 2


@pytest.mark.parametrize(("handled", "orders"), [(True, 1), (False, 0)])
async def test_an_error_of_the_server_says_nothing_of_the_order(
    client: Client, sandbox: BybitSandbox, handled: bool, orders: int
) -> None:
    fault = {"code": 10016, "message": "Server error", "handled": handled}
    sandbox.fail_next(CREATE, Fault.ENVELOPE, **fault)  # type: ignore[arg-type]
    answer = await client.place(price=away(sandbox, "-5"))
    assert (answer["retCode"], answer["retMsg"], answer["result"]) == (10016, "Server error", {})
    assert len(sandbox.exchange.orders(sandbox.venue.account.id)) == orders


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_a_status_of_http(client: Client, sandbox: BybitSandbox, status: int) -> None:
    sandbox.fail_next("/v5/market/time", status)
    assert (await client.http.get("/v5/market/time")).status_code == status
    assert (await client.http.get("/v5/market/time")).status_code == 200
    sandbox.fail_next("/v5/market/time", Fault.HTML)
    assert "<html>" in (await client.http.get("/v5/market/time")).text


async def test_a_path_that_there_is_not_has_no_faults(sandbox: BybitSandbox) -> None:
    with pytest.raises(ValueError, match="/v5/nothing"):
        sandbox.fail_next("/v5/nothing", 500)


async def test_reads_can_be_behind_what_is_so(
    client: Client, sandbox: BybitSandbox, clock: ManualClock
) -> None:
    sandbox.lag_reads(5)
    of = {"category": "linear", "symbol": "BTCUSDT"}
    await client.place(price=away(sandbox, "-5"))
    assert await client.rows("/v5/order/realtime", **of) == []
    clock.advance(5)
    assert len(await client.rows("/v5/order/realtime", **of)) == 1


async def test_sockets_are_cut_muted_and_late(
    sandbox: BybitSandbox, clock: ManualClock, client: Client
) -> None:
    async with open_socket(sandbox, clock, "private") as socket:
        await socket.log_in()
        await socket.subscribe("order")
        sandbox.delay_private(2)
        await client.place(price=away(sandbox, "-5"))
        sandbox.delay_private(0)
        sandbox.faults.spoil_next(lambda text: [text, text])
        await pass_time(clock, 0.1)
        sandbox.mute_sockets("private")
        await socket.say(op="ping")
        await pass_time(clock, 0.1)
        sandbox.mute_sockets(mute=False)
        await pass_time(clock, 2.1)
        assert (await socket.hear())["topic"] == "order"  # and not the pong, which is lost
        await client.place(price=away(sandbox, "-5"))
        await pass_time(clock, 0.1)
        assert await socket.hear() == await socket.hear()
        sandbox.cut_sockets()
        with pytest.raises(Exception, match="close frame"):
            await socket.hear()


async def test_a_venue_that_goes_away_comes_back_as_it_was(clock: ManualClock) -> None:
    async with BybitSandbox(clock=clock) as sandbox, plain_http() as http:
        url = http.base_url = sandbox.url
        await Client(http, clock).place()
        held = sandbox.exchange.positions(sandbox.venue.account.id)
    async with sandbox, plain_http() as http:
        assert (await http.get(f"{url}/v5/market/time")).status_code == 200
        assert sandbox.exchange.positions(sandbox.venue.account.id) == held


# --- over HTTP ---


@pytest.fixture
async def controlled(clock: ManualClock) -> AsyncIterator[BybitSandbox]:
    async with BybitSandbox(clock=clock, control=True) as sandbox:
        yield sandbox


async def test_the_control_lists_what_it_can_do_and_does_it(controlled: BybitSandbox) -> None:
    async with plain_http(f"{controlled.url}/_sandbox") as http:
        listed = (await http.get(f"{controlled.url}/_sandbox")).json()
        names = [f"POST /_sandbox/{one.name}" for one in COMMANDS]
        assert [one["command"] for one in listed] == names
        target = last(controlled) + 10
        done = await http.post("/move", json={"contract_id": LINEAR, "price": str(target)})
        assert (done.status_code, last(controlled)) == (200, target)
        await http.post("/drift", json={"seconds": 30})
        assert controlled.venue.ahead == 30
        fault = {"path": CREATE, "fault": "envelope", "code": 10006, "message": "Too many visits!"}
        assert (await http.post("/fail_next", json=fault)).status_code == 200
        assert controlled.pending_faults == 1
        assert (await http.post("/fail_next", json={"path": CREATE})).status_code == 400
        nowhere = {"contract_id": "X", "price": "1"}
        assert (await http.post("/move", json=nowhere)).status_code == 409
        state = (await http.get("/state")).json()
        assert state["exchange"]["accounts"][0]["balance"] == str(Decimal(100_000))
        assert state["sockets"]["private"] == 0


async def test_there_is_no_control_unless_it_is_asked_for(sandbox: BybitSandbox) -> None:
    async with plain_http(sandbox.url) as http:
        assert (await http.get("/_sandbox/state")).status_code == 404
