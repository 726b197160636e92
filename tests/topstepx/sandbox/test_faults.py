"""What a test can ask the sandbox to get wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.planned_faults import RIGHT, FaultDetails
from tradeforge_topstepx.sandbox import Fault, TopStepXSandbox

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

PLACE = "/api/Order/place"
ORDER = {"accountId": 1001, "contractId": "CON.F.US.MNQ.H26", "type": 2, "side": 0, "size": 1}


@pytest.mark.parametrize("status", [400, 429, 500, 502, 503])
async def test_a_status_comes_once_and_without_a_body(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox, status: int
) -> None:
    sandbox.fail_next(PLACE, status)
    response = await http.post(PLACE, json=ORDER)
    assert (response.status_code, response.content) == (status, b"")
    assert (await http.post(PLACE, json=ORDER)).json()["success"]


async def test_truncated_is_the_first_half_of_the_answer(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, Fault.TRUNCATED)
    response = await http.post(PLACE, json=ORDER)
    assert response.status_code == 200
    assert response.text.startswith('{"orderId":')
    with pytest.raises(json.JSONDecodeError):
        response.json()


async def test_html_is_a_page_with_status_200(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, Fault.HTML)
    response = await http.post(PLACE, json=ORDER)
    assert (response.status_code, response.text[:9]) == (200, "<!DOCTYPE")
    assert response.headers["Content-Type"].startswith("text/html")


async def test_reset_drops_the_connection(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, Fault.RESET)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await http.post(PLACE, json=ORDER)
    assert (await http.post(PLACE, json=ORDER)).json()["success"]


async def test_hang_never_answers(http: httpx.AsyncClient, sandbox: TopStepXSandbox) -> None:
    sandbox.fail_next(PLACE, Fault.HANG)
    with pytest.raises(httpx.ReadTimeout):
        await http.post(PLACE, json=ORDER, timeout=0.1)
    assert (await http.post(PLACE, json=ORDER)).json()["success"]


# what comes after it right, sooner or later, has tests of its own
SPOILING = [one for one in Fault if one not in (Fault.DELAY, *RIGHT)]


@pytest.mark.parametrize("fault", [503, 307, *SPOILING])
@pytest.mark.parametrize("handled", [True, False])
async def test_a_spoiled_request_takes_effect_if_it_is_handled(
    http: httpx.AsyncClient,
    sandbox: TopStepXSandbox,
    exchange: Exchange,
    fault: Fault | int,
    handled: bool,
) -> None:
    details: FaultDetails = {"code": 7} if fault is Fault.ENVELOPE else {}
    sandbox.fail_next(PLACE, fault, **(details | {"handled": handled}))
    try:
        await http.post(PLACE, json=ORDER, timeout=0.1)
    except httpx.TransportError:
        pass
    assert len(exchange.orders(1001)) == int(handled)


async def test_faults_come_in_turn_and_each_to_its_path(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next("/api/order/PLACE", 500)
    sandbox.fail_next(PLACE, 502)
    sandbox.fail_next("/api/Order/cancel", 503)
    statuses = [(await http.post(PLACE, json=ORDER)).status_code for _ in range(3)]
    assert statuses == [500, 502, 200]


async def test_the_ping_and_the_login_can_fail_too(
    anonymous: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    for path in ("/api/Status/ping", "/api/Auth/loginKey", "/hubs/user/negotiate"):
        sandbox.fail_next(path, 503)
    assert (await anonymous.get("/api/Status/ping")).status_code == 503
    assert (await anonymous.post("/api/Auth/loginKey", json={})).status_code == 503
    assert (await anonymous.post("/hubs/user/negotiate")).status_code == 503


async def test_an_upgrade_can_fail(sandbox: TopStepXSandbox, token: str) -> None:
    url = f"ws://127.0.0.1:{sandbox.port}/hubs/user?access_token={token}"
    sandbox.fail_next("/hubs/user", 503)
    sandbox.fail_next("/hubs/user", Fault.RESET)
    sandbox.fail_next("/hubs/user", Fault.HANG)
    with pytest.raises(InvalidStatus) as failure:
        await connect(url)
    assert failure.value.response.status_code == 503
    with pytest.raises((InvalidMessage, ConnectionError, EOFError)):
        await connect(url)
    with pytest.raises(TimeoutError):
        await connect(url, open_timeout=0.1)
    async with connect(url):
        pass


async def test_requests_are_counted_by_path(
    http: httpx.AsyncClient,
    sandbox: TopStepXSandbox,
    connect_hub: Callable[[str], Awaitable["HubClient"]],
) -> None:
    sandbox.fail_next(PLACE, 503)
    body: dict[str, Any] = {}
    for path in (PLACE, "/api/order/place", PLACE, "/hubs/user/negotiate"):
        await http.post(path, json=body)
    await connect_hub("user")
    assert sandbox.requests == {
        "/api/Auth/loginKey": 1,
        PLACE: 3,
        "/hubs/user/negotiate": 1,
        "/hubs/user": 1,
    }


async def test_a_fault_can_come_several_times_and_say_when_to_come_back(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, 503, count=2, retry_after=5)
    answers = [await http.post(PLACE, json=ORDER) for _ in range(3)]
    assert [one.status_code for one in answers] == [503, 503, 200]
    assert [one.headers.get("Retry-After") for one in answers] == ["5", "5", None]


@pytest.mark.parametrize("handled", [True, False])
async def test_a_late_request_takes_effect_before_or_after_the_delay(
    http: httpx.AsyncClient,
    sandbox: TopStepXSandbox,
    exchange: Exchange,
    clock: ManualClock,
    handled: bool,
) -> None:
    sandbox.fail_next(PLACE, Fault.DELAY, seconds=3, handled=handled)
    late = asyncio.create_task(http.post(PLACE, json=ORDER))
    while not sandbox.requests[PLACE]:
        await asyncio.wait([late], timeout=0.01)
    assert len(exchange.orders(1001)) == int(handled)
    while not late.done():
        clock.advance(1)
        await asyncio.wait([late], timeout=0.01)
    assert late.result().json()["success"]
    assert len(exchange.orders(1001)) == 1
