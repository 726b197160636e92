"""The name of an order, made before it is sent, unique for ever."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tradeforge_core.enums import OrderStatus
from tradeforge_core.kit.chance import random_bits
from tradeforge_core.models import Order

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX = "tf1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_client_order_id(now: datetime) -> str:
    """29 letters and digits: `tf`, a version, 48 bits of time in ms and 80 random bits.

    Never a counter: it must be unique across restarts and across processes, and a venue may
    remember an id for ever. The length leaves room for suffixes such as `-SL`.
    """
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1) & (1 << 48) - 1
    return _PREFIX + _base32(milliseconds << 80 | random_bits(80))


def _base32(number: int) -> str:
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def made_at(client_order_id: str) -> datetime | None:
    """When an id of ours was made, to the millisecond; None for an id of another maker."""
    digits = client_order_id.removeprefix(_PREFIX)
    if len(digits) != 26 or digits == client_order_id or set(digits) - set(_CROCKFORD):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | _CROCKFORD.index(digit)
    try:
        return _EPOCH + timedelta(milliseconds=number >> 80)
    except OverflowError:  # no time that a calendar has
        return None


def of_name(orders: Iterable[Order], account_id: str, client_order_id: str) -> list[Order]:
    """The orders that have the name: one, or none. A venue may file a refused one beside it."""
    name = account_id, client_order_id
    ours = [one for one in orders if (one.account_id, one.client_order_id) == name]
    return [one for one in ours if one.status is not OrderStatus.REJECTED] or ours[:1]
