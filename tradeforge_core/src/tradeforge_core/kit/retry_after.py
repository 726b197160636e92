"""The header `Retry-After`, which may hold anything."""

from email.utils import parsedate_to_datetime

from tradeforge_core.kit.clock import current_clock

_MOST_DIGITS = 9
"""More would be longer than anybody waits."""


def seconds_of(header: str | None) -> float | None:
    """The wait that it asks for, in seconds or as a date; nonsense counts as none."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:_MOST_DIGITS])
    try:
        return max((parsedate_to_datetime(header) - current_clock().now()).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
