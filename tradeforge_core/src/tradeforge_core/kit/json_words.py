"""JSON of a venue, taken apart: whatever does not fit is a `DecodeError`, and nothing else."""

import json
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from types import MappingProxyType, NoneType
from typing import Any, TypeVar

import attrs

from tradeforge_core.errors import DecodeError
from tradeforge_core.models import exact

T = TypeVar("T")
_SAME_WORDS: Mapping[str, str] = MappingProxyType({})


@contextmanager
def understanding(what: str) -> Iterator[None]:
    """Whatever the mapping of a message raises inside is a `DecodeError` that says of what."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"[:_MOST_WORDS]
        raise DecodeError(f"{what} was not understood: {said}") from None


_MOST_WORDS = 300
"""Characters of what is wrong; a venue may quote itself at any length."""


def object_of(text: bytes) -> dict[str, Any]:
    """The object in the text, its numbers with all their digits. Raises `ValueError`."""
    found = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def model_of(
    cls: type[T], row: Mapping[str, Any], names: Mapping[str, str] = _SAME_WORDS, **more: Any
) -> T:
    """The model whose members are those of the row, in the same words or in those of `names`.

    `more` are members that the row does not have; what holds several models has to be there. What
    may be None, and what is false by default, may be missing, unless `names` has it. Numbers keep
    their digits, ids become text, times are UTC, and a word that is newer than this version is
    `UNKNOWN` where there is such a member; `raw` is the row.
    Raises `LookupError`, `TypeError`, `ValueError`.
    """
    members = more
    for name, default, make in _plan(cls):  # type: ignore[arg-type]  # a class has a hash
        if name == "raw":
            members[name] = row
        elif name not in more:
            may_lack = default is not _NEEDED and name not in names
            value = row.get(name) if may_lack else row[names.get(name, name)]
            members[name] = default if value is None and default is not _NEEDED else make(value)
    return cls(**members)


_Plan = tuple[tuple[str, object, Callable[[Any], object]], ...]
_NEEDED = object()


@cache
def _plan(cls: type[Any]) -> _Plan:
    """Of each member: its name, what it is where it is missing, and what makes it."""
    types = typing.get_type_hints(cls)
    return tuple(
        (one.name, _default(one, types[one.name]), _maker(types[one.name]))
        for one in attrs.fields(cls)
        if typing.get_origin(types[one.name]) is not tuple
    )


def _default(one: "attrs.Attribute[Any]", kind: Any) -> object:
    if NoneType in typing.get_args(kind):
        return None
    return False if one.default is False else _NEEDED


def _maker(kind: Any) -> Callable[[Any], object]:
    (plain,) = [one for one in typing.get_args(kind) or (kind,) if one is not NoneType]
    return _MAKERS.get(plain) or partial(_word, plain)


def _word(words: type[StrEnum], value: Any) -> StrEnum:
    unknown = getattr(words, "UNKNOWN", None)
    return words(value) if value in list(words) or unknown is None else unknown


def _number(value: Any) -> Decimal:
    return exact(value)


def _time(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"{value!r} does not say its time zone")
    return found.astimezone(UTC)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{value!r} is no text and no id")
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


_MAKERS: Mapping[Any, Callable[[Any], object]] = {
    Decimal: _number,
    datetime: _time,
    str: _text,
    bool: _truth,
}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
