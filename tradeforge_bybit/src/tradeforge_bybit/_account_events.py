"""From the messages of the private socket to events of the one account that a key has."""

from collections.abc import Callable, Iterator, Mapping
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

_Make = Callable[[Any, Frame, datetime], Event | None]
"""The event of a row; None where it is no news here."""


class AccountReader:
    """Reads the data of one connection. What is told twice, the core passes on once."""

    def __init__(self, account_id: str, to_account: Callable[[_wire.WalletRow], Account]) -> None:
        self._account_id = account_id
        self._to_account = to_account
        self._position_numbers: dict[tuple[str, str, int], int] = {}
        self._readers: Mapping[object, tuple[msgspec.json.Decoder[Any], _Make]] = {
            UserDataType.ORDER_UPDATE: (_order_row, self._order),
            UserDataType.USER_TRADE: (_fill_row, self._fill),
            UserDataType.POSITION_UPDATE: (_position_row, self._position),
            UserDataType.ACCOUNT_UPDATE: (_wallet_row, self._wallet),
        }

    def read(self, topic: Topic, frame: Frame, received: datetime) -> Iterator[Event]:
        """The events of a message.

        Raises `DecodeError` after all of them, where there was a row that was not understood.
        """
        row, make = self._readers[topic.kind]
        errors = []
        for raw in _frames.decode(_raw_rows, frame):
            try:
                event = make(_frames.decode_row(row, raw, frame), frame, received)
            except DecodeError as error:
                errors.append(error)
            else:
                if event is not None:
                    yield event
        if errors:
            raise errors[0]

    def forget(self, channel: str) -> None:
        """Nothing: positions are numbered on, whatever was missed."""

    def _order(
        self, row: _wire.OrderRow, frame: Frame, received: datetime
    ) -> OrderUpdateEvent | None:
        if not _is_ours(row.category, frame):
            return None
        order = _orders.to_order(row, row.category, self._account_id)
        return OrderUpdateEvent(order=order, time=order.updated_at, received=received)

    def _fill(
        self, row: _wire.ExecutionRow, frame: Frame, received: datetime
    ) -> UserTradeEvent | None:
        """Funding is an execution here, and changes nothing that is held."""
        if not _is_ours(row.category, frame) or row.execType not in _mapping.DEALS:
            return None
        trade = _mapping.to_trade(row, row.category, self._account_id)
        return UserTradeEvent(trade=trade, time=trade.time, received=received)

    def _position(
        self, row: _wire.PositionRow, frame: Frame, received: datetime
    ) -> PositionUpdateEvent | None:
        """Pushed with every order, changed or not; what is older than the last is left out."""
        if not _is_ours(row.category, frame):
            return None
        position = _mapping.to_position(row, row.category, self._account_id)
        time = _checks.time_or_none(row.updatedTime, "updatedTime")
        if not self._is_newest(row):
            return None
        return PositionUpdateEvent(position=position, time=time, received=received)

    def _is_newest(self, row: _wire.PositionRow) -> bool:
        key = (row.category, row.symbol, row.positionIdx)
        number = -1 if row.seq is None else row.seq
        if number < 0:  # never traded, or not told
            return True
        if number < self._position_numbers.get(key, number):
            return False
        self._position_numbers[key] = number
        return True

    def _wallet(
        self, row: _wire.WalletRow, frame: Frame, received: datetime
    ) -> AccountUpdateEvent | None:
        """An older kind of unified account has its inverse contracts in a wallet of their own."""
        if row.accountType not in ("", "UNIFIED"):
            return None
        made = frame.creationTime
        time = None if made is None else _checks.time(made, "creationTime")
        return AccountUpdateEvent(account=self._to_account(row), time=time, received=received)


def _is_ours(category: str, frame: Frame) -> bool:
    """Whether there are such products here: the same account may hold options."""
    if not category:
        raise DecodeError(f"a message of {frame.topic} names no category", path="$.data[]")
    return category in CATEGORIES


_raw_rows = _frames.decoder(list[msgspec.Raw])
_order_row = _frames.decoder(_wire.OrderRow)
_fill_row = _frames.decoder(_wire.ExecutionRow)
_position_row = _frames.decoder(_wire.PositionRow)
_wallet_row = _frames.decoder(_wire.WalletRow)
