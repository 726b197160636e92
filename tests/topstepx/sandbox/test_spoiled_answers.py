"""Every way in which an answer can be wrong, as a bare client sees it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.planned_faults import ELSEWHERE, FaultDetails
from tradeforge_topstepx.sandbox import Fault, TopStepXSandbox

Call = Callable[..., Awaitable[dict[str, Any]]]
Post = Callable[[], Coroutine[Any, Any, httpx.Response]]
PLACE, QUERY = "/api/Order/place", "/api/Order/v2/query"
ORDER = {"accountId": 1001, "contractId": "CON.F.US.MNQ.H26", "type": 2, "side": 0, "size": 1}


@pytest.fixture
def post(http: httpx.AsyncClient) -> Post:
    """Place an order, whatever the answer."""

    async def post() -> httpx.Response:
        return await http.post(PLACE, json=ORDER)

    return post


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_elsewhere_and_who_follows_is_counted(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox, status: int
) -> None:
    sandbox.fail_next(PLACE, status, count=2)
    answer = await http.post(PLACE, json=ORDER)
    assert (answer.status_code, answer.headers["Location"]) == (status, ELSEWHERE)
    assert sandbox.requests[ELSEWHERE] == 0
    followed = await http.post(PLACE, json=ORDER, follow_redirects=True)
    assert followed.json() == {"success": True, "errorCode": 0, "errorMessage": None}
    assert sandbox.requests[ELSEWHERE] == 1


async def test_a_redirect_can_lead_to_another_host(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox, clock: ManualClock
) -> None:
    async with TopStepXSandbox(clock=clock) as other:
        sandbox.fail_next(PLACE, 307, location=other.url + PLACE, handled=False)
        await http.post(PLACE, json=ORDER, follow_redirects=True)
        assert (sandbox.requests[PLACE], other.requests[PLACE]) == (1, 1)
    assert sandbox.exchange.orders(1001) == []


# Envelopes


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize(("code", "message"), [(6, None), (7, "Unknown"), (9999, "New"), (0, None)])
async def test_an_envelope_has_another_code_and_message(
    post: Post,
    sandbox: TopStepXSandbox,
    exchange: Exchange,
    code: int,
    message: str | None,
    handled: bool,
) -> None:
    sandbox.fail_next(PLACE, Fault.ENVELOPE, code=code, message=message, handled=handled)
    answer = await post()
    booked = [order.id for order in exchange.orders(1001)]
    assert len(booked) == int(handled)
    assert answer.json() == {
        "orderId": booked[0] if handled else None,
        "success": code == 0,
        "errorCode": code,
        "errorMessage": message,
    }


@pytest.mark.parametrize("handled", [True, False])
async def test_a_refusal_can_have_an_order_id_and_a_success_none(
    post: Post, sandbox: TopStepXSandbox, handled: bool
) -> None:
    for code, order_id in ((2, 77), (0, None)):
        sandbox.fail_next(
            PLACE, Fault.ENVELOPE, code=code, body={"orderId": order_id}, handled=handled
        )
        answer = (await post()).json()
        assert (answer["orderId"], answer["errorCode"]) == (order_id, code)


async def test_an_envelope_around_rows_keeps_them(
    place: Call, call: Call, sandbox: TopStepXSandbox
) -> None:
    await place(type=1, limitPrice=29000)
    right = await call("Order/searchOpen", accountId=1001)
    sandbox.fail_next("/api/Order/searchOpen", Fault.ENVELOPE, code=1, message="no")
    wrong = await call("Order/searchOpen", accountId=1001)
    assert wrong == right | {"success": False, "errorCode": 1, "errorMessage": "no"}


async def test_what_has_no_envelope_stays_as_it_is(
    anonymous: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, Fault.ENVELOPE, code=7)
    assert (await anonymous.post(PLACE, json=ORDER)).status_code == 401


async def test_the_same_tag_twice_is_refused_also_when_the_first_answer_was_lost(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox, exchange: Exchange
) -> None:
    sandbox.fail_next(PLACE, 401)
    tagged = ORDER | {"customTag": "mine"}
    assert (await http.post(PLACE, json=tagged)).status_code == 401
    again = (await http.post(PLACE, json=tagged)).json()
    assert (again["errorCode"], again["success"]) == (2, False)
    assert "already in use" in again["errorMessage"]
    assert [order.reject is None for order in exchange.orders(1001)] == [True, False]


# Bodies


async def test_a_problem_is_what_the_venue_says_to_a_bad_body(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, Fault.PROBLEM)
    planned = await http.post(PLACE, json=ORDER)
    real = await http.post(PLACE, json={"accountId": "x"})
    assert planned.status_code == real.status_code == 400
    assert planned.headers["Content-Type"] == real.headers["Content-Type"]
    assert planned.json().keys() == real.json().keys()


async def test_empty_is_nothing_at_all_with_status_200(
    post: Post, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(PLACE, Fault.EMPTY)
    answer = await post()
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        False,
        0,
        "success",
        {},
        {"success": "true", "errorCode": "0", "orderId": "7"},
        {"p-ticket": "a", "p-time": 15, "p-captcha": True},
    ],
)
async def test_any_json_can_be_the_whole_answer(
    post: Post, sandbox: TopStepXSandbox, body: object
) -> None:
    sandbox.fail_next(PLACE, Fault.JSON, body=body)
    answer = await post()
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == body
    assert len(sandbox.exchange.orders(1001)) == 1


async def test_a_right_answer_is_said_to_be_text(post: Post, sandbox: TopStepXSandbox) -> None:
    sandbox.fail_next(PLACE, Fault.MISTYPED)
    answer = await post()
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.json()["success"]


async def test_an_answer_is_broken_off_by_the_end_of_the_connection(
    sandbox: TopStepXSandbox, token: str
) -> None:
    sandbox.fail_next(PLACE, Fault.BROKEN_OFF)
    reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
    body = json.dumps(ORDER)
    head = f"POST {PLACE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    head += "Content-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    async with asyncio.timeout(5):
        heard = await reader.read()  # a reset would raise
    lines, _, half = heard.decode().partition("\r\n\r\n")
    promised = int(lines.lower().partition("content-length: ")[2].split()[0])
    assert half.startswith('{"orderId":')
    assert len(half) == promised // 2
    assert len(sandbox.exchange.orders(1001)) == 1
    writer.close()


@pytest.mark.parametrize("handled", [True, False])
async def test_a_client_takes_no_broken_off_answer_and_goes_on(
    post: Post, sandbox: TopStepXSandbox, capfd: pytest.CaptureFixture[str], handled: bool
) -> None:
    sandbox.fail_next(PLACE, Fault.BROKEN_OFF, handled=handled)
    with pytest.raises(httpx.RemoteProtocolError):
        await post()
    assert (await post()).json()["success"]
    assert capfd.readouterr() == ("", "")


async def test_an_answer_drips(post: Post, sandbox: TopStepXSandbox, clock: ManualClock) -> None:
    sandbox.fail_next(PLACE, Fault.DRIP, seconds=0.5)
    dripping = asyncio.create_task(post())
    while not sandbox.exchange.orders(1001):
        await asyncio.wait([dripping], timeout=0.01)
    start = clock.monotonic()
    while not dripping.done():
        await asyncio.wait([dripping], timeout=0.01)
        clock.advance(0 if dripping.done() else 0.5)
    answer = dripping.result()
    assert answer.json()["success"]
    assert clock.monotonic() - start >= 0.5 * (len(answer.content) - 1)


async def test_a_client_leaves_a_dripping_answer(
    http: httpx.AsyncClient, post: Post, sandbox: TopStepXSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.fail_next(PLACE, Fault.DRIP, seconds=1000)
    with pytest.raises(httpx.ReadTimeout):
        await http.post(PLACE, json=ORDER, timeout=0.1)
    assert (await post()).json()["success"]
    assert capfd.readouterr() == ("", "")


# Statuses


@pytest.mark.parametrize(
    "text",
    ["5", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", "315360000", "-1", "1e400", "9" * 5000, "", 7],
)
async def test_a_retry_after_says_anything(
    post: Post, sandbox: TopStepXSandbox, text: str | int
) -> None:
    sandbox.fail_next(PLACE, 429, retry_after=text)
    answer = await post()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(text))


async def test_an_endpoint_can_be_absent(http: httpx.AsyncClient, sandbox: TopStepXSandbox) -> None:
    sandbox.fail_next(QUERY, 404, count=1_000_000, handled=False)
    for _ in range(3):
        assert (await http.post(QUERY, json={})).status_code == 404


async def test_faults_of_every_kind_come_in_a_row(post: Post, sandbox: TopStepXSandbox) -> None:
    sandbox.fail_next(PLACE, 503, handled=False)
    sandbox.fail_next(PLACE, Fault.ENVELOPE, code=7, count=2, handled=False)
    sandbox.fail_next(PLACE, Fault.EMPTY)
    answers = [await post() for _ in range(5)]
    assert [one.status_code for one in answers] == [503, 200, 200, 200, 200]
    assert [len(one.content) > 0 for one in answers] == [False, True, True, False, True]
    assert len(sandbox.exchange.orders(1001)) == 2


# What makes no sense


@pytest.mark.parametrize(
    ("fault", "details", "says"),
    [
        (200, {}, "200 is no status"),
        (600, {}, "600 is no status"),
        (429, {"location": "/x"}, "location goes with a redirect, not with a status"),
        (429, {"seconds": 1.0}, "seconds goes with delay or drip"),
        (429, {"retry_after": "5\r\nX: y"}, "Retry-After cannot be"),
        (429, {"retry_after": " 5"}, "Retry-After cannot be"),
        (302, {"location": "/ü"}, "Location cannot be"),
        (Fault.RESET, {"code": 7}, "code goes with envelope, not with reset"),
        (Fault.RESET, {"retry_after": 7}, "retry_after goes with a status or a redirect"),
        (Fault.HTML, {"body": []}, "body goes with envelope or json, not with html"),
        (Fault.ENVELOPE, {}, "needs a code"),
        (Fault.ENVELOPE, {"code": 1, "body": []}, "is an object"),
        (Fault.STALE, {"handled": False}, "always handled"),
        (Fault.DRIP, {"handled": False}, "always handled"),
        (Fault.MISTYPED, {"handled": False}, "always handled"),
    ],
)
def test_a_detail_that_does_not_go_with_the_fault_is_refused(
    fault: Fault | int, details: FaultDetails, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        TopStepXSandbox().fail_next(PLACE, fault, **details)


@pytest.mark.parametrize("path", ["/api/Order/plase", "api/Order/place", "/_sandbox/state", ""])
def test_a_path_that_there_is_not_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        TopStepXSandbox().fail_next(path, 503)


@pytest.mark.parametrize("count", [0, -1])
def test_a_fault_that_never_happens_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="once at least"):
        TopStepXSandbox().fail_next(PLACE, 503, count=count)
