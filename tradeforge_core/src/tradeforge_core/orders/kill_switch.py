"""The kill switch: no new risk until somebody says so, for every process, after a restart too."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

_NAME = "HALTED.json"


@frozen(kw_only=True)
class Halt:
    """Why no new risk is taken, and since when."""

    reason: str
    since: datetime | None


class KillSwitch:
    """A file in `folder`, looked at before every order; with None it lives in memory only.

    A file that cannot be read or understood is a halt: whoever put it there meant one.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _NAME
        self._halt: Halt | None = None

    @property
    def halt(self) -> Halt | None:
        """The halt in force."""
        if self._path is None or self._halt is not None:
            return self._halt
        try:
            # a few microseconds on a local disk: less than a hop to a thread would cost
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            return Halt(reason=f"the kill switch {self._path} cannot be read: {error}", since=None)
        return _read(text)

    def throw(self, reason: str, now: datetime) -> None:
        """Halt. Raises `OSError` when it cannot be written: then it holds for this process."""
        self._halt = Halt(reason=reason, since=now)
        if self._path is not None:
            text = json.dumps({"reason": reason, "since": now.astimezone(UTC).isoformat()})
            _write_durably(self._path, text)
            self._halt = None  # from here on the file speaks: another process may release it

    def release(self) -> None:
        self._halt = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _read(text: str) -> Halt:
    try:
        said = json.loads(text)
        return Halt(reason=str(said["reason"]), since=datetime.fromisoformat(said["since"]))
    except (ValueError, TypeError, KeyError):
        return Halt(reason=f"the kill switch says: {text[:200]!r}", since=None)


def _write_durably(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
