"""Many at once: one transaction for all that waits, and nobody hurts another."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.core.orders_journal.conftest import NewIntent, NewJournal

from tradeforge_core import JournalUnavailable
from tradeforge_core.orders.intents import Intent
from tradeforge_core.orders.journal import IntentState, Journal
from tradeforge_testing import ManualClock

Eventually = Callable[[Callable[[], object]], Awaitable[None]]
THREAD = "tradeforge journal"


def commits(path: Path) -> int:
    """Transactions in the log, each of which was one sync of the disk."""
    log = path.with_name(path.name + "-wal").read_bytes()
    size = 24 + int.from_bytes(log[8:12], "big")
    frames = [log[at : at + 24] for at in range(32, len(log), size)]
    return sum(frame[8:16] == log[16:24] and frame[4:8] != bytes(4) for frame in frames)


@contextmanager
def slow_disk(path: Path) -> Iterator[None]:
    """While this lasts, no transaction of the journal begins, and all work waits."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_what_waits_goes_to_disk_together(
    journal: Journal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    names = [f"tf{number}" for number in range(200)]
    await journal.flush()
    before = commits(path)
    with slow_disk(path):
        work = asyncio.gather(*(_order(journal, new_intent(one), clock) for one in names))
        await asyncio.sleep(0)
    assert await work == [1] * 200
    assert 1 <= commits(path) - before <= 3  # one that had been taken already, and the rest
    assert {entry.state for entry in await journal.unsettled()} == {IntentState.HANDED_OFF}
    assert [entry.intent.id for entry in await journal.unsettled()] == names


async def test_one_at_a_time_each_is_on_disk_before_its_bytes_may_leave(
    journal: Journal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    for number in range(5):
        before = commits(path)
        await _order(journal, new_intent(str(number)), clock)
        assert commits(path) > before


async def test_the_loop_goes_on_while_the_disk_does_not(
    journal: Journal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    with slow_disk(path):
        work = asyncio.create_task(_order(journal, new_intent(), clock))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not work.done()
    assert await work == 1


async def test_who_is_cancelled_hurts_nobody_and_stays_on_record(
    journal: Journal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    with slow_disk(path):
        tasks = [
            asyncio.create_task(_order(journal, new_intent(str(number)), clock))
            for number in range(9)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in done[::2]] == [asyncio.CancelledError] * 5
    assert done[1::2] == [1] * 4
    assert [entry.state for entry in await journal.unsettled()] == [IntentState.HANDED_OFF] * 9


async def test_the_refusal_of_one_is_not_that_of_the_others(
    journal: Journal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    await _order(journal, new_intent("old"), clock)
    with slow_disk(path):
        work = asyncio.gather(
            *(_order(journal, new_intent(one), clock) for one in ("a", "old", "b")),
            journal.hand_off("none", clock.now()),
            return_exceptions=True,
        )
        await asyncio.sleep(0)
    assert [str(one) for one in await work] == [
        "1",
        "old is on record as handed_off: a new intent needs a new id",
        "1",
        "the journal has no intent none: begin it first",
    ]
    assert journal.failure is None


async def test_closing_writes_what_waits(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    journal = await new_journal()
    with slow_disk(path):
        order = asyncio.create_task(_order(journal, new_intent("a"), clock))
        await asyncio.sleep(0)
        journal.begin(new_intent("b"))
        journal.settle("a", IntentState.ACCEPTED, "{}", clock.now())
        ends = [asyncio.create_task(journal.close()) for _ in range(3)]
        await asyncio.sleep(0)
        ends.pop().cancel()
    assert await order == 1
    await asyncio.gather(*ends)
    left = await (await new_journal()).entries(limit=9)
    assert [entry.state for entry in left] == [IntentState.INTENT, IntentState.ACCEPTED]


async def test_after_closing_nothing_is_taken_and_nothing_is_left(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    journal = await new_journal()
    await _order(journal, new_intent("a"), clock)
    await journal.close()
    await journal.close()
    assert sorted(one.name for one in path.parent.iterdir()) == ["1.sqlite3", "1.sqlite3.lock"]
    assert THREAD not in _threads()
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.begin(new_intent("b"))
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.hand_off("a", clock.now())
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.flush()
    journal.settle("a", IntentState.ACCEPTED, "{}", clock.now())
    assert "closed" in str(journal.failure)


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradeforge_core.orders.journal._MOST_WAITING", 100)


@pytest.mark.usefixtures("little_room")
async def test_there_is_a_bound_and_outcomes_come_first(
    journal: Journal,
    new_intent: NewIntent,
    clock: ManualClock,
    path: Path,
    eventually: Eventually,
) -> None:
    await _order(journal, new_intent("first"), clock)
    with slow_disk(path):
        work = asyncio.create_task(_order(journal, new_intent("second"), clock))
        await asyncio.sleep(0)
        with pytest.raises(JournalUnavailable, match="the disk does not keep up"):
            for number in range(1000):
                journal.begin(new_intent(str(number)))
                journal.settle(str(number), IntentState.NOT_SENT, "{}", clock.now())
        with pytest.raises(JournalUnavailable, match="the disk does not keep up"):
            await journal.find("first")
        for _ in range(20):
            journal.settle("first", IntentState.UNKNOWN, "{}", clock.now())
        assert journal.failure is None
        assert "the disk does not keep up" in _failure_of_many(journal, clock)
    assert await work == 1

    def heals() -> bool:
        journal.settle("first", IntentState.UNKNOWN, "{}", clock.now())
        return journal.failure is None

    await eventually(heals)


@pytest.mark.usefixtures("little_room")
async def test_intents_that_nobody_hands_off_have_a_bound_too(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock
) -> None:
    journal = await new_journal(None)
    for number in range(100):
        journal.begin(new_intent(str(number)))
        await journal.flush()
    with pytest.raises(JournalUnavailable, match="100 records"):
        journal.begin(new_intent("more"))
    journal.settle("0", IntentState.NOT_SENT, "{}", clock.now())
    journal.begin(new_intent("more"))
    assert await journal.hand_off("more", clock.now()) == 1


def test_a_loop_that_is_gone_does_not_end_the_thread(
    new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    async def leave() -> Journal:
        journal = await Journal.open(path, clock=clock)
        journal.begin(new_intent())
        return journal

    async def strand() -> None:
        task = asyncio.ensure_future(journal.hand_off("tf1", clock.now()))
        await asyncio.sleep(0)
        task.cancel()

    journal = asyncio.run(leave())
    with slow_disk(path):
        asyncio.run(strand())

    async def come_back() -> None:
        entry = await journal.find("tf1")
        assert entry is not None and entry.state is IntentState.HANDED_OFF
        await journal.close()

    asyncio.run(come_back())


async def test_opening_that_is_given_up_leaves_nothing_behind(
    new_journal: NewJournal, clock: ManualClock, path: Path, eventually: Eventually
) -> None:
    opening = asyncio.create_task(Journal.open(path, clock=clock))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await eventually(lambda: THREAD not in _threads())
    await new_journal()


def _failure_of_many(journal: Journal, clock: ManualClock) -> str:
    """Of the first outcome that has no room: the writer takes what waits once, before it waits."""
    for _ in range(1000):
        journal.settle("first", IntentState.UNKNOWN, "{}", clock.now())
        if journal.failure is not None:
            return str(journal.failure)
    return ""


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


async def _order(journal: Journal, intent: Intent, clock: ManualClock) -> int:
    journal.begin(intent)
    return await journal.hand_off(intent.id, clock.now())
