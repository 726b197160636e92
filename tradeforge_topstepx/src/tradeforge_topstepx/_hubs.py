"""The two hubs: what each kind of data is called there, and how its messages become events."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from attrs import frozen

from tradeforge_core import (
    AccountUpdateEvent,
    AuthenticationError,
    DecodeError,
    Disconnected,
    Event,
    Gap,
    GapCause,
    MarketDataType,
    OrderUpdateEvent,
    PositionUpdateEvent,
    QuoteEvent,
    Topic,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.switchboard import Switchboard
from tradeforge_topstepx import _mapping, _wire
from tradeforge_topstepx._endpoints import decode_error
from tradeforge_topstepx._rest import whole_id
from tradeforge_topstepx._session import Session, Token
from tradeforge_topstepx._signalr import HubConnection

MARKET_HUB = "market"
USER_HUB = "user"

_Delivery = tuple[str, Event]
"""The key of a topic (a contract id, an account id), and an event for it."""


class _Market:
    """What must be remembered of each contract: hubs send changes only."""

    def __init__(self) -> None:
        self._quotes: dict[str, QuoteEvent] = {}
        self._has_depth: set[str] = set()

    def forget(self, topic: Topic) -> None:
        """A subscription begins: what was known before it may be old."""
        if topic.kind is MarketDataType.QUOTE:
            self._quotes.pop(topic.key, None)
        elif topic.kind is MarketDataType.DEPTH:
            self._has_depth.discard(topic.key)

    def quotes(self, arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
        contract_id, row = _quote_decoder.decode(arguments)
        previous = self._quotes.get(contract_id)
        quote = _mapping.to_quote(contract_id, row, previous, received)
        self._quotes[contract_id] = quote
        yield contract_id, quote

    def depth(self, arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
        contract_id, rows = _depth_decoder.decode(arguments)
        fresh = contract_id not in self._has_depth
        event = _mapping.to_depth(contract_id, _listed(rows), fresh=fresh, received=received)
        self._has_depth.add(contract_id)
        yield contract_id, event

    def trades(self, arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
        contract_id, rows = _trades_decoder.decode(arguments)
        for row in _listed(rows):
            if row is not None:
                yield contract_id, _mapping.to_market_trade(contract_id, row, received)


_quote_decoder = msgspec.json.Decoder(tuple[str, _wire.QuoteRow], strict=False)
_depth_decoder = msgspec.json.Decoder(
    tuple[str, list[_wire.DepthRow | None] | _wire.DepthRow], strict=False
)
_trades_decoder = msgspec.json.Decoder(
    tuple[str, list[_wire.MarketTradeRow | None] | _wire.MarketTradeRow], strict=False
)


def _listed(rows: Any) -> Any:
    """The documentation shows single rows where the hub sends lists."""
    return rows if isinstance(rows, list) else [rows]


_user_decoder = msgspec.json.Decoder(tuple[_wire.UserMessage], strict=False)
_raw_decoder = msgspec.json.Decoder(tuple[msgspec.Raw])


def _user_row(arguments: msgspec.Raw) -> bytes:
    """The record itself, out of `{action, data}` or bare."""
    (message,) = _user_decoder.decode(arguments)
    if isinstance(message.data, msgspec.Raw):
        return bytes(message.data)
    return bytes(_raw_decoder.decode(arguments)[0])


def _account(arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
    account = _mapping.to_account(_account_decoder.decode(_user_row(arguments)))
    yield account.id, AccountUpdateEvent(account=account, received=received)


def _order(arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
    order = _mapping.to_order(_order_decoder.decode(_user_row(arguments)))
    yield (
        order.account_id,
        OrderUpdateEvent(order=order, time=order.updated_at, received=received),
    )


def _position(arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
    position = _mapping.to_position(_position_decoder.decode(_user_row(arguments)))
    yield position.account_id, PositionUpdateEvent(position=position, received=received)


def _trade(arguments: msgspec.Raw, received: datetime) -> Iterator[_Delivery]:
    trade = _mapping.to_trade(_trade_decoder.decode(_user_row(arguments)))
    yield trade.account_id, UserTradeEvent(trade=trade, time=trade.time, received=received)


_account_decoder = msgspec.json.Decoder(_wire.AccountRow, strict=False)
_order_decoder = msgspec.json.Decoder(_wire.OrderRow, strict=False)
_position_decoder = msgspec.json.Decoder(_wire.PositionRow, strict=False)
_trade_decoder = msgspec.json.Decoder(_wire.TradeRow, strict=False)


def _contract_argument(topic: Topic) -> tuple[object, ...]:
    return (topic.key,)


def _account_argument(topic: Topic) -> tuple[object, ...]:
    # a JSON number: the hub refuses an account id as text
    return (whole_id(topic.key, "account"),)


def _no_argument(topic: Topic) -> tuple[object, ...]:
    return ()


@frozen
class Channel:
    """The gateway's names for one kind of data."""

    event: str
    subscribe: str
    unsubscribe: str
    arguments: Callable[[Topic], tuple[object, ...]]


CHANNELS: Mapping[MarketDataType | UserDataType, Channel] = {
    MarketDataType.QUOTE: Channel(
        "GatewayQuote",
        "SubscribeContractQuotes",
        "UnsubscribeContractQuotes",
        _contract_argument,
    ),
    MarketDataType.DEPTH: Channel(
        "GatewayDepth",
        "SubscribeContractMarketDepth",
        "UnsubscribeContractMarketDepth",
        _contract_argument,
    ),
    MarketDataType.TRADE: Channel(
        "GatewayTrade",
        "SubscribeContractTrades",
        "UnsubscribeContractTrades",
        _contract_argument,
    ),
    UserDataType.ACCOUNT_UPDATE: Channel(
        "GatewayUserAccount", "SubscribeAccounts", "UnsubscribeAccounts", _no_argument
    ),
    UserDataType.ORDER_UPDATE: Channel(
        "GatewayUserOrder", "SubscribeOrders", "UnsubscribeOrders", _account_argument
    ),
    UserDataType.POSITION_UPDATE: Channel(
        "GatewayUserPosition", "SubscribePositions", "UnsubscribePositions", _account_argument
    ),
    UserDataType.USER_TRADE: Channel(
        "GatewayUserTrade", "SubscribeTrades", "UnsubscribeTrades", _account_argument
    ),
}
_KINDS = {channel.event: kind for kind, channel in CHANNELS.items()}


class HubLink(StreamLink):
    """One connection to one of the hubs."""

    def __init__(
        self, stream: str, url: str, session: Session, switchboard: Switchboard, clock: Clock
    ) -> None:
        self._stream = stream
        self._session = session
        self._switchboard = switchboard
        self._clock = clock
        self._token: Token | None = None
        self._subscribed: set[Topic] = set()
        self._market = _Market()
        self._read: dict[str, Callable[[msgspec.Raw, datetime], Iterable[_Delivery]]] = {
            "GatewayQuote": self._market.quotes,
            "GatewayDepth": self._market.depth,
            "GatewayTrade": self._market.trades,
            "GatewayUserAccount": _account,
            "GatewayUserOrder": _order,
            "GatewayUserPosition": _position,
            "GatewayUserTrade": _trade,
        }
        self._hub = HubConnection(
            url, received=self._deliver, not_understood=self._not_understood, clock=clock
        )

    async def open(self) -> None:
        self._token = await self._session.token()
        try:
            await self._hub.open(self._token.text)
        except AuthenticationError:
            self._session.forget(self._token)  # so that the next attempt comes with a new one
            raise

    async def listen(self) -> None:
        await self._hub.listen()

    async def subscribe(self, topic: Topic) -> None:
        channel = CHANNELS[topic.kind]
        self._market.forget(topic)
        await self._hub.invoke(channel.subscribe, *channel.arguments(topic))
        self._subscribed.add(topic)

    async def unsubscribe(self, topic: Topic) -> None:
        channel = CHANNELS[topic.kind]
        self._subscribed.discard(topic)
        if not self._still_needed(topic):
            await self._hub.invoke(channel.unsubscribe, *channel.arguments(topic))

    async def close(self) -> None:
        await self._hub.close()

    def _still_needed(self, topic: Topic) -> bool:
        """All accounts share one subscription of balances."""
        takes_none = CHANNELS[topic.kind].arguments is _no_argument
        return takes_none and any(other.kind is topic.kind for other in self._subscribed)

    def _deliver(self, target: str, arguments: msgspec.Raw) -> None:
        read = self._read.get(target)
        if read is None:
            self._check_logout(target)
            return
        kind = _KINDS[target]
        try:
            for key, event in read(arguments, self._clock.now()):
                self._switchboard.publish(Topic(kind, key), event)
        except DecodeError as error:
            self._not_understood(error, kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._not_understood(decode_error(target, error), kind)

    def _check_logout(self, target: str) -> None:
        """The gateway says so when the session was displaced: a new token, a new connection."""
        if target.casefold() == "gatewaylogout" and self._token is not None:
            self._session.forget(self._token)
            raise Disconnected("the gateway ended this session (GatewayLogout)")

    def _not_understood(
        self, error: DecodeError, kind: MarketDataType | UserDataType | None = None
    ) -> None:
        """Leave the message out, say so, and go on: one bad record must not end a stream."""
        self._switchboard.report(error)
        topics = tuple(sorted(topic for topic in self._subscribed if kind in (None, topic.kind)))
        gap = Gap(
            stream=self._stream,
            cause=GapCause.DECODE_ERROR,
            topics=topics,
            dropped=1,
            received=self._clock.now(),
        )
        self._switchboard.publish_health(gap, topics)
