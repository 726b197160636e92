"""One page of a list, and the cursor of the next one."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from tradeforge_bybit.sandbox.answers import parameter_error

R = TypeVar("R")

_LAST = re.compile(r"-?[0-9]{1,18},(-?[0-9]{1,18})")


def page(
    records: Sequence[R],
    limit: int,
    cursor: str,
    place: Callable[[R], int],
    *,
    tells_end: bool = False,
) -> tuple[Sequence[R], str]:
    """Those after the one of the cursor, though that is gone, and the cursor of the next page.

    The last page has a cursor too, of an empty page whose cursor is empty, unless the list is one
    that `tells_end`. `place` grows along the records. A cursor is percent-encoded text; clients
    that encode it once more are understood as well.
    """
    left = _after(records, cursor, place) if cursor else records
    shown = left[:limit]
    if not shown or (tells_end and limit >= len(left)):
        return shown, ""
    return shown, quote(f"{place(shown[0])},{place(shown[-1])}", safe="")


def _after(records: Sequence[R], cursor: str, place: Callable[[R], int]) -> Sequence[R]:
    found = _LAST.fullmatch(unquote(cursor))
    if found is None:
        raise parameter_error("cursor invalid")
    return [one for one in records if place(one) > int(found[1])]
