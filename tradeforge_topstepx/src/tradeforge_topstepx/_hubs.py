"""The two hubs: what each subscription is called there, and one connection to one of them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import msgspec
from attrs import frozen

from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    Disconnected,
    Gap,
    GapCause,
    MarketDataType,
    SessionConflict,
    Topic,
    UserDataType,
)
from tradeforge_core.kit.budget import Lane
from tradeforge_core.kit.clock import Clock
from tradeforge_core.streams.link import Began, StreamLink
from tradeforge_core.streams.switchboard import Switchboard
from tradeforge_topstepx._events import KINDS, EventReader, Memory
from tradeforge_topstepx._rest import whole_id
from tradeforge_topstepx._session import Session, Token
from tradeforge_topstepx._signalr import HubConnection, HubLimits, Tap

MARKET_HUB = "market"
USER_HUB = "user"


def _contract_argument(topic: Topic) -> tuple[object, ...]:
    return (topic.key,)


def _account_argument(topic: Topic) -> tuple[object, ...]:
    # a JSON number: the hub refuses an account id as text
    return (whole_id(topic.key, "account"),)


def _no_argument(topic: Topic) -> tuple[object, ...]:
    return ()


@frozen
class Channel:
    """The gateway's methods for one kind of data, and what they take."""

    subscribe: str
    unsubscribe: str
    arguments: Callable[[Topic], tuple[object, ...]]


CHANNELS: Mapping[MarketDataType | UserDataType, Channel] = {
    MarketDataType.QUOTE: Channel(
        "SubscribeContractQuotes",
        "UnsubscribeContractQuotes",
        _contract_argument,
    ),
    MarketDataType.DEPTH: Channel(
        "SubscribeContractMarketDepth",
        "UnsubscribeContractMarketDepth",
        _contract_argument,
    ),
    MarketDataType.TRADE: Channel(
        "SubscribeContractTrades",
        "UnsubscribeContractTrades",
        _contract_argument,
    ),
    UserDataType.ACCOUNT_UPDATE: Channel("SubscribeAccounts", "UnsubscribeAccounts", _no_argument),
    UserDataType.ORDER_UPDATE: Channel("SubscribeOrders", "UnsubscribeOrders", _account_argument),
    UserDataType.POSITION_UPDATE: Channel(
        "SubscribePositions", "UnsubscribePositions", _account_argument
    ),
    UserDataType.USER_TRADE: Channel("SubscribeTrades", "UnsubscribeTrades", _account_argument),
}


_CONFLICT = (
    "the gateway ends this session again and again: another program, or another place, uses the"
    " same login; stop one of them"
)


class HubLink(StreamLink):
    """One connection to one of the hubs."""

    def __init__(
        self,
        stream: str,
        url: str,
        session: Session,
        switchboard: Switchboard,
        clock: Clock,
        *,
        memory: Memory,
        limits: HubLimits,
        tap: Tap | None = None,
    ) -> None:
        self._stream = stream
        self._session = session
        self._switchboard = switchboard
        self._clock = clock
        self._token: Token | None = None
        self._subscribed: set[Topic] = set()
        self._beginning: dict[Topic, Began] = {}
        """What the hub has been asked for: its first messages may come before the confirmation."""
        self._reader = EventReader(memory)
        self._hub = HubConnection(
            url,
            received=self._deliver,
            typed=self._deliver_typed,
            not_understood=self._not_understood,
            clock=clock,
            limits=limits,
            tap=tap,
        )

    @property
    def heard_at(self) -> datetime:
        return self._hub.received_at

    async def open(self) -> None:
        self._token = await self._session.token()
        try:
            await self._hub.open(self._token.text)
        except AuthenticationError:  # a token may die early: one more try, with a new one
            self._token = await self._session.replace(self._token)
            connects = self._switchboard.connects(self._stream)
            if connects.seconds_until_room(Lane.READ) > 0:
                raise
            async with connects.slot(Lane.READ):
                await self._hub.open(self._token.text)

    async def listen(self) -> None:
        await self._hub.listen()

    async def subscribe(self, topic: Topic, began: Began) -> None:
        channel = CHANNELS[topic.kind]
        arguments = channel.arguments(topic)
        self._reader.forget(topic)
        self._subscribed.add(topic)
        self._beginning[topic] = began
        try:
            await self._hub.invoke(
                channel.subscribe, *arguments, completed=lambda: began(self._hub.received_at)
            )
        except BaseException:
            self._subscribed.discard(topic)
            raise
        finally:
            del self._beginning[topic]

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

    def _deliver_typed(self, records: Iterator[bytes]) -> bytes | None:
        """Take the messages of the market hub in one pass, as long as nothing in them is unusual.

        The names are local because this runs for every message.
        """
        take, publish = self._reader.take, self._switchboard.publish
        received = self._hub.received_at
        for record in records:
            found = take(record, received)
            if found is None:
                return record
            topic, events = found
            if self._beginning:
                self._begin(topic)
            for event in events:
                publish(topic, event)
        return None

    def _deliver(self, target: str, arguments: msgspec.Raw) -> None:
        if target not in KINDS:
            self._check_logout(target)
            return
        try:
            for topic, event in self._reader.read(target, arguments, self._hub.received_at):
                self._begin(topic)
                self._switchboard.publish(topic, event)
        except DecodeError as error:
            self._not_understood(error, KINDS[target])

    def _begin(self, topic: Topic) -> None:
        """Data comes before the confirmation: what it comes behind must be told first."""
        if (began := self._beginning.get(topic)) is not None:
            began(self._hub.received_at)

    def _check_logout(self, target: str) -> None:
        """The gateway says so when the session was displaced: a new token, a new connection."""
        if target.casefold() == "gatewaylogout" and self._token is not None:
            self._session.forget(self._token)
            if self._session.was_displaced_again():
                self._switchboard.report(SessionConflict(_CONFLICT))
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
