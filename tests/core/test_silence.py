"""Data that is expected and does not come: told, and nothing more."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import (
    Event,
    MarketDataType,
    Stale,
    StreamConnectionStatus,
    Subscription,
    Topic,
    from_json,
    to_json,
)
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, FakeVenue, Make

QUOTE = MarketDataType.QUOTE
TRADE = MarketDataType.TRADE


class _Beats:
    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        """Let so much time go by, and everybody who sleeps have a turn."""
        for _ in range(int(seconds / 0.25)):
            self._clock.advance(0.25)
            for _ in range(4):
                await asyncio.sleep(0)


@pytest.fixture
def beats(clock: ManualClock) -> _Beats:
    return _Beats(clock)


async def _read(stream: Subscription[Any]) -> list[Event]:
    found = []
    while stream._queue:
        found.append(await anext(stream))
    return found


def _stale(broker: "FakeProvider") -> tuple[Topic, ...]:
    return broker.health.stale


async def test_silence_is_told_once_and_its_end_before_the_data(
    broker: "FakeProvider", make: "Make", clock: ManualClock, beats: _Beats
) -> None:
    broker.expect_market_data("ABC", TRADE, within=5)
    async with broker.subscribe_market_data("ABC", [TRADE, QUOTE]) as stream:
        aiter(stream)
        await beats(0.25)
        await _read(stream)
        began = clock.now()
        await beats(5)
        assert _stale(broker) == ()
        await beats(0.25)
        (stale,) = await _read(stream)
        told = began + timedelta(seconds=5.25)
        assert stale == Stale(stream="market", topics=(make.TRADE,), since=began, received=told)
        await beats(20)
        assert not await _read(stream)
        assert _stale(broker) == (make.TRADE,)
        assert from_json(Event, to_json(stale)) == stale
        broker.publish(make.TRADE, make.trade())
        end, trade = await _read(stream)
        assert isinstance(end, Stale)
        assert (end.since, end.until, end.is_open) == (began, make.trade().received, False)
        assert trade == make.trade()
        assert _stale(broker) == ()
        assert broker.status is StreamConnectionStatus.LIVE


async def test_nothing_is_expected_by_itself(broker: "FakeProvider", beats: _Beats) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]) as stream:
        aiter(stream)
        await _read(stream)
        await beats(100)
        assert not await _read(stream)


async def test_what_is_expected_may_be_taken_back(broker: "FakeProvider", beats: _Beats) -> None:
    async with broker.subscribe_market_data("ABC", [TRADE]) as stream:
        aiter(stream)
        await _read(stream)
        broker.expect_market_data("ABC", TRADE, within=1)
        await beats(0.5)
        broker.expect_market_data("ABC", TRADE, within=None)
        await beats(10)
        assert not await _read(stream)


async def test_what_nobody_wants_is_not_expected(broker: "FakeProvider", beats: _Beats) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    broker.expect_market_data("ABC", TRADE, within=1)
    await beats(10)
    async with broker.subscribe_market_data("ABC", [TRADE]):
        await beats(2)
        assert _stale(broker)
    await beats(10)
    assert _stale(broker) == ()
    assert sum(isinstance(event, Stale) for event in seen) == 1


async def test_a_stream_that_is_down_is_no_silence_and_the_wait_begins_anew(
    broker: "FakeProvider",
    venue: "FakeVenue",
    eventually: "Eventually",
    clock: ManualClock,
    beats: _Beats,
) -> None:
    seen: list[Event] = []
    broker.on_event(seen.append)
    await broker.subscribe_market_data("ABC", [TRADE])
    broker.expect_market_data("ABC", TRADE, within=10)
    venue.may_open.clear()
    venue.link.lose()
    await eventually(lambda: len(venue.links) == 2)
    await beats(4)
    assert not _stale(broker)
    venue.may_open.set()
    await eventually(lambda: broker.status is StreamConnectionStatus.LIVE)
    await beats(9)
    assert not _stale(broker)
    await beats(2)
    assert _stale(broker)


@pytest.mark.parametrize("within", [0, -1.0, float("nan")])
def test_a_time_that_cannot_be_meant(broker: "FakeProvider", within: float) -> None:
    with pytest.raises(ValueError, match="cannot be expected"):
        broker.expect_market_data("ABC", TRADE, within=within)
