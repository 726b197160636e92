"""What a request says, member by member: the venue is strict about the type of each."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tradeforge_bybit.sandbox.answers import Failure, parameter_error
from tradeforge_bybit.sandbox.instruments import Listing
from tradeforge_bybit.sandbox.venue import Venue

Said = Mapping[str, Any]

_DIGITS = 20
_LAST_MOMENT = 253_402_214_400_000
"""The last day that a calendar has, in milliseconds."""
CATEGORIES = ("linear", "inverse", "spot")
_ASKED_FOR = (*CATEGORIES, "option")
"""Options can be asked for, as some clients do at once; none is listed."""


def category(said: Said, default: str | None = None) -> str:
    given = said.get("category", default)
    if given not in _ASKED_FOR:
        raise Failure(10001, "params error: Category is invalid")
    return str(given)


def listing(venue: Venue, said: Said, default: str | None = None) -> Listing:
    """The one that the request is about."""
    of = category(said, default)
    found = venue.listing(of, word(said, "symbol"))
    if found is not None:
        return found
    if of == "spot":
        raise Failure(170121, "Invalid symbol.")
    raise Failure(10001, "params error: symbol invalid")


def word(said: Said, name: str) -> str:
    """Raises `Failure` if it is missing or empty."""
    given = said.get(name)
    if not isinstance(given, str) or not given:
        raise Failure(10001, f"params error: {name} is required")
    return given


def maybe_word(said: Said, name: str) -> str:
    """Empty if it is not said."""
    given = said.get(name)
    if given is None:
        return ""
    if not isinstance(given, str):
        raise parameter_error(f"{name} must be a string")
    return given


def one_of(said: Said, name: str, words: tuple[str, ...], default: str) -> str:
    given = maybe_word(said, name) or default
    if given not in words:
        raise parameter_error(f"{name} invalid")
    return given


def amount(said: Said, name: str) -> Decimal | None:
    """None if it is not said. Numbers come as texts, as the venue wants them."""
    given = maybe_word(said, name)
    if not given:
        return None
    try:
        number = Decimal(given)
    except InvalidOperation:
        raise parameter_error(f"{name} invalid") from None
    if not number.is_finite() or number < 0 or abs(number.adjusted()) > _DIGITS:
        raise parameter_error(f"{name} invalid")
    return number


def price(said: Said, name: str) -> Decimal | None:
    """None also for "0", which is no price."""
    return amount(said, name) or None


def flag(said: Said, name: str) -> bool:
    given = said.get(name, False)
    if given is None:
        return False
    if not isinstance(given, bool):
        raise parameter_error(f"{name} must be a boolean")
    return given


def whole(said: Said, name: str, default: int, most: int, least: int = 0) -> int:
    """A number of a query comes as text, one of a body as a number; clients mix them up."""
    given = said.get(name)
    if given is None or given == "":
        return default
    text = str(given)
    digits = text.removeprefix("-")
    if isinstance(given, bool) or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise parameter_error(f"{name} invalid")
    number = int(text)
    if not least <= number <= most:
        raise parameter_error(f"{name} invalid")
    return number


def moment(said: Said, name: str) -> int | None:
    """Milliseconds, None if it is not said."""
    number = whole(said, name, -1, _LAST_MOMENT)
    return None if number < 0 else number
