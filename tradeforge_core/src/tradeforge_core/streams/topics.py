"""From the words of a subscription to the topics of it."""

from collections.abc import Collection, Iterable
from typing import TypeAlias

from tradeforge_core.capabilities import Capabilities
from tradeforge_core.enums import MarketDataType, UserDataType
from tradeforge_core.errors import NotSupported
from tradeforge_core.events import Topic
from tradeforge_core.interfaces import MarketData
from tradeforge_core.models import BarSpan

Kind: TypeAlias = MarketDataType | UserDataType
Kinds: TypeAlias = MarketData | UserDataType | Collection[UserDataType]


def market_topics(
    contract_ids: str | Iterable[str], kinds: MarketData, supported: Capabilities
) -> tuple[Topic, ...]:
    """As `topics_of`, also for bars: of the span that stands in place of a kind."""
    topics = topics_of(contract_ids, kinds, supported.market_data)
    missing = {one.span for one in topics if one.span} - supported.live_bars
    if missing:
        spans = " or ".join(str(one) for one in sorted(missing))
        known = ", ".join(str(one) for one in sorted(supported.live_bars)) or "none"
        raise NotSupported(f"this provider has no live bars of {spans}; it has: {known}")
    return topics


def topics_of(
    keys: str | Iterable[str],
    kinds: Kinds,
    supported: Collection[MarketDataType] | Collection[UserDataType],
) -> tuple[Topic, ...]:
    """Every kind of every key, once.

    Raises `NotSupported`, and `ValueError` for nothing at all and for what is no kind of data.
    """
    chosen = [keys] if isinstance(keys, str) else list(keys)
    wanted = _supported(kinds, supported)
    topics = tuple(dict.fromkeys(Topic(kind, key, span) for key in chosen for kind, span in wanted))
    if not topics:
        raise ValueError("name at least one id and one type of data")
    return topics


def names_of(topics: Iterable[Topic]) -> str:
    return ", ".join(_name_of(topic) for topic in sorted(topics))


def _name_of(topic: Topic) -> str:
    what = topic.kind if topic.span is None else f"{topic.kind} ({topic.span})"
    return f"{what} of {topic.key}"


def _supported(
    kinds: Kinds, supported: Collection[MarketDataType] | Collection[UserDataType]
) -> list[tuple[Kind, BarSpan | None]]:
    """The kinds as the members that they are, also where one came as its word."""
    members: dict[object, Kind] = {kind: kind for kind in supported}
    named: list[object] = [kinds] if isinstance(kinds, str | BarSpan) else list(kinds)
    spans = [one if isinstance(one, BarSpan) else None for one in named]
    named = [MarketDataType.BAR if isinstance(one, BarSpan) else one for one in named]
    missing: list[str] = []
    for kind in named:
        if not isinstance(kind, MarketDataType | UserDataType) and kind not in members:
            known = ", ".join(sorted(members.values())) or "none"
            raise ValueError(f"{kind!r} is no type of data; this provider has: {known}")
        missing += [str(kind)] if kind not in members else []
    if missing:
        raise NotSupported(f"this provider has no stream of {', '.join(sorted(missing))}")
    return [_spanned(members[kind], span) for kind, span in zip(named, spans, strict=True)]


def _spanned(kind: Kind, span: BarSpan | None) -> tuple[Kind, BarSpan | None]:
    return kind, (span or BarSpan()) if kind is MarketDataType.BAR else None
