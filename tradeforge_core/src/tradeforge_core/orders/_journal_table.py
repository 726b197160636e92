"""Entries as rows of SQLite, each with a checksum of its own.

All of it runs on the thread that owns the connection. SQLite itself is imported on first use, so
that importing the core stays cheap.
"""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tradeforge_core.orders._journal_entry import IntentState, JournalEntry
from tradeforge_core.orders.intents import Intent, Operation

if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 1

_encode = json.JSONEncoder(default=repr).encode

_COLUMNS = (
    "id, operation, account_id, contract_id, order_id, details, made_at,"
    " state, attempts, handed_off_at, settled_at, outcome, acknowledged"
)
# STRICT would refuse the blobs that `_kept` makes of text that is no UTF-8
_SCHEMA = f"""
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    {_COLUMNS.replace("id,", "id UNIQUE NOT NULL,", 1)},
    checksum INTEGER NOT NULL
)
"""
_OPEN = "state IN ('intent', 'handed_off', 'unknown')"


class DamagedJournal(Exception):
    """What is in the file is not what was written."""


def create_table(connection: "Connection") -> None:
    connection.execute(_SCHEMA)
    connection.execute("CREATE INDEX unsettled ON entries (number) WHERE " + _OPEN)
    connection.execute(f"PRAGMA user_version = {VERSION}")


class Table:
    """The entries behind a connection."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def insert(self, entry: JournalEntry) -> bool:
        """Whether it is new; with an entry of the same id there, nothing is done."""
        row = _row(entry)
        marks = ", ".join("?" * (len(row) + 1))
        inserted = self._connection.execute(
            f"INSERT INTO entries ({_COLUMNS}, checksum) VALUES ({marks}) ON CONFLICT DO NOTHING",
            (*row, _checksum(row)),
        )
        return inserted.rowcount == 1

    def update(self, entry: JournalEntry) -> None:
        row = _row(entry)
        marks = ", ".join("?" * (len(row) + 1))
        self._connection.execute(
            f"UPDATE entries SET ({_COLUMNS}, checksum) = ({marks}) WHERE id = ?",
            (*row, _checksum(row), row[0]),
        )

    def find(self, intent_id: str) -> JournalEntry | None:
        found = self._select("WHERE id = ?", _kept(intent_id))
        return found[0] if found else None

    def unsettled(self) -> list[JournalEntry]:
        """Oldest first."""
        return self._select(f"WHERE {_OPEN} AND NOT acknowledged ORDER BY number")

    def newest(self, limit: int) -> list[JournalEntry]:
        """Newest first."""
        return self._select("ORDER BY number DESC LIMIT ?", max(limit, 0))

    def delete_settled_before(self, time: datetime) -> None:
        self._connection.execute(
            f"DELETE FROM entries WHERE NOT {_OPEN} AND settled_at < ?", (_iso(time),)
        )

    def _select(self, how: str, *values: object) -> list[JournalEntry]:
        rows = self._connection.execute(f"SELECT {_COLUMNS}, checksum FROM entries {how}", values)
        return [_entry(row) for row in rows]


def check_all(connection: "Connection") -> None:
    """Raises `DamagedJournal` unless every entry is, bit for bit, one that was written."""
    for row in connection.execute(f"SELECT {_COLUMNS}, checksum FROM entries"):
        _check(row)


def _row(entry: JournalEntry) -> tuple[Any, ...]:
    intent = entry.intent
    return (
        _kept(intent.id),
        intent.operation.value,
        _kept(intent.account_id),
        _kept(intent.contract_id),
        _kept(intent.order_id),
        _kept(intent.details),
        _iso(intent.made_at),
        entry.state.value,
        entry.attempts,
        _iso(entry.handed_off_at),
        _iso(entry.settled_at),
        _kept(entry.outcome),
        int(entry.acknowledged),
    )


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    _check(row)
    return JournalEntry(
        intent=Intent(
            id=_text(row[0]),
            operation=Operation(row[1]),
            account_id=_text(row[2]),
            contract_id=_text(row[3]),
            order_id=_text_or_none(row[4]),
            details=_text(row[5]),
            made_at=datetime.fromisoformat(row[6]),
        ),
        state=IntentState(row[7]),
        attempts=row[8],
        handed_off_at=_time(row[9]),
        settled_at=_time(row[10]),
        outcome=_text_or_none(row[11]),
        acknowledged=bool(row[12]),
    )


def _check(row: tuple[Any, ...]) -> None:
    if _checksum(row[:-1]) != row[-1]:
        raise DamagedJournal("an entry does not fit its checksum")


def _checksum(row: tuple[Any, ...]) -> int:
    return zlib.crc32(_encode(row).encode())


def _kept(text: str | None) -> str | bytes | None:
    """The text, or its bytes where it has half a surrogate pair, which no UTF-8 can say."""
    if text is None or text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def _text_or_none(value: str | bytes | None) -> str | None:
    return None if value is None else _text(value)


def _iso(time: datetime | None) -> str | None:
    """Of one length whatever the time, so that text compares as time does."""
    return None if time is None else time.isoformat(timespec="microseconds")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@contextmanager
def transaction(connection: "Connection") -> Iterator[None]:
    """All of what is inside is written and on disk afterwards, or none of it is there."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it itself after some failures
            connection.execute("ROLLBACK")
        raise
