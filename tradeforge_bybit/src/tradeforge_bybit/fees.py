"""What trading costs at Bybit."""

from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class FeeRates:
    """Fractions of the value of a fill, for what rests and for what takes from the book.

    A rate below zero is received.
    """

    maker: Decimal
    taker: Decimal
