"""From the messages of the hubs to events: what each target means, and what must be remembered."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tradeforge_core import (
    AccountUpdateEvent,
    DecodeError,
    DepthEvent,
    Event,
    MarketDataType,
    MarketTradeEvent,
    OrderUpdateEvent,
    PositionUpdateEvent,
    QuoteEvent,
    Topic,
    Trade,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_topstepx import _mapping, _wire
from tradeforge_topstepx._checks import decimal_of
from tradeforge_topstepx._endpoints import decode_error

KINDS: Mapping[str, MarketDataType | UserDataType] = {
    "GatewayQuote": MarketDataType.QUOTE,
    "GatewayDepth": MarketDataType.DEPTH,
    "GatewayTrade": MarketDataType.TRADE,
    "GatewayUserAccount": UserDataType.ACCOUNT_UPDATE,
    "GatewayUserOrder": UserDataType.ORDER_UPDATE,
    "GatewayUserPosition": UserDataType.POSITION_UPDATE,
    "GatewayUserTrade": UserDataType.USER_TRADE,
}
"""What each message of the hubs carries, by its target."""

_Keyed = tuple[str, Event]
"""A contract id or an account id, and an event for it."""


class Memory:
    """What outlives a connection: the newest prices, and which fills were told already.

    The gateway sends the opening fill again with the closing one, and anything may come twice
    around a reconnection.
    """

    def __init__(self) -> None:
        self.quotes: dict[str, QuoteEvent] = {}
        self._fills: dict[tuple[str, bool], None] = {}

    def is_new(self, trade: Trade) -> bool:
        """Whether this fill, or that it was voided, has not been told yet."""
        key = (trade.id, trade.voided)
        if key in self._fills:
            return False
        self._fills[key] = None
        if len(self._fills) > _MOST_FILLS:
            del self._fills[next(iter(self._fills))]
        return True


_MOST_FILLS = 100_000
"""Fills are repeated within a position's life; this many are days of trading."""


class EventReader:
    """Reads the messages of one connection. Quotes and depth are changes: it knows what was."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory()
        self._quotes: dict[str, QuoteEvent] = {}
        self._has_depth: set[str] = set()
        self._takers: dict[type, tuple[Callable[..., Sequence[Event]], _Topics]] = {
            _wire.QuoteMessage: (self._quotes_in, _Topics(MarketDataType.QUOTE)),
            _wire.DepthMessage: (self._depth_in, _Topics(MarketDataType.DEPTH)),
            _wire.MarketTradeMessage: (_market_trades_in, _Topics(MarketDataType.TRADE)),
        }
        self._readers: dict[str, Callable[[msgspec.Raw, datetime], Iterable[_Keyed]]] = {
            "GatewayQuote": self._read_quote,
            "GatewayDepth": self._read_depth,
            "GatewayTrade": _read_market_trades,
            "GatewayUserAccount": _read_account,
            "GatewayUserOrder": _read_order,
            "GatewayUserPosition": _read_position,
            "GatewayUserTrade": self._read_trade,
        }

    def take(self, record: bytes, received: datetime) -> tuple[Topic, Sequence[Event]] | None:
        """The events of a whole record of the market hub, read in one pass.

        None for whatever is unusual in it: `read` knows what to make of that.
        """
        try:
            message = _market_decoder.decode(record)
            if message.type != _INVOCATION:
                return None
            contract_id, data = message.arguments
            events_in, topics = self._takers[type(message)]
            return topics[contract_id], events_in(contract_id, data, received)
        except (*_wire.UNREADABLE, DecodeError):
            return None

    def read(
        self, target: str, arguments: msgspec.Raw, received: datetime
    ) -> Iterator[tuple[Topic, Event]]:
        """The events of a message, each with its topic. Raises `DecodeError`."""
        kind = KINDS[target]
        try:
            for key, event in self._readers[target](arguments, received):
                yield Topic(kind, key), event
        except _wire.UNREADABLE as error:
            raise decode_error(target, error) from None

    def forget(self, topic: Topic) -> None:
        """A subscription begins: what was known before it may be old."""
        if topic.kind is MarketDataType.QUOTE:
            self._quotes.pop(topic.key, None)
        elif topic.kind is MarketDataType.DEPTH:
            self._has_depth.discard(topic.key)

    def _read_quote(self, arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
        contract_id, row = _quote_decoder.decode(arguments)
        for quote in self._quotes_in(contract_id, row, received):
            yield contract_id, quote

    def _read_depth(self, arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
        contract_id, rows = _depth_decoder.decode(arguments)
        for depth in self._depth_in(contract_id, rows, received):
            yield contract_id, depth

    def _quotes_in(
        self, contract_id: str, row: _wire.QuoteRow, received: datetime
    ) -> tuple[QuoteEvent]:
        quote = _mapping.to_quote(contract_id, row, self._quotes.get(contract_id), received)
        self._quotes[contract_id] = self._memory.quotes[contract_id] = quote
        return (quote,)

    def _depth_in(
        self, contract_id: str, rows: _wire.DepthRows, received: datetime
    ) -> tuple[DepthEvent]:
        fresh = contract_id not in self._has_depth
        depth = _mapping.to_depth(contract_id, _listed(rows), fresh=fresh, received=received)
        self._has_depth.add(contract_id)
        return (depth,)

    def _read_trade(self, arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
        trade = _mapping.to_trade(_trade_decoder.decode(_user_row(arguments)))
        if self._memory.is_new(trade):
            yield trade.account_id, UserTradeEvent(trade=trade, time=trade.time, received=received)


class _Topics(dict[str, Topic]):
    """The topics of one kind by contract, each made once."""

    def __init__(self, kind: MarketDataType) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, contract_id: str) -> Topic:
        topic = self[contract_id] = Topic(self._kind, contract_id)
        return topic


def _market_trades_in(
    contract_id: str, rows: _wire.MarketTradeRows, received: datetime
) -> list[MarketTradeEvent]:
    events = []  # a comprehension costs a call more
    for row in _listed(rows):
        if row is not None:
            events.append(_mapping.to_market_trade(contract_id, row, received))
    return events


def _read_market_trades(arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
    contract_id, rows = _trades_decoder.decode(arguments)
    for row in _listed(rows):
        if row is not None:
            yield contract_id, _mapping.to_market_trade(contract_id, row, received)


def _market_decoder_of(rows: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(rows, strict=False, float_hook=decimal_of)


_quote_decoder = _market_decoder_of(tuple[str, _wire.QuoteRow])
_depth_decoder = _market_decoder_of(tuple[str, _wire.DepthRows])
_trades_decoder = _market_decoder_of(tuple[str, _wire.MarketTradeRows])
_market_decoder = _market_decoder_of(
    _wire.QuoteMessage | _wire.DepthMessage | _wire.MarketTradeMessage
)
_INVOCATION = 1
"""The type of a hub's message that carries an event."""


def _listed(rows: Any) -> Any:
    return rows if type(rows) is list else [rows]


_user_decoder = msgspec.json.Decoder(tuple[_wire.UserMessage], strict=False)
_raw_decoder = msgspec.json.Decoder(tuple[msgspec.Raw])


def _user_row(arguments: msgspec.Raw) -> bytes:
    """The record itself, out of `{action, data}` or bare."""
    (message,) = _user_decoder.decode(arguments)
    if isinstance(message.data, msgspec.Raw):
        return bytes(message.data)
    return bytes(_raw_decoder.decode(arguments)[0])


def _read_account(arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
    account = _mapping.to_account(_account_decoder.decode(_user_row(arguments)))
    yield account.id, AccountUpdateEvent(account=account, received=received)


def _read_order(arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
    order = _mapping.to_order(_order_decoder.decode(_user_row(arguments)))
    # a fill does not move the update time: then the order's own time is not known
    time = None if order.filled_size else order.updated_at
    yield order.account_id, OrderUpdateEvent(order=order, time=time, received=received)


def _read_position(arguments: msgspec.Raw, received: datetime) -> Iterator[_Keyed]:
    position = _mapping.to_position(_position_decoder.decode(_user_row(arguments)))
    yield position.account_id, PositionUpdateEvent(position=position, received=received)


_account_decoder = msgspec.json.Decoder(_wire.AccountRow, strict=False)
_order_decoder = msgspec.json.Decoder(_wire.OrderRow, strict=False)
_position_decoder = msgspec.json.Decoder(_wire.PositionRow, strict=False)
_trade_decoder = msgspec.json.Decoder(_wire.TradeRow, strict=False)
