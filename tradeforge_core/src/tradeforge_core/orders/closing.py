"""What was held before a position was closed: a close leaves nothing else to be recognised by."""

from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class Closing:
    """Of `held`, `size` is to go; None is all of it, and an amount that is not known."""

    held: Decimal | None
    size: Decimal | None

    @property
    def target(self) -> Decimal | None:
        """What is to be left."""
        if self.size is None:
            return Decimal(0)
        return None if self.held is None else self.held - self.size.copy_sign(self.held)
