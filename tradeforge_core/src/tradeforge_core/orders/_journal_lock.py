"""One process writes a journal: a lock that the system takes back from the dead."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from tradeforge_core.errors import JournalUnavailable

_FAR = 1 << 30
"""The byte that is locked on Windows, far behind the text, which must stay readable."""


def lock(path: Path) -> int:
    """The descriptor of the lock file, to be given to `unlock`; never waits.

    Raises `JournalUnavailable`, which names the process that holds it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalUnavailable(f"the journal's lock {path} cannot be opened: {error}") from error
    try:
        _take(descriptor)
    except OSError as error:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise JournalUnavailable(_refusal(path, holder, error)) from error
    with suppress(OSError):  # a full disk: the lock holds, and only its message is poorer
        _sign(descriptor)
    return descriptor


def unlock(descriptor: int) -> None:
    """Let go of it. The file stays: to remove it would let two processes lock two files."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
    os.close(descriptor)


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)  # whatever the umask took away


def _holder(descriptor: int) -> str:
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 32).strip()
        if text.isdigit():
            return f"process {int(text)}"
    return "another process"


def _refusal(path: Path, holder: str, error: OSError) -> str:
    if not isinstance(error, (BlockingIOError, PermissionError)):
        return f"the file system does not lock {path}: {error}; put TRADEFORGE_STATE_DIR elsewhere"
    if holder == f"process {os.getpid()}":
        return (
            f"this process ({os.getpid()}) has the journal of {path} open already: close that one"
        )
    return f"{holder} holds {path}: one process trades on an account at a time, so stop that one"


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
