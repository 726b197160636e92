"""A journal whose files are cut: it opens, and what was acknowledged is there, or moved aside.

Files of small pages are cut at every byte of the headers, and at every seventh of what they are
the headers of. Those of pages as long as everybody has them are cut near the borders of what SQLite
reads at once, and at some bytes between. `make cuts` cuts both at every byte, which takes minutes.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import frozen
from tests.core.orders_journal.conftest import NewIntent
from tests.core.orders_journal.history import (
    Found,
    History,
    lay,
    open_journal,
    read_files,
    write_history,
)

from tradeforge_core.orders._journal_jobs import Newest
from tradeforge_core.orders._journal_store import JournalStore
from tradeforge_testing import ManualClock

SMALL, USUAL = 512, 4096
"""Bytes of a page of SQLite."""

pytestmark = pytest.mark.timeout(3600)  # thousands of openings, perhaps beside other tests


@frozen(kw_only=True)
class Cutting:
    """A history, where its files are to be cut, and how what is left of them is opened."""

    history: History
    cuts: Callable[[int, Iterable[int]], Iterable[int]]
    open: Callable[[Path, ManualClock], Awaitable[Found]]


def _every_byte(size: int, borders: Iterable[int]) -> Iterable[int]:
    return range(size)


def _often(size: int, borders: Iterable[int]) -> Iterable[int]:
    headers = {at + offset for at in borders for offset in range(-1, 26)}
    return sorted(at for at in headers | {*range(0, size, 7), 99, 100, 101} if 0 <= at < size)


def _near(size: int, borders: Iterable[int]) -> Iterable[int]:
    near = {at + offset for at in borders for offset in (-1, 0, 1, 24)}
    return sorted(at for at in near | {*range(0, size, 4999), 99, 100, 101} if 0 <= at < size)


async def _open_here(place: Path, clock: ManualClock) -> Found:
    """As the journal's thread does, without a thread for each of thousands."""
    store = JournalStore(place, settled_before=clock.now() - timedelta(days=1))
    try:
        return store.quarantined, frozenset(store.read(Newest(99)))
    finally:
        store.close()


@pytest.fixture(params=[SMALL, USUAL], ids=["small pages", "usual pages"])
async def cutting(
    request: pytest.FixtureRequest, place: Path, new_intent: NewIntent, clock: ManualClock
) -> Cutting:
    history = await write_history(place, new_intent, clock, intents=3, page=request.param)
    if request.config.getoption("--every-byte", False):
        return Cutting(history=history, cuts=_every_byte, open=_open_here)
    if request.param == SMALL:
        return Cutting(history=history, cuts=_often, open=_open_here)
    return Cutting(history=history, cuts=_near, open=open_journal)


async def test_of_a_log_that_is_cut_all_is_kept_that_was_whole(
    cutting: Cutting, place: Path, clock: ManualClock
) -> None:
    history = cutting.history
    frames = range(32, len(history.log) + 1, 24 + history.page)
    for size in cutting.cuts(len(history.log), frames):
        lay(place, history.file, history.log[:size])
        assert await cutting.open(place, clock) == (None, history.acknowledged(size)), size


@pytest.mark.parametrize("crashed", [False, True], ids=["closed", "beside its log"])
async def test_a_file_that_is_cut_has_lost_nothing_or_is_moved_aside(
    cutting: Cutting, place: Path, clock: ManualClock, crashed: bool
) -> None:
    """Nothing: bytes that SQLite does not use, or that are in the log once more."""
    history = cutting.history
    file, log = (history.file, history.log) if crashed else (history.closed, b"")
    moved = 0
    for size in cutting.cuts(len(file), range(0, len(file) + 1, history.page)):
        lay(place, file[:size], log or None)
        quarantined, entries = await cutting.open(place, clock)
        assert entries == (frozenset() if quarantined else history.whole), size
        if quarantined:
            moved += 1
            assert quarantined == place.with_name("1.sqlite3.damaged-1")
            assert read_files(quarantined) == (file[:size], log), size
    assert moved > 0
