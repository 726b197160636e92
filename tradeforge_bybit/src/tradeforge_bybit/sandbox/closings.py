"""What each fill has closed of a position, and which fees belong to that."""

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
class _Held:
    lots: int = 0
    fees: Decimal = _NOTHING


class Closings:
    """Follows the fills of contracts, in their order; a fill can close, open, or do both."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, OrderSide | None], _Held] = {}
        self._of: dict[int, Closing] = {}

    def of(self, fill: Fill) -> Closing:
        return self._of.get(fill.id, Closing())

    def add(self, fill: Fill) -> None:
        held = self._held.setdefault((fill.instrument_id, fill.hedge_side), _Held())
        signed = fill.size if fill.side is OrderSide.BUY else -fill.size
        closed = min(fill.size, abs(held.lots)) if signed * held.lots < 0 else 0
        if closed:
            self._of[fill.id] = self._close(held, fill, closed)
        held.fees += fill.fees * (fill.size - closed) / fill.size
        held.lots += signed

    def _close(self, held: _Held, fill: Fill, closed: int) -> Closing:
        share = held.fees * closed / abs(held.lots)
        held.fees -= share
        return Closing(closed, share, fill.fees * closed / fill.size)
