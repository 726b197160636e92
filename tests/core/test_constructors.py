"""The constructors that providers make events with: what they make is what the classes make."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tradeforge_core import (
    DepthEvent,
    DepthLevel,
    Event,
    MarketTradeEvent,
    OrderSide,
    QuoteEvent,
    from_json,
    to_json,
)
from tradeforge_core.kit import constructors

NOW = datetime(2026, 8, 19, 20, 51, 31, tzinfo=UTC)
ONE = Decimal("1.50")
LEVEL = DepthLevel(ONE, Decimal(7))

CASES: list[tuple[Any, Callable[..., Any], tuple[object, ...]]] = [
    (
        QuoteEvent,
        constructors.new_quote,
        ("ABC", ONE, None, ONE, ONE, None, None, None, ONE, None, NOW, NOW),
    ),
    (
        MarketTradeEvent,
        constructors.new_market_trade,
        ("ABC", ONE, ONE, OrderSide.SELL, None, NOW),
    ),
    (
        DepthEvent,
        constructors.new_depth,
        ("ABC", True, (LEVEL,), (), LEVEL, None, NOW, NOW),
    ),
]

each = pytest.mark.parametrize(("cls", "new", "values"), CASES)


@each
def test_it_is_an_instance_of_the_class_and_equal(cls: Any, new: Any, values: Any) -> None:
    made, usual = new(*values), cls(*values)
    assert type(made) is cls
    assert isinstance(made, cls)
    assert (made, hash(made), repr(made)) == (usual, hash(usual), repr(usual))
    assert made != new("DEF", *values[1:])
    assert made.raw is None


@each
def test_the_names_of_the_arguments_are_those_of_the_class(cls: Any, new: Any, values: Any) -> None:
    by_name = dict(zip((one.name for one in attrs.fields(cls)), values, strict=False))
    assert new(**by_name, raw="row") == cls(**by_name, raw="row")
    assert new(**by_name, raw="row").raw == "row"
    with pytest.raises(TypeError):
        new(*values[1:])
    with pytest.raises(TypeError):
        new(*values, None, None)


@each
def test_it_is_frozen(cls: Any, new: Any, values: Any) -> None:
    made = new(*values)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.contract_id = "DEF"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del made.contract_id
    with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
        made.something_else = 1
    assert not hasattr(made, "__dict__")


@each
def test_it_goes_wherever_an_event_goes(cls: Any, new: Any, values: Any) -> None:
    made = new(*values)
    assert from_json(Event, to_json(made)) == made
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert attrs.evolve(made, contract_id="DEF") == cls("DEF", *values[1:])
    match made:
        case QuoteEvent(contract_id=contract_id) | MarketTradeEvent(contract_id=contract_id):
            assert contract_id == "ABC"
        case DepthEvent("ABC", True):
            pass
        case _:
            pytest.fail("it does not match its class")
