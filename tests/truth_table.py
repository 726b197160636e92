"""What the truth tables of all providers share: requests that go wrong, and what is said then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from tradeforge_core import (
    LookUps,
    NotFound,
    NotSent,
    OrderOutcome,
    OrderOutcomeUnknown,
    OrderRejected,
    TradeForgeError,
    hookimpl,
)
from tradeforge_core.outcomes import Accepted, Rejected, Unknown
from tradeforge_core.outcomes import NotSent as NotSentOutcome

R = TypeVar("R")

SHORT = LookUps(pauses=(0.02, 0.05, 0.1, 0.2), deadline=0.8, settle=0.2, slow=0.1)
_AT_ONCE = 16
"""Rows that are tried side by side."""

_ERRORS: dict[type, tuple[type[Exception], ...]] = {
    Accepted: (),
    Rejected: (OrderRejected, NotFound),
    NotSentOutcome: (NotSent,),
    Unknown: (OrderOutcomeUnknown,),
}


class Outcomes(list[OrderOutcome]):
    """Every outcome that an add-on is told."""

    @hookimpl
    def tradeforge_order_outcome(self, outcome: OrderOutcome) -> None:
        self.append(outcome)


async def error_of(call: Awaitable[object]) -> TradeForgeError | None:
    """What the caller is told."""
    try:
        await call
    except TradeForgeError as error:
        return error
    return None


def check_told(outcome: OrderOutcome, error: TradeForgeError | None) -> None:
    """The caller is told what the event says."""
    wanted = _ERRORS[type(outcome)]
    fits = isinstance(error, wanted) if wanted else error is None
    assert fits, f"{outcome} and {error!r}"


async def failures(
    rows: Iterable[R], attempt: Callable[[R], Awaitable[None]], name: Callable[[R], str]
) -> list[str]:
    """What is wrong with the rows, a line for each; all of them are tried, some at a time."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def tried(row: R) -> str | None:
        async with room:
            try:
                await attempt(row)
            except Exception as error:  # noqa: BLE001  # the table is told as a whole
                told = str(error).partition("\n")[0] or repr(error)
                return f"{name(row)}: {type(error).__name__} {told}"
        return None

    return [one for one in await asyncio.gather(*map(tried, rows)) if one is not None]
