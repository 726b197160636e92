"""What goes over the streams of a provider, as JSON lines: one message a line.

A line is an object with the `direction`, the milliseconds since the recording began (`at_ms`), the
name of the `stream` and the `text` of the message. Directions are "open" (a connection begins),
"out" (we said it), "in" (the venue said it) and "end", the last line.
"""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from tradeforge_core.kit.clock import Clock

OPEN, OUT, IN, END = "open", "out", "in", "end"

_MOST_BYTES = 256 * 1024 * 1024
_log = logging.getLogger("tradeforge_core")


class FrameRecorder:
    """Writes a recording; the file has its name once it is whole, and until then `.part` after it.

    `redact` makes the text of a message; nothing else of it is written. What does not fit in
    `most_bytes` is counted and left out. Raises `FileExistsError`: no recording is overwritten.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        redact: Callable[[bytes], str],
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        if path.exists():
            raise FileExistsError(f"{path} is there already: move it away, or record elsewhere")
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.part")
        self._file = self._unfinished.open("w", encoding="utf-8", newline="\n")
        self._clock = clock
        self._redact = redact
        self._room = most_bytes
        self._began = clock.monotonic()
        self._broken = False
        self.left_out = 0
        """Messages for which there was no room."""

    def record(self, stream: str, direction: str, message: bytes = b"") -> None:
        """Add a message. Never raises: a full disk must not end a stream."""
        self._write(direction, stream, self._redact(message))

    def close(self) -> None:
        """Write the last line, and give the file its name."""
        if self._file.closed:
            return
        self._room = _MOST_BYTES  # the last line always fits
        self._write(END, "", f"{self.left_out} messages were left out" if self.left_out else "")
        try:
            self._file.close()
            if not self._broken:
                os.replace(self._unfinished, self._path)
        except OSError as error:
            self._give_up(error)

    def _write(self, direction: str, stream: str, text: str) -> None:
        at_ms = round((self._clock.monotonic() - self._began) * 1000)
        line = {"direction": direction, "at_ms": at_ms, "stream": stream, "text": text}
        written = json.dumps(line) + "\n"
        self._room -= len(written)
        if self._room < 0:
            self.left_out += 1
        elif not (self._broken or self._file.closed):
            self._append(written)

    def _append(self, written: str) -> None:
        try:
            self._file.write(written)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._broken = True
        _log.error("the recording %s ends here: %s", self._unfinished, error)
