"""How the parts of a contract's id hang together: `linear:BTCUSDT` is BTCUSDT among the linear."""

from attrs import frozen

from tradeforge_bybit.config import CATEGORIES
from tradeforge_core import NotFound


@frozen
class Place:
    """Where an order or a position is: nearly every request has to say it."""

    category: str
    symbol: str

    @property
    def contract_id(self) -> str:
        return f"{self.category}:{self.symbol}"

    @classmethod
    def of(cls, contract_id: str) -> "Place":
        """Raises `NotFound` for what can be no id of a contract here."""
        category, _, symbol = contract_id.partition(":")
        if category not in CATEGORIES or not symbol.isascii() or not symbol.isprintable():
            raise NotFound(_NO_ID.format(contract_id))
        if not symbol or symbol != symbol.strip().upper():
            raise NotFound(_NO_ID.format(contract_id))
        return cls(category, symbol)


_NO_ID = "there is no contract {!r}: an id here is like linear:BTCUSDT"
