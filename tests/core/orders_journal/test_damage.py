"""A file with changed bits: it opens, and says so, and makes nothing up."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from tests.core.orders_journal.conftest import NewIntent
from tests.core.orders_journal.history import (
    History,
    lay,
    log_of,
    open_journal,
    read_files,
    write_history,
)

from tradeforge_core import JournalUnavailable
from tradeforge_core.orders._journal_file import read_only
from tradeforge_core.orders.journal import Journal, read_journal
from tradeforge_testing import ManualClock

FLIPS = 150


@pytest.fixture
async def history(place: Path, new_intent: NewIntent, clock: ManualClock) -> History:
    return await write_history(place, new_intent, clock, intents=7, page=4096)


@pytest.mark.parametrize("seed", range(2))
async def test_changed_bits_never_make_an_entry_up(
    history: History, place: Path, clock: ManualClock, seed: int
) -> None:
    random = Random(seed)
    for number in range(FLIPS):
        at = random.randrange(len(history.closed))
        changed = bytearray(history.closed)
        changed[at] ^= 1 << random.randrange(8)
        lay(place, bytes(changed))
        try:
            quarantined, entries = await open_journal(place, clock)
        except JournalUnavailable:
            continue
        assert entries == (frozenset() if quarantined else history.whole), (number, at)


@pytest.mark.parametrize("seed", range(2))
async def test_changed_bits_in_the_log_lose_the_last_transaction_at_most(
    history: History, place: Path, clock: ManualClock, seed: int
) -> None:
    random, last = Random(seed), history.moments[-2]
    for number in range(FLIPS):
        at = random.randrange(len(history.log))
        changed = bytearray(history.log)
        changed[at] ^= 1 << random.randrange(8)
        lay(place, history.file, bytes(changed))
        quarantined, entries = await open_journal(place, clock)
        if quarantined is None:
            assert at >= last.size, (number, at)
        assert entries == (frozenset() if quarantined else last.entries), (number, at)


async def test_a_last_transaction_that_a_power_cut_tore_is_undone_and_no_damage(
    history: History, place: Path, clock: ManualClock
) -> None:
    """Sectors reach the disk in any order: the end of a transaction may be there without more."""
    last = history.moments[-2]
    torn = bytearray(history.log)
    torn[last.size + 100] ^= 1
    lay(place, history.file, bytes(torn))
    assert await open_journal(place, clock) == (None, last.entries)


async def test_of_the_headers_in_the_log_each_byte_counts(
    history: History, place: Path, clock: ManualClock
) -> None:
    second = 32 + 24 + int.from_bytes(history.log[8:12], "big")
    for at in (*range(32), *range(second, second + 24)):
        changed = bytearray(history.log)
        changed[at] ^= 1
        lay(place, history.file, bytes(changed))
        quarantined, entries = await open_journal(place, clock)
        assert quarantined is not None, at
        assert entries == set()


async def test_a_look_at_damage_says_that_it_is_damage(history: History, place: Path) -> None:
    random = Random(1)
    for _ in range(FLIPS):
        changed = bytearray(history.closed)
        changed[random.randrange(len(history.closed))] ^= 1 << random.randrange(8)
        lay(place, bytes(changed))
        try:
            entries = read_journal(place, limit=99)
        except JournalUnavailable:
            continue
        assert set(entries) <= history.written
    lay(place, b"not a database at all" * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        read_journal(place, limit=99)


async def test_each_damaged_file_has_a_name_of_its_own(place: Path, clock: ManualClock) -> None:
    for number in (1, 2, 3):
        lay(place, b"damage %d" % number, keep=True)
        quarantined, _ = await open_journal(place, clock)
        assert quarantined == place.with_name(f"1.sqlite3.damaged-{number}")
        assert quarantined.read_bytes() == b"damage %d" % number
    assert await open_journal(place, clock) == (None, set())


async def test_a_log_without_its_file_is_moved_aside(
    history: History, place: Path, clock: ManualClock
) -> None:
    lay(place, None, history.log)
    quarantined, entries = await open_journal(place, clock)
    assert quarantined is not None and entries == set()
    assert log_of(quarantined).read_bytes() == history.log


async def test_a_journal_of_a_newer_version_is_left_alone(
    history: History, place: Path, clock: ManualClock
) -> None:
    newer = bytearray(history.closed)
    newer[60:64] = (2).to_bytes(4, "big")  # where SQLite keeps user_version
    lay(place, bytes(newer))
    with pytest.raises(JournalUnavailable, match="newer version of TradeForge .format 2"):
        await open_journal(place, clock)
    with pytest.raises(JournalUnavailable, match="newer version"):
        read_journal(place, limit=1)
    assert read_files(place) == (newer, b"")


async def test_a_database_of_somebody_else_is_moved_aside(place: Path, clock: ManualClock) -> None:
    other = sqlite3.connect(place)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    quarantined, entries = await open_journal(place, clock)
    assert quarantined is not None and entries == set()


async def test_damage_while_it_is_open_stops_every_order(
    place: Path, new_intent: NewIntent, clock: ManualClock
) -> None:
    journal = await Journal.open(place, clock=clock)
    journal.begin(new_intent())
    await journal.flush()
    other = sqlite3.connect(place)
    other.execute("UPDATE entries SET attempts = 7")
    other.commit()
    other.close()
    with pytest.raises(JournalUnavailable, match="damaged: an entry does not fit its checksum"):
        await journal.hand_off("tf1", clock.now())
    with pytest.raises(JournalUnavailable, match="damaged"):
        await journal.find("tf1")
    await journal.close()
    again = await Journal.open(place, clock=clock)
    assert again.quarantined is not None
    await again.close()


async def test_what_a_crash_left_half_begun_is_begun_anew(place: Path, clock: ManualClock) -> None:
    for suffix in (".new", ".new-wal", ".new-shm"):
        place.with_name(place.name + suffix).write_bytes(b"half")
    assert await open_journal(place, clock) == (None, set())
    assert sorted(one.name for one in place.parent.iterdir()) == ["1.sqlite3", "1.sqlite3.lock"]


async def test_an_index_that_does_not_lead_to_an_entry_is_damage(
    history: History, place: Path, clock: ManualClock
) -> None:
    """The entry itself is sound, and nobody who asks for it by its id would find it."""
    lay(place, history.closed)
    with closing(sqlite3.connect(place)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name LIKE 'sqlite_autoindex%'"
        ).fetchone()
    changed = bytearray(history.closed)
    last = page * history.page - 1  # a page fills from its end: the id of the first entry
    changed[last] ^= 1 << 6
    lay(place, bytes(changed))
    quarantined, entries = await open_journal(place, clock)
    assert quarantined is not None and entries == frozenset()


@pytest.mark.parametrize("end", [0, -1])
async def test_a_log_that_is_cut_while_somebody_looks_is_damage(
    history: History, place: Path, clock: ManualClock, end: int
) -> None:
    """The reader's index of the log outlives the cut, and leads behind the end of the file."""
    lay(place, history.file, history.log)
    with closing(read_only(place)) as reader:
        assert reader.execute("SELECT count(*) FROM entries").fetchone() == (7,)
        lay(place, None, history.log[:end], keep=True)
        quarantined, entries = await open_journal(place, clock)
    assert quarantined is not None and entries == frozenset()
