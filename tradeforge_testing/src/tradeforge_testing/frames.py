"""Recordings of streams, read again: `tradeforge_core.kit.recording` has written them."""

import json
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from tradeforge_core import DecodeError
from tradeforge_core.kit.recording import END, IN, OPEN, OUT


@frozen
class RecordedFrame:
    """One message; `at_ms` counts from the beginning of the recording."""

    direction: str
    at_ms: int
    stream: str
    text: str


@frozen
class Recording:
    """All messages of a recording, in their order."""

    frames: tuple[RecordedFrame, ...]

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """Raises `DecodeError`, with the line, for what is no whole recording."""
        with path.open(encoding="utf-8") as file:
            frames = [_frame(number, line) for number, line in enumerate(file, 1)]
        if not frames or frames[-1].direction != END:
            raise DecodeError(f"{path} has no last line: the recording was broken off")
        return cls(tuple(frames[:-1]))

    def connections(self, stream: str) -> list[tuple[RecordedFrame, ...]]:
        """The messages of each connection of a stream, one after the other."""
        found: list[list[RecordedFrame]] = []
        for frame in self._of(stream):
            if frame.direction == OPEN:
                found.append([])
            elif found:
                found[-1].append(frame)
        return [tuple(frames) for frames in found]

    def _of(self, stream: str) -> Iterator[RecordedFrame]:
        return (frame for frame in self.frames if frame.stream == stream)


_TYPES = {"direction": str, "at_ms": int, "stream": str, "text": str}


def _frame(number: int, line: str) -> RecordedFrame:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"line {number} is no JSON: {error}") from None
    if not isinstance(members, dict):
        raise DecodeError(f"line {number} is no object")
    for name, kind in _TYPES.items():
        if type(members.get(name)) is not kind:
            raise DecodeError(f"line {number} has no {name}", path=f"$.{name}")
    if members["direction"] not in (OPEN, OUT, IN, END):
        raise DecodeError(f"line {number}: {members['direction']!r} is no direction")
    return RecordedFrame(*(members[name] for name in _TYPES))
