"""An open journal: the lock, the connection, and transactions of many jobs. It blocks."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradeforge_core.errors import TradeForgeError
from tradeforge_core.orders import _journal_file as file
from tradeforge_core.orders import _journal_lock as locks
from tradeforge_core.orders import _journal_table as table
from tradeforge_core.orders._journal_jobs import Job

if TYPE_CHECKING:
    from sqlite3 import Connection


class JournalStore:
    """Opens the journal at `path`, and forgets what settled long ago.

    `quarantined` is where a damaged one was moved. Raises `JournalUnavailable`, as does `write`.
    """

    def __init__(self, path: Path, *, settled_before: datetime) -> None:
        self._name = path
        self.quarantined: Path | None = None
        with file.errors_named(self._name), ExitStack() as undo:
            self.path = path.resolve()  # one file has one lock, whatever leads to it
            self._connection = self._open(self.path, undo)
            self._identity = file.identify(self.path)
            self._entries = table.Table(self._connection)
            with table.transaction(self._connection):
                self._entries.delete_settled_before(settled_before)
            self._close = undo.pop_all()

    def write(self, jobs: Sequence[Job]) -> list[Any]:
        """The results, once all is on disk: in one transaction, so all of it or nothing.

        A `TradeForgeError` among the results is the refusal of that job alone.
        """
        with file.errors_named(self._name):
            self._must_be_there()
            with table.transaction(self._connection):
                return [self._result(job) for job in jobs]

    def read(self, job: Job) -> Any:
        """The result of a job that only looks: what is on disk, though the disk may be full."""
        with file.errors_named(self._name):
            return job.apply(self._entries)

    def close(self) -> None:
        """Move the log into the file, and let go of both."""
        with file.errors_named(self._name), self._close:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _open(self, path: Path, undo: ExitStack) -> "Connection":
        file.make_folder(path.parent)
        undo.callback(locks.unlock, locks.lock(path.with_name(f"{path.name}.lock")))
        connection, self.quarantined = file.open_file(path)
        undo.callback(connection.close)
        return connection

    def _must_be_there(self) -> None:
        if not file.is_same_file(self.path, self._identity):
            # SQLite would go on writing to it, and nothing of that would ever be found
            raise FileNotFoundError("it was moved or deleted while it was open: open it again")

    def _result(self, job: Job) -> Any:
        try:
            return job.apply(self._entries) if job.writes else self.read(job)
        except TradeForgeError as refusal:
            return refusal
        except Exception as error:
            if job.writes:
                raise
            return error  # the mistake of one who looks must not fail those who write
