"""Orders that come faster than ten in a second: each waits a moment for its turn, or is not sent.

The venue's window is a second, so a burst of orders has room soon; what would have to wait longer
is `NotSent`, since an order must not leave at a price that is gone.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tradeforge_core import NotSent
from tradeforge_core.kit.clock import Clock

T = TypeVar("T")

LONGEST = 3.0
_PAUSE = 0.05


async def paced(
    write: Callable[[], Awaitable[T]], clock: Clock, *, may_leave: Callable[[], None]
) -> T:
    """What the write gives. It is tried again only after proof that nothing of it has left.

    `may_leave` is called after every wait, and raises where it may leave no more.
    """
    until = clock.monotonic() + LONGEST
    while True:
        try:
            return await write()
        except NotSent:
            if clock.monotonic() + _PAUSE > until:
                raise
        await clock.sleep(_PAUSE)
        may_leave()
