"""How often a client may ask, and how the sandbox proves whether it kept to that."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from tests.plain_http import plain_http

from tradeforge_testing import ManualClock
from tradeforge_topstepx.sandbox import RateLimit, RateLimits, TopStepXSandbox

ACCOUNTS, BARS = "/api/Account/search", "/api/History/retrieveBars"
LOGIN, PING = "/api/Auth/loginKey", "/api/Status/ping"
KEY = {"userName": "sandbox", "apiKey": "sandbox-key"}
ACTIVE = {"onlyActiveAccounts": True}
LAST_HOUR = {
    "contractId": "CON.F.US.MNQ.H26",
    "live": False,
    "startTime": datetime(2026, 3, 2, 14, tzinfo=UTC).isoformat(),
    "endTime": datetime(2026, 3, 2, 15, tzinfo=UTC).isoformat(),
    "unit": 3,
    "unitNumber": 1,
    "limit": 1,
    "includePartialBar": True,
}
SMALL = RateLimits(bars=RateLimit(2, 30), others=RateLimit(3, 60))


@asynccontextmanager
async def _client(sandbox: TopStepXSandbox) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in, which is the first request of the window."""
    async with plain_http(sandbox.url) as client:
        token = (await client.post(LOGIN, json=KEY)).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def _statuses(client: httpx.AsyncClient, path: str, body: object, count: int) -> list[int]:
    return [(await client.post(path, json=body)).status_code for _ in range(count)]


async def test_the_limits_are_those_of_the_venue(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock) as sandbox, _client(sandbox) as client:
        assert await _statuses(client, ACCOUNTS, ACTIVE, 200) == [200] * 199 + [429]
        assert await _statuses(client, BARS, LAST_HOUR, 51) == [200] * 50 + [429]
        clock.advance(30)
        assert await _statuses(client, BARS, LAST_HOUR, 1) == [200]
        assert await _statuses(client, ACCOUNTS, ACTIVE, 1) == [429]
        clock.advance(30)
        assert await _statuses(client, ACCOUNTS, ACTIVE, 1) == [200]


async def test_the_window_slides(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox, _client(sandbox) as client:
        clock.advance(40)
        assert await _statuses(client, ACCOUNTS, ACTIVE, 3) == [200, 200, 429]
        clock.advance(20)  # the login leaves the window, the other two stay
        assert await _statuses(client, ACCOUNTS, ACTIVE, 2) == [200, 429]
        clock.advance(39.9)
        assert await _statuses(client, ACCOUNTS, ACTIVE, 1) == [429]
        clock.advance(0.1)
        assert await _statuses(client, ACCOUNTS, ACTIVE, 3) == [200, 200, 429]


async def test_too_many_is_429_without_a_body_and_without_effect(clock: ManualClock) -> None:
    order = {"accountId": 1001, "contractId": "CON.F.US.MNQ.H26", "type": 2, "side": 0, "size": 1}
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox, _client(sandbox) as client:
        assert await _statuses(client, "/api/Order/place", order, 3) == [200, 200, 429]
        answer = await client.post(ACCOUNTS, json=ACTIVE)
        assert (answer.status_code, answer.content) == (429, b"")
        assert "Retry-After" not in answer.headers
        assert len(sandbox.exchange.orders(1001)) == 2


async def test_the_answer_may_say_when_to_come_back(clock: ManualClock) -> None:
    limits = RateLimits(others=RateLimit(1, 60), retry_after=True)
    async with TopStepXSandbox(clock=clock, limits=limits) as sandbox, _client(sandbox) as client:
        clock.advance(17.5)
        answer = await client.post(ACCOUNTS, json=ACTIVE)
        assert answer.headers["Retry-After"] == "43"
        clock.advance(43)
        assert (await client.post(ACCOUNTS, json=ACTIVE)).status_code == 200


async def test_logins_count_and_pings_and_hubs_do_not(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox, _client(sandbox) as client:
        for _ in range(10):
            assert (await client.get(PING)).status_code == 200
            assert (await client.post("/hubs/user/negotiate")).status_code == 200
        assert await _statuses(client, LOGIN, KEY, 3) == [200, 200, 429]
        assert (await client.get(PING)).status_code == 200


async def test_another_token_of_the_user_is_no_way_around(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox:
        async with _client(sandbox) as one, _client(sandbox) as other:
            assert await _statuses(one, ACCOUNTS, ACTIVE, 1) == [200]
            assert await _statuses(other, ACCOUNTS, ACTIVE, 1) == [429]


async def test_the_worst_rates_count_what_came_within_a_window(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox, _client(sandbox) as client:
        await _statuses(client, ACCOUNTS, ACTIVE, 1)
        clock.advance(59)
        await _statuses(client, ACCOUNTS, ACTIVE, 1)
        clock.advance(59)
        await _statuses(client, ACCOUNTS, ACTIVE, 1)
        assert sandbox.worst_rates == {"bars": 0, "others": 3}
        await _statuses(client, BARS, LAST_HOUR, 5)
        await _statuses(client, ACCOUNTS, ACTIVE, 3)
        assert sandbox.worst_rates == {"bars": 5, "others": 5}


async def test_without_limits_nothing_is_refused_and_all_is_counted(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock, limits=None) as sandbox, _client(sandbox) as client:
        assert await _statuses(client, ACCOUNTS, ACTIVE, 250) == [200] * 250
        assert sandbox.worst_rates == {"bars": 0, "others": 251}


async def test_new_limits_begin_to_count_anew(clock: ManualClock) -> None:
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox, _client(sandbox) as client:
        assert await _statuses(client, ACCOUNTS, ACTIVE, 3) == [200, 200, 429]
        sandbox.limits = RateLimits(others=RateLimit(1, 60))
        assert sandbox.worst_rates == {"bars": 0, "others": 0}
        assert await _statuses(client, ACCOUNTS, ACTIVE, 2) == [200, 429]
        sandbox.limits = None
        assert await _statuses(client, ACCOUNTS, ACTIVE, 2) == [200, 200]


@pytest.mark.parametrize("path", [ACCOUNTS, "/api/Order/place", "/api/Auth/validate"])
async def test_requests_without_a_good_token_count_too(clock: ManualClock, path: str) -> None:
    async with TopStepXSandbox(clock=clock, limits=SMALL) as sandbox:
        async with plain_http(sandbox.url) as client:
            assert await _statuses(client, path, {}, 4) == [401, 401, 401, 429]
