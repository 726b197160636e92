"""The whole state in values that JSON has."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import AttrsInstance, asdict, frozen

from tradeforge_testing.exchange.blotter import Blotter
from tradeforge_testing.exchange.floor import Floor
from tradeforge_testing.exchange.ledger import Ledger
from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.records import ExchangeAccount


@frozen
class Books:
    """What a snapshot is taken of."""

    floor: Floor
    ledger: Ledger
    blotter: Blotter

    def snapshot(self, now: datetime) -> dict[str, object]:
        return {
            "time": now.isoformat(),
            "market_open": self.floor.is_session_open,
            "instruments": [self._instrument(each) for each in self.floor.markets()],
            "accounts": [self._account(each) for each in self.ledger.accounts()],
        }

    def _instrument(self, market: Market) -> dict[str, object]:
        bids, asks = market.depth()
        return {
            **_plain(market.instrument),
            "halted": self.floor.is_halted(market.instrument.id),
            "quote": _plain(market.quote),
            "bids": [_plain(each) for each in bids],
            "asks": [_plain(each) for each in asks],
        }

    def _account(self, account: ExchangeAccount) -> dict[str, object]:
        return {
            **_plain(account),
            "positions": [_plain(each) for each in self.ledger.positions(account.id)],
            "orders": [_plain(each) for each in self.blotter.orders(account.id)],
            "fills": [_plain(each) for each in self.ledger.fills(account.id)],
        }


def _plain(record: AttrsInstance) -> dict[str, Any]:
    return asdict(record, value_serializer=lambda _, __, value: _plain_value(value))


def _plain_value(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
