"""Killed between any two calls: what was promised is on record, and nothing else is said."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.orders_journal.conftest import NewJournal

from tradeforge_core.orders.journal import IntentState, JournalEntry

Started = Callable[[str], Any]

LIFE = """
async def main():
    journal = await Journal.open(path, clock=SystemClock())
    async def step(number, call):
        result = call()
        if asyncio.iscoroutine(result):
            await result
        say(number)
        if number == STOP:
            os.kill(os.getpid(), signal.SIGKILL)
    await step(0, lambda: journal.begin(intent("a")))
    await step(1, lambda: journal.hand_off("a", NOW))
    await step(2, lambda: journal.begin(intent("b")))
    await step(3, lambda: journal.settle("a", IntentState.ACCEPTED, "{}", NOW))
    await step(4, lambda: journal.hand_off("b", NOW))
    await step(5, lambda: journal.settle("b", IntentState.UNKNOWN, "{}", NOW))
    await step(6, lambda: journal.acknowledge("b", NOW))
    await step(7, lambda: journal.close())

asyncio.run(main())
"""

NEW, OUT = IntentState.INTENT, IntentState.HANDED_OFF
YES, WHO = IntentState.ACCEPTED, IntentState.UNKNOWN
POSSIBLE: list[tuple[set[IntentState | None], set[IntentState | None]]] = [
    ({None, NEW}, {None}),
    ({OUT}, {None}),
    ({OUT}, {None, NEW}),
    ({OUT, YES}, {None, NEW}),
    ({YES}, {OUT}),  # what was asked for before a hand-off is on disk with it
    ({YES}, {OUT, WHO}),
    ({YES}, {WHO}),
    ({YES}, {WHO}),
]


@pytest.mark.parametrize("stop", range(len(POSSIBLE)))
async def test_a_life_that_ends_after_any_call(
    started: Started, new_journal: NewJournal, path: Path, stop: int
) -> None:
    with started(LIFE.replace("STOP", str(stop))) as process:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert said.split() == [str(number) for number in range(stop + 1)]
    journal = await new_journal()
    assert journal.quarantined is None
    first, second = await journal.find("a"), await journal.find("b")
    assert _state(first) in POSSIBLE[stop][0]
    assert _state(second) in POSSIBLE[stop][1]
    assert second is None or second.acknowledged == (stop >= 6)


CROWD = """
async def main():
    journal = await Journal.open(path, clock=SystemClock())
    async def order(number):
        journal.begin(intent(str(number)))
        await journal.hand_off(str(number), NOW)
        say(number)
        journal.settle(str(number), IntentState.ACCEPTED, str(number), NOW)
    for number in range(0, 10**6, 8):
        await asyncio.gather(*(order(number + one) for one in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 100, 1000])
async def test_a_life_that_ends_in_the_middle_of_anything(
    started: Started, new_journal: NewJournal, after: int
) -> None:
    with started(CROWD) as process:
        said = [process.stdout.readline() for _ in range(after)]
        process.kill()
        said += process.stdout.read().splitlines(keepends=True)
    promised = {line.strip() for line in said if line.endswith("\n")}
    journal = await new_journal()
    assert journal.quarantined is None
    entries = {entry.intent.id: entry for entry in await journal.entries(limit=10**6)}
    assert {entries[one].attempts for one in promised} == {1}
    assert {entry.state for entry in entries.values()} <= {NEW, OUT, YES}
    outcomes = {one: entry.outcome for one, entry in entries.items() if entry.state is YES}
    assert all(one == outcome for one, outcome in outcomes.items())


def _state(entry: JournalEntry | None) -> IntentState | None:
    return None if entry is None else entry.state
