"""The positions of a provider, as its users look at them."""

from collections.abc import Iterator
from decimal import Decimal

from tradeforge_core.enums import OrderSide
from tradeforge_core.errors import NotFound
from tradeforge_core.models import Position
from tradeforge_core.state.position_store import PositionStore


class KnownPositions:
    """What the venue last said of each position; always as of now. Nothing here asks the venue."""

    def __init__(self, store: PositionStore) -> None:
        self._store = store

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open())

    def __iter__(self) -> Iterator[Position]:
        """The open ones, in the order in which they became known."""
        return iter(self._open())

    def get(
        self, account_id: str, contract_id: str, hedge_side: OrderSide | None = None
    ) -> Position:
        """The position, flat if that is what the venue said; `hedge_side` says which one of two.

        Raises `NotFound` where the venue has not said anything yet: that is not the same as flat.
        """
        position = self._store.find(account_id, contract_id, hedge_side)
        if position is None:
            raise NotFound(
                f"nothing is known of {contract_id!r} in account {account_id!r}: "
                "`get_positions` asks the venue"
            )
        return position

    def size(self, account_id: str, contract_id: str) -> Decimal:
        """Above zero when long, below when short, zero when flat. Raises `NotFound` as `get`.

        Where both are held at once it is what they come to together.
        """
        held = [one for one in self._open() if _place(one) == (account_id, contract_id)]
        if not held:
            return self.get(account_id, contract_id).size
        return sum((one.size for one in held), Decimal(0))

    def _open(self) -> list[Position]:
        return [one for one in self._store.all() if not one.is_flat]


def _place(position: Position) -> tuple[str, str]:
    return position.account_id, position.contract_id
