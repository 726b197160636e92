"""From the words of a subscription to the topics of it."""

from collections.abc import Collection, Iterable
from typing import TypeAlias

from tradeforge_core.enums import MarketDataType, UserDataType
from tradeforge_core.errors import NotSupported
from tradeforge_core.events import Topic

Kind: TypeAlias = MarketDataType | UserDataType


def topics_of(
    keys: str | Iterable[str],
    kinds: Kind | Collection[MarketDataType] | Collection[UserDataType],
    supported: Collection[MarketDataType] | Collection[UserDataType],
) -> tuple[Topic, ...]:
    """Every kind of every key, once.

    Raises `NotSupported`, and `ValueError` for nothing at all and for what is no kind of data.
    """
    chosen = [keys] if isinstance(keys, str) else list(keys)
    wanted = _supported(kinds, supported)
    topics = tuple(dict.fromkeys(Topic(kind, key) for key in chosen for kind in wanted))
    if not topics:
        raise ValueError("name at least one id and one type of data")
    return topics


def names_of(topics: Iterable[Topic]) -> str:
    return ", ".join(f"{topic.kind} of {topic.key}" for topic in sorted(topics))


def _supported(
    kinds: Kind | Collection[MarketDataType] | Collection[UserDataType],
    supported: Collection[MarketDataType] | Collection[UserDataType],
) -> list[Kind]:
    """The kinds as the members that they are, also where one came as its word."""
    members: dict[object, Kind] = {kind: kind for kind in supported}
    named: list[object] = [kinds] if isinstance(kinds, str) else list(kinds)
    missing: list[str] = []
    for kind in named:
        if not isinstance(kind, MarketDataType | UserDataType) and kind not in members:
            known = ", ".join(sorted(members.values())) or "none"
            raise ValueError(f"{kind!r} is no type of data; this provider has: {known}")
        missing += [str(kind)] if kind not in members else []
    if missing:
        raise NotSupported(f"this provider has no stream of {', '.join(sorted(missing))}")
    return [members[kind] for kind in named]
