"""Models and events as JSON: decimals and times as text, nothing rounded, `raw` left out."""

import json
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

import attrs

from tradeforge_core import events
from tradeforge_core.enums import MarketDataType, UserDataType
from tradeforge_core.errors import DecodeError
from tradeforge_core.models import BarSpan, exact
from tradeforge_core.outcomes import OrderOutcome
from tradeforge_core.secret import Secret

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

_EVENTS: dict[str, type] = {one.__name__: one for one in typing.get_args(events.Event)}
_OUTCOMES: dict[str, type] = {one.__name__: one for one in typing.get_args(OrderOutcome)}
_TAGS = dict.fromkeys(_EVENTS.values(), "event") | dict.fromkeys(_OUTCOMES.values(), "outcome")
"""The member that carries the name of the class, where a reader cannot know it beforehand."""


def to_json(obj: object, indent: int | None = None) -> str:
    """The JSON text of a model, an event, or a list or dict of them.

    Decimals keep every digit, as text without an exponent. Times are ISO 8601 in UTC. An event
    carries its class name as `event`, so that a mixed stream of lines can be read back.
    """
    return json.dumps(_converter().unstructure(obj), indent=indent, ensure_ascii=False)


@overload
def from_json(cls: type[T], text: str | bytes) -> T: ...
@overload
def from_json(cls: types.UnionType, text: str | bytes) -> Any: ...
def from_json(cls: Any, text: str | bytes) -> Any:
    """The model or event of class `cls` in `text`; `Event` reads any event by its name.

    Raises `DecodeError` with the path of the first field that does not fit.
    """
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DecodeError(f"this is not JSON: {error}") from None
    try:
        return _converter().structure(data, _event_class(cls, data))
    except DecodeError:
        raise
    except Exception as error:
        raise _decode_error(cls, error) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _event_class(cls: Any, data: object) -> Any:
    if not isinstance(cls, types.UnionType):
        return cls
    if cls == OrderOutcome:
        return cls
    name = data.get("event") if isinstance(data, dict) else None
    chosen = _EVENTS.get(name) if isinstance(name, str) else None
    if chosen is None or chosen not in typing.get_args(cls):
        raise DecodeError(f"{name!r} is not the name of an event", path="$.event")
    return chosen


def _outcome_class(data: object) -> type:
    name = data.get("outcome") if isinstance(data, dict) else None
    chosen = _OUTCOMES.get(name) if isinstance(name, str) else None
    if chosen is None:
        raise ValueError(f"{name!r} is not the name of an outcome")
    return chosen


def _decode_error(cls: object, error: Exception) -> DecodeError:
    from cattrs import transform_error

    faults = transform_error(error, path="$")
    first = faults[0] if faults else str(error)
    path = first.rpartition(" @ ")[2] if " @ " in first else "$"
    return DecodeError(f"not a {getattr(cls, '__name__', cls)}: {'; '.join(faults)}", path=path)


@cache
def _converter() -> "Converter":
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Decimal, lambda number: format(number, "f"))
    converter.register_structure_hook(Decimal, _to_decimal)
    converter.register_unstructure_hook(datetime, _time_text)
    converter.register_structure_hook(datetime, _to_time)
    converter.register_unstructure_hook(Secret, str)
    for plain_type, hook in _PLAIN.items():
        converter.register_structure_hook(plain_type, hook)
    converter.register_structure_hook(MarketDataType | UserDataType, _to_data_type)
    converter.register_unstructure_hook(
        events.Topic, lambda topic: [converter.unstructure(one) for one in topic if one is not None]
    )
    converter.register_structure_hook(
        events.Topic, lambda data, _: _to_topic(data, converter.structure)
    )
    converter.register_structure_hook(
        OrderOutcome, lambda data, _: converter.structure(data, _outcome_class(data))
    )

    def without_raw(cls: type) -> dict[str, Any]:
        return {one.name: override(omit=True) for one in attrs.fields(cls) if one.name == "raw"}

    def unstructure(cls: type) -> Callable[[Any], dict[str, Any]]:
        plain: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(
            cls, converter, **without_raw(cls)
        )
        tag = _TAGS.get(cls)
        if tag is None:
            return plain
        return lambda thing: {tag: cls.__name__, **plain(thing)}

    def structure(cls: type) -> Callable[[Any, Any], Any]:
        plain: Callable[[Any, Any], Any] = make_dict_structure_fn(
            cls, converter, _cattrs_forbid_extra_keys=True, **without_raw(cls)
        )
        return lambda data, _: plain(_named(cls, data), cls)

    converter.register_unstructure_hook_factory(attrs.has, unstructure)
    converter.register_structure_hook_factory(attrs.has, structure)
    return converter


def _named(cls: type, data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"expected an object, got {type(data).__name__}")
    tag = _TAGS.get(cls)
    if tag is None or tag not in data:
        return data
    if data[tag] != cls.__name__:
        raise ValueError(f"this is a {data[tag]!r}, not a {cls.__name__}")
    return {name: value for name, value in data.items() if name != tag}


def _to_decimal(value: object, _: type) -> Decimal:
    if not isinstance(value, (str, int, Decimal)):
        raise ValueError(f"expected a decimal, got {value!r}")
    return exact(value)


def _time_text(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError(f"{time!r} does not say its time zone")
    return time.astimezone(UTC).isoformat()


def _to_time(value: object, _: type) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"expected a time as text, got {value!r}")
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"{value!r} does not say its time zone")
    return time.astimezone(UTC)


def _to_bool(value: object, _: type) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {value!r}")
    return value


def _to_str(value: object, cls: type[str]) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {value!r}")
    return cls(value)  # the enums are texts too


def _to_int(value: object, _: type) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, got {value!r}")
    return value


def _to_float(value: object, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError(f"expected a number, got {value!r}")
    return float(value)


_PLAIN: dict[type, Callable[[object, Any], Any]] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
}


def _to_topic(data: Any, structure: Callable[[Any, Any], Any]) -> events.Topic:
    if not isinstance(data, list) or len(data) not in (2, 3):
        raise ValueError(f"expected a kind and a key, got {data!r}")
    span = structure(data[2], BarSpan) if len(data) == 3 else None
    return events.Topic(_to_data_type(data[0], None), _to_str(data[1], str), span)


def _to_data_type(value: Any, _: Any) -> MarketDataType | UserDataType:
    try:
        return MarketDataType(value)
    except ValueError:
        return UserDataType(value)
