"""What a number or a time of the gateway must be: it is handed on, or `DecodeError` is raised."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tradeforge_core import DecodeError


class _Decimals(dict[str, Decimal]):
    """The decimals of the texts that came, each made and checked once: prices come again."""

    def __missing__(self, text: str) -> Decimal:
        try:
            number = _decimal(text, "number")
        except DecodeError:  # the decoder knows the path, and adds it to a `ValueError`
            raise ValueError("A number that no price or size can be") from None
        if len(self) >= _MOST_KEPT:
            self.clear()
        if len(text) <= _LONGEST_KEPT:
            self[text] = number
        return number


_MOST_KEPT = 10_000
_LONGEST_KEPT = 32
decimal_of = _Decimals().__getitem__
"""The decimal of the digits of a number, for a decoder. Raises `ValueError`."""


class _Wholes(dict[int, Decimal]):
    """The decimals of whole prices and sizes of a book: one that comes again knows its hash."""

    def __missing__(self, whole: int) -> Decimal:
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[whole] = number = Decimal(whole)
        return number


whole_of = _Wholes().__getitem__
"""The decimal of an `int`."""


def number_of(value: object, member: str) -> Decimal:
    """The decimal of what a decoder with `decimal_of` found where a number belongs.

    What is a decimal already, that decoder has made and checked.
    """
    if type(value) is Decimal:
        return value
    if type(value) is int and -LARGE < value < LARGE:
        return Decimal(value)
    if isinstance(value, str) or type(value) is int:
        return _decimal(value, member)
    raise DecodeError(f"{member} is no number but a {type(value).__name__}", path=f"$.{member}")


def _decimal(value: str | int, member: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise DecodeError(f"{member} is no number", path=f"$.{member}") from None
    return finite(number, member)


LARGE = 10**18
"""A whole number below it needs no look at its digits."""


def price_or_none(number: Decimal | None, member: str) -> Decimal | None:
    return None if number is None else finite(number, member)


def positive(number: Decimal, member: str) -> Decimal:
    if finite(number, member) <= 0:
        raise DecodeError(f"{member} must be above 0, not {number}", path=f"$.{member}")
    return number


def size_of(number: Decimal, member: str) -> Decimal:
    if finite(number, member).is_signed() and number:
        raise DecodeError(f"{member} must not be below 0: {number}", path=f"$.{member}")
    return number


def finite(number: Decimal, member: str) -> Decimal:
    if LEAST <= number.adjusted() <= MOST and number.is_finite():
        return number
    said = f"{member} is {number:.3E}, which no price or size can be"
    raise DecodeError(said, path=f"$.{member}")


LEAST, MOST = -40, 40
"""Where the first digit is; 1E+999999999 fills the memory of whoever writes it out."""


def utc_or_none(time: datetime | None) -> datetime | None:
    if time is None or time.tzinfo is UTC:
        return time
    return to_utc(time, "timestamp")


def to_utc(time: datetime, member: str) -> datetime:
    """The time in UTC. Raises `DecodeError` for one that does not say where it is from."""
    if time.tzinfo is None:
        raise DecodeError(f"{time} does not say its time zone", path=f"$.{member}")
    if time.tzinfo is UTC:
        return time
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise DecodeError(f"{time} is out of range", path=f"$.{member}") from None
