"""The file of a journal: begun, checked at every opening, and moved aside when it is damaged."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tradeforge_core.errors import JournalUnavailable
from tradeforge_core.orders import _journal_table as table
from tradeforge_core.orders._journal_log import is_damaged

if TYPE_CHECKING:
    from sqlite3 import Connection

_BUSY_SECONDS = 5.0  # a reader holds a lock for moments only
_DAMAGE = (1, 11, 26)  # SQLITE_ERROR (no such table), SQLITE_CORRUPT, SQLITE_NOTADB
_SHORT_READ = 522  # SQLITE_IOERR_SHORT_READ: the file ends before it should
_HEADER = 100
"""Bytes of any database. SQLite takes less for none at all, and deletes the log beside it."""
_ADVICE = {
    5: "another program has the file open for writing: close it",  # SQLITE_BUSY
    8: "it is read-only: make it writable, or put TRADEFORGE_STATE_DIR elsewhere",  # _READONLY
    10: "the disk failed or is full: look at it before you go on",  # SQLITE_IOERR
    13: "the disk is full: make room",  # SQLITE_FULL
    14: "it cannot be opened: look at its folder and permissions",  # SQLITE_CANTOPEN
}


def make_folder(folder: Path) -> None:
    """Make the folder and what is missing above it, for this user alone."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(0o700, exist_ok=True)
    folder.chmod(0o700)  # whatever the umask took away
    _sync_folder(folder.parent)


def open_file(path: Path) -> "tuple[Connection, Path | None]":
    """A connection to the journal at `path`, and where a damaged one was moved, if one was there.

    Whoever calls holds the lock. Raises `JournalUnavailable`.
    """
    with errors_named(path):
        quarantined = None if _is_whole(path) else _move_aside(path)
        if not path.exists():
            _begin_file(path)
        return _connect(path), quarantined


def read_only(path: Path) -> "Connection":
    """For a look at a journal that another process may be writing. Raises `FileNotFoundError`."""
    if not path.exists():
        raise FileNotFoundError(f"there is no journal at {path}")
    return _sqlite_connection(f"{path.absolute().as_uri()}?mode=ro")


@contextmanager
def errors_named(path: Path | str) -> Iterator[None]:
    """Say what is wrong with the journal at `path`, and what to do, as `JournalUnavailable`."""
    import sqlite3

    try:
        yield
    except table.DamagedJournal as error:
        raise JournalUnavailable(f"the journal {path} is damaged: {error}") from error
    except sqlite3.Error as error:
        advice = _ADVICE.get(_code(error) & 0xFF, "open it again, which moves a damaged one aside")
        raise JournalUnavailable(f"the journal {path}: {error}; {advice}") from error
    except OSError as error:
        raise JournalUnavailable(f"the journal {path}: {error}; look at its folder") from error


def is_same_file(path: Path, identity: tuple[int, int]) -> bool:
    """Whether the file at `path` is the one that was opened: SQLite writes to a deleted one too."""
    try:
        return identify(path) == identity
    except OSError:
        return False


def identify(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _is_whole(path: Path) -> bool:
    log = _beside(path, "-wal")
    if not path.exists():
        return not (log.exists() and log.stat().st_size)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: move it away")
    if path.stat().st_size < _HEADER or (log.exists() and is_damaged(log.read_bytes())):
        return False
    return _is_readable(path)


def _is_readable(path: Path) -> bool:
    """Whether SQLite and every checksum agree with what is there. Changes nothing."""
    import sqlite3

    try:
        with closing(read_only(path)) as connection:
            check_version(connection, path)
            _check(connection)
    except (table.DamagedJournal, ValueError, TypeError):
        return False  # ValueError, TypeError: a value that no column of ours ever held
    except sqlite3.Error as error:
        if _code(error) & 0xFF in _DAMAGE or _code(error) == _SHORT_READ:
            return False
        raise
    return True


def check_version(connection: "Connection", path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > table.VERSION:
        raise JournalUnavailable(
            f"the journal {path} was written by a newer version of TradeForge (format {version},"
            f" this one knows {table.VERSION}): use that version, or move the file away"
        )


def _check(connection: "Connection") -> None:
    found = [text for (text,) in connection.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise table.DamagedJournal("; ".join(found))
    table.check_all(connection)


def _move_aside(path: Path) -> Path:
    number = 1
    while (aside := _beside(path, f".damaged-{number}")).exists() or _beside(
        aside, "-wal"
    ).exists():
        number += 1
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            _beside(path, suffix).rename(_beside(aside, suffix))
    _beside(path, "-shm").unlink(missing_ok=True)  # made anew from the log
    _sync_folder(path.parent)
    return aside


def _begin_file(path: Path) -> None:
    """Under another name until it is whole, so that an empty file is never one that was begun."""
    unfinished = _beside(path, ".new")
    for suffix in ("", "-wal", "-shm"):
        _beside(unfinished, suffix).unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)  # whatever the umask took away; SQLite gives its log the same
    os.close(descriptor)
    with closing(_connect(unfinished)) as connection, table.transaction(connection):
        table.create_table(connection)
    unfinished.rename(path)
    _sync_folder(path.parent)


def _connect(path: Path) -> "Connection":
    connection = _sqlite_connection(f"{path.absolute().as_uri()}?mode=rw")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _sqlite_connection(address: str) -> "Connection":
    """In autocommit: every transaction is begun and ended in so many words."""
    import sqlite3

    return sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
    )


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 1)
