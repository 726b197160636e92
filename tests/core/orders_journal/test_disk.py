"""A disk that is full, read-only or gone: no order leaves without a record, and it heals."""

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.core.orders_journal.conftest import NewIntent, NewJournal, Run

from tradeforge_core import JournalUnavailable
from tradeforge_core.orders._journal_file import open_file
from tradeforge_core.orders.journal import IntentState, read_journal
from tradeforge_testing import ManualClock

TRY = """
async def order(journal, id):
    journal.begin(intent(id, "x" * 2000))
    try:
        say(await journal.hand_off(id, NOW))
    except JournalUnavailable as error:
        journal.settle(id, IntentState.NOT_SENT, "{}", NOW)
        say(str(error).partition("sqlite3")[2])

async def states(journal):
    entries = await journal.entries(limit=9)
    say(*(f"{entry.intent.id}={entry.state}/{entry.attempts}" for entry in reversed(entries)))
"""

FULL = (
    TRY
    + """
async def main():
    journal = await Journal.open(path, clock=SystemClock())
    await order(journal, "before")
    fill()
    await order(journal, "full")
    await order(journal, "full")
    journal.settle("before", IntentState.ACCEPTED, "{}", NOW)
    say("failure", journal.failure is not None)
    await states(journal)
    make_room()
    await order(journal, "after")
    say("failure", journal.failure is not None)
    await states(journal)
    await journal.close()

asyncio.run(main())
"""
)

LIMIT = """
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def fill():
    limit(path.with_name(path.name + "-wal").stat().st_size + 4200)

def make_room():
    limit(resource.RLIM_INFINITY)
"""

BALLAST = """
ballast = path.with_name("ballast")

def fill():
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            pass

def make_room():
    ballast.unlink()
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[str, ...]:
    """What runs a program that alone sees a disk of 400 KiB at `disk`."""
    (tmp_path / "disk").mkdir()
    script = f"mount -t tmpfs -o size=400k none '{tmp_path}/disk' && exec \"$@\""
    before = ("unshare", "-m", "sh", "-c", script, "sh")
    if not shutil.which("unshare") or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("to mount a disk takes rights that this user has not")
    return before


def _is_what_a_full_disk_looks_like(lines: list[str], reason: str) -> None:
    assert lines[0] == "1"
    assert reason in lines[1] and reason in lines[2]
    assert lines[3:5] == ["failure True", "before=handed_off/1"]
    assert lines[5:7] == ["1", "failure False"]
    assert lines[7] == "before=accepted/1 full=not_sent/0 after=handed_off/1"


def test_a_file_that_may_not_grow_refuses_until_it_may(run: Run, path: Path) -> None:
    lines = run(LIMIT + FULL).splitlines()
    _is_what_a_full_disk_looks_like(lines, "look at it before you go on")
    assert [entry.intent.id for entry in read_journal(path, limit=9)] == ["after", "full", "before"]


def test_a_full_disk_refuses_until_there_is_room(
    run: Run, small_disk: tuple[str, ...], tmp_path: Path
) -> None:
    lines = run(BALLAST + FULL, before=small_disk, place=tmp_path / "disk" / "1.sqlite3")
    _is_what_a_full_disk_looks_like(lines.splitlines(), "the disk is full: make room")


def test_a_disk_that_is_full_from_the_first_says_so_and_leaves_no_half_journal(
    run: Run, small_disk: tuple[str, ...], tmp_path: Path
) -> None:
    code = (
        BALLAST
        + TRY
        + """
async def main():
    fill()
    try:
        await Journal.open(path, clock=SystemClock())
    except JournalUnavailable as error:
        say(error)
    make_room()
    journal = await Journal.open(path, clock=SystemClock())
    say(journal.quarantined)
    await order(journal, "1")
    await journal.close()

asyncio.run(main())
"""
    )
    place = tmp_path / "disk" / "1.sqlite3"
    refusal, quarantined, attempt = run(code, before=small_disk, place=place).splitlines()
    assert "full" in refusal
    assert (quarantined, attempt) == ("None", "1")


def test_a_read_only_disk_says_so(run: Run, small_disk: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        TRY
        + """
async def main():
    journal = await Journal.open(path, clock=SystemClock())
    await order(journal, "1")
    await journal.close()
    os.system(f"mount -o remount,ro '{path.parent}'")
    try:
        await Journal.open(path, clock=SystemClock())
    except JournalUnavailable as error:
        say(error)
    os.system(f"mount -o remount,rw '{path.parent}'")
    journal = await Journal.open(path, clock=SystemClock())
    await states(journal)
    await journal.close()

asyncio.run(main())
"""
    )
    place = tmp_path / "disk" / "1.sqlite3"
    attempt, refusal, entries = run(code, before=small_disk, place=place).splitlines()
    assert (attempt, entries) == ("1", "1=handed_off/1")
    assert "Read-only file system" in refusal


async def test_a_folder_in_the_place_of_the_file_stays_where_it_is(
    new_journal: NewJournal, path: Path
) -> None:
    os.makedirs(path)
    with pytest.raises(JournalUnavailable, match="is a folder: move it away"):
        await new_journal()
    with pytest.raises(JournalUnavailable):
        read_journal(path, limit=1)
    os.rmdir(path)
    await new_journal()


async def test_a_file_in_the_place_of_the_folder_is_named(
    new_journal: NewJournal, path: Path
) -> None:
    path.parent.touch()
    with pytest.raises(JournalUnavailable, match="look at its folder"):
        await new_journal()


async def test_a_folder_in_the_place_of_the_lock_is_named(
    new_journal: NewJournal, path: Path
) -> None:
    path.with_name("1.sqlite3.lock").mkdir(parents=True)
    with pytest.raises(JournalUnavailable, match="lock .* cannot be opened"):
        await new_journal()


async def test_a_folder_in_the_place_of_the_log_is_named(
    new_journal: NewJournal, path: Path
) -> None:
    await (await new_journal()).close()
    path.with_name("1.sqlite3-wal").mkdir()
    with pytest.raises(JournalUnavailable):
        await new_journal()


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
async def test_a_folder_without_permission_is_named(new_journal: NewJournal, path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(JournalUnavailable, match="Permission denied"):
        await new_journal()


@pytest.mark.parametrize("another", [False, True])
async def test_a_journal_that_was_deleted_is_not_written_on(
    new_journal: NewJournal,
    new_intent: NewIntent,
    clock: ManualClock,
    path: Path,
    another: bool,
) -> None:
    journal = await new_journal()
    _move_away(path)
    if another:
        path.with_name("other").touch()
        os.rename(path.with_name("other"), path)
    journal.begin(new_intent())
    with pytest.raises(JournalUnavailable, match="moved or deleted while it was open"):
        await journal.hand_off("tf1", clock.now())


async def test_a_failure_to_hand_off_may_be_tried_again(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock, path: Path
) -> None:
    journal = await new_journal()
    _move_away(path)
    journal.begin(new_intent())
    for _ in range(3):
        with pytest.raises(JournalUnavailable):
            await journal.hand_off("tf1", clock.now())
    with pytest.raises(JournalUnavailable):
        await journal.flush()
    os.rename(path.with_name("moved"), path)
    assert await journal.hand_off("tf1", clock.now()) == 1
    entry = await journal.find("tf1")
    assert entry is not None and entry.state is IntentState.HANDED_OFF


async def test_what_could_never_be_written_is_named_at_the_end(
    new_journal: NewJournal,
    new_intent: NewIntent,
    path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = await new_journal()
    _move_away(path)
    journal.begin(new_intent())
    await journal.close()
    assert "nothing is written any more" in caplog.text
    assert "1 records were never written" in caplog.text
    assert journal.failure is not None


def test_a_transaction_ends_when_the_disk_has_it(path: Path) -> None:
    path.parent.mkdir()
    connection, _ = open_file(path)
    with closing(connection):
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _move_away(path: Path) -> None:
    path.rename(path.with_name("moved"))
