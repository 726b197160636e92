"""Damaged messages: what a venue, a proxy or an attacker may send instead of what was agreed.

The text is edited and not a parsed value, because much of what must be survived has no parsed
form: a member that comes twice, 1e400, half a surrogate pair, a text that stops in the middle.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import TypeVar

from tradeforge_testing.hostile_values import CODES, HOSTILE, NAMES, NESTED, NUMBERS, TEXTS, TIMES
from tradeforge_testing.json_layout import Layout, Span, layout_of

T = TypeVar("T")
Edit = tuple[int, int, bytes]
"""From where to where of the text, and what stands there instead."""

_DEEP = 0.01
"""How often a value is replaced by a very deep one; those are slow to read."""


class Mutator:
    """Makes damaged copies of messages: the same ones in the same order for the same seed.

    A body is a JSON-like value, or bytes that are taken as they are; bytes that are no JSON are
    damaged as bytes only.
    """

    def __init__(self, bodies: Iterable[object], *, seed: int) -> None:
        random = Random(seed)
        self._subjects = [_Subject(_text_of(body), random) for body in bodies]
        if not self._subjects:
            raise ValueError("there is no message to damage")

    def mutations(self, count: int) -> Iterator[bytes]:
        """So many damaged messages; asking again goes on where the last ones ended."""
        for number in range(count):
            yield self._subjects[number % len(self._subjects)].damaged()


def _text_of(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class _Subject:
    """One message, and where in it an edit can go."""

    def __init__(self, text: bytes, random: Random) -> None:
        self._text = text
        self._random = random.random
        self._layout = layout_of(text) or Layout()
        self._ways: list[Callable[[], Edit]] = [self._cut_off, self._flip, self._insert]
        if self._layout.values:
            # twice, because what is understood in part finds more than noise does
            self._ways += 2 * [self._replace, self._replace_alike]
            self._ways += [self._move, self._wrap]
        if self._layout.members:
            self._ways += [self._drop_member, self._repeat_member, self._rename]
        if self._layout.items:
            self._ways += [self._drop_item, self._repeat_item]

    def damaged(self) -> bytes:
        """With one edit in half of the cases, with up to four in the others."""
        edits = [self._pick(self._ways)() for _ in range(1 + int(self._random() ** 2 * 4))]
        text, end = self._text, len(self._text)
        for start, stop, new in sorted(edits, reverse=True):
            if stop <= end:  # two edits of the same place: one is enough
                text, end = text[:start] + new + text[stop:], start
        return text

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def _at(self) -> int:
        return int(self._random() * len(self._text))

    def _of(self, span: Span) -> bytes:
        return self._text[span.start : span.stop]

    # --- of values ---

    def _replace(self) -> Edit:
        pool = NESTED if self._random() < _DEEP else HOSTILE
        return (*self._pick(self._layout.values), self._pick(pool))

    def _replace_alike(self) -> Edit:
        """By a value of the same kind, which gets past the first look."""
        span = self._pick(self._layout.values)
        return (*span, self._pick(_alike(self._of(span))))

    def _move(self) -> Edit:
        """One value in the place of another."""
        return (*self._pick(self._layout.values), self._of(self._pick(self._layout.values)))

    def _wrap(self) -> Edit:
        span = self._pick(self._layout.values)
        before, after = self._pick(_WRAPPERS)
        return (*span, before + self._of(span) + after)

    # --- of members and items ---

    def _drop_member(self) -> Edit:
        return self._without(self._pick(self._layout.members).whole)

    def _repeat_member(self) -> Edit:
        """The name comes again, with another value: readers differ in which one counts."""
        name, value = self._pick(self._layout.members)
        again = self._pick(HOSTILE) if self._random() < 0.5 else self._of(value)
        return value.stop, value.stop, b"," + self._of(name) + b":" + again

    def _rename(self) -> Edit:
        name = self._pick(self._layout.members).name
        text = self._of(name)
        return (*name, self._pick((text.swapcase(), text[:-1] + b'_"', *NAMES)))

    def _drop_item(self) -> Edit:
        return self._without(self._pick(self._layout.items))

    def _repeat_item(self) -> Edit:
        item = self._pick(self._layout.items)
        return item.stop, item.stop, b"," + self._of(item)

    def _without(self, span: Span) -> Edit:
        """With the comma after it, or the one before it where it is the last."""
        start, stop = span
        if self._text[stop : stop + 1] == b",":
            stop += 1
        elif self._text[start - 1 : start] == b",":
            start -= 1
        return start, stop, b""

    # --- of bytes ---

    def _cut_off(self) -> Edit:
        return self._at(), len(self._text), b""

    def _flip(self) -> Edit:
        at = self._at()
        flipped = (byte ^ 1 << int(self._random() * 8) for byte in self._text[at : at + 1])
        return at, at + 1, bytes(flipped)

    def _insert(self) -> Edit:
        at = self._at()
        return at, at, bytes([int(self._random() * 256)])


_WRAPPERS = ((b"[", b"]"), (b"[[", b"]]"), (b'{"data":', b"}"), (b'"', b'"'), (b" ", b"\r\n"))


def _alike(value: bytes) -> Sequence[bytes]:
    if value[:1] != b'"':
        return CODES if len(value) <= 2 else NUMBERS
    return TIMES if value[5:6] == b"-" else TEXTS
