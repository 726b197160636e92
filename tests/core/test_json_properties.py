"""Every model and event survives JSON; nothing else is taken for one."""

import enum
import json
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeforge_core import (
    BarSpan,
    BarUnit,
    DecodeError,
    Event,
    OrderRequest,
    OrderSide,
    Ticker,
    events,
    from_json,
    models,
    to_json,
)

MODELS = [one for one in vars(models).values() if isinstance(one, type) and attrs.has(one)]
MODELS.append(Ticker)
EVENTS = list(typing.get_args(Event))
EVERY = [*MODELS, *EVENTS]

ZONES = [
    UTC,
    timezone(timedelta(hours=14)),
    timezone(timedelta(hours=-9, minutes=-30)),
    ZoneInfo("America/Chicago"),
    ZoneInfo("Asia/Kathmandu"),
]
decimals = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**20), 10**20),
    st.integers(-20, 19),
)
times = st.builds(
    lambda moment, zone: moment.replace(tzinfo=UTC).astimezone(zone),
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    st.sampled_from(ZONES),
).filter(lambda time: time.utcoffset() == time.replace(fold=1 - time.fold).utcoffset())
"""Without the hour that a clock shows twice: in another zone nothing equals it, by definition."""
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(),
    bool: st.booleans(),
    Decimal: decimals,
    datetime: times,
    type(None): st.none(),
    BarSpan: st.builds(BarSpan, st.sampled_from(BarUnit), st.integers(1, 10**6)),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type, whatever the models are made of."""
    if kind in PLAIN:
        return PLAIN[kind]
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return st.one_of(*map(values_of, arguments))
    if typing.get_origin(kind) is tuple:
        return st.lists(values_of(arguments[0]), max_size=4).map(tuple)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    if attrs.has(kind):
        return instances_of(kind)
    members = {name: values_of(hint) for name, hint in typing.get_type_hints(kind).items()}
    return st.builds(kind, **members)


def instances_of(cls: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    members = {
        one.name: values_of(hints[one.name]) for one in attrs.fields(cls) if one.name != "raw"
    }
    if "raw" in hints:
        members["raw"] = st.just(object())  # nothing that JSON could hold
    return st.builds(cls, **members)


def test_the_lists_above_have_all_there_is() -> None:
    assert len(MODELS) >= 7
    in_module = {
        one for one in vars(events).values() if isinstance(one, type) and attrs.has(one)
    } - set(MODELS)
    assert in_module == set(EVENTS)


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_it_comes_back_as_it_was(cls: Any) -> None:
    @settings(max_examples=60)
    @given(values_of(cls))
    def check(value: Any) -> None:
        text = to_json(value)
        again = from_json(cls, text)
        assert again == value
        assert to_json(again) == text
        if cls in EVENTS:
            assert from_json(Event, text) == value

    check()


@given(decimals)
def test_digits_are_the_same_digits(number: Decimal) -> None:
    request = OrderRequest.market("1", "ABC", OrderSide.BUY, number)
    written = json.loads(to_json(request))["size"]
    assert "E" not in written.upper()
    assert Decimal(written) == number


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["buy", "1.5", "NaN", "2026-01-01T00:00:00Z", "quote"]),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=8,
)


def _never_more_than_a_decode_error(cls: Any, text: str | bytes) -> None:
    try:
        from_json(cls, text)
    except DecodeError as error:
        assert error.path.startswith("$")


@given(st.sampled_from([*EVERY, Event]), st.text() | st.binary())
def test_arbitrary_text_is_read_or_refused(cls: Any, text: str | bytes) -> None:
    _never_more_than_a_decode_error(cls, text)


@given(st.sampled_from([*EVERY, Event]), json_values)
def test_arbitrary_json_is_read_or_refused(cls: Any, value: object) -> None:
    _never_more_than_a_decode_error(cls, json.dumps(value))


def _with_arbitrary_members(cls: Any) -> Callable[[], None]:
    names = [one.name for one in attrs.fields(cls)]

    @settings(max_examples=60)
    @given(st.fixed_dictionaries({}, optional=dict.fromkeys([*names, "event"], json_values)))
    def check(members: dict[str, object]) -> None:
        _never_more_than_a_decode_error(cls, json.dumps(members))
        _never_more_than_a_decode_error(Event, json.dumps(members | {"event": cls.__name__}))

    return check


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_arbitrary_members_are_read_or_refused(cls: Any) -> None:
    _with_arbitrary_members(cls)()
