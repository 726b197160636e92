"""What each fill has closed of a position, and which fees belong to that."""

from datetime import datetime
from decimal import Decimal

from attrs import define, frozen

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange import Fill

_NOTHING = Decimal(0)


@frozen
class Closing:
    """`opening_fees` is the part of the fees of its opening that what was closed has borne."""

    lots: int = 0
    opening_fees: Decimal = _NOTHING
    closing_fees: Decimal = _NOTHING


@define
class Holding:
    """What the fills of one position come to, with their fees taken off the gains."""

    lots: int = 0
    fees: Decimal = _NOTHING
    """Of its opening, as far as it is still open."""
    gained: Decimal = _NOTHING
    gained_since_open: Decimal = _NOTHING
    """By what is held now, or was held last."""
    first_time: datetime | None = None
    last_time: datetime | None = None


class Closings:
    """Follows the fills of contracts, in their order; a fill can close, open, or do both."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, OrderSide | None], Holding] = {}
        self._of: dict[int, Closing] = {}

    def of(self, fill: Fill) -> Closing:
        return self._of.get(fill.id, Closing())

    def holding(self, instrument_id: str, leg: OrderSide | None) -> Holding:
        return self._held.get((instrument_id, leg), Holding())

    def gained(self, instrument_id: str) -> Decimal:
        """By all positions in the contract, whichever side they were for."""
        held = [one for (of, _), one in self._held.items() if of == instrument_id]
        return sum((one.gained for one in held), _NOTHING)

    def add(self, fill: Fill) -> None:
        held = self._held.setdefault((fill.instrument_id, fill.hedge_side), Holding())
        signed = fill.size if fill.side is OrderSide.BUY else -fill.size
        closed = min(fill.size, abs(held.lots)) if signed * held.lots < 0 else 0
        opening = fill.fees * (fill.size - closed) / fill.size
        _gain(held, fill, opening, is_new=abs(held.lots) == closed < fill.size)
        if closed:
            self._of[fill.id] = self._close(held, fill, closed)
        held.fees += opening
        held.lots += signed

    def _close(self, held: Holding, fill: Fill, closed: int) -> Closing:
        share = held.fees * closed / abs(held.lots)
        held.fees -= share
        return Closing(closed, share, fill.fees * closed / fill.size)


def _gain(held: Holding, fill: Fill, opening: Decimal, *, is_new: bool) -> None:
    """A position that this fill opens begins with the fee of that."""
    gained = (fill.realized_pnl or _NOTHING) - fill.fees
    held.gained += gained
    held.gained_since_open = -opening if is_new else held.gained_since_open + gained
    held.first_time = held.first_time or fill.time
    held.last_time = fill.time
