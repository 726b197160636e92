"""From the messages of the private socket to events of the one account that a key has."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tradeforge_bybit import _checks, _frames, _mapping, _orders, _wire
from tradeforge_bybit._frames import Frame
from tradeforge_bybit.config import CATEGORIES
from tradeforge_core import (
    Account,
    AccountUpdateEvent,
    DecodeError,
    Event,
    OrderUpdateEvent,
    PositionUpdateEvent,
    Topic,
    UserDataType,
    UserTradeEvent,
)


class AccountReader:
    """Reads the data of one connection. What is told twice, the core passes on once."""

    def __init__(self, account_id: str, to_account: Callable[[_wire.WalletRow], Account]) -> None:
        self._account_id = account_id
        self._to_account = to_account
        self._position_numbers: dict[tuple[str, str, int], int] = {}
        self._readers: Mapping[object, Callable[[Frame, datetime], Iterable[Event]]] = {
            UserDataType.ORDER_UPDATE: self._orders,
            UserDataType.USER_TRADE: self._fills,
            UserDataType.POSITION_UPDATE: self._positions,
            UserDataType.ACCOUNT_UPDATE: self._wallets,
        }

    def read(self, topic: Topic, frame: Frame, received: datetime) -> Iterable[Event]:
        """The events of a message. Raises `DecodeError`."""
        return self._readers[topic.kind](frame, received)

    def forget(self, channel: str) -> None:
        """Nothing: positions are numbered on, whatever was missed."""

    def _orders(self, frame: Frame, received: datetime) -> list[OrderUpdateEvent]:
        found: list[_wire.OrderRow] = _ours(_order_rows, frame)
        orders = [_orders.to_order(row, row.category, self._account_id) for row in found]
        return [
            OrderUpdateEvent(order=one, time=one.updated_at, received=received) for one in orders
        ]

    def _fills(self, frame: Frame, received: datetime) -> list[UserTradeEvent]:
        """Funding is an execution here, and changes nothing that is held."""
        found: list[_wire.ExecutionRow] = _ours(_fill_rows, frame)
        trades = [
            _mapping.to_trade(row, row.category, self._account_id)
            for row in found
            if row.execType in _mapping.DEALS
        ]
        return [UserTradeEvent(trade=one, time=one.time, received=received) for one in trades]

    def _positions(self, frame: Frame, received: datetime) -> list[PositionUpdateEvent]:
        """Pushed with every order, changed or not; what is older than the last is left out."""
        found: list[_wire.PositionRow] = _ours(_position_rows, frame)
        made = [(row, _mapping.to_position(row, row.category, self._account_id)) for row in found]
        return [
            PositionUpdateEvent(
                position=position,
                time=_checks.time_or_none(row.updatedTime, "updatedTime"),
                received=received,
            )
            for row, position in made
            if self._is_newest(row)
        ]

    def _is_newest(self, row: _wire.PositionRow) -> bool:
        key = (row.category, row.symbol, row.positionIdx)
        number = -1 if row.seq is None else row.seq
        if number < 0:  # never traded, or not told
            return True
        if number < self._position_numbers.get(key, number):
            return False
        self._position_numbers[key] = number
        return True

    def _wallets(self, frame: Frame, received: datetime) -> list[AccountUpdateEvent]:
        rows: list[_wire.WalletRow] = _frames.decode(_wallet_rows, frame)
        made = frame.creationTime
        time = None if made is None else _checks.time(made, "creationTime")
        return [
            AccountUpdateEvent(account=self._to_account(row), time=time, received=received)
            for row in rows
        ]


def _ours(rows: "msgspec.json.Decoder[Any]", frame: Frame) -> Any:
    """The rows of the products that there are here: the same account may hold options."""
    found = _frames.decode(rows, frame)
    if any(not one.category for one in found):
        raise DecodeError(f"a message of {frame.topic} names no category", path="$.data[]")
    return [one for one in found if one.category in CATEGORIES]


_order_rows = _frames.decoder(list[_wire.OrderRow])
_fill_rows = _frames.decoder(list[_wire.ExecutionRow])
_position_rows = _frames.decoder(list[_wire.PositionRow])
_wallet_rows = _frames.decoder(list[_wire.WalletRow])
