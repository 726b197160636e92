"""Defects of the streams: what they tell, and how they fare when they break."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from attrs import evolve
from tests.topstepx.conformance.zoo.defects import Linked, Reopening, Retelling, defect

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
    TransportError,
    UserTradeEvent,
)
from tradeforge_core.books.live_book import LiveOrderBook
from tradeforge_core.books.order_book import BookState
from tradeforge_core.requests import Period
from tradeforge_core.streams.link import Began
from tradeforge_topstepx._hubs import HubLink
from tradeforge_topstepx._session import Token
from tradeforge_topstepx._signalr import HubLimits
from tradeforge_topstepx.provider import TopStepXProvider

# --- market data ---


@defect("TF-MKT-020")
class SparseQuoteZeroed(Retelling):
    """What a quote does not say is zero."""

    def retell(self, event: Event) -> Iterable[Event]:
        if isinstance(event, QuoteEvent):
            row = event.raw
            bid = event.bid if getattr(row, "bestBid", None) is not None else Decimal(0)
            event = evolve(event, bid=bid)
        yield event


@defect("TF-MKT-010")
class NeverSubscribed(Linked):
    """The call of the hub is forgotten, and the subscription called confirmed."""

    class Link(HubLink):
        async def subscribe(self, topic: Topic, began: Began) -> None:
            began(self.heard_at)


@defect("TF-MKT-010")
class SubscribeThatNeverConfirms(Linked):
    """The confirmation of a subscription is waited for under the wrong number."""

    class Link(HubLink):
        async def subscribe(self, topic: Topic, began: Began) -> None:
            self._hub._calls = _Deaf()
            await super().subscribe(topic, began)


class _Deaf(dict[str, Any]):
    def get(self, key: str, default: Any = None) -> Any:
        return default


@defect("TF-MKT-030")
class TradesTwice(Retelling):
    """Each trade of the market is told twice."""

    def retell(self, event: Event) -> Iterable[Event]:
        yield event
        if isinstance(event, MarketTradeEvent):
            yield event


@defect("TF-MKT-040")
class LostDeltaApplied(Retelling):
    """Every third change of the book is lost, and those behind it are applied."""

    _number = 0

    def retell(self, event: Event) -> Iterable[Event]:
        self._number += 1
        if not isinstance(event, DepthEvent) or event.reset or self._number % 3:
            yield event


@defect("TF-MKT-040")
class CrossedBookServed(LostDeltaApplied):
    """A book from which changes are missing is served also when it is crossed."""

    def order_book(self, contract_id: str) -> LiveOrderBook:
        topic = Topic(MarketDataType.DEPTH, contract_id)
        return _Trusting(self._switchboard, topic, lambda: self._check_contracts((topic,)))


class _Trusting(LiveOrderBook):
    def _stop(self, state: BookState, reason: str) -> None:
        if "crossed" not in reason:
            super()._stop(state, reason)


@defect("TF-MKT-050")
class UnsubscribeThatDoesNot(Linked):
    """The venue is not told that a subscription has ended."""

    class Link(HubLink):
        async def unsubscribe(self, topic: Topic) -> None:
            self._subscribed.discard(topic)


# --- user data ---


@defect("TF-USR-010")
class NoLastState(Retelling):
    """An order that is done is told no more, by the stream or by a look."""

    def retell(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, OrderUpdateEvent) or not event.order.status.is_final:
            yield event

    def saw_order(self, order: Any, as_of: Any) -> None:
        return None


@defect("TF-USR-020")
class FillCountedTwice(Retelling):
    """A fill has the number of its message, so that the venue's repetitions are new fills."""

    _number = 0

    def retell(self, event: Event) -> Iterable[Event]:
        if isinstance(event, UserTradeEvent):
            self._number += 1
            event = evolve(event, trade=evolve(event.trade, id=f"fill-{self._number}"))
        yield event


@defect("TF-USR-030")
class FlatIsNotTold(Retelling):
    """That a position is flat is not told."""

    def retell(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, PositionUpdateEvent) or not event.position.is_flat:
            yield event


@defect("TF-USR-040")
class FirstBalanceForEver(Retelling):
    """Balances are told as they were at the first message."""

    _first: Decimal | None = None

    def retell(self, event: Event) -> Iterable[Event]:
        if isinstance(event, AccountUpdateEvent):
            self._first = self._first or event.account.balance
            event = evolve(event, account=evolve(event.account, balance=self._first))
        yield event


@defect("TF-CAP-050")
class CapabilityThatIsNotThere(Retelling):
    """Balances are declared, and their messages fall on the floor."""

    def retell(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, AccountUpdateEvent):
            yield event


@defect("TF-FIL-040")
class VoidedFillIsKept(Retelling):
    """That a fill was taken back is left out, wherever it is said."""

    def retell(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, UserTradeEvent) or not event.trade.voided:
            yield event

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        trades = await super()._fetch_trades(account_id, period)
        return [evolve(one, voided=False) for one in trades]


@defect("TF-USR-050", "TF-USR-060")
class FillDroppedOnReconnect(Retelling):
    """The fills are those that the stream has told: what it missed is nowhere."""

    def retell(self, event: Event) -> Iterable[Event]:
        if isinstance(event, UserTradeEvent):
            self._streamed = {*getattr(self, "_streamed", ()), event.trade.id}
        yield event

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        told = getattr(self, "_streamed", ())
        return [one for one in await super()._fetch_trades(account_id, period) if one.id in told]


# --- the connection ---


@defect("TF-STR-010", "TF-STR-020")
class SilentReconnection(Linked):
    """The link heals itself behind the back of the core, and nobody hears of the hole."""

    class Link(Reopening):
        async def listen(self) -> None:
            while True:
                try:
                    await super().listen()
                except (TransportError, ExceptionGroup):
                    await self._hub.close()
                    self._hub = self.new_hub()
                    await self.open()
                    self._again = asyncio.ensure_future(self._subscribe_again())

        async def _subscribe_again(self) -> None:
            for topic in list(self._subscribed):
                await self.subscribe(topic, lambda at: None)


@defect("TF-STR-010")
class NoResubscription(Linked):
    """A topic is subscribed once, and not on the connections that follow."""

    class Link(HubLink):
        async def subscribe(self, topic: Topic, began: Began) -> None:
            asked = vars(self._session).setdefault("asked", set())
            if topic in asked:
                return began(self.heard_at)
            asked.add(topic)
            await super().subscribe(topic, began)


@defect("TF-STR-030")
class HalfOpenIsQuiet(TopStepXProvider):
    """Silence is no sign of anything: neither side is asked whether it is there."""

    def __init__(self, config: Any, **options: Any) -> None:
        deaf = HubLimits(server_timeout=1e6, ping_after=1e6)
        super().__init__(config, **options, hub_limits=deaf)


@defect("TF-STR-040")
class Storm(Linked):
    """A connection that fails is tried again at once, a hundred times."""

    class Link(Reopening):
        async def open(self) -> None:
            for _ in range(100):
                try:
                    return await super().open()
                except TransportError:
                    self._hub = self.new_hub()
            await super().open()


@defect("TF-STR-050")
class StaleTokenAtReconnect(Linked):
    """Every connection of the hubs comes with the first token."""

    class Link(HubLink):
        async def open(self) -> None:
            first: Token = vars(self._session).setdefault("first", await self._session.token())
            await self._hub.open(first.text)


@defect("TF-STR-060")
class BadMessageIsNotTold(Linked):
    """A message that is not understood is left out without a word."""

    class Link(HubLink):
        def _not_understood(self, error: DecodeError, kind: Any = None) -> None:
            return None


@defect("TF-STR-060")
class BadMessageEndsTheStream(Linked):
    """A message that is not understood ends the connection."""

    class Link(HubLink):
        def _not_understood(self, error: DecodeError, kind: Any = None) -> None:
            raise error


@defect("TF-STR-070")
class HandlersInTheReader(Retelling):
    """Handlers are called where messages are read, and what they raise ends the connection."""

    def on_event(self, handler: Any) -> Any:
        self._mine = [*getattr(self, "_mine", ()), handler]
        return handler

    def retell(self, event: Event) -> Iterable[Event]:
        for handler in getattr(self, "_mine", ()):
            handler(event)
        yield event


@defect("TF-CNC-030")
class LastSubscriberOnly(TopStepXProvider):
    """A second subscription of a topic takes the data away from the first."""

    def subscribe_market_data(self, contract_ids: Any, data_types: Any) -> Any:
        subscribers = self._switchboard._subscribers
        for topic in [Topic(kind, one) for kind in data_types for one in contract_ids]:
            subscribers.pop(topic, None)
        return super().subscribe_market_data(contract_ids, data_types)
