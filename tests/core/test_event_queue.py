"""One subscriber's backlog: what is replaced, what is dropped, and what never is."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeforge_core import (
    BarSpan,
    Disconnected,
    Gap,
    GapCause,
    SubscriberOverflow,
    Topic,
    TradeForgeError,
)
from tradeforge_core.streams.queue import EventQueue, Item
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import Make


@pytest.fixture
def queue(clock: ManualClock) -> EventQueue:
    return EventQueue(clock, limit=4)


async def _all(queue: EventQueue) -> list[Item]:
    return [await queue.get() for _ in range(len(queue))]


def _gap(item: Item) -> Gap:
    assert isinstance(item, Gap)
    assert item.cause is GapCause.OVERFLOW
    return item


async def test_events_come_in_the_order_in_which_they_were_put(
    queue: EventQueue, make: "Make"
) -> None:
    events: list[Item] = [make.trade(1), make.trade(2), make.order_update()]
    queue.put(make.TRADE, events[0])
    queue.put(make.TRADE, events[1])
    queue.put(make.ORDER, events[2])
    assert await _all(queue) == events


async def test_a_newer_quote_takes_the_place_of_the_one_that_waits(
    queue: EventQueue, make: "Make"
) -> None:
    queue.put(make.QUOTE, make.quote(1))
    queue.put(make.OTHER_QUOTE, make.quote(7, "DEF"))
    queue.put(make.QUOTE, make.quote(2))
    queue.put(make.QUOTE, make.quote(3))
    assert await _all(queue) == [make.quote(3), make.quote(7, "DEF")]
    assert (queue.conflated, queue.dropped) == (2, 0)


async def test_a_quote_that_was_read_is_not_changed(queue: EventQueue, make: "Make") -> None:
    queue.put(make.QUOTE, make.quote(1))
    assert await queue.get() == make.quote(1)
    queue.put(make.QUOTE, make.quote(2))
    assert await queue.get() == make.quote(2)
    assert queue.conflated == 0


async def test_a_newer_ticker_takes_the_place_of_the_one_that_waits(
    queue: EventQueue, make: "Make"
) -> None:
    queue.put(make.TICKER, make.ticker(1))
    queue.put(make.QUOTE, make.quote(7))
    queue.put(make.TICKER, make.ticker(2))
    assert await _all(queue) == [make.ticker(2), make.quote(7)]
    assert queue.conflated == 1


async def test_an_open_bar_is_replaced_by_what_becomes_of_it(
    queue: EventQueue, make: "Make"
) -> None:
    for close in (1, 2, 3):
        queue.put(make.BAR, make.bar(close, partial=close < 3))
    assert await _all(queue) == [make.bar(3, partial=False)]
    assert queue.conflated == 2


async def test_a_closed_bar_is_told_whatever_comes_behind_it(
    queue: EventQueue, make: "Make"
) -> None:
    closed, late = make.bar(1, partial=False), make.bar(2, partial=False)
    queue.put(make.BAR, closed)
    queue.put(make.BAR, late)
    queue.put(make.BAR, make.bar(3, minute=1))
    queue.put(make.BAR, make.bar(4, minute=1))
    assert await _all(queue) == [closed, late, make.bar(4, minute=1)]
    assert (queue.conflated, queue.dropped) == (1, 0)


async def test_an_open_bar_that_another_follows_is_told(queue: EventQueue, make: "Make") -> None:
    queue.put(make.BAR, make.bar(1))
    queue.put(make.BAR, make.bar(2, minute=1))
    assert await _all(queue) == [make.bar(1), make.bar(2, minute=1)]


async def test_bars_of_two_spans_wait_side_by_side(queue: EventQueue, make: "Make") -> None:
    queue.put(make.BAR, make.bar(1))
    queue.put(make.FIVE_MINUTES, make.bar(2, span=BarSpan(size=5)))
    queue.put(make.BAR, make.bar(3))
    assert await _all(queue) == [make.bar(3), make.bar(2, span=BarSpan(size=5))]


async def test_a_bar_that_was_read_is_not_changed(queue: EventQueue, make: "Make") -> None:
    queue.put(make.BAR, make.bar(1))
    assert await queue.get() == make.bar(1)
    queue.put(make.BAR, make.bar(2))
    assert await _all(queue) == [make.bar(2)]
    assert queue.conflated == 0


async def test_bars_that_nobody_reads_make_room_with_a_gap(queue: EventQueue, make: "Make") -> None:
    for minute in range(5):
        queue.put(make.BAR, make.bar(1, minute=minute, partial=False))
    gap, newest = await _all(queue)
    assert (_gap(gap).topics, _gap(gap).dropped) == ((make.BAR,), 4)
    assert newest == make.bar(1, minute=4, partial=False)


async def test_no_quote_moves_across_a_health_event(queue: EventQueue, make: "Make") -> None:
    health = make.order_update("health")
    queue.put(make.QUOTE, make.quote(1))
    queue.put_health(health)
    queue.put(make.QUOTE, make.quote(2))
    queue.put(make.QUOTE, make.quote(3))
    assert await _all(queue) == [make.quote(1), health, make.quote(3)]


async def test_a_full_queue_drops_the_market_and_counts_it(
    queue: EventQueue, make: "Make", clock: ManualClock
) -> None:
    update = make.order_update()
    queue.put(make.ORDER, update)
    for price in (1, 2):
        queue.put(make.TRADE, make.trade(price))
    queue.put(make.DEPTH, make.depth())
    queue.put(make.TRADE, make.trade(3))
    kept, gap, newest = await _all(queue)
    assert kept is update
    assert set(_gap(gap).topics) == {make.TRADE, make.DEPTH}
    assert (_gap(gap).dropped, _gap(gap).received) == (3, clock.now())
    assert newest == make.trade(3)
    assert queue.dropped == 3


async def test_gaps_of_overflow_become_one(queue: EventQueue, make: "Make") -> None:
    for number in range(3):
        queue.put(make.ORDER, make.order_update(str(number)))
    for price in range(50):
        queue.put(make.TRADE, make.trade(price))
        queue.put(make.DEPTH, make.depth())
        assert len(queue) <= 6
    gaps = [item for item in await _all(queue) if isinstance(item, Gap)]
    (gap,) = gaps
    assert set(gap.topics) == {make.TRADE, make.DEPTH}
    assert gap.dropped == queue.dropped


async def test_a_gap_that_was_read_is_not_told_again(queue: EventQueue, make: "Make") -> None:
    for price in range(5):
        queue.put(make.TRADE, make.trade(price))
    assert _gap(await queue.get()).dropped == 4
    for price in range(6):
        queue.put(make.TRADE, make.trade(price))
    gaps = [_gap(item) for item in await _all(queue) if isinstance(item, Gap)]
    assert sum(gap.dropped or 0 for gap in gaps) == queue.dropped - 4


async def test_a_quote_after_an_overflow_is_new(queue: EventQueue, make: "Make") -> None:
    queue.put(make.QUOTE, make.quote(1))
    for price in range(4):
        queue.put(make.TRADE, make.trade(price))
    queue.put(make.QUOTE, make.quote(2))
    assert (await _all(queue))[-1] == make.quote(2)


async def test_what_may_not_be_dropped_detaches_the_subscriber(
    queue: EventQueue, make: "Make"
) -> None:
    for number in range(5):
        queue.put(make.ORDER, make.order_update(str(number)))
    assert len(queue) == 0
    assert queue.has_ended
    for _ in range(2):
        with pytest.raises(SubscriberOverflow, match="4 events waited"):
            await queue.get()
    queue.put(make.ORDER, make.order_update())
    queue.put_health(make.order_update())
    assert len(queue) == 0


async def test_health_events_alone_are_bounded_too(queue: EventQueue, make: "Make") -> None:
    for number in range(100):
        queue.put_health(make.order_update(str(number)))
    with pytest.raises(SubscriberOverflow):
        await queue.get()


async def test_what_waits_is_read_before_the_end_is_told(queue: EventQueue, make: "Make") -> None:
    queue.put(make.TRADE, make.trade(1))
    queue.end(Disconnected("first reason"))
    queue.end(Disconnected("second reason"))
    queue.put(make.TRADE, make.trade(2))
    assert await queue.get() == make.trade(1)
    for _ in range(2):
        with pytest.raises(Disconnected, match="first reason"):
            await queue.get()


async def test_the_end_is_told_for_ever_and_grows_no_longer(queue: EventQueue) -> None:
    queue.end(Disconnected("over"))
    depths = set()
    for _ in range(5):
        with pytest.raises(Disconnected) as told:
            await queue.get()
        depths.add(len(told.traceback))
    assert len(depths) == 1


async def test_the_end_wakes_who_waits(queue: EventQueue) -> None:
    reader = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.end(TradeForgeError("over"))
    with pytest.raises(TradeForgeError, match="over"):
        await reader


async def test_two_readers_are_a_mistake(queue: EventQueue, make: "Make") -> None:
    first = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks read one subscription"):
        await queue.get()
    queue.put(make.TRADE, make.trade())
    assert await first == make.trade()


async def test_a_reader_that_is_cancelled_takes_nothing(queue: EventQueue, make: "Make") -> None:
    reader = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put(make.TRADE, make.trade())
    reader.cancel()  # in the very moment in which it was woken
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await queue.get() == make.trade()


topics = st.sampled_from(["quote", "trade", "depth", "order", "health", "read"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(topics, max_size=80))
def test_nothing_private_is_lost_and_nothing_grows(steps: list[str], make: "Make") -> None:
    queue = EventQueue(ManualClock(), limit=5)
    private: list[Item] = []
    read: list[Item] = []
    market = 0

    def put(kind: str, number: int) -> None:
        nonlocal market
        if kind in ("order", "health"):
            update = make.order_update(str(number))
            private.append(update)
            if kind == "order":
                queue.put(make.ORDER, update)
            else:
                queue.put_health(update)
            return
        market += 1
        put_to: dict[str, Topic] = {"quote": make.QUOTE, "trade": make.TRADE, "depth": make.DEPTH}
        events: dict[str, Item] = {
            "quote": make.quote(number),
            "trade": make.trade(number),
            "depth": make.depth(),
        }
        queue.put(put_to[kind], events[kind])

    async def run() -> None:
        for number, kind in enumerate(steps):
            if kind != "read":
                put(kind, number)
            elif len(queue):
                read.append(await queue.get())
            assert len(queue) <= 7
            if queue.has_ended:
                return
        read.extend(await _all(queue))
        kept = [one for one in read if one in private]
        assert kept == private
        gaps = sum(one.dropped or 0 for one in read if isinstance(one, Gap))
        seen = sum(1 for one in read if one not in private and not isinstance(one, Gap))
        assert gaps == queue.dropped
        assert seen + queue.dropped + queue.conflated == market

    asyncio.run(run())
