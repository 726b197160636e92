"""A market that is closed is silent: nothing is told of that, and the wait begins when it opens."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tradeforge_core import (
    ConfigError,
    Event,
    MarketDataType,
    Stale,
    TradeForgeError,
    cme_globex,
)
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make

TRADE = MarketDataType.TRADE
BREAK = datetime(2026, 3, 4, 22, tzinfo=UTC)
"""A Wednesday at four in the afternoon in Chicago."""
WEEKEND = datetime(2026, 3, 6, 22, tzinfo=UTC)
"""The clock is put forward in it, so it lasts 48 hours and not 49."""
TABLE_ENDS = datetime(2030, 12, 31, 23, tzinfo=UTC)


class _Night:
    """A stream of trades that are expected within ten seconds, and a clock at some time."""

    def __init__(self, broker: "FakeProvider", clock: ManualClock) -> None:
        self._broker = broker
        self._clock = clock
        self.seen: list[Event] = []
        self.errors: list[TradeForgeError] = []
        broker.hours = cme_globex("equity-index")
        broker.on_event(self.seen.append)
        broker.on_error(self.errors.append)

    async def begin(self, at: datetime) -> None:
        self._clock.advance((at - self._clock.now()).total_seconds())
        await self._broker.subscribe_market_data("ABC", TRADE)
        self._broker.expect_market_data("ABC", TRADE, within=10)

    async def wait(self, seconds: float, beat: float = 0.25) -> None:
        for _ in range(int(seconds / beat)):
            self._clock.advance(beat)
            for _ in range(6):
                await asyncio.sleep(0)

    @property
    def told(self) -> list[Stale]:
        return [one for one in self.seen if isinstance(one, Stale)]


@pytest.fixture
async def night(broker: "FakeProvider", clock: ManualClock) -> _Night:
    return _Night(broker, clock)


@pytest.mark.parametrize(("closes", "hours"), [(BREAK, 1), (WEEKEND, 48)])
async def test_no_silence_is_told_of_a_market_that_is_closed(
    night: _Night, clock: ManualClock, closes: datetime, hours: int
) -> None:
    await night.begin(closes - timedelta(seconds=5))
    await night.wait(10)
    await night.wait(hours * 3600 - 10, beat=60 if hours > 1 else 1)
    assert not night.told
    opens = closes + timedelta(hours=hours)
    await night.wait((opens - clock.now()).total_seconds() + 9)
    assert not night.told, "what passed while it was closed does not count"
    await night.wait(4)
    (stale,) = night.told
    assert timedelta() <= stale.since - opens <= timedelta(seconds=1)
    assert stale.until is None


async def test_a_silence_ends_when_the_market_closes(
    night: _Night, broker: "FakeProvider", make: "Make"
) -> None:
    await night.begin(BREAK - timedelta(seconds=30))
    await night.wait(20)
    (stale,) = night.told
    await night.wait(15)
    _, end = night.told
    assert end.since == stale.since
    assert end.until is not None
    assert timedelta() <= end.until - BREAK <= timedelta(seconds=1)
    assert broker.health.stale == ()
    broker.publish(make.TRADE, make.trade())
    await night.wait(60)
    assert len(night.told) == 2, "it was ended once, and what comes while it is closed is nothing"


async def test_what_the_table_does_not_know_is_not_called_silence_and_that_is_said_once(
    night: _Night,
) -> None:
    await night.begin(TABLE_ENDS + timedelta(days=1))
    await night.wait(60)
    assert not night.told
    (error,) = night.errors
    assert "are not known any more" in str(error)


@pytest.mark.parametrize("failure", [ConfigError("no time zone"), KeyError("time zone")])
async def test_hours_that_cannot_be_read_are_reported_once_and_call_nothing_silent(
    night: _Night, broker: "FakeProvider", failure: Exception
) -> None:
    broker.hours = failure
    await night.begin(BREAK - timedelta(hours=5))
    await night.wait(60)
    assert not night.told
    (error,) = night.errors
    assert "time zone" in str(error)


async def test_a_market_without_hours_is_always_open(night: _Night, broker: "FakeProvider") -> None:
    broker.hours = None
    await night.begin(WEEKEND + timedelta(hours=5))
    await night.wait(12)
    assert len(night.told) == 1
