"""What holds for every endpoint: paths, bodies, envelope, numbers and times."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tradeforge_topstepx.sandbox.endpoints import ALL
from tradeforge_topstepx.sandbox.literals import hub_time, number, rest_time

Call = Callable[..., Awaitable[dict[str, Any]]]


async def test_ping_needs_no_token(anonymous: httpx.AsyncClient) -> None:
    response = await anonymous.get("/api/Status/ping")
    assert (response.status_code, response.text) == (200, "pong")


@pytest.mark.parametrize("path", ["/api/account/search", "/API/ACCOUNT/SEARCH"])
async def test_paths_match_in_any_case(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.post(path, json={"onlyActiveAccounts": True})).status_code == 200


async def test_member_names_match_in_any_case_and_unknown_ones_are_ignored(call: Call) -> None:
    answer = await call("Account/search", OnlyActiveAccounts=True, other={"a": [1]})
    assert answer["success"]


async def test_an_unknown_path_is_a_404(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/Order/dance", json={})).status_code == 404


async def test_get_is_not_allowed_where_post_is(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/Account/search")).status_code == 405


@pytest.mark.parametrize("endpoint", ALL, ids=lambda one: one.path)
async def test_every_endpoint_but_the_logins_wants_a_token(
    anonymous: httpx.AsyncClient, endpoint: Any
) -> None:
    response = await anonymous.post(endpoint.path, json={})
    expected = 400 if endpoint.path.startswith("/api/Auth/login") else 401
    assert response.status_code == expected


WITH_BODY = [one.path for one in ALL if one.body is not None]


@pytest.mark.parametrize("path", WITH_BODY)
async def test_a_body_that_is_not_what_it_should_be_is_a_400(
    http: httpx.AsyncClient, path: str
) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff", b"<a/>", b"[" * 9999):
        response = await http.post(path, content=body, headers=headers)
        assert response.status_code == 400, body
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json().keys() == {"type", "title", "status", "detail"}


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "json"])
@pytest.mark.parametrize("path", WITH_BODY)
async def test_a_body_that_does_not_say_it_is_json_is_a_415(
    http: httpx.AsyncClient, path: str, kind: str | None
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = await http.post(path, content=b"{}", headers=headers)
    assert response.status_code == 415
    assert response.json()["title"] == "Unsupported Media Type"


@pytest.mark.parametrize(
    "kind", ["text/json", "application/vnd.x+json", "Application/JSON; charset=utf-8"]
)
async def test_json_has_several_names(http: httpx.AsyncClient, kind: str) -> None:
    body, headers = b'{"onlyActiveAccounts":true}', {"Content-Type": kind}
    assert (await http.post("/api/Account/search", content=body, headers=headers)).is_success


async def test_no_content_type_is_needed_where_there_is_no_body(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/Auth/validate")).json()["success"]


ORDER: dict[str, Any] = {
    "accountId": 1001,
    "contractId": "CON.F.US.MNQ.H26",
    "type": 2,
    "side": 0,
    "size": 1,
}
WRONG = [
    ("accountId", "1001"),
    ("accountId", True),
    ("accountId", 1001.5),
    ("accountId", 2**31),
    ("accountId", None),
    ("contractId", 7),
    ("contractId", None),
    ("type", "Market"),
    ("side", None),
    ("size", 1.5),
    ("size", "1"),
    ("limitPrice", "high"),
    ("limitPrice", "NaN"),
    ("limitPrice", "Infinity"),
    ("limitPrice", 1e300),
    ("limitPrice", True),
    ("limitPrice", [1]),
    ("customTag", 5),
    ("stopLossBracket", {}),
    ("stopLossBracket", {"ticks": "10", "type": 4}),
    ("takeProfitBracket", 10),
]


@pytest.mark.parametrize(("member", "value"), WRONG)
async def test_a_member_of_the_wrong_type_is_a_400_and_places_nothing(
    http: httpx.AsyncClient, call: Call, member: str, value: object
) -> None:
    response = await http.post("/api/Order/place", json=ORDER | {member: value})
    assert response.status_code == 400
    assert "detail" in response.json()
    answer = await call("Order/search", accountId=1001, startTimestamp="2020-01-01T00:00:00Z")
    assert answer["orders"] == []


@pytest.mark.parametrize("price", ["1e9999999999", "1e" + "9" * 30, "1" * 5000, "1e-9999999999"])
async def test_a_number_that_no_decimal_holds_places_nothing(
    http: httpx.AsyncClient, price: str
) -> None:
    body = json.dumps(ORDER | {"type": 1, "limitPrice": 0.5}).replace("0.5", price)
    headers = {"Content-Type": "application/json"}
    response = await http.post("/api/Order/place", content=body, headers=headers)
    assert response.status_code == 400 or not response.json()["success"]


@pytest.mark.parametrize("member", ["accountId", "contractId", "type", "side", "size"])
async def test_a_required_member_that_is_missing_is_a_400_that_names_it(
    http: httpx.AsyncClient, member: str
) -> None:
    body = {name: value for name, value in ORDER.items() if name != member}
    response = await http.post("/api/Order/place", json=body)
    assert response.status_code == 400
    assert member in response.json()["detail"]


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", 5, ""])
async def test_a_time_that_is_none_is_a_400(http: httpx.AsyncClient, time: object) -> None:
    body = {"accountId": 1001, "startTimestamp": time}
    assert (await http.post("/api/Order/search", json=body)).status_code == 400


@pytest.mark.parametrize(
    "time",
    ["2026-03-02T14:30:00Z", "2026-03-02T15:30:00.0000000+01:00", "2026-03-02T14:30:00"],
)
async def test_times_are_read_with_z_with_an_offset_and_without(
    call: Call, place: Call, time: str
) -> None:
    await place()
    assert len((await call("Order/search", accountId=1001, startTimestamp=time))["orders"]) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("29539.00", "29539"),
        ("0.25", "0.25"),
        ("1E+5", "100000"),
        ("5E-7", "0.0000005"),
        ("149848.640", "149848.64"),
        ("0.000", "0"),
        ("-0.250", "-0.25"),
    ],
)
def test_numbers_have_the_digits_that_count_and_no_exponent(value: str, text: str) -> None:
    assert bytes(number(Decimal(value))).decode() == text


@pytest.mark.parametrize(
    ("microsecond", "rest", "hub"),
    [
        (0, "", ""),
        (156_730, ".15673", ".156730"),
        (123_456, ".123456", ".1234562"),
        (500_000, ".5", ".5"),
        (1, ".000001", ".0000017"),
    ],
)
def test_times_have_no_zeros_at_the_end_and_hubs_a_seventh_digit(
    microsecond: int, rest: str, hub: str
) -> None:
    time = datetime(2026, 8, 16, 23, 26, 2, microsecond, UTC)
    assert rest_time(time) == f"2026-08-16T23:26:02{rest}+00:00"
    assert hub_time(time) == f"2026-08-16T23:26:02{hub.rstrip('0')}+00:00"


async def test_a_price_never_passes_through_a_float(http: httpx.AsyncClient, place: Call) -> None:
    await place(type=1, limitPrice=29539.75)
    response = await http.post("/api/Order/searchOpen", json={"accountId": 1001})
    assert '"limitPrice":29539.75,"stopPrice":null' in response.text
