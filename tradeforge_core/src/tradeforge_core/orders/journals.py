"""The journals of one provider: one for each account, opened when it is first written to."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tradeforge_core.errors import JournalUnavailable
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import to_the_end
from tradeforge_core.orders.journal import Journal, JournalEntry, read_journal
from tradeforge_core.orders.safety import JournalKind
from tradeforge_core.orders.state_folder import (
    accounts_with_journals,
    journal_path,
    realm_folder,
)

A = TypeVar("A")
T = TypeVar("T")

_log = logging.getLogger("tradeforge_core")

_MOST_ENTRIES = 100_000


class Journals:
    """What was sent for each account, and what became of it.

    A journal is locked by the process that writes to it. Reading what an earlier run has left open
    does not lock it, so programs that only look at data never stand in the way of a bot.
    """

    def __init__(
        self,
        provider: str,
        realm: str,
        kind: JournalKind,
        clock: Clock,
        *,
        on_open: Callable[[str, Journal], None] = lambda account_id, journal: None,
    ) -> None:
        self._provider = provider
        self._realm = realm
        self._durable = kind is JournalKind.DURABLE
        self._clock = clock
        self._on_open = on_open
        self._open: dict[str, Journal] = {}
        self._damaged: dict[str, Path] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}

    @property
    def folder(self) -> Path | None:
        """Where they are; None in memory."""
        return realm_folder(self._provider, self._realm) if self._durable else None

    async def of(self, account_id: str) -> Journal:
        """The journal of this account. Raises `JournalUnavailable`."""
        if found := self._open.get(account_id):
            return found
        if account_id not in self._opening:
            # in a task of its own: who waits for it and goes must not leave a lock behind
            opening = asyncio.create_task(self._open_one(account_id), name=f"journal {account_id}")
            self._opening[account_id] = opening
        opening = self._opening[account_id]
        await asyncio.wait([opening])
        opening.result()
        return self._open[account_id]

    async def _open_one(self, account_id: str) -> None:
        try:
            journal = await Journal.open(self._path(account_id), clock=self._clock)
            self._open[account_id] = journal
            self._on_open(account_id, journal)
        finally:
            del self._opening[account_id]
        if journal.quarantined is not None:
            self._damaged[account_id] = journal.quarantined
            _log.error(
                "the journal of account %s was damaged and is kept as %s: what was on its way is"
                " not known, and no new risk is taken before a look at all that is open",
                account_id,
                journal.quarantined,
            )

    def damaged(self, account_id: str) -> Path | None:
        """Where the damaged journal of the account is, until `repaired` is called."""
        return self._damaged.get(account_id)

    def repaired(self, account_id: str) -> None:
        """What is open at the venue has been read since."""
        self._damaged.pop(account_id, None)

    def opened(self) -> list[Journal]:
        return list(self._open.values())

    async def left_open(self) -> list[tuple[Journal, list[JournalEntry]]]:
        """What earlier runs have left without an outcome, where no other process is at it."""
        if not self._durable:
            return []
        found = []
        for account_id in accounts_with_journals(self._provider, self._realm):
            if not await asyncio.to_thread(self._has_open, account_id):
                continue
            try:
                journal = await self.of(account_id)
                found.append((journal, await journal.unsettled()))
            except JournalUnavailable as error:
                _log.warning("what was on its way for account %s: %s", account_id, error)
        return found

    async def find(self, client_order_id: str) -> JournalEntry | None:
        """The record of this name in any account, of this run or an earlier one."""
        for journal in self.opened():
            if found := await journal.find(client_order_id):
                return found
        return await self._on_disk(self._find_on_disk, client_order_id)

    async def close(self) -> None:
        """Write what waits, and let go of the locks."""
        await to_the_end(self._close_all(), name="closing the journals")

    async def _close_all(self) -> None:
        if self._opening:
            await asyncio.wait(self._opening.values())
        opened, self._open = self._open, {}
        for journal in opened.values():
            await journal.close()

    def _has_open(self, account_id: str) -> bool:
        path = self._path(account_id)
        assert path is not None
        try:
            entries = read_journal(path, limit=_MOST_ENTRIES)
        except JournalUnavailable:
            return True  # damaged, perhaps: opening it tells
        return any(not one.state.is_settled and not one.acknowledged for one in entries)

    async def entries(self, *, limit: int) -> list[JournalEntry]:
        """The newest records of all accounts, newest first. Raises `JournalUnavailable`."""
        found = [one for journal in self.opened() for one in await journal.entries(limit=limit)]
        found += await self._on_disk(self._entries_on_disk, limit) or []
        found.sort(key=lambda entry: entry.intent.made_at, reverse=True)
        return found[:limit]

    async def _on_disk(self, look: Callable[[A], T], argument: A) -> T | None:
        """What there is in files, None where there are no files."""
        return await asyncio.to_thread(look, argument) if self._durable else None

    def _entries_on_disk(self, limit: int) -> list[JournalEntry]:
        return [one for path in self._closed_paths() for one in read_journal(path, limit=limit)]

    def _closed_paths(self) -> list[Path]:
        """The files of accounts that are not written to by this provider."""
        accounts = accounts_with_journals(self._provider, self._realm) if self._durable else []
        return [
            journal_path(self._provider, self._realm, account_id)
            for account_id in accounts
            if account_id not in self._open
        ]

    def _find_on_disk(self, client_order_id: str) -> JournalEntry | None:
        for path in self._closed_paths():
            for entry in read_journal(path, limit=_MOST_ENTRIES):
                if entry.intent.id == client_order_id:
                    return entry
        return None

    def _path(self, account_id: str) -> Path | None:
        if not self._durable:
            return None
        return journal_path(self._provider, self._realm, account_id)
