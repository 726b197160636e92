"""The one public drawer: what it lists is there, and what is there is listed."""

import importlib
import re
import types
import typing

import attrs
import pytest

import tradeforge_core
from tradeforge_core import errors

MODULES = (
    "models",
    "events",
    "enums",
    "errors",
    "capabilities",
    "interfaces",
    "registry",
    "books",
    "state",
)
NOT_FOR_USERS = {
    "load_sandbox_module",
    "EventHandler",
    "StatusHandler",
    "ErrorHandler",
    "MarketData",
    "PROVIDERS",
    "SANDBOXES",
}


def _is_data(value: object) -> bool:
    return isinstance(value, (type, types.UnionType)) or typing.get_origin(value) is not None


def _defined_in(module_name: str) -> set[str]:
    """The public names that a module makes itself, or, for a package, lists."""
    module = importlib.import_module(f"tradeforge_core.{module_name}")
    if hasattr(module, "__all__"):
        return set(module.__all__)
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", module.__name__) in (module.__name__, "types")
        and (_is_data(value) or callable(value))
    }


def test_the_list_is_sorted_and_has_nothing_twice() -> None:
    listed = tradeforge_core.__all__
    assert listed == sorted(set(listed))


@pytest.mark.parametrize("name", tradeforge_core.__all__)
def test_every_listed_name_is_importable(name: str) -> None:
    assert getattr(tradeforge_core, name) is not None


def test_nothing_is_importable_that_is_not_listed() -> None:
    for name in tradeforge_core.__all__:  # some come when they are asked for
        getattr(tradeforge_core, name)
    found = {
        name
        for name, value in vars(tradeforge_core).items()
        if not name.startswith("_")
        and (name == "outcomes" or not isinstance(value, types.ModuleType))
    }
    assert found == set(tradeforge_core.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_offers_is_listed(module: str) -> None:
    helpers = {"exact", "exact_or_none"}
    assert _defined_in(module) - NOT_FOR_USERS - helpers <= set(tradeforge_core.__all__)


def test_every_data_class_is_frozen() -> None:
    for name in tradeforge_core.__all__:
        value = getattr(tradeforge_core, name)
        if isinstance(value, type) and attrs.has(value):
            assert attrs.fields(value) is not None
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                value.__setattr__(object.__new__(value), "anything", 1)


def _drawn_tree() -> dict[str, str | None]:
    """Every class in the drawing of the docstring, with the class that it hangs under."""
    parents: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^((?:[│ ]   |[├└]── )*)([A-Z]\w+)(?: {2,}|$)", line)
        if found is None:
            continue
        depth, name = len(found[1]) // 4, found[2]
        del above[depth:]
        parents[name] = above[-1] if above else None
        above.append(name)
    return parents


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    real = {
        name: value.__bases__[0].__name__ if value is not errors.TradeForgeError else None
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert _drawn_tree() == real
    assert len(real) > 15
