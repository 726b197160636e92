"""A gap in a stream as a person reads it."""

from collections.abc import Mapping

from tradeforge_core import Gap

_NOBODY: Mapping[str, str] = {}


def gap_text(gap: Gap, symbols: Mapping[str, str] = _NOBODY) -> str:
    """What is missing and for how long; of which contract, where its id is among `symbols`."""
    what = ", ".join(sorted(_named(topic.kind, symbols.get(topic.key)) for topic in gap.topics))
    return f"{gap.stream} stream: {what} missing{_extent(gap)} ({gap.cause.replace('_', ' ')})"


def _named(kind: str, symbol: str | None) -> str:
    return kind.replace("_", " ") + (f" of {symbol}" if symbol else "")


def _extent(gap: Gap) -> str:
    if gap.since is not None and gap.until is not None:
        return f" for {(gap.until - gap.since).total_seconds():.1f} s"
    if gap.since is not None:
        return f" since {gap.since.astimezone():%H:%M:%S}"
    return f" ({gap.dropped} of them)" if gap.dropped else ""
