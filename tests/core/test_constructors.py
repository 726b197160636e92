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


def _new_depth(
    contract_id: str,
    reset: bool,
    bids: tuple[DepthLevel, ...],
    asks: tuple[DepthLevel, ...],
    best_bid: DepthLevel | None,
    best_ask: DepthLevel | None,
    time: datetime | None,
    received: datetime,
    raw: object = None,
) -> DepthEvent:
    """One whose levels nobody has looked at."""
    levels = (bids, asks, best_bid, best_ask)
    return constructors.new_depth(contract_id, reset, lambda raw: levels, time, received, raw)


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
        _new_depth,
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


def test_levels_are_made_once_and_only_when_somebody_looks() -> None:
    seen: list[object] = []

    def levels_of(raw: object) -> constructors.Levels:
        seen.append(raw)
        return (LEVEL,), (), LEVEL, None

    made = constructors.new_depth("ABC", False, levels_of, NOW, NOW, "rows")
    assert (made.contract_id, made.time, seen) == ("ABC", NOW, [])
    assert (made.bids, made.best_ask, made.asks, made.best_bid) == ((LEVEL,), None, (), LEVEL)
    assert made.bids is made.bids
    assert seen == ["rows"]


@pytest.mark.parametrize("look", [hash, repr, copy.copy, copy.deepcopy, attrs.evolve, to_json])
def test_whoever_takes_the_whole_event_takes_its_levels(look: Callable[[Any], Any]) -> None:
    values: Any = ("ABC", True, (LEVEL,), (), LEVEL, None, NOW, NOW)
    assert look(_new_depth(*values)) == look(DepthEvent(*values))


def test_a_depth_event_has_no_members_that_nobody_gave_it() -> None:
    values: Any = ("ABC", True, (LEVEL,), (), LEVEL, None, NOW, NOW)
    for event in (_new_depth(*values), DepthEvent(*values)):
        with pytest.raises(AttributeError, match="'DepthEvent' has no attribute 'bid'"):
            event.bid  # type: ignore[attr-defined]  # noqa: B018
        assert not hasattr(event, "__dict__")
