"""The positions of one provider: the latest word of the venue on each contract."""

from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from attrs import frozen

from tradeforge_core.enums import OrderSide
from tradeforge_core.models import Position
from tradeforge_core.state.changes import Changes, Key, key_of
from tradeforge_core.state.digest import canonical


class Source(IntEnum):
    """Where a position comes from; of two that were true at the same time the greater holds."""

    LIST = 0
    """A complete list, true as of when it was asked for."""
    NEWS = 1
    """A message about this position alone, true as of when it was received."""


@frozen
class _Entry:
    position: Position
    as_of: datetime
    source: Source


class PositionStore:
    """Positions cannot be joined: what was true last holds, whenever it arrives.

    A contract that is missing from a complete list is flat as of then, so what is older than the
    account's latest list is forgotten.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._listed_at: dict[str, datetime] = {}
        self._heard_at: dict[Key, datetime] = {}

    def heard_at(self, key: Key) -> datetime | None:
        """When the latest message about this position alone came."""
        return self._heard_at.get(key)

    def find(
        self, account_id: str, contract_id: str, hedge_side: OrderSide | None = None
    ) -> Position | None:
        """Flat where a list of the account did not have it, None where nothing is known."""
        entry = self._entries.get((account_id, contract_id, hedge_side))
        if entry is not None:
            return entry.position
        return _flat(account_id, contract_id, hedge_side) if account_id in self._listed_at else None

    def all(self) -> list[Position]:
        return [entry.position for entry in self._entries.values()]

    def add(self, position: Position, as_of: datetime, source: Source) -> Changes:
        key = key_of(position)
        before = self.find(*key)
        if source is Source.NEWS:
            self._heard_at[key] = max(as_of, self._heard_at.get(key, as_of))
        self._add(key, _Entry(position, as_of, source))
        return Changes(positions=self._changed({key: before}))

    def add_list(self, account_id: str, positions: list[Position], as_of: datetime) -> Changes:
        """Take in all open positions of the account, as they were then."""
        rows = {key_of(one): _Entry(one, as_of, Source.LIST) for one in positions}
        known = {key for key in self._entries if key[0] == account_id}
        before = {key: self.find(*key) for key in sorted(known | set(rows), key=str)}
        self._flatten(account_id, as_of)
        for key, row in rows.items():
            self._add(key, row)
        return Changes(positions=self._changed(before))

    def _flatten(self, account_id: str, as_of: datetime) -> None:
        listed_at = max(as_of, self._listed_at.get(account_id, as_of))
        self._listed_at[account_id] = listed_at
        for key, entry in list(self._entries.items()):
            if key[0] == account_id and entry.as_of < listed_at:
                del self._entries[key]

    def _add(self, key: Key, entry: _Entry) -> None:
        listed_at = self._listed_at.get(key[0])
        if listed_at is not None and entry.as_of < listed_at:
            return
        old = self._entries.get(key)
        if old is None or _time(entry) > _time(old):
            self._entries[key] = entry

    def _changed(self, before: dict[Key, Position | None]) -> tuple[Position, ...]:
        now = {key: self.find(*key) for key in before}
        return tuple(one for key, one in now.items() if one is not None and one != before[key])


def _flat(account_id: str, contract_id: str, hedge_side: OrderSide | None) -> Position:
    return Position(
        account_id=account_id, contract_id=contract_id, hedge_side=hedge_side, size=Decimal(0)
    )


def _time(entry: _Entry) -> tuple[datetime, Source, bool, str]:
    position = entry.position
    return (entry.as_of, entry.source, not position.is_flat, canonical(position))
