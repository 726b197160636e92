"""The flight recorder: all that goes over the wire of a provider, as JSON lines, one for each.

A line is an object with its number `n`, the milliseconds since the recording began (`at_ms`, by
the wall clock, to the microsecond), its `direction`, the name of the `stream` and its `text`:

- "begin", the first line: which provider, when, and what it takes to play it again.
- "open", "in", "out", "lost", "failed": a connection of a stream begins; the venue says something;
  we say something; the connection has ended; it could not be made. The last two have a reason.
- "ask", "answer", "fail", of the stream "rest": a request, its answer, or the name of what was
  raised instead; `id` says which belong together, the text is the body, or of a request without
  one the query.
- "want", "leave": the program subscribes to topics; it disconnects.
- "call", "learn": the program reads something; it is told of an order that it placed or changed.
- "item", "end", the last lines: each thing that was known at the end, and the digest of them all.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tradeforge_core.converter import to_json
from tradeforge_core.enums import MarketDataType, UserDataType
from tradeforge_core.events import Topic
from tradeforge_core.kit._ring import Ring
from tradeforge_core.kit.clock import Clock
from tradeforge_core.models import Order

BEGIN, END = "begin", "end"
OPEN, OUT, IN, LOST, FAILED = "open", "out", "in", "lost", "failed"
ASK, ANSWER, FAIL = "ask", "answer", "fail"
WANT, LEAVE, CALL, LEARN, ITEM = "want", "leave", "call", "learn", "item"
DIRECTIONS = frozenset(
    (BEGIN, END, OPEN, OUT, IN, LOST, FAILED, ASK, ANSWER, FAIL, WANT, LEAVE, CALL, LEARN, ITEM)
)
REST = "rest"
FORMAT = 1

_KEYS = {MarketDataType: "contractId", UserDataType: "accountId"}
"""What ids are called, so that they are redacted as those in a venue's own messages."""


def _named(topic: Topic) -> dict[str, object]:
    named: dict[str, object] = {"kind": topic.kind, _KEYS[type(topic.kind)]: topic.key}
    if topic.span is not None:
        named["span"] = [topic.span.unit, topic.span.size]
    return named


MOST_BYTES = 64 * 1024 * 1024
_log = logging.getLogger("tradeforge_core")


class Redactor(Protocol):
    """Takes out what tells who you are; the same in a whole recording."""

    def message(self, message: bytes) -> str:
        """The redacted text of a JSON message, or how long it was: nothing else is written."""

    def model(self, model: Any) -> Any:
        """A model as it would be if only redacted messages had been received."""


class FlightRecorder:
    """Records into a ring on disk; `path` is one file once it is closed.

    Nothing but the making raises (`OSError`; `FileExistsError`: no recording is overwritten). A
    disk that is full ends the recording, and nothing else.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        redactor: Redactor,
        about: Mapping[str, Any],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.path = path
        self.count = 0
        """Lines so far."""
        self.state: str | None = None
        """The digest of what was known at the end, once it is closed."""
        self._ring = Ring(path, most_bytes)
        self._clock = clock
        self.redactor = redactor
        self._began = clock.now()
        self._requests = 0
        self._is_over = False
        head = {"format": FORMAT, "began": self._began.isoformat(), **about}
        self._add(BEGIN, "", json.dumps(head))

    # --- what is said on the streams ---

    def record(
        self, stream: str, direction: str, message: bytes = b"", at: datetime | None = None
    ) -> None:
        """Add a message of a stream; `at` is when it came, by default now."""
        self._add(direction, stream, self.redactor.message(message), at)

    # --- what is asked ---

    def asked(self, method: str, path: str, body: bytes) -> int:
        """Add a request by its body or its query; the number is what its answer refers to."""
        self._requests += 1
        text = self.redactor.message(body)
        self._add(ASK, REST, text, id=self._requests, method=method, path=path)
        return self._requests

    def answered(self, number: int, status: int, body: bytes, retry_after: str | None) -> None:
        text = self.redactor.message(body)
        self._add(ANSWER, REST, text, id=number, status=status, retry_after=retry_after)

    def failed(self, number: int, error: str) -> None:
        """Add that a request had no answer, by the name of what was raised instead."""
        self._add(FAIL, REST, error, id=number)

    # --- what the program does ---

    def wanted(self, topics: Iterable[Topic]) -> None:
        """Add that the program subscribes to these kinds of data of these contracts or accounts."""
        self.record("", WANT, _json({"topics": [_named(one) for one in topics]}))

    def called(self, name: str, account_id: str, **arguments: str) -> None:
        """Add that the program reads something of an account, by the name of the method."""
        self.record("", CALL, _json({"name": name, "accountId": account_id, **arguments}))

    def learned(self, order: Order, as_of: datetime) -> None:
        """Add what the program was told of its own order."""
        self._add(LEARN, "", to_json(self.redactor.model(order)), as_of)

    def left(self) -> None:
        """Add that the program disconnects."""
        self._add(LEAVE, "", "")

    # --- the end ---

    def close(self, known: Iterable[str], digest: str) -> None:
        """Write what is known at the end, one line for each thing, and make one file of all."""
        if self._is_over:
            return
        for line in known:
            self._add(ITEM, "", line)
        self._add(END, "", json.dumps({"state": digest}))
        self.state = digest
        try:
            if not self._is_over:
                self._is_over = True
                self._ring.join()
        except OSError as error:
            self._give_up(error)

    @property
    def size(self) -> int:
        """Bytes on disk; the last known number once it is closed."""
        try:
            return self._ring.size
        except OSError:
            return 0

    def _add(
        self, direction: str, stream: str, text: str, at: datetime | None = None, **more: object
    ) -> None:
        if self._is_over:
            return
        at_ms = round(((at or self._clock.now()) - self._began).total_seconds() * 1000, 3)
        line = {"n": self.count, "at_ms": at_ms, "direction": direction, "stream": stream}
        written = json.dumps({**line, **more, "text": text}) + "\n"
        if len(written) > self._ring.longest:
            text = f"<{len(text)} characters that are too many for this recording>"
            written = json.dumps({**line, **more, "text": text}) + "\n"
        self.count += 1
        try:
            self._ring.append(written.encode())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._is_over = True
        with suppress(OSError):  # of the same disk
            self._ring.close()
        _log.error("the recording %s ends here: %s", self.path, error)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
