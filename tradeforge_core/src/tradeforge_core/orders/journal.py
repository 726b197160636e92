"""The durable record of intents: what was handed off is on disk before a byte leaves.

One SQLite file for each provider, realm and account, written by one thread of one process. Whatever
waits goes to disk in one transaction, and the event loop never waits for the disk.
"""

import asyncio
import logging
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tradeforge_core.errors import DuplicateIntent, JournalUnavailable
from tradeforge_core.kit.clock import Clock
from tradeforge_core.orders import _journal_file as file
from tradeforge_core.orders import _journal_table as table
from tradeforge_core.orders._journal_entry import IntentState, JournalEntry
from tradeforge_core.orders._journal_jobs import (
    Acknowledge,
    Begin,
    Find,
    Flush,
    HandOff,
    Job,
    Newest,
    Settle,
    Unsettled,
)
from tradeforge_core.orders._journal_memory import MemoryWriter
from tradeforge_core.orders._journal_writer import DiskWriter, JournalWriter
from tradeforge_core.orders.intents import Intent, aware_utc

__all__ = [
    "IntentState",
    "Journal",
    "JournalEntry",
    "read_journal",
]

_log = logging.getLogger("tradeforge_core")

_MOST_WAITING = 8192
_MOST_CHARACTERS = 1_000_000
_OUTCOMES = frozenset(IntentState) - {IntentState.INTENT, IntentState.HANDED_OFF}
_KEEP = timedelta(days=400)


class Journal:
    """The intents of one account. `open` makes one; it belongs to the event loop it was opened in.

    `durable` is False for one in memory. `quarantined` is where a damaged file was moved, None if
    the file was sound: what it held is not known here, so reconcile before you take new risk.
    Entries that settled more than 400 days ago are deleted at opening; in memory the newest 10,000
    that settled are kept.
    """

    def __init__(self, writer: JournalWriter, *, durable: bool, quarantined: Path | None) -> None:
        self.durable = durable
        self.quarantined = quarantined
        self._writer = writer
        self._begun: dict[str, Begin] = {}
        self._closed: asyncio.Future[None] | None = None
        self._refused: JournalUnavailable | None = None

    @classmethod
    async def open(cls, path: Path | None, *, clock: Clock) -> "Journal":
        """The journal at `path`, begun if there is none; with None one in memory, lost at the end.

        Raises `JournalUnavailable`: another process has it, a newer version wrote it, the disk is
        full. A damaged file is moved aside, and another one is begun.
        """
        writer: JournalWriter = MemoryWriter()
        if path is not None:
            writer = DiskWriter(path, settled_before=aware_utc(clock.now()) - _KEEP)
        quarantined = await writer.start()
        return cls(writer, durable=path is not None, quarantined=quarantined)

    @property
    def failure(self) -> JournalUnavailable | None:
        """Why the last write failed; None once one has succeeded again."""
        return self._writer.failure or self._refused

    def begin(self, intent: Intent) -> None:
        """Write the intent down, some time soon; `hand_off` says whether that was possible.

        Raises `DuplicateIntent` if one of this id was begun here and neither handed off nor
        settled, and `JournalUnavailable` if too much waits to be written.
        """
        _must_fit(intent.details)
        if intent.id in self._begun:
            raise DuplicateIntent(f"{intent.id} is begun already: a new intent needs a new id")
        self._must_have_room(len(self._begun))
        job = Begin(intent)
        self._put(job)
        self._begun[intent.id] = job

    async def hand_off(self, intent_id: str, at: datetime) -> int:
        """The number of this attempt, from 1 on, once intent and attempt are durable on disk.

        Bytes may leave after this, and not before. To hand off again what is handed off or unknown
        already needs no `begin`. Whoever is cancelled in here leaves the attempt on record.

        Raises `DuplicateIntent` if the id is on record already, unless it is proven that nothing
        was sent and the intent is the same; and `JournalUnavailable`.
        """
        job = HandOff(intent_id, aware_utc(at), self._begun.pop(intent_id, None))
        attempt: int = await self._do(job)
        return attempt

    def settle(self, intent_id: str, state: IntentState, outcome: str, at: datetime) -> None:
        """Write down what became of it, some time soon; what the disk refuses is tried again.

        A settled entry stays as it is, unless there is proof that the venue has the order. Never
        raises for the disk: see `failure`.
        """
        if state not in _OUTCOMES:
            raise ValueError(f"{state} is no outcome")
        _must_fit(outcome)
        self._begun.pop(intent_id, None)
        try:
            # twice the room: an outcome that is lost costs more than an order that does not leave
            self._put(Settle(intent_id, state, outcome, aware_utc(at)), room=2)
        except JournalUnavailable as error:
            _log.error("%s is %s, and that is not on record: %s", intent_id, state, error)
            self._refused = error

    async def find(self, intent_id: str) -> JournalEntry | None:
        """The entry of this id; None if there is none."""
        entry: JournalEntry | None = await self._do(Find(intent_id))
        return entry

    async def unsettled(self) -> list[JournalEntry]:
        """Those without an outcome, or with an unknown one nobody acknowledged; oldest first."""
        entries: list[JournalEntry] = await self._do(Unsettled())
        return entries

    async def entries(self, *, limit: int) -> list[JournalEntry]:
        """The newest ones, newest first."""
        entries: list[JournalEntry] = await self._do(Newest(limit))
        return entries

    async def acknowledge(self, intent_id: str, at: datetime) -> None:
        """Write down that a human has taken note of it. Raises `JournalUnavailable`."""
        await self._do(Acknowledge(intent_id, aware_utc(at)))

    async def flush(self) -> None:
        """Return once all before this is on disk. Raises `JournalUnavailable`."""
        await self._do(Flush())

    async def close(self) -> None:
        """Write what waits, end the thread and let go of the file. Never raises for the disk."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
            self._writer.put(Flush(), self._closed, last=True)
        await asyncio.shield(self._closed)
        self._writer.join()

    async def _do(self, job: Job) -> Any:
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(job, waiter)
        return await waiter

    def _put(self, job: Job, waiter: asyncio.Future[Any] | None = None, *, room: int = 1) -> None:
        if self._closed is not None:
            raise JournalUnavailable("the journal is closed: nothing is written any more")
        self._must_have_room(self._writer.waiting(), room)
        self._writer.put(job, waiter)
        self._refused = None

    def _must_have_room(self, used: int, room: int = 1) -> None:
        if used >= room * _MOST_WAITING:
            why = self._writer.failure or "the disk does not keep up"
            raise JournalUnavailable(f"{used} records of the journal wait already: {why}")


def read_journal(path: Path, *, limit: int) -> list[JournalEntry]:
    """The newest entries of the file, newest first, also while another process writes it.

    It blocks, takes no lock and changes no entry. Raises `JournalUnavailable`.
    """
    with file.errors_named(path), closing(file.read_only(path)) as connection:
        file.check_version(connection, path)
        return table.Table(connection).newest(limit)


def _must_fit(text: str) -> None:
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"{len(text)} characters are more than a record of the journal can hold")
