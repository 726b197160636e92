"""The token: one login for all who wait, renewed in time, and never an old one over a new one."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tradeforge_core import (
    AuthenticationError,
    Secret,
    TradeForgeError,
    TransportError,
    VenueError,
)
from tradeforge_testing import ManualClock
from tradeforge_topstepx._session import Session

HOUR = 3600.0


def jwt(serial: int, ends_at: datetime) -> str:
    claims = json.dumps({"exp": int(ends_at.timestamp()), "n": serial}).encode()
    return f"h.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.s"


class Venue:
    """Counts logins and extensions; `fails` makes the next ones fail."""

    def __init__(self, clock: ManualClock, make: Callable[[int, datetime], str] = jwt) -> None:
        self.clock = clock
        self.make = make
        self.logins = 0
        self.extensions = 0
        self.fails: list[Exception] = []

    async def log_in(self) -> str:
        await asyncio.sleep(0)
        self.logins += 1
        return self._issue()

    async def extend(self, token: Secret) -> str:
        await asyncio.sleep(0)
        self.extensions += 1
        return self._issue()

    def _issue(self) -> str:
        if self.fails:
            raise self.fails.pop(0)
        serial = self.logins + self.extensions
        return self.make(serial, self.clock.now() + timedelta(hours=24))

    def session(self) -> Session:
        return Session(log_in=self.log_in, extend=self.extend, clock=self.clock)


@asynccontextmanager
async def kept_fresh(session: Session, clock: ManualClock) -> AsyncIterator[list[TradeForgeError]]:
    """The refresher at work, and what it reports."""
    errors: list[TradeForgeError] = []
    refresher = asyncio.create_task(session.keep_fresh(errors.append))
    await settled(clock, 0)
    yield errors
    refresher.cancel()
    await asyncio.wait([refresher])


async def settled(clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_one_login_serves_all_who_wait(clock: ManualClock) -> None:
    venue = Venue(clock)
    session = venue.session()
    tokens = await asyncio.gather(*(session.token() for _ in range(20)))
    assert venue.logins == 1
    assert len({token.revision for token in tokens}) == 1


async def test_a_token_is_extended_at_eighty_percent_of_its_life(clock: ManualClock) -> None:
    venue = Venue(clock)
    session = venue.session()
    first = await session.token()
    async with kept_fresh(session, clock) as errors:
        await settled(clock, 19.1 * HOUR)
        assert await session.token() is first
        await settled(clock, 0.2 * HOUR)
        second = await session.token()
    assert (venue.logins, venue.extensions, errors) == (1, 1, [])
    assert second.text.reveal() != first.text.reveal()
    assert second.revision > first.revision


async def test_a_dead_token_is_not_extended(clock: ManualClock) -> None:
    venue = Venue(clock)
    session = venue.session()
    await session.token()
    clock.advance(25 * HOUR)
    await session.token()
    assert (venue.logins, venue.extensions) == (2, 0)


async def test_a_venue_that_does_not_extend_gets_a_login(clock: ManualClock) -> None:
    venue = Venue(clock)
    session = venue.session()
    await session.token()
    venue.fails = [VenueError("no")]
    async with kept_fresh(session, clock) as errors:
        await settled(clock, 20 * HOUR)
    assert (venue.logins, venue.extensions, errors) == (2, 1, [])


async def test_an_outage_of_the_login_does_not_stop_a_token_that_is_good(
    clock: ManualClock,
) -> None:
    venue = Venue(clock)
    session = venue.session()
    first = await session.token()
    venue.fails = [TransportError("down") for _ in range(10_000)]
    async with kept_fresh(session, clock) as errors:
        await settled(clock, 19.5 * HOUR)
        assert await session.token() is first
        await settled(clock, 4 * HOUR)
        assert await session.token() is first
        assert errors, "and somebody is told"


async def test_a_clock_that_is_wrong_makes_no_storm_of_logins(clock: ManualClock) -> None:
    """By this machine's clock every token is dead on arrival."""
    venue = Venue(clock, make=lambda serial, ends_at: jwt(serial, ends_at - timedelta(days=3)))
    session = venue.session()
    async with kept_fresh(session, clock):
        for _ in range(100):
            await session.token()
            await settled(clock, 10)
    assert (venue.logins, venue.extensions) == (1, 0)


async def test_a_token_that_tells_both_ends_of_its_life_is_believed(clock: ManualClock) -> None:
    issued = clock.now() + timedelta(days=2)
    claims = {"iat": issued.timestamp(), "exp": (issued + timedelta(hours=6)).timestamp()}
    text = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    token = await Venue(clock, make=lambda serial, ends_at: f"h.{text}.s").session().token()
    assert token.ends_at == clock.now() + timedelta(hours=6)


async def test_a_refused_token_is_replaced_once_for_all(clock: ManualClock) -> None:
    venue = Venue(clock)
    session = venue.session()
    refused = await session.token()
    fresh = await asyncio.gather(*(session.replace(refused) for _ in range(10)))
    assert venue.logins == 2
    assert {token.revision for token in fresh} == {2}


async def test_a_late_complaint_about_an_old_token_spares_the_new_one(clock: ManualClock) -> None:
    venue = Venue(clock)
    session = venue.session()
    old = await session.token()
    new = await session.replace(old)
    session.forget(old)
    assert await session.token() is new
    assert await session.replace(old) is new
    assert venue.logins == 2


async def test_a_failed_login_is_told_and_the_next_one_is_tried(clock: ManualClock) -> None:
    venue = Venue(clock)
    venue.fails = [AuthenticationError("wrong key")]
    session = venue.session()
    with pytest.raises(AuthenticationError):
        await session.token()
    assert (await session.token()).revision == 1


async def test_a_caller_who_leaves_does_not_block_the_others(clock: ManualClock) -> None:
    session = Venue(clock).session()
    waiting = asyncio.create_task(session.token())
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(5):
        assert (await session.token()).revision == 1


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b",
        "a.!!!.c",
        "a." + base64.urlsafe_b64encode(b"[]").decode() + ".c",
        "..",
        "é.é.é",
    ],
)
async def test_a_token_that_says_nothing_lives_a_day(clock: ManualClock, text: str) -> None:
    token = await Venue(clock, make=lambda serial, ends_at: text).session().token()
    assert token.ends_at == clock.now() + timedelta(hours=24)


async def test_an_expiry_out_of_this_world_counts_as_none(clock: ManualClock) -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 1e300}').decode().rstrip("=")
    token = await Venue(clock, make=lambda serial, ends_at: f"h.{claims}.s").session().token()
    assert token.ends_at == clock.now() + timedelta(hours=24)


async def test_the_token_is_in_no_repr(clock: ManualClock) -> None:
    token = await Venue(clock).session().token()
    assert token.text.reveal() not in repr(token)
    assert token.ends_at.tzinfo is UTC
