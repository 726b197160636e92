"""What must be true of every model and event, whatever the venue sent."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any

import attrs

from tradeforge_core import DepthLevel, from_json, to_json

_MOST_DIGITS = 40
"""Before or after the point; a number written with more is a typo or an attack."""


def check_sane(value: object) -> None:
    """Raise `AssertionError` for a model or an event that no program should have to meet.

    Its numbers are exact, finite and of a length that can be written down, its times are UTC, and
    no level of a book has a negative size. `raw` is the venue's own and may be anything.
    """
    check = _checks.get(type(value))
    if check is None:
        check = _checks[type(value)] = _check_of(type(value))
    check(value)


def check_round_trip(model: object) -> None:
    """Raise `AssertionError` if a model does not come back from its own JSON as it was."""
    again = from_json(type(model), to_json(model))
    assert again == model, f"{model} came back from JSON as {again}"


def _check_of(kind: type) -> Callable[[Any], None]:
    if attrs.has(kind):
        return _fields_check(kind)
    if issubclass(kind, tuple):
        return _check_each
    assert issubclass(kind, Enum), f"a {kind.__name__} has no place in a model"
    return _nothing


def _fields_check(kind: type) -> Callable[[Any], None]:
    names = [one.name for one in attrs.fields(kind) if one.name != "raw"]
    values_of = attrgetter(*names)

    def check(model: object) -> None:
        for value in values_of(model):
            check_sane(value)

    return check


def _check_number(number: Decimal) -> None:
    assert number.is_finite(), f"{number} is not a number to calculate with"
    assert abs(number.adjusted()) <= _MOST_DIGITS, f"{number} is too long to be written down"


def _check_time(time: datetime) -> None:
    assert time.utcoffset() == _NO_OFFSET, f"{time!r} is not in UTC"


_NO_OFFSET = timedelta()


def _check_level(level: DepthLevel) -> None:
    _check_number(level.price)
    _check_number(level.size)
    assert level.size >= 0, f"a level of a book with the size {level.size}"


def _check_each(values: tuple[object, ...]) -> None:
    for value in values:
        check_sane(value)


def _nothing(value: object) -> None:
    pass


_checks: dict[type, Callable[[Any], None]] = {
    Decimal: _check_number,
    datetime: _check_time,
    DepthLevel: _check_level,
    tuple: _check_each,
    **dict.fromkeys((str, int, bool, type(None)), _nothing),
}
