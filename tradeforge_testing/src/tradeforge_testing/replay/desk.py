"""Requests of a recording, answered again."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Sequence

from attrs import define, field, frozen

from tradeforge_core.kit.recording import ANSWER, ASK
from tradeforge_testing.replay.recording import Line

_SOON = 1.0
"""How many seconds a request may come before or after its time."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?")
_TIME_OF_QUERY = re.compile(r"(?<=[=])\d{13}(?=&|$)")


@frozen
class Answer:
    """What the venue said to a request."""

    status: int
    body: str
    retry_after: str | None = None


@define(eq=False)
class Exchange:
    """One request of the recording; its answer is None where it had none."""

    id: int
    at: float
    method: str
    path: str
    body: str
    is_asked: bool = False
    answer: "asyncio.Future[Answer | None]" = field(init=False)


class Desk:
    """Gives each request the answer that it had, when it had it.

    A request is known by its path and its body, but for the times in it. One that was not recorded
    is given what `standby` knows, or else never an answer: an old one would pass for news.
    """

    def __init__(self, lines: Iterable[Line], now: Callable[[], float], standby: "Standby") -> None:
        self._now = now
        self._standby = standby
        self.exchanges = {one.id: one for one in map(_exchange, lines) if one is not None}
        self._by_path: dict[tuple[str, str], list[Exchange]] = {}
        for one in self.exchanges.values():
            self._by_path.setdefault((one.method, one.path), []).append(one)
        self._hanging: list[asyncio.Future[Answer | None]] = []
        self.surprises: list[str] = []
        """Requests that the recording does not have."""

    def open(self) -> None:
        """Begin; needs a running event loop."""
        for one in self.exchanges.values():
            one.answer = asyncio.get_running_loop().create_future()

    async def ask(self, method: str, path: str, body: bytes) -> Answer | None:
        """The answer, when its time has come; None where the connection was lost instead."""
        wanted = _sense(body.decode())
        found = self._find(method, path, wanted)
        if found is not None:
            found.is_asked = True
            return await found.answer
        if (answer := self._standby(path, wanted)) is not None:
            return answer
        self.surprises.append(f"{method} {path}")
        self._hanging.append(asyncio.get_running_loop().create_future())
        return await self._hanging[-1]

    def close(self) -> None:
        """Leave nobody waiting."""
        for waiting in (*self._hanging, *(one.answer for one in self.exchanges.values())):
            if not waiting.done():
                waiting.set_result(None)

    def _find(self, method: str, path: str, body: str) -> Exchange | None:
        now = self._now()
        near = [
            one
            for one in self._by_path.get((method, path), ())
            # what was answered before it is asked would pass for newer than it is
            if not (one.is_asked or one.answer.done()) and abs(one.at - now) <= _SOON
        ]
        return next((one for one in near if _sense(one.body) == body), None)

    def play(self, line: Line) -> None:
        """Give the answer of this line to whoever waits for it, or will."""
        exchange = self.exchanges.get(line.more["id"])
        if exchange is None or exchange.answer.done():
            return  # its request had to make room in the recording
        if line.direction == ANSWER:
            more = line.more
            exchange.answer.set_result(Answer(more["status"], line.text, more["retry_after"]))
        elif line.text != "CancelledError":  # then nobody waited for it any more
            exchange.answer.set_result(None)


Standby = Callable[[str, str], Answer | None]
"""What to answer to a request of this path and body that the recording does not have."""


def answers_of(lines: Sequence[Line], path: str) -> list[str]:
    """The bodies of all answers to requests of this path."""
    asked = {
        one.more["id"] for one in lines if one.direction == ASK and one.more["path"].endswith(path)
    }
    return [one.text for one in lines if one.direction == ANSWER and one.more["id"] in asked]


def _exchange(line: Line) -> Exchange | None:
    if line.direction != ASK:
        return None
    more = line.more
    return Exchange(more["id"], line.at_ms / 1000, more["method"], more["path"], line.text)


def _sense(body: str) -> str:
    """What the request asks for, in whatever spelling, without the times of it."""
    try:
        parsed = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        return _TIME_OF_QUERY.sub("TIME", body)
    return _TIME.sub("TIME", json.dumps(parsed, sort_keys=True))
