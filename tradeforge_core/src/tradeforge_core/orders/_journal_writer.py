"""The one thread that touches the file: all that waits goes to disk in one transaction."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Protocol

from attrs import frozen

from tradeforge_core.errors import JournalUnavailable
from tradeforge_core.orders._journal_jobs import Flush, Job
from tradeforge_core.orders._journal_store import JournalStore

Waiter = asyncio.Future[Any]

_COMPANY = 0.02
"""Seconds that an outcome waits for the next record, to be written with it."""

_log = logging.getLogger("tradeforge_core")


@frozen(eq=False)
class _Item:
    job: Job
    waiter: Waiter | None = None
    last: bool = False

    @property
    def is_awaited(self) -> bool:
        return self.last or self.waiter is not None


class JournalWriter(Protocol):
    """Does the jobs in the order in which they are put, and answers who waits for one."""

    failure: JournalUnavailable | None
    """Why the last write failed, None if it succeeded."""

    async def start(self) -> Path | None:
        """Where a damaged journal was moved, once this one is open. Raises `JournalUnavailable`."""

    def waiting(self) -> int:
        """How much is not written yet."""

    def put(self, job: Job, waiter: Waiter | None = None, *, last: bool = False) -> None:
        """Add work; nothing comes after the last, whose waiter is answered when all is closed."""

    def join(self) -> None:
        """Wait for what is at work, which has answered all that it will."""


class DiskWriter:
    """The queue and the thread. `failure` is why the last write failed, None if it succeeded.

    What the disk refuses and must not be lost is tried again with whatever comes next.
    """

    def __init__(self, path: Path, *, settled_before: datetime) -> None:
        self.failure: JournalUnavailable | None = None
        self._path = path
        self._settled_before = settled_before
        self._items: SimpleQueue[_Item] = SimpleQueue()
        self._unwritten: list[_Item] = []
        self._thread: Thread | None = None

    async def start(self) -> Path | None:
        """Where a damaged journal was moved, once this one is open. Raises `JournalUnavailable`."""
        opened: Waiter = asyncio.get_running_loop().create_future()
        # a daemon: a program that never closes may end all the same, the file is safe at any time
        self._thread = Thread(
            target=self._run, args=(opened,), name="tradeforge journal", daemon=True
        )
        self._thread.start()
        try:
            quarantined: Path | None = await opened
        except asyncio.CancelledError:
            self._items.put(_Item(Flush(), last=True))
            raise
        return quarantined

    def waiting(self) -> int:
        """How much is not on disk yet."""
        return self._items.qsize() + len(self._unwritten)

    def put(self, job: Job, waiter: Waiter | None = None, *, last: bool = False) -> None:
        """Add work; the thread ends after the last, and answers its waiter when all is closed."""
        self._items.put(_Item(job, waiter, last))

    def join(self) -> None:
        """Wait for the thread, which has answered all that it will."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, opened: Waiter) -> None:
        try:
            store = JournalStore(self._path, settled_before=self._settled_before)
        except Exception as error:  # noqa: BLE001  # whatever it is: who opens the journal waits for an answer
            _answer([(opened, unavailable(error))])
            return
        _answer([(opened, store.quarantined)])
        last = self._work(store)
        self._close(store)
        _answer([(last.waiter, None)])

    def _work(self, store: JournalStore) -> _Item:
        """The last item, once all before it was done."""
        while True:
            items = self._take()
            self._write(store, [item for item in items if not item.last])
            if items[-1].last:
                return items[-1]

    def _take(self) -> list[_Item]:
        """All that is there, at least one.

        An outcome that nobody waits for goes along with what comes next, where that comes soon: an
        order then costs one sync of the disk and not two.
        """
        items = [self._items.get()]
        until = monotonic() + _COMPANY
        with suppress(Empty):
            while not items[-1].is_awaited and (left := until - monotonic()) > 0:
                items.append(self._items.get(timeout=left))
        with suppress(Empty):
            while True:
                items.append(self._items.get_nowait())
        return items

    def _write(self, store: JournalStore, new: list[_Item]) -> None:
        items = self._unwritten + new
        try:
            results = store.write([item.job for item in items])
        except Exception as error:  # noqa: BLE001  # even a bug: the thread must live, and nobody wait for ever
            self._failed(store, items, unavailable(error))
        else:
            self._unwritten = []
            if any(item.job.writes for item in items):
                self.failure = None
            _answer((item.waiter, result) for item, result in zip(items, results, strict=True))

    def _failed(self, store: JournalStore, items: list[_Item], error: JournalUnavailable) -> None:
        if self.failure is None:
            _log.error("nothing is written any more, and no order leaves: %s", error)
        self.failure = error
        self._unwritten = [item for item in items if item.job.kept]
        _answer((item.waiter, _without_writing(store, item.job, error)) for item in items)

    def _close(self, store: JournalStore) -> None:
        if self._unwritten:
            _log.error("%d records were never written: %s", len(self._unwritten), self.failure)
        try:
            store.close()
        except Exception as error:  # noqa: BLE001  # whoever closes waits for an answer, and all is on disk
            _log.warning("closing left the journal's log behind: %s", error)


def _without_writing(store: JournalStore, job: Job, error: JournalUnavailable) -> Any:
    if job.writes:
        return unavailable(error)
    try:
        return store.read(job)
    except Exception as unreadable:  # noqa: BLE001  # as above
        return unavailable(unreadable)


def unavailable(error: Exception) -> JournalUnavailable:
    """One of its own for each who waits: to raise an exception changes it."""
    new = JournalUnavailable(
        str(error) if isinstance(error, JournalUnavailable) else f"the journal failed: {error!r}"
    )
    new.__cause__ = error
    return new


def _answer(answers: Iterable[tuple[Waiter | None, Any]]) -> None:
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[tuple[Waiter, Any]]] = defaultdict(list)
    for waiter, result in answers:
        if waiter is not None:
            by_loop[waiter.get_loop()].append((waiter, result))
    for loop, of_loop in by_loop.items():
        if loop is _running_loop():
            tell(of_loop)
            continue
        with suppress(RuntimeError):  # the loop was closed, and nobody waits any more
            loop.call_soon_threadsafe(tell, of_loop)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def tell(answers: list[tuple[Waiter, Any]]) -> None:
    for waiter, result in answers:
        if waiter.done():  # cancelled
            continue
        if isinstance(result, Exception):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
