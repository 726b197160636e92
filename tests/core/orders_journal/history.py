"""A journal with a past: its files after a crash, and what was on record at each moment."""

import sqlite3
from contextlib import closing
from pathlib import Path

from attrs import frozen
from tests.core.orders_journal.conftest import NewIntent

from tradeforge_core.orders.journal import IntentState, Journal, JournalEntry
from tradeforge_testing import ManualClock

Entries = frozenset[JournalEntry]
Files = tuple[bytes, bytes]
"""The file, and the log beside it; nothing if there is none."""
Found = tuple[Path | None, Entries]
"""Where a damaged file was moved, and what the journal has on record."""


@frozen
class Moment:
    """When a write was acknowledged: how long the log was, and all that was on record."""

    size: int
    entries: Entries


@frozen(kw_only=True)
class History:
    page: int
    file: bytes
    log: bytes
    closed: bytes
    """The file as an ordinary end leaves it, without a log."""
    moments: tuple[Moment, ...]
    """One for each transaction in the log, and one before them."""

    @property
    def written(self) -> Entries:
        """All that ever was true."""
        return frozenset[JournalEntry]().union(*(moment.entries for moment in self.moments))

    @property
    def whole(self) -> Entries:
        return self.moments[-1].entries

    def acknowledged(self, size: int) -> Entries:
        """What was on record when the log was no longer than this."""
        return [moment for moment in self.moments if moment.size <= size][-1].entries


async def write_history(
    place: Path, new_intent: NewIntent, clock: ManualClock, *, intents: int, page: int
) -> History:
    """The first intent is in the file, the others are in the log; the last write is an outcome."""
    await (await Journal.open(place, clock=clock)).close()
    _set_page(place, page)
    await _write(place, new_intent, clock, range(1))
    moments, (file, log) = await _write(place, new_intent, clock, range(1, intents))
    closed, none = read_files(place)
    assert not none
    return History(page=page, file=file, log=log, closed=closed, moments=tuple(moments))


async def _write(
    place: Path, new_intent: NewIntent, clock: ManualClock, numbers: range
) -> tuple[list[Moment], Files]:
    """The moments, and the files as they were before the journal was closed."""
    journal = await Journal.open(place, clock=clock)
    moments = [await _now(journal, place)]
    for number in numbers:
        name = str(number)
        journal.begin(new_intent(name, details=f'{{"size": "{number}"}}'))
        moments.append(await _now(journal, place))
        await journal.hand_off(name, clock.now())
        moments.append(await _now(journal, place))
        if number % 2 == 0:
            journal.settle(name, IntentState.ACCEPTED, '{"order_id": "7"}', clock.now())
            moments.append(await _now(journal, place))
    crashed = read_files(place)
    await journal.close()
    return moments, crashed


async def _now(journal: Journal, place: Path) -> Moment:
    await journal.flush()
    _, log = read_files(place)
    return Moment(len(log), frozenset(await journal.entries(limit=99)))


def _set_page(place: Path, page: int) -> None:
    """It stands in the file, and SQLite goes on with what stands there."""
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA page_size = {page}")
        connection.execute("VACUUM")


def log_of(place: Path) -> Path:
    return place.with_name(place.name + "-wal")


def read_files(place: Path) -> Files:
    log = log_of(place)
    return place.read_bytes(), log.read_bytes() if log.exists() else b""


def lay(place: Path, file: bytes | None, log: bytes | None = None, *, keep: bool = False) -> None:
    """Lay these files, alone in the folder unless what is there is to be kept."""
    if not keep:
        for left in place.parent.iterdir():
            left.unlink()
    for where, content in ((place, file), (log_of(place), log)):
        if content is not None:
            where.write_bytes(content)


async def open_journal(place: Path, clock: ManualClock) -> Found:
    journal = await Journal.open(place, clock=clock)
    try:
        return journal.quarantined, frozenset(await journal.entries(limit=99))
    finally:
        await journal.close()
