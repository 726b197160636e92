"""The mutator: deterministic, aware of structure, and able to make every damage it promises."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core import DecodeError, DepthLevel, Trade
from tradeforge_core.enums import OrderSide
from tradeforge_testing.fuzzing import fuzz
from tradeforge_testing.json_layout import layout_of
from tradeforge_testing.mutation import Mutator
from tradeforge_testing.sanity import check_round_trip, check_sane

BODY = {
    "id": 5001,
    "time": "2026-08-19T20:51:31+00:00",
    "rows": [{"price": 1.25, "side": 0}, {"price": 1.5, "side": 1}],
    "none": None,
}
TEXT = json.dumps(BODY, separators=(",", ":")).encode()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def damaged() -> list[bytes]:
    return list(Mutator([BODY], seed=3).mutations(30_000))


def test_the_same_seed_gives_the_same_damage() -> None:
    first, again = (list(Mutator([BODY], seed=3).mutations(500)) for _ in range(2))
    assert first == again
    assert first != list(Mutator([BODY], seed=4).mutations(500))


def test_asking_again_goes_on() -> None:
    one, two = Mutator([BODY], seed=3), Mutator([BODY], seed=3)
    assert [*one.mutations(10), *one.mutations(10)] == list(two.mutations(20))


def test_values_and_their_text_are_damaged_alike() -> None:
    assert list(Mutator([BODY], seed=3).mutations(50)) == list(
        Mutator([TEXT], seed=3).mutations(50)
    )


def test_every_message_has_its_turn() -> None:
    damaged = list(Mutator([b"aaaaaaaaaa", b"bbbbbbbbbb"], seed=3).mutations(100))
    assert sum(b"aaa" in one for one in damaged) > 30
    assert sum(b"bbb" in one for one in damaged) > 30


def test_nothing_to_damage_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no message"):
        Mutator([], seed=1)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"<html>", b"{", b"[" * 100_000])
def test_bytes_that_are_no_json_are_damaged_as_bytes(body: bytes) -> None:
    assert len(list(Mutator([body], seed=3).mutations(50))) == 50


def test_most_of_it_is_new_and_much_of_it_is_still_json(damaged: list[bytes]) -> None:
    assert len(set(damaged)) > len(damaged) / 2
    assert sum(_is_json(one) for one in damaged) > len(damaged) / 4
    assert sum(layout_of(one) is None for one in damaged) > len(damaged) / 10


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize(
    "pattern",
    [
        rb'"price":null',
        rb'"price":"',
        rb'"price":\[',
        rb'"id":NaN',
        rb'"id":-?Infinity',
        rb"1e400",
        rb'"price":-0\b',
        rb"9{400}",
        rb"9223372036854775808",
        rb"(\[){2000}",
        rb'({"a":){2000}',
        rb"x{10000}",
        rb'\\ud800"',
        rb"\xff",
        rb'"side":99',
        rb'"time":"2026-08-19T20:51:31"',
        rb'"time":"0001-01-01',
        rb'"time":"9999-12-31',
        rb'"time":"2026-08-19T20:51:31\.123456789Z"',
        rb'"id":\d+,"id":',
        rb'"ID":5001',
        rb'"":5001',
        rb'^{"time"',
        rb'"rows":\[{[^}]*}\]',
        rb'"rows":\[{[^}]*},{[^}]*},{[^}]*}\]',
        rb'"id":"2026-08-19T20:51:31\+00:00"',
        rb'^{"id":5001,"ti$',
    ],
)
def test_every_kind_of_damage_happens(pattern: bytes, damaged: list[bytes]) -> None:
    search = re.compile(pattern).search
    assert any(search(one) for one in damaged)


@given(JSON)
def test_the_layout_covers_any_json(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    layout = layout_of(text)
    assert layout is not None
    for start, stop in layout.values:
        json.loads(text[start:stop])
    for member in layout.members:
        assert isinstance(json.loads(text[slice(*member.name)]), str)
        assert text[slice(*member.whole)].startswith(text[slice(*member.name)])


@given(st.binary(max_size=60))
def test_the_layout_of_anything_is_none_or_right(text: bytes) -> None:
    layout = layout_of(text)
    for start, stop in layout.values if layout else ():
        assert 0 <= start < stop <= len(text)


TRADE = Trade(
    id="1",
    account_id="1001",
    contract_id="C",
    order_id="2",
    side=OrderSide.BUY,
    size=Decimal(1),
    price=Decimal("1.25"),
    time=datetime(2026, 8, 19, tzinfo=UTC),
)


class TestSanity:
    @pytest.mark.parametrize("value", [TRADE, (TRADE, None), DepthLevel(Decimal(1), Decimal(0))])
    def test_what_is_sane(self, value: object) -> None:
        check_sane(value)

    @pytest.mark.parametrize(
        "value",
        [
            Decimal("NaN"),
            Decimal("-Infinity"),
            Decimal("1E+400"),
            Decimal("0E+400"),
            Decimal("1E-400"),
            datetime(2026, 8, 19),  # noqa: DTZ001  # that is the point
            datetime(2026, 8, 19, tzinfo=timezone(timedelta(hours=2))),
            DepthLevel(Decimal(1), Decimal(-1)),
            (TRADE, (Decimal("NaN"),)),
            1.5,
            b"bytes",
            [TRADE],
        ],
    )
    def test_what_is_not(self, value: object) -> None:
        with pytest.raises(AssertionError):
            check_sane(value)

    def test_a_model_comes_back_from_its_json(self) -> None:
        check_round_trip(TRADE)


class TestFuzz:
    @staticmethod
    def reader(error: Exception | None, model: object = TRADE) -> Callable[[bytes], list[object]]:
        def read(message: bytes) -> list[object]:
            if error is not None and b"5001" not in message:
                raise error
            return [model]

        return read

    def test_what_is_refused_by_name_is_counted(self) -> None:
        survey = fuzz(self.reader(DecodeError("no")), [BODY], cases=1000, seed=3)
        assert survey.understood + survey.refused == 1000
        assert survey.refused > 50

    def test_another_error_is_told_with_its_message_and_seed(self) -> None:
        with pytest.raises(AssertionError, match=r"of seed 3: KeyError\('x'\) for b'"):
            fuzz(self.reader(KeyError("x")), [BODY], cases=1000, seed=3)

    def test_a_model_that_is_not_sane_is_told_too(self) -> None:
        with pytest.raises(AssertionError, match="not a number to calculate with"):
            fuzz(self.reader(None, Decimal("NaN")), [BODY], cases=1, seed=3)
