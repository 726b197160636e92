"""Requirements and tests belong together: none of either is alone."""

import pytest

from tradeforge_core import Capabilities, OrderType
from tradeforge_testing.conformance import STANDARD, Known, ProviderConformance, Why, specification
from tradeforge_testing.conformance.specification import declares


def test_every_requirement_has_a_test() -> None:
    proven = {one for ids in STANDARD.values() for one in ids}
    assert set(specification().requirements) - proven == set()


def test_every_test_proves_a_requirement_and_says_where_to_look() -> None:
    for name, ids in STANDARD.items():
        assert ids, name
        assert set(ids) <= set(specification().requirements), name
        assert getattr(ProviderConformance, name).__doc__, f"{name} gives no advice"


def test_every_test_of_a_class_is_a_standard_test() -> None:
    found = {name for name in dir(ProviderConformance) if name.startswith("test")}
    assert found == set(STANDARD)


def test_areas_are_all_used_and_ids_are_in_order() -> None:
    spec = specification()
    for area in spec.areas:
        ids = [one.id for one in spec.of_area(area)]
        assert ids == sorted(ids) or area == "SAF"
    used = {one.area for one in spec.requirements.values()}
    assert used == set(spec.areas)


def test_needs_are_words_that_capabilities_answer() -> None:
    nothing = Capabilities()
    for one in specification().requirements.values():
        assert declares(nothing, one.needs) is (one.needs is None)
    assert declares(Capabilities(order_types=frozenset({OrderType.LIMIT})), "order:limit")


def test_a_standard_test_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="test_flatten_leaves_nothing"):

        class Cheat(ProviderConformance):
            provider = "mine"

            def test_flatten_leaves_nothing(self) -> None: ...


def test_what_is_known_has_to_be_a_requirement() -> None:
    with pytest.raises(TypeError, match="TF-XXX-999"):

        class Wrong(ProviderConformance):
            provider = "mine"
            known = {"TF-XXX-999": Known(Why.BUG, "no reason", "https://example.org/1")}
