"""A file that is cut or has changed bits: it opens, and says so, and makes nothing up."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from attrs import frozen
from tests.core.orders_journal.conftest import NewIntent

from tradeforge_core import JournalUnavailable
from tradeforge_core.orders.journal import IntentState, Journal, JournalEntry, read_journal
from tradeforge_testing import ManualClock

INTENTS = 10
FLIPS = 150


@frozen
class History:
    """The files of a journal as a crash leaves them, and all that ever was true of it."""

    file: bytes
    log: bytes
    ends: tuple[int, ...]
    """How long the log was when each hand-off had returned."""
    written: frozenset[JournalEntry]

    def known_by(self, size: int) -> set[str]:
        """The ids of the intents that were handed off when the log had this size."""
        return {str(number) for number, end in enumerate(self.ends) if end <= size}


@pytest.fixture
def place() -> Iterable[Path]:
    """Where to lay files, in memory where there is such a folder: nobody pulls a plug here."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder) / "1.sqlite3"


@pytest.fixture
async def history(place: Path, new_intent: NewIntent, clock: ManualClock) -> History:
    journal = await Journal.open(place, clock=clock)
    ends: list[int] = []
    written: set[JournalEntry | None] = set()
    for number in range(INTENTS):
        name = str(number)
        intent = new_intent(name, details=f'{{"size": "{number}"}}' * 9)
        journal.begin(intent)
        written.add(JournalEntry(intent=intent))
        await journal.hand_off(name, clock.now())
        ends.append(_log(place).stat().st_size)
        written.add(await journal.find(name))
        if number % 3 == 0:
            journal.settle(name, IntentState.ACCEPTED, '{"order_id": "7"}', clock.now())
            written.add(await journal.find(name))
    crashed = _read(place), _read(_log(place))
    await journal.close()
    return History(*crashed, tuple(ends), frozenset(one for one in written if one is not None))


@pytest.fixture
async def closed(history: History, place: Path) -> bytes:
    """The file as an ordinary end leaves it, without a log."""
    assert not _log(place).exists()
    return _read(place)


def _log(place: Path) -> Path:
    return place.with_name(place.name + "-wal")


def _read(file: Path) -> bytes:
    return file.read_bytes()


def _lay(place: Path, file: bytes | None, log: bytes | None = None, *, keep: bool = False) -> None:
    """Lay these files, alone in the folder unless what is there is to be kept."""
    if not keep:
        shutil.rmtree(place.parent)
        place.parent.mkdir()
    for where, content in ((place, file), (_log(place), log)):
        if content is not None:
            where.write_bytes(content)


async def _open(place: Path, clock: ManualClock) -> tuple[Path | None, set[JournalEntry]]:
    """Where the damaged file was moved, and what the journal says after a look and a write."""
    journal = await Journal.open(place, clock=clock)
    try:
        return journal.quarantined, set(await journal.entries(limit=99))
    finally:
        await journal.close()


def _ids(entries: Iterable[JournalEntry]) -> set[str]:
    """Of those that were handed off."""
    return {entry.intent.id for entry in entries if entry.attempts}


def _cuts(size: int, near: Iterable[int], request: pytest.FixtureRequest) -> list[int]:
    """Every byte if that is asked for, else those near the borders and some between."""
    if request.config.getoption("--every-byte", False):
        return list(range(size))
    borders = {at + offset for at in near for offset in (-1, 0, 24)}
    return sorted(
        {at for at in borders if 0 <= at < size} | {*range(0, size, 4999), 1, 99, 100, 101}
    )


@pytest.mark.timeout(3600)
async def test_of_a_log_that_is_cut_all_is_kept_that_was_whole(
    history: History, place: Path, clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    frame = 24 + int.from_bytes(history.log[8:12], "big")
    for size in _cuts(len(history.log), range(32, len(history.log), frame), request):
        _lay(place, history.file, history.log[:size])
        quarantined, entries = await _open(place, clock)
        assert quarantined is None, size
        assert entries <= history.written, size
        assert _ids(entries) == history.known_by(size), size


@pytest.mark.timeout(3600)
async def test_a_file_that_is_cut_is_moved_aside_and_another_is_begun(
    history: History, closed: bytes, place: Path, clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    for size in _cuts(len(closed), range(0, len(closed), 4096), request):
        _lay(place, closed[:size])
        quarantined, entries = await _open(place, clock)
        assert quarantined == place.with_name("1.sqlite3.damaged-1"), size
        assert quarantined.read_bytes() == closed[:size]
        assert entries == set()


@pytest.mark.timeout(3600)
async def test_a_file_that_is_cut_beside_its_log_is_whole_again_or_moved_aside_with_it(
    history: History, place: Path, clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    outcomes = set()
    for size in _cuts(len(history.file), range(0, len(history.file), 4096), request):
        _lay(place, history.file[:size], history.log)
        quarantined, entries = await _open(place, clock)
        outcomes.add(quarantined is None)
        if quarantined is None:
            assert _ids(entries) == history.known_by(len(history.log)), size
        else:
            assert _log(quarantined).exists(), size
            assert _log(quarantined).read_bytes() == history.log, size
            assert entries == set()
    assert False in outcomes


@pytest.mark.parametrize("seed", range(2))
async def test_changed_bits_never_make_an_entry_up(
    history: History, closed: bytes, place: Path, clock: ManualClock, seed: int
) -> None:
    random = Random(seed)
    for number in range(FLIPS):
        at = random.randrange(len(closed))
        changed = bytearray(closed)
        changed[at] ^= 1 << random.randrange(8)
        _lay(place, bytes(changed))
        try:
            quarantined, entries = await _open(place, clock)
        except JournalUnavailable:
            continue
        assert entries <= history.written, (number, at)
        if quarantined is None:
            assert _ids(entries) == history.known_by(len(history.log)), (number, at)


@pytest.mark.parametrize("seed", range(2))
async def test_changed_bits_in_the_log_lose_the_last_transaction_at_most(
    history: History, place: Path, clock: ManualClock, seed: int
) -> None:
    random = Random(seed)
    for number in range(FLIPS):
        at = random.randrange(len(history.log))
        changed = bytearray(history.log)
        changed[at] ^= 1 << random.randrange(8)
        _lay(place, history.file, bytes(changed))
        quarantined, entries = await _open(place, clock)
        assert entries <= history.written, (number, at)
        if quarantined is None:
            assert at >= history.ends[-1], (number, at)
            assert _ids(entries) == history.known_by(len(history.log)), (number, at)


async def test_a_last_transaction_that_a_power_cut_tore_is_undone_and_no_damage(
    history: History, place: Path, clock: ManualClock
) -> None:
    """Sectors reach the disk in any order: the end of a transaction may be there without more."""
    torn = bytearray(history.log)
    torn[history.ends[-1] + 100] ^= 1
    _lay(place, history.file, bytes(torn))
    quarantined, entries = await _open(place, clock)
    assert quarantined is None
    assert _ids(entries) == history.known_by(len(history.log))
    assert {entry.state for entry in entries if entry.intent.id == str(INTENTS - 1)} == {
        IntentState.HANDED_OFF  # what the torn transaction said of it is not known
    }


async def test_of_the_headers_in_the_log_each_byte_counts(
    history: History, place: Path, clock: ManualClock
) -> None:
    second = 32 + 24 + int.from_bytes(history.log[8:12], "big")
    for at in (*range(32), *range(second, second + 24)):
        changed = bytearray(history.log)
        changed[at] ^= 1
        _lay(place, history.file, bytes(changed))
        quarantined, entries = await _open(place, clock)
        assert quarantined is not None, at
        assert entries == set()


async def test_a_look_at_damage_says_that_it_is_damage(
    history: History, closed: bytes, place: Path
) -> None:
    random = Random(1)
    for _ in range(FLIPS):
        changed = bytearray(closed)
        changed[random.randrange(len(closed))] ^= 1 << random.randrange(8)
        _lay(place, bytes(changed))
        try:
            entries = read_journal(place, limit=99)
        except JournalUnavailable:
            continue
        assert set(entries) <= history.written
    _lay(place, b"not a database at all" * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        read_journal(place, limit=99)


async def test_each_damaged_file_has_a_name_of_its_own(place: Path, clock: ManualClock) -> None:
    for number in (1, 2, 3):
        _lay(place, b"damage %d" % number, keep=True)
        quarantined, _ = await _open(place, clock)
        assert quarantined == place.with_name(f"1.sqlite3.damaged-{number}")
        assert quarantined.read_bytes() == b"damage %d" % number
    assert await _open(place, clock) == (None, set())


async def test_a_log_without_its_file_is_moved_aside(
    history: History, place: Path, clock: ManualClock
) -> None:
    _lay(place, None, history.log)
    quarantined, entries = await _open(place, clock)
    assert quarantined is not None and entries == set()
    assert _log(quarantined).read_bytes() == history.log


async def test_a_journal_of_a_newer_version_is_left_alone(
    closed: bytes, place: Path, clock: ManualClock
) -> None:
    newer = closed[:60] + (2).to_bytes(4, "big") + closed[64:]  # where SQLite keeps user_version
    _lay(place, newer)
    with pytest.raises(JournalUnavailable, match="newer version of TradeForge .format 2"):
        await _open(place, clock)
    with pytest.raises(JournalUnavailable, match="newer version"):
        read_journal(place, limit=1)
    assert _read(place) == newer


async def test_a_database_of_somebody_else_is_moved_aside(place: Path, clock: ManualClock) -> None:
    other = sqlite3.connect(place)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    quarantined, entries = await _open(place, clock)
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
    assert await _open(place, clock) == (None, set())
    assert sorted(one.name for one in place.parent.iterdir()) == ["1.sqlite3", "1.sqlite3.lock"]
