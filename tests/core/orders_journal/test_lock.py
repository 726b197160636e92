"""One process writes a journal at a time, and a dead one does not count."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.orders_journal.conftest import NewIntent, NewJournal, Run

from tradeforge_core import JournalUnavailable
from tradeforge_core.orders.journal import read_journal
from tradeforge_testing import ManualClock

Started = Callable[[str], Any]

HOLD = """
async def main():
    journal = await Journal.open(path, clock=SystemClock())
    journal.begin(intent("theirs"))
    await journal.hand_off("theirs", NOW)
    say("open")
    sys.stdin.readline()
    await journal.close()

asyncio.run(main())
"""


async def test_another_process_is_refused_and_told_who_has_it(
    started: Started, new_journal: NewJournal, path: Path
) -> None:
    with started(HOLD) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(JournalUnavailable, match=f"process {holder.pid} holds"):
            await new_journal()
        (entry,) = read_journal(path, limit=9)
        assert entry.intent.id == "theirs"
        holder.communicate("\n")
    assert [entry.intent.id for entry in await (await new_journal()).unsettled()] == ["theirs"]


async def test_the_lock_of_a_dead_process_does_not_count(
    started: Started, new_journal: NewJournal
) -> None:
    with started(HOLD) as holder:
        assert holder.stdout.readline() == "open\n"
        holder.kill()
        holder.wait()
    assert [entry.intent.id for entry in await (await new_journal()).unsettled()] == ["theirs"]


async def test_this_process_is_refused_too(
    new_journal: NewJournal, new_intent: NewIntent, clock: ManualClock
) -> None:
    journal = await new_journal()
    with pytest.raises(JournalUnavailable, match=rf"this process \({os.getpid()}\) has"):
        await new_journal()
    journal.begin(new_intent())
    assert await journal.hand_off("tf1", clock.now()) == 1  # the refusal changed nothing
    await journal.close()
    await new_journal()


async def test_another_name_of_the_same_file_is_refused(
    new_journal: NewJournal, path: Path, tmp_path: Path
) -> None:
    await new_journal()
    link = tmp_path / "link.sqlite3"
    link.symlink_to(path)
    with pytest.raises(JournalUnavailable, match="this process"):
        await new_journal(link)


async def test_the_message_is_as_good_as_what_the_lock_says(
    new_journal: NewJournal, path: Path
) -> None:
    await new_journal()
    lock = path.with_name("1.sqlite3.lock")
    for text in (b"", b"\xff\xff", b"-1", b"x" * 100):
        lock.write_bytes(text)
        with pytest.raises(JournalUnavailable, match="another process holds"):
            await new_journal()


def test_files_are_for_this_user_alone_whatever_the_umask(run: Run, path: Path) -> None:
    code = """
os.umask(UMASK)

async def main():
    journal = await Journal.open(path, clock=SystemClock())
    journal.begin(intent("1"))
    await journal.flush()
    say(*(f"{one.name}={one.stat().st_mode & 0o777:o}" for one in sorted(path.parent.iterdir())))
    say(f"{path.parent.stat().st_mode & 0o777:o} {path.parent.parent.stat().st_mode & 0o777:o}")

asyncio.run(main())
"""
    for number, umask in enumerate(("0", "0o777", "0o22")):
        place = path.parent / f"{number}" / "deep" / "1.sqlite3"
        files, folders = run(code.replace("UMASK", umask), place=place).splitlines()
        assert dict(one.split("=") for one in files.split()) == {
            f"1.sqlite3{suffix}": "600" for suffix in ("", "-wal", "-shm", ".lock")
        }
        assert folders == "700 700"


async def test_a_folder_that_was_there_keeps_its_mode(new_journal: NewJournal, path: Path) -> None:
    path.parent.mkdir(mode=0o750)
    await new_journal()
    assert path.parent.stat().st_mode & 0o777 == 0o750
