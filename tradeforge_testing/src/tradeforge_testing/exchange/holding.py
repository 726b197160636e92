"""What an account holds of one instrument, and what a fill realises."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from attrs import evolve

from tradeforge_core.enums import OrderSide
from tradeforge_testing.exchange.records import ExchangePosition, Fill, Instrument, Kind

_CENT_EXPONENT = -2
_COIN = Decimal("0.00000001")


class Holding:
    """A position that keeps its average as an exact fraction of ticks.

    Realised profit is money: it is rounded to the cent, and what a rounding leaves over is
    carried to the next one, so that a round trip adds up exactly.
    """

    def __init__(
        self,
        *,
        id: int,
        account_id: int,
        instrument: Instrument,
        hedge_side: OrderSide | None = None,
    ) -> None:
        self.size = 0
        self._hedge_side = hedge_side
        self._id = id
        self._account_id = account_id
        self._instrument = instrument
        self._average = Fraction()
        self._opened_at: datetime | None = None
        self._carried = Fraction()
        self._quantum = _quantum(instrument)

    def emptied(self) -> "Holding":
        """The same position, flat, before its first fill."""
        empty = Holding(
            id=self._id,
            account_id=self._account_id,
            instrument=self._instrument,
            hedge_side=self._hedge_side,
        )
        empty._average, empty._opened_at = self._average, self._opened_at
        return empty

    def book(self, fill: Fill) -> Fill:
        """Take in a fill that was made; the fill with what it realises here."""
        quantity = fill.size if fill.side is OrderSide.BUY else -fill.size
        ticks = self._instrument.to_ticks(fill.price)
        return evolve(fill, realized_pnl=self.apply(quantity, ticks, fill.time))

    def apply(self, quantity: int, ticks: int, now: datetime) -> Decimal | None:
        """Take in a signed fill; the realised profit before fees, None if it closes nothing."""
        closed = self._closed_by(quantity)
        realized = self._realize(closed, ticks) if closed else None
        opened = abs(quantity) - closed
        if opened:
            self._open(opened, abs(self.size) - closed, ticks, now)
        self.size += quantity
        return realized

    def _closed_by(self, quantity: int) -> int:
        """How many contracts of the position a fill closes."""
        if (quantity > 0) == (self.size > 0):
            return 0
        return min(abs(quantity), abs(self.size))

    def _open(self, opened: int, kept: int, ticks: int, now: datetime) -> None:
        if not kept:
            self._opened_at = now
        if self._is_inverse and kept:
            self._average = (kept + opened) / (kept / self._average + Fraction(opened, ticks))
        else:
            self._average = (self._average * kept + ticks * opened) / (kept + opened)

    def _realize(self, closed: int, ticks: int) -> Decimal:
        direction = 1 if self.size > 0 else -1
        exact = self._carried + self._gain_of_one(ticks) * closed * direction
        money = round(exact / Fraction(self._quantum)) * self._quantum
        self._carried = exact - Fraction(money)
        return money

    @property
    def _is_inverse(self) -> bool:
        return self._instrument.kind is Kind.INVERSE

    def _gain_of_one(self, ticks: int) -> Fraction:
        """What a lot that is long gains when it is sold there."""
        if not self._is_inverse:
            return (ticks - self._average) * Fraction(self._instrument.tick_value)
        coins = 1 / self._average - Fraction(1, ticks)
        return coins * Fraction(self._instrument.lot) / Fraction(self._instrument.tick_size)

    def position(self) -> ExchangePosition:
        assert self._opened_at is not None  # a holding is made for a fill
        return ExchangePosition(
            id=self._id,
            account_id=self._account_id,
            instrument_id=self._instrument.id,
            size=self.size,
            average_price=self._instrument.to_average(self._average),
            opened_at=self._opened_at,
            hedge_side=self._hedge_side,
        )


def _quantum(instrument: Instrument) -> Decimal:
    """The smallest amount of the money that profits are paid in."""
    if instrument.kind is Kind.INVERSE:
        return _COIN
    exponent = instrument.tick_value.as_tuple().exponent
    assert isinstance(exponent, int)  # an Instrument's tick value is finite
    return Decimal(1).scaleb(min(_CENT_EXPONENT, exponent))


def rebook(holding: Holding, fills: Iterable[Fill]) -> tuple[Holding, list[Fill]]:
    """What the fills of the instrument that are not voided come to, and each as it is then."""
    anew = holding.emptied()
    booked = [fill if fill.voided else anew.book(fill) for fill in fills]
    return anew, booked
