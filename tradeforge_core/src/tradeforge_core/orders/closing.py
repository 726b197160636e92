"""What was held before a position was closed: a close leaves nothing else to be recognised by."""

from decimal import Decimal

from attrs import frozen

from tradeforge_core.enums import OrderSide


@frozen(kw_only=True)
class Closing:
    """Of `held`, `size` is to go; None is all of it, and an amount that is not known.

    `hedge_side` says of which position, where a contract can have two at once.
    """

    held: Decimal | None
    size: Decimal | None
    hedge_side: OrderSide | None = None

    @property
    def target(self) -> Decimal | None:
        """What is to be left: of more than is held there goes what is held."""
        if self.size is None:
            return Decimal(0)
        if self.held is None:
            return None
        return self.held - min(self.size, abs(self.held)).copy_sign(self.held)
