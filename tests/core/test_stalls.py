"""Who blocks the event loop is named."""

import asyncio
import logging
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from tradeforge_core import Event, HandlerFailed, MarketDataType, SubscriberHealth, TradeForgeError
from tradeforge_core.streams.watch import Watch
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Eventually, FakeProvider, Make

TRADE = MarketDataType.TRADE


def _handler(broker: "FakeProvider", name: str) -> SubscriberHealth:
    (found,) = (one for one in broker.health.subscribers if one.name.endswith(name))
    return found


@pytest.fixture(autouse=True)
def _all_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tradeforge_core")


async def _trade(broker: "FakeProvider", make: "Make") -> None:
    await broker.subscribe_market_data("ABC", [TRADE])
    broker.publish(make.TRADE, make.trade())


async def test_a_handler_that_blocks_is_named_and_counted(
    broker: "FakeProvider",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    def crunches(event: Event) -> None:
        if event == make.trade():
            clock.advance(0.11)

    broker.on_event(crunches)
    await _trade(broker, make)
    await eventually(lambda: _handler(broker, "crunches").slow_calls)
    assert _handler(broker, "crunches").longest_block == pytest.approx(0.11)
    (record,) = caplog.records
    assert "crunches blocked the event loop for 0.11 s" in record.getMessage()


async def test_a_handler_that_waits_blocks_nobody(
    broker: "FakeProvider",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[Event] = []

    async def waits(event: Event) -> None:
        await clock.sleep(0.2)
        done.append(event)

    broker.on_event(waits)
    await _trade(broker, make)

    def has_done() -> bool:
        clock.advance(0.05)
        return len(done) == 4

    await eventually(has_done)
    assert _handler(broker, "waits").slow_calls == 0
    assert not caplog.records


async def test_an_async_handler_that_blocks_between_two_waits_is_named(
    broker: "FakeProvider",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def crunches(event: Event) -> None:
        await asyncio.sleep(0)
        if event == make.trade():
            clock.advance(0.3)
        await asyncio.sleep(0)

    broker.on_event(crunches)
    await _trade(broker, make)
    await eventually(lambda: _handler(broker, "crunches").slow_calls == 1)
    assert "crunches blocked the event loop for 0.30 s" in caplog.text


async def test_a_handler_that_blocks_again_and_again_is_not_all_of_the_log(
    broker: "FakeProvider",
    make: "Make",
    clock: ManualClock,
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    def crunches(event: Event) -> None:
        if event == make.trade():
            clock.advance(0.2)

    broker.on_event(crunches)
    await broker.subscribe_market_data("ABC", [TRADE])
    for _ in range(40):
        broker.publish(make.TRADE, make.trade())
    await eventually(lambda: _handler(broker, "crunches").slow_calls == 40)
    assert sum("crunches" in one.getMessage() for one in caplog.records) == 1
    clock.advance(10)
    broker.publish(make.TRADE, make.trade())
    await eventually(lambda: _handler(broker, "crunches").slow_calls == 41)
    assert "(41 times so far)" in caplog.text


async def test_what_a_measured_handler_awaits_behaves_as_ever(
    broker: "FakeProvider", make: "Make", eventually: "Eventually"
) -> None:
    """Results, errors of what it waits for, and awaitables that are no coroutines."""
    seen: list[object] = []
    errors: list[TradeForgeError] = []

    async def answers() -> int:
        await asyncio.sleep(0)
        return 7

    class Plain:
        def __await__(self) -> Generator[None, None, str]:
            yield
            return "plain"

    async def waits(event: Event) -> None:
        if event != make.trade():
            return
        seen.append(await asyncio.create_task(answers()))
        seen.append(await Plain())
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        except TimeoutError:
            seen.append("in time")
        raise LookupError("at last")

    broker.on_error(errors.append)
    broker.on_event(waits)
    await _trade(broker, make)
    await eventually(lambda: errors)
    assert seen == [7, "plain", "in time"]
    assert isinstance(errors[0], HandlerFailed)
    assert isinstance(errors[0].__cause__, LookupError)


async def test_code_that_is_no_handler_is_seen_by_how_late_the_loop_is(
    broker: "FakeProvider",
    clock: ManualClock,
    eventually: "Eventually",
    caplog: pytest.LogCaptureFixture,
) -> None:
    await asyncio.sleep(0)
    clock.advance(0.25 + 1.5)  # as if somebody had kept the loop for that long
    await eventually(lambda: broker.health.stalls)
    assert broker.health.loop_lag == pytest.approx(1.5)
    assert "blocked for 1.50 s, not by a handler" in caplog.text
    clock.advance(0.25)
    await eventually(lambda: broker.health.loop_lag == 0)
    health = broker.health
    assert (health.stalls, health.longest_loop_lag) == (1, pytest.approx(1.5))


async def test_a_block_with_a_name_is_not_told_twice(
    clock: ManualClock, eventually: "Eventually", caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(clock, lambda: (), lambda lag, queue: None)
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    watch.name_block(1.5)
    clock.advance(1.75)
    await eventually(lambda: watch.stalls)
    assert not caplog.records
    running.cancel()


async def test_nothing_watches_after_disconnect(broker: "FakeProvider") -> None:
    await broker.disconnect()
    assert not [one for one in asyncio.all_tasks() if one.get_name() == "watch"]
