"""Where in a JSON text its values, members and items stand, to the byte."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from attrs import field, frozen


class Span(NamedTuple):
    """A part of a text: `text[start:stop]`."""

    start: int
    stop: int


class Member(NamedTuple):
    """A member of an object; the name is with its quotes, and `whole` is both with the colon."""

    name: Span
    value: Span

    @property
    def whole(self) -> Span:
        return Span(self.name.start, self.value.stop)


@frozen
class Layout:
    """Every value of a text at any depth, every member of an object and item of an array."""

    values: list[Span] = field(factory=list)
    members: list[Member] = field(factory=list)
    items: list[Span] = field(factory=list)


def layout_of(text: bytes) -> Layout | None:
    """The layout of a JSON text, None for bytes that are not one."""
    layout = Layout()
    tokens = _Tokens(text)
    try:
        _read_value(tokens, layout)
        return layout if tokens.next().kind == _END else None
    except (_NotJsonError, RecursionError):
        return None


class _NotJsonError(Exception):
    pass


class _Token(NamedTuple):
    kind: bytes
    span: Span


_TOKEN = re.compile(
    rb'\s*(?:([{}\[\],:])|("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*|true|false|null)|\Z)', re.DOTALL
)
_TEXT, _PLAIN, _END = b'"', b"0", b""


class _Tokens:
    def __init__(self, text: bytes) -> None:
        self._tokens = self._all(text)

    def next(self) -> _Token:
        return next(self._tokens)

    @staticmethod
    def _all(text: bytes) -> Iterator[_Token]:
        at = 0
        while (match := _TOKEN.match(text, at)) is not None:
            at = match.end()
            group = match.lastindex or 0
            kind = (_END, match[1], _TEXT, _PLAIN)[group]
            yield _Token(kind, Span(*match.span(group)))
            if kind == _END:
                return
        raise _NotJsonError


def _read_value(tokens: _Tokens, layout: Layout, first: _Token | None = None) -> Span:
    token = first or tokens.next()
    if token.kind == b"{":
        span = _read_object(tokens, layout, token)
    elif token.kind == b"[":
        span = _read_array(tokens, layout, token)
    elif token.kind in (_TEXT, _PLAIN):
        span = token.span
    else:
        raise _NotJsonError
    layout.values.append(span)
    return span


def _read_object(tokens: _Tokens, layout: Layout, opening: _Token) -> Span:
    name = tokens.next()
    while name.kind == _TEXT:
        if tokens.next().kind != b":":
            raise _NotJsonError
        layout.members.append(Member(name.span, _read_value(tokens, layout)))
        name = _after(tokens, b"}")
    return _closed(opening, name, b"}")


def _read_array(tokens: _Tokens, layout: Layout, opening: _Token) -> Span:
    first = tokens.next()
    while first.kind != b"]":
        layout.items.append(_read_value(tokens, layout, first))
        first = _after(tokens, b"]")
    return _closed(opening, first, b"]")


def _after(tokens: _Tokens, closing: bytes) -> _Token:
    """What follows a comma, or the closing bracket itself."""
    token = tokens.next()
    if token.kind == b",":
        return tokens.next()
    if token.kind == closing:
        return token
    raise _NotJsonError


def _closed(opening: _Token, closing: _Token, bracket: bytes) -> Span:
    if closing.kind != bracket:
        raise _NotJsonError
    return Span(opening.span.start, closing.span.stop)
