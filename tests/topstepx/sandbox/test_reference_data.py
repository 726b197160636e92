"""Accounts, contracts and bars."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange

Call = Callable[..., Awaitable[dict[str, Any]]]
MNQ = "CON.F.US.MNQ.H26"


async def test_locked_accounts_show_only_when_asked_for(call: Call) -> None:
    active = (await call("Account/search", onlyActiveAccounts=True))["accounts"]
    every = (await call("Account/search", onlyActiveAccounts=False))["accounts"]
    assert [one["canTrade"] for one in active] == [True, True]
    assert [one["canTrade"] for one in every] == [True, True, False]


async def test_an_account_has_the_members_of_the_venue(call: Call) -> None:
    account = (await call("Account/search", onlyActiveAccounts=True))["accounts"][0]
    assert account == {
        "id": 1001,
        "name": "PRAC-V2-100100-10010001",
        "balance": 150000,
        "canTrade": True,
        "isVisible": True,
        "simulated": True,
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("MNQ", ["MNQH6"]),
        ("nq", ["NQH6", "MNQH6"]),
        ("micro e-mini", ["MESH6", "MNQH6"]),
        ("XYZ", []),
    ],
)
async def test_search_finds_the_text_in_names_and_descriptions(
    call: Call, text: str, names: list[str]
) -> None:
    found = (await call("Contract/search", searchText=text, live=False))["contracts"]
    assert [one["name"] for one in found] == names


async def test_a_search_without_a_text_finds_all(call: Call) -> None:
    assert len((await call("Contract/search", live=False))["contracts"]) == 7


@pytest.mark.parametrize("path", ["Contract/search", "Contract/available"])
async def test_there_is_no_live_data_subscription(call: Call, path: str) -> None:
    assert (await call(path, searchText="MNQ", live=True))["contracts"] == []


async def test_a_contract_has_the_members_of_the_venue(call: Call) -> None:
    answer = await call("Contract/searchById", contractId=MNQ)
    assert answer["contract"] == {
        "id": MNQ,
        "name": "MNQH6",
        "description": "Micro E-mini Nasdaq-100: March 2026",
        "tickSize": 0.25,
        "tickValue": 0.5,
        "activeContract": True,
        "symbolId": "F.US.MNQ",
    }


async def test_available_lists_one_active_contract_per_product_by_id(call: Call) -> None:
    contracts = (await call("Contract/available", live=False))["contracts"]
    ids = [one["id"] for one in contracts]
    assert ids == sorted(ids)
    assert all(one["activeContract"] for one in contracts)


async def test_an_expired_contract_is_found_by_its_id_only(call: Call) -> None:
    answer = await call("Contract/searchById", contractId="CON.F.US.MNQ.Z25")
    assert answer["contract"]["activeContract"] is False


async def test_an_unknown_contract_is_code_1(call: Call) -> None:
    answer = await call("Contract/searchById", contractId="CON.F.US.XYZ.H26")
    assert answer == {
        "contract": None,
        "success": False,
        "errorCode": 1,
        "errorMessage": None,
    }


async def _bars(call: Call, **changes: object) -> dict[str, Any]:
    body: dict[str, object] = {
        "contractId": MNQ,
        "live": False,
        "startTime": "2026-03-02T10:00:00Z",
        "endTime": "2026-03-02T14:31:00Z",
        "unit": 2,
        "unitNumber": 1,
        "limit": 500,
        "includePartialBar": True,
    }
    return await call("History/retrieveBars", **(body | changes))


async def test_bars_come_newest_first_and_the_limit_keeps_the_newest(call: Call) -> None:
    bars = (await _bars(call, limit=3))["bars"]
    assert [one["t"] for one in bars] == [
        "2026-03-02T14:29:00+00:00",
        "2026-03-02T14:28:00+00:00",
        "2026-03-02T14:27:00+00:00",
    ]
    assert bars[0].keys() == {"t", "o", "h", "l", "c", "v"}


@pytest.mark.parametrize("partial", [True, False])
async def test_the_forming_bar_is_there_only_when_asked_for(
    call: Call, exchange: Exchange, clock: ManualClock, partial: bool
) -> None:
    clock.advance(30)
    exchange.move_to(MNQ, exchange.quote(MNQ).last)
    bars = (await _bars(call, includePartialBar=partial, limit=2))["bars"]
    newest = "2026-03-02T14:30:00+00:00" if partial else "2026-03-02T14:29:00+00:00"
    assert (len(bars), bars[0]["t"]) == (2, newest)


@pytest.mark.parametrize(
    ("unit", "unit_number", "seconds"),
    [(1, 30, 30), (2, 5, 300), (3, 4, 14_400), (4, 1, 86_400), (5, 1, 604_800)],
)
async def test_bars_are_as_far_apart_as_their_unit(
    call: Call, unit: int, unit_number: int, seconds: int
) -> None:
    answer = await _bars(
        call, unit=unit, unitNumber=unit_number, startTime="2026-01-01T00:00:00Z", limit=3
    )
    times = [datetime.fromisoformat(one["t"]) for one in answer["bars"]]
    assert len(times) == 3
    assert all(one.timestamp() % seconds == 0 for one in times)
    assert times == sorted(times, reverse=True)
    if unit > 1:
        assert times[0] - times[1] == timedelta(seconds=seconds)


async def test_an_expired_contract_has_its_bars(call: Call) -> None:
    assert (await _bars(call, contractId="CON.F.US.MNQ.Z25"))["bars"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"contractId": "CON.F.US.XYZ.H26"}, 1),
        ({"unit": 0}, 2),
        ({"unit": 7}, 2),
        ({"unit": -1}, 2),
        ({"unitNumber": 0}, 3),
        ({"unitNumber": -5}, 3),
        ({"unitNumber": 2_000_000_000, "unit": 6}, 3),
        ({"limit": 0}, 4),
        ({"limit": -1}, 4),
        ({"limit": 20_001}, 4),
    ],
)
async def test_what_makes_no_bars_has_a_code(
    call: Call, change: dict[str, object], code: int
) -> None:
    answer = await _bars(call, **change)
    expected = {"bars": None, "success": False, "errorCode": code, "errorMessage": None}
    assert answer == expected


@pytest.mark.parametrize(
    "change",
    [
        {"live": True},
        {"startTime": "2026-03-03T00:00:00Z"},
        {"startTime": "2031-01-01T00:00:00Z", "endTime": "2031-01-02T00:00:00Z"},
        {"startTime": "1990-01-01T00:00:00Z", "endTime": "1990-01-02T00:00:00Z"},
    ],
)
async def test_a_window_without_bars_is_empty(call: Call, change: dict[str, object]) -> None:
    assert (await _bars(call, **change))["bars"] == []


async def test_the_largest_request_is_served(call: Call, clock: ManualClock) -> None:
    start = datetime(2025, 6, 1, tzinfo=UTC).isoformat()
    assert len((await _bars(call, startTime=start, limit=20_000))["bars"]) == 20_000
