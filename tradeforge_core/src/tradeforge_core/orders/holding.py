"""What an account may hold of a contract, where it is not certain."""

from decimal import Decimal

from attrs import frozen

from tradeforge_core.enums import OrderSide


def signed(side: OrderSide, size: Decimal) -> Decimal:
    """Above zero for what is bought."""
    return size if side is OrderSide.BUY else -size


@frozen
class Holding:
    """From `low` to `high`, both signed."""

    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)

    @classmethod
    def of(cls, size: Decimal) -> "Holding":
        """That, for certain."""
        return cls(size, size)

    def plus(self, more: "Holding") -> "Holding":
        return Holding(self.low + more.low, self.high + more.high)

    def perhaps_plus(self, more: "Holding") -> "Holding":
        return self.beside(self.plus(more))

    def beside(self, other: "Holding") -> "Holding":
        """The one or the other, or anything between."""
        return Holding(min(self.low, other.low), max(self.high, other.high))

    def towards(self, side: OrderSide) -> Decimal:
        """The worst of it for an order of this side: a buy adds to what is long."""
        return self.high if side is OrderSide.BUY else self.low
