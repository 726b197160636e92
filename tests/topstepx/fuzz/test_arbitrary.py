"""Any JSON and any bytes, of which nobody thought: hypothesis looks for what a mutator misses."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeforge_core import DecodeError, VenueError
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_testing.sanity import check_round_trip, check_sane
from tradeforge_topstepx import _endpoints, _mapping, _wire
from tradeforge_topstepx._checks import decimal_of
from tradeforge_topstepx._events import KINDS, EventReader

EXAMPLES = 200
"""Twice as many as usual; the mutator reads ten thousands beside them."""
RECEIVED = datetime(2026, 11, 23, tzinfo=UTC)
ROWS: dict[type[_wire.Row], Callable[[Any], object]] = {
    _wire.AccountRow: _mapping.to_account,
    _wire.ContractRow: _mapping.to_contract,
    _wire.BarRow: lambda row: _mapping.to_bar("C", row),
    _wire.OrderRow: _mapping.to_order,
    _wire.PositionRow: _mapping.to_position,
    _wire.TradeRow: _mapping.to_trade,
    _wire.QuoteRow: lambda row: _mapping.to_quote("C", row, None, RECEIVED),
    _wire.MarketTradeRow: lambda row: _mapping.to_market_trade("C", row, RECEIVED),
    _wire.DepthRow: lambda row: _mapping.to_depth("C", [row], fresh=False, received=RECEIVED),
}

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.decimals().map(str)
    | st.datetimes().map(datetime.isoformat)
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def record_of(row: type[_wire.Row]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the members of a row, and anything in them."""
    members: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(row.__struct_fields__, leaves)
    return st.fixed_dictionaries({}, optional=members)


@cache
def decoder_of(row: type[_wire.Row]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row, strict=False, float_hook=decimal_of)


def text_of(value: object) -> bytes:
    # half surrogates become escapes, NaN becomes the word: as many encoders do it
    return json.dumps(value).encode()


@pytest.mark.parametrize("target", KINDS)
@given(arguments=anything.map(text_of) | st.binary(max_size=200))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_arguments(target: str, arguments: bytes) -> None:
    try:
        for _, event in EventReader().read(target, msgspec.Raw(arguments), RECEIVED):
            check_sane(event)
    except DecodeError as error:
        assert error.path


@given(body=anything.map(text_of) | st.binary(max_size=200), status=st.sampled_from([200, 500]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_answer(body: bytes, status: int) -> None:
    for endpoint in (_endpoints.ORDERS, _endpoints.PLACE, _endpoints.LOGIN, _endpoints.BARS):
        with pytest.raises((DecodeError, VenueError)):
            endpoint.read(HttpAnswer(status, body, None))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_rows_with_anything_in_their_members(row: type[_wire.Row], data: st.DataObject) -> None:
    text = text_of(data.draw(record_of(row)))
    try:
        model = ROWS[row](decoder_of(row).decode(text))
    except (DecodeError, *_wire.UNREADABLE):
        return
    check_sane(model)
    check_round_trip(model)
