"""The fault script of a JSON venue: what the next answers and the next messages become."""

from collections import deque
from collections.abc import Callable, Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class Spoiled:
    """An answer in place of the right one; a request that is `handled` takes effect all the same.

    A `body` of None leaves the right one, with another status.
    """

    status: int = 200
    body: bytes | None = b""
    headers: Mapping[str, str] = field(factory=dict)
    handled: bool = True


Spoil = Callable[[str], list[str]]
"""What is said in place of one message of the stream."""


class FaultScript:
    """What is planned, in order; each plan is used up by what meets it."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[Spoiled]] = {}
        self._messages: deque[Spoil] = deque()

    @property
    def pending(self) -> int:
        return len(self._messages) + sum(map(len, self._answers.values()))

    def fail_next(self, path: str, spoiled: Spoiled, *, count: int = 1) -> None:
        """Give the next `count` requests of `path` this answer."""
        self._answers.setdefault(path, deque()).extend([spoiled] * count)

    def spoil_next(self, spoil: Spoil, *, count: int = 1) -> None:
        """Say this in place of the next `count` private messages."""
        self._messages.extend([spoil] * count)

    def forget(self) -> None:
        self._answers.clear()
        self._messages.clear()

    def answer_of(self, path: str) -> Spoiled | None:
        planned = self._answers.get(path)
        return planned.popleft() if planned else None

    def messages_of(self, text: str) -> list[str]:
        return self._messages.popleft()(text) if self._messages else [text]
