"""The one word for the streams of a provider."""

from collections.abc import Iterable

from tradeforge_core.enums import StreamConnectionStatus

_WORST_FIRST = (
    StreamConnectionStatus.RECONNECTING,
    StreamConnectionStatus.CONNECTING,
    StreamConnectionStatus.SUBSCRIBING,
    StreamConnectionStatus.LIVE,
    StreamConnectionStatus.CLOSED,
)


def worst(found: Iterable[StreamConnectionStatus]) -> StreamConnectionStatus:
    """The status that is the furthest from live; IDLE where there is no connection."""
    statuses = set(found)
    return next((one for one in _WORST_FIRST if one in statuses), StreamConnectionStatus.IDLE)
