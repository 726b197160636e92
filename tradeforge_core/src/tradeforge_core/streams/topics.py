"""From the words of a subscription to the topics of it."""

from collections.abc import Collection, Iterable

from tradeforge_core.enums import MarketDataType, UserDataType
from tradeforge_core.errors import NotSupported
from tradeforge_core.events import Topic


def topics_of(
    keys: str | Iterable[str],
    kinds: Collection[MarketDataType] | Collection[UserDataType],
    supported: Collection[MarketDataType] | Collection[UserDataType],
) -> tuple[Topic, ...]:
    """Every kind of every key, once. Raises `NotSupported`, and `ValueError` for nothing at all."""
    if missing := sorted(kind for kind in kinds if kind not in supported):
        raise NotSupported(f"this provider has no stream of {', '.join(missing)}")
    chosen = [keys] if isinstance(keys, str) else list(keys)
    topics = tuple(dict.fromkeys(Topic(kind, key) for key in chosen for kind in kinds))
    if not topics:
        raise ValueError("name at least one id and one type of data")
    return topics
