"""Recordings, read again: `tradeforge_core.kit.recording` has written them."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Any, Self

from attrs import frozen

from tradeforge_core import DecodeError
from tradeforge_core.kit._ring import parts_of
from tradeforge_core.kit.recording import (
    ANSWER,
    ASK,
    BEGIN,
    DIRECTIONS,
    END,
    FAIL,
    FORMAT,
    ITEM,
)


@frozen
class Line:
    """One line; `at_ms` counts from the beginning of the recording."""

    n: int
    at_ms: float
    direction: str
    stream: str
    text: str
    more: Mapping[str, Any]
    """Its other members."""

    @property
    def data(self) -> dict[str, Any]:
        """The object that the text is; empty for what was no JSON when it was recorded either."""
        try:
            data = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}


@frozen(kw_only=True)
class Recording:
    """A recording: what was said, in its order, and what was known at the end."""

    provider: str
    began: datetime
    about: Mapping[str, Any]
    lines: tuple[Line, ...]
    known_before: int
    """How much was known already when it began, from a connection before."""
    dropped: int
    """Lines that had to make room for newer ones."""
    state: str | None
    """The digest of what was known at the end; None where the recording was broken off."""
    known: tuple[str, ...]
    """Each thing that was known at the end."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file, or the parts of one that was broken off.

        Raises `DecodeError`, with the line, for what is no recording, and `OSError`.
        """
        lines = list(_in_order(line for one in _files(path) for line in _lines(one)))
        if not lines or lines[0].direction != BEGIN:
            raise DecodeError(f"{path} is not a recording: it has no first line of one")
        head, last = lines[0].data, lines[-1]
        if head.get("format") != FORMAT:
            raise DecodeError(f"{path} is of another format than this version reads ({FORMAT})")
        return cls(
            provider=str(head.get("provider")),
            began=_time(head.get("began")),
            about=head,
            known_before=int(head.get("known") or 0),
            lines=tuple(one for one in lines[1:] if one.direction not in (ITEM, END)),
            dropped=last.n + 1 - len(lines),
            state=str(last.data.get("state")) if last.direction == END else None,
            known=tuple(one.text for one in lines if one.direction == ITEM),
        )

    @property
    def seconds(self) -> float:
        """From its beginning to its last message."""
        return self.lines[-1].at_ms / 1000 if self.lines else 0.0

    def of(self, stream: str) -> list[Line]:
        return [line for line in self.lines if line.stream == stream]


def _files(path: Path) -> list[Path]:
    if path.exists() and path.suffix != ".parts":
        return [path]
    parts = path if path.exists() else parts_of(path)
    return sorted(parts.glob("*.jsonl")) or [path]


def _in_order(lines: Iterator[Line]) -> Iterator[Line]:
    """Each line once: whoever was killed while he joined the parts has left some of them twice."""
    n = -1
    for line in lines:
        if line.n > n:
            n = line.n
            yield line


def _lines(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return  # torn: it was being written when all ended
            yield _line(f"line {number} of {path.name}", line)


_Kinds = Mapping[str, tuple[type, ...]]
_MORE: Mapping[str, _Kinds] = {
    ASK: {"id": (int,), "method": (str,), "path": (str,)},
    ANSWER: {"id": (int,), "status": (int,), "retry_after": (str, NoneType)},
    FAIL: {"id": (int,)},
}
_TYPES: _Kinds = {
    "n": (int,),
    "at_ms": (int, float),
    "direction": (str,),
    "stream": (str,),
    "text": (str,),
}


def _line(place: str, line: bytes) -> Line:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{place} is no JSON: {error}") from None
    if not isinstance(members, dict):
        raise DecodeError(f"{place} is no object")
    _check(place, members, _TYPES)
    if members["direction"] not in DIRECTIONS:
        raise DecodeError(f"{place}: {members['direction']!r} is no direction")
    _check(place, members, _MORE.get(members["direction"], {}))
    more = {name: value for name, value in members.items() if name not in _TYPES}
    return Line(**{name: members[name] for name in _TYPES}, more=more)


def _check(place: str, members: dict[str, Any], kinds: _Kinds) -> None:
    for name, allowed in kinds.items():
        if type(members.get(name)) not in allowed:
            raise DecodeError(f"{place} has no {name}", path=f"$.{name}")


def _time(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise DecodeError("the recording does not say when it began", path="$.began")
    return time
