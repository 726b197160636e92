"""A folder for a journal, intents, and a way to run a program beside the tests."""

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tradeforge_core.orders.intents import Intent, Operation
from tradeforge_core.orders.journal import Journal
from tradeforge_testing import ManualClock

NewIntent = Callable[..., Intent]
NewJournal = Callable[..., Awaitable[Journal]]
Run = Callable[..., str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-byte", action="store_true", help="cut files at each of them")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test is; nothing is there yet."""
    return tmp_path / "state" / "1.sqlite3"


@pytest.fixture
def place() -> Iterator[Path]:
    """Where to lay files, in memory where there is such a folder: nobody pulls a plug here."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder) / "1.sqlite3"


@pytest.fixture
def new_intent(clock: ManualClock) -> NewIntent:
    def new(id: str = "tf1", **changes: Any) -> Intent:
        members: dict[str, Any] = {
            "operation": Operation.PLACE,
            "account_id": "1",
            "contract_id": "ABC",
            "details": '{"size": "1"}',
            "made_at": clock.now(),
        }
        return Intent(id=id, **members | changes)

    return new


@pytest.fixture
async def new_journal(path: Path, clock: ManualClock) -> AsyncIterator[NewJournal]:
    """Opens journals, and closes them in the end."""
    opened: list[Journal] = []

    async def new(place: Path | None = path) -> Journal:
        opened.append(await Journal.open(place, clock=clock))
        return opened[-1]

    yield new
    for journal in opened:
        await journal.close()


@pytest.fixture
async def journal(new_journal: NewJournal) -> Journal:
    return await new_journal()


PRELUDE = """
import asyncio, os, pathlib, resource, signal, sys
from datetime import UTC, datetime
from tradeforge_core.orders.intents import Intent
from tradeforge_core.orders.journal import IntentState, Journal, JournalUnavailable
from tradeforge_core.kit.clock import SystemClock

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
path = pathlib.Path(sys.argv[1])

def intent(id, details="{}"):
    return Intent(id=id, operation="place", account_id="1", contract_id="ABC",
                  details=details, made_at=NOW)

def say(*words):
    print(*words, flush=True)
"""


def command(path: Path, code: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", PRELUDE + code, str(path)]


@pytest.fixture
def run(path: Path) -> Run:
    """What a program prints that runs `code` beside this one, with the journal's path."""

    def run(code: str, *, before: tuple[str, ...] = (), place: Path = path) -> str:
        done = subprocess.run(
            [*before, *command(place, code)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def started(path: Path) -> Callable[[str], Any]:
    """A program like that, going on, which is read line by line."""

    @contextmanager
    def start(code: str) -> Iterator[subprocess.Popen[str]]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command(path, code), **pipes) as process:  # type: ignore[call-overload]
            try:
                yield process
            finally:
                process.kill()

    return start
