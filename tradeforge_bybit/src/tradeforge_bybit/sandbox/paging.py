"""One page of a list, and the cursor of the next one."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from tradeforge_bybit.sandbox.answers import parameter_error

R = TypeVar("R")

_LAST = re.compile(r"-?[0-9]{1,18},(-?[0-9]{1,18})")


def page(
    records: Sequence[R], limit: int, cursor: str, place: Callable[[R], int]
) -> tuple[Sequence[R], str]:
    """Those after the one of the cursor, though that is gone; the new cursor is empty at the end.

    `place` grows along the records. A cursor is percent-encoded text; clients that encode it once
    more are understood as well.
    """
    left = _after(records, cursor, place) if cursor else records
    shown = left[:limit]
    is_last = limit >= len(left)
    return shown, "" if is_last else quote(f"{place(shown[0])},{place(shown[-1])}", safe="")


def _after(records: Sequence[R], cursor: str, place: Callable[[R], int]) -> Sequence[R]:
    found = _LAST.fullmatch(unquote(cursor))
    if found is None:
        raise parameter_error("cursor invalid")
    return [one for one in records if place(one) > int(found[1])]
