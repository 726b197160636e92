"""Everything that a provider is made of, to be looked at."""

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache

_COLLECTIONS = (list, tuple, set, frozenset, deque)


def belongings(owner: object) -> Iterator[object]:
    """It, and what it holds through attributes and collections: the objects of its own packages.

    Nothing may change meanwhile.
    """
    packages = {_package(kind) for kind in type(owner).__mro__} - {"builtins", "abc", "typing"}
    seen: set[int] = set()
    waiting = [owner]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, _COLLECTIONS):
            waiting += one
        elif _package(type(one)) in packages:  # type: ignore[arg-type]  # a class has a hash
            yield one
            waiting += _attributes(one)


@cache
def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _attributes(one: object) -> Iterable[object]:
    names = _slots(type(one))  # type: ignore[arg-type]  # a class has a hash
    held = [getattr(one, name, None) for name in names]
    return [*held, *getattr(one, "__dict__", {}).values()]


@cache
def _slots(kind: type) -> frozenset[str]:
    return frozenset(name for each in kind.__mro__ for name in getattr(each, "__slots__", ()))
