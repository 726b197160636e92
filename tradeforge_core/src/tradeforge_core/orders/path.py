"""From a request to the venue: once, and with an honest answer about what became of it.

Only documented proof counts. `NotSent` needs proof that no byte left, and a refusal needs the
venue's own documented words; whatever else happens after the hand-off is `OrderOutcomeUnknown`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from tradeforge_core.errors import (
    InvalidOrder,
    NotFound,
    NotSent,
    NotSupported,
    OrderOutcomeUnknown,
    OrderRejected,
    TradeForgeError,
    TransportError,
)
from tradeforge_core.kit.budget import Lane, reads_go
from tradeforge_core.kit.tasks import TaskOwner

T = TypeVar("T")

_log = logging.getLogger("tradeforge_core")

_PROOF = (OrderRejected, NotFound, NotSupported, NotSent)


async def before_sending(look_up: Awaitable[T], operation: str, lane: Lane = Lane.WRITE) -> T:
    """What must be known before a write, now or never: a write must not leave late.

    Raises `NotSent` when it cannot be known, and what says that the order itself is wrong.
    """
    try:
        with reads_go(lane):
            return await look_up
    except (NotFound, NotSent, NotSupported, InvalidOrder):
        raise
    except TradeForgeError as error:
        raise NotSent(f"{operation}: the check before it failed ({error})") from error


async def send_once(
    write: Coroutine[Any, Any, T],
    *,
    tasks: TaskOwner,
    operation: str,
    client_order_id: str | None = None,
    order_id: str | None = None,
) -> T:
    """The result of `write`, which runs once, in a task that outlives the caller's cancellation.

    Raises the documented refusals, `NotSent`, and `OrderOutcomeUnknown` for all else.
    """
    try:
        return await tasks.run(write, name=f"{operation} {client_order_id or order_id}")
    except asyncio.CancelledError:
        # the caller is free to go; what he asked for is on its way, and this is its name
        name = client_order_id or order_id
        _log.warning("%s %s goes on without its caller: look for it", operation, name)
        raise
    except _PROOF:
        raise
    except TransportError as error:
        if not error.sent:
            raise NotSent(
                f"{operation}: {error}; nothing was sent", client_order_id=client_order_id
            ) from error
        raise _unknown(operation, error, client_order_id, order_id) from error
    except Exception as error:  # even a bug: it may have struck after the bytes had left
        raise _unknown(operation, error, client_order_id, order_id) from error


def _unknown(
    operation: str, error: Exception, client_order_id: str | None, order_id: str | None
) -> OrderOutcomeUnknown:
    look = "find_order(account_id, client_order_id)" if client_order_id else "the open orders"
    reason = error if isinstance(error, TradeForgeError) else repr(error)
    return OrderOutcomeUnknown(
        f"{operation} was sent and its outcome is not known ({reason}): look with {look} before"
        f" you try again" + (f"; client_order_id={client_order_id}" if client_order_id else ""),
        operation=operation,
        client_order_id=client_order_id,
        order_id=order_id,
    )
