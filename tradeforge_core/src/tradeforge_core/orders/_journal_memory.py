"""A journal that ends with its process: no file, no thread, nothing to wait for."""

from itertools import islice
from typing import Any

from tradeforge_core.errors import JournalUnavailable, TradeForgeError
from tradeforge_core.orders._journal_entry import JournalEntry
from tradeforge_core.orders._journal_jobs import Job
from tradeforge_core.orders._journal_writer import Waiter, tell, unavailable

_MOST_SETTLED = 10_000
"""So many that have an outcome are remembered; one without an outcome is never forgotten."""


class EntriesInMemory:
    """As a table, by id, in the order in which they came."""

    def __init__(self) -> None:
        self._entries: dict[str, JournalEntry] = {}
        self._settled: dict[str, None] = {}
        """The ids of those with an outcome, the one that has had it longest first."""

    def insert(self, entry: JournalEntry) -> bool:
        """Whether it is new; with an entry of the same id there, nothing is done."""
        if entry.intent.id in self._entries:
            return False
        self._entries[entry.intent.id] = entry
        return True

    def update(self, entry: JournalEntry) -> None:
        name = entry.intent.id
        self._entries[name] = entry
        self._settled.pop(name, None)
        if entry.state.is_settled:
            self._settled[name] = None
            self._forget_the_oldest()

    def find(self, intent_id: str) -> JournalEntry | None:
        return self._entries.get(intent_id)

    def unsettled(self) -> list[JournalEntry]:
        """Oldest first."""
        entries = self._entries.values()
        return [one for one in entries if not (one.state.is_settled or one.acknowledged)]

    def newest(self, limit: int) -> list[JournalEntry]:
        """Newest first."""
        return list(islice(reversed(self._entries.values()), max(limit, 0)))

    def _forget_the_oldest(self) -> None:
        if len(self._settled) > _MOST_SETTLED:
            oldest = next(iter(self._settled))
            del self._settled[oldest], self._entries[oldest]


class MemoryWriter:
    """Does each job where it is put."""

    def __init__(self) -> None:
        self.failure: JournalUnavailable | None = None
        self._entries = EntriesInMemory()

    async def start(self) -> None:
        pass

    def waiting(self) -> int:
        return 0

    def put(self, job: Job, waiter: Waiter | None = None, *, last: bool = False) -> None:
        result = self._result(job)
        if waiter is not None:
            tell([(waiter, result)])

    def join(self) -> None:
        pass

    def _result(self, job: Job) -> Any:
        try:
            return job.apply(self._entries)
        except TradeForgeError as refusal:
            return refusal
        except Exception as error:  # noqa: BLE001  # even a bug: nobody must wait for ever
            return unavailable(error)
