"""What a text of the venue must be to be a number or a time: else `DecodeError` is raised."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tradeforge_core import DecodeError
from tradeforge_core.models import exact

NOTHING = ("", None)
"""How the venue says that there is no value."""


def number(text: str | None, member: str) -> Decimal:
    """The decimal with all its digits."""
    try:
        if not isinstance(text, str) or not text.isascii() or "_" in text or text != text.strip():
            raise ValueError
        return exact(text)
    except ValueError:
        said = f"{member} is no number that a price or a size can be"
        raise DecodeError(said, path=f"$.{member}") from None


def number_or_none(text: str | None, member: str) -> Decimal | None:
    """None for nothing."""
    return None if text in NOTHING else number(text, member)


def price_or_none(text: str | None, member: str) -> Decimal | None:
    """None for nothing, and for the 0 that the venue writes where there is no price."""
    return number_or_none(text, member) or None


def size(text: str | None, member: str) -> Decimal:
    """0 or more; nothing is 0."""
    found = number_or_none(text, member) or Decimal(0)
    if found < 0:
        raise DecodeError(f"{member} must not be below 0: {found}", path=f"$.{member}")
    return found


def positive(text: str | None, member: str) -> Decimal:
    found = number(text, member)
    if found <= 0:
        raise DecodeError(f"{member} must be above 0, not {found}", path=f"$.{member}")
    return found


def positive_or_none(text: str | None, member: str) -> Decimal | None:
    """None for nothing and for 0, which both mean that there is no such limit."""
    found = price_or_none(text, member)
    return None if found is None else positive(text, member)


def time(milliseconds: str | int, member: str) -> datetime:
    """The UTC time, to the millisecond."""
    try:
        if isinstance(milliseconds, str) and not milliseconds.isdecimal():
            raise ValueError
        return _EPOCH + timedelta(milliseconds=int(milliseconds))
    except (ValueError, OverflowError):
        raise DecodeError(f"{member} is no time", path=f"$.{member}") from None


def time_or_none(milliseconds: str | None, member: str) -> datetime | None:
    """None for nothing, and for 0."""
    return None if milliseconds in (*NOTHING, "0") else time(milliseconds or "", member)


def to_milliseconds(time: datetime) -> int:
    """Since 1970; what is less than one is cut off."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
