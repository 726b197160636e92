"""A close in pieces, where the position is larger than one market order may be."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from tradeforge_core import NotSent, OrderRejected, TradeForgeError, TransportError

Send = Callable[[Decimal], Awaitable[None]]
"""Sells or buys so much, and returns once that has filled."""
Largest = Callable[[], Awaitable[Decimal | None]]
"""Asks how large a market order may be; None where nobody says."""
_TOO_LARGE = "exceeds maximum limit allowed"


async def close_all_of(size: Decimal, send: Send, largest: Largest) -> None:
    """At once if the venue takes that, else piece by piece.

    Raises what `send` raises, and `OrderRejected` where some pieces have gone and one did not: what
    has gone must not seem to be there.
    """
    try:
        return await send(size)
    except OrderRejected as refusal:
        if _TOO_LARGE not in str(refusal):
            raise
        piece = await _known(largest)
        if piece is None or piece >= size:
            raise
    await send(piece)
    left = size - piece
    while left > 0:
        try:
            await send(min(piece, left))
        except (NotSent, OrderRejected, TransportError) as error:
            if isinstance(error, TransportError) and error.sent:
                raise
            said = f"{size - left:f} of {size:f} are closed, and the next piece is not: {error}"
            raise OrderRejected(said) from error
        left -= piece


async def _known(largest: Largest) -> Decimal | None:
    """None where that cannot be read: the refusal is what counts then."""
    try:
        return await largest()
    except TradeForgeError:
        return None
