"""One page of a list, and the cursor of the next one."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from tradeforge_bybit.sandbox.answers import parameter_error

R = TypeVar("R")


def page(
    records: Sequence[R], limit: int, cursor: str, key: Callable[[R], str]
) -> tuple[Sequence[R], str]:
    """Those after the one of the cursor; the new cursor is empty at the end.

    A cursor is percent-encoded text; clients that encode it once more are understood as well.
    """
    start = 0
    if cursor:
        last = unquote(cursor).partition(",")[2]
        known = [key(one) for one in records]
        if last not in known:
            raise parameter_error("cursor invalid")
        start = known.index(last) + 1
    shown = records[start : start + limit]
    is_last = start + limit >= len(records)
    return shown, "" if is_last else quote(f"{key(shown[0])},{key(shown[-1])}", safe="")
