"""What streams deliver. `time` is the venue's, None where it gave none; `received` is ours.

Health events travel in the same stream as the data, in order, so that a reader sees exactly where
a hole is. Those of the market come by the thousand: providers make them by `kit.constructors`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import field, frozen

from tradeforge_core.enums import (
    EventSource,
    GapCause,
    MarketDataType,
    OrderSide,
    StreamConnectionStatus,
    UserDataType,
)
from tradeforge_core.models import Account, Bar, BarSpan, Order, Position, Trade
from tradeforge_core.outcomes import OrderOutcome
from tradeforge_core.tickers import Ticker


class Topic(NamedTuple):
    """One thing that can be subscribed: a kind of data of one contract or of one account.

    `span` is how long the bars are, and None for whatever is no bar.
    """

    kind: MarketDataType | UserDataType
    key: str
    span: BarSpan | None = None


class DepthLevel(NamedTuple):
    """A price and the size that rests there; a size of zero removes the level."""

    price: Decimal
    size: Decimal


@frozen(weakref_slot=False)
class QuoteEvent:
    """The quote of a contract after the latest change: unchanged members keep their last value.

    A member is None until the venue has sent it. `volume` and `open`, `high`, `low` are of the
    session.
    """

    contract_id: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    volume: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None
    time: datetime | None
    received: datetime
    raw: object = field(default=None, repr=False, eq=False)


@frozen(weakref_slot=False)
class MarketTradeEvent:
    """A trade of the market; `aggressor` is the side that crossed the spread."""

    contract_id: str
    price: Decimal
    size: Decimal
    aggressor: OrderSide | None
    time: datetime | None
    received: datetime
    raw: object = field(default=None, repr=False, eq=False)


class _LevelsOnDemand:
    """Makes the levels of a depth event when somebody looks, out of `raw`: many nobody reads.

    Whoever makes such an event has checked beforehand that they can be made.
    """

    __slots__ = ("digits_of", "levels_of")

    if not TYPE_CHECKING:  # else mypy would take any name for a member

        def __getattr__(self, name: str) -> object:
            """Of a member that is not there yet; the next look finds it in its place."""
            if name not in _LEVELS:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            for each, levels in zip(_LEVELS, self.levels_of(self.raw), strict=True):
                object.__setattr__(self, each, levels)
            return getattr(self, name)


_LEVELS = ("bids", "asks", "best_bid", "best_ask")


@frozen(weakref_slot=False)
class DepthEvent(_LevelsOnDemand):
    """A change of the order book. With `reset` the book is empty before the levels are set.

    `best_bid` and `best_ask` are what the venue itself calls best, None where it did not say.
    `sequence` is the number of the change where the venue counts them: each is one more than the
    last, and a reset may begin with any.
    """

    contract_id: str
    reset: bool
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    best_bid: DepthLevel | None
    best_ask: DepthLevel | None
    time: datetime | None
    received: datetime
    raw: object = field(default=None, repr=False, eq=False)
    sequence: int | None = None

    def digits(self) -> "Digits | None":
        """The bids and asks as the venue wrote them, None if they are only there as decimals."""
        try:
            digits_of: Callable[[Any], Digits] | None = self.digits_of  # type: ignore[attr-defined]
        except AttributeError:  # made by the class itself, or a copy
            return None
        return None if digits_of is None else digits_of(self.raw)


Digits = tuple[Iterable[tuple[str, str]], Iterable[tuple[str, str]]]
"""Pairs of price and size in plain digits: the bids, and the asks."""


@frozen(kw_only=True)
class TickerEvent:
    """A ticker after the latest change: figures that did not change keep their last value."""

    ticker: Ticker
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class BarEvent:
    """A bar as it is by now; one that is not `partial` any more does not change."""

    bar: Bar
    span: BarSpan
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class AccountUpdateEvent:
    account: Account
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class OrderUpdateEvent:
    order: Order
    source: EventSource = EventSource.STREAM
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class PositionUpdateEvent:
    position: Position
    source: EventSource = EventSource.STREAM
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class UserTradeEvent:
    trade: Trade
    source: EventSource = EventSource.STREAM
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class OrderOutcomeEvent:
    """What became of a request of yours became known here, or how far the search for it is."""

    outcome: OrderOutcome
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class StatusChanged:
    """A stream went from one state to another; `reason` says why, where there is one to tell.

    `generation` counts the connections of this stream from 1; `topics` are what is wanted of it.
    """

    stream: str
    topics: tuple[Topic, ...] = ()
    status: StreamConnectionStatus
    previous: StreamConnectionStatus
    reason: str | None = None
    generation: int
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class Gap:
    """Data of `topics` is missing here: between `since` and `until`, or `dropped` messages.

    `since` is when the last frame of any kind came over the connection that was lost: until then it
    was alive. `until` is when the venue confirmed the topic on the new one, or sent the first data
    of it if that came earlier: from then on it delivers again. Each topic has its own, told before
    the first data behind it.

    Where the venue refuses to subscribe a topic again, the gap is told at once with `until` None,
    and once more as a whole when it has ended. So is that of private data of which something is
    told by an audit before the connection is back.
    """

    stream: str
    cause: GapCause
    topics: tuple[Topic, ...]
    since: datetime | None = None
    until: datetime | None = None
    dropped: int | None = None
    generation: int = 0
    time: datetime | None = None
    received: datetime

    @property
    def is_open(self) -> bool:
        """Whether it goes on: the data is still missing."""
        return self.since is not None and self.until is None


@frozen(kw_only=True)
class Resynced:
    """What is known of the account's `topics` is what the venue has: it was asked.

    It comes after a gap in private data, and after an audit that found something. `repaired` names
    what the stream had not told, such as `order 27`, `fill 31` and `position CON.F.US.MNQ.Z26`: it
    was told right before this, by events whose `source` is `AUDIT`.
    """

    stream: str
    topics: tuple[Topic, ...]
    account_id: str
    repaired: tuple[str, ...] = ()
    time: datetime | None = None
    received: datetime


class _Lasting:
    """Told when it begins, with `until` None, and once more as a whole when it has ended."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def until(self) -> datetime | None: ...

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.until is None


@frozen(kw_only=True)
class Lag(_Lasting):
    """A subscriber is late: half of its queue is used, or the next event is over a second old.

    Told once with `until` None, when it begins, and once more when the subscriber has caught up. It
    comes to the subscriber itself, in order, and to every handler.
    """

    stream: str = "subscriber"
    subscriber: str
    """`iterator`, or `handler` and the qualified name of the function."""
    topics: tuple[Topic, ...] = ()
    """What an iterator is for; none for a handler, which gets all."""
    waiting: int
    """Events in its queue."""
    age: float
    """The age in seconds of the event that it gets next."""
    since: datetime
    until: datetime | None = None
    time: datetime | None = None
    received: datetime


@frozen(kw_only=True)
class Stale(_Lasting):
    """Data that you said you expect did not come in time, over a connection that is alive.

    Told once with `until` None; and once more as a whole, before the first data that comes again,
    or when the market closes.
    It ends no connection: a market may be quiet.
    """

    stream: str
    topics: tuple[Topic, ...]
    since: datetime
    """When the newest data came, or when the wait for it began."""
    until: datetime | None = None
    time: datetime | None = None
    received: datetime


HealthEvent = StatusChanged | Gap | Lag | Stale | Resynced
MarketEvent = (
    QuoteEvent
    | DepthEvent
    | MarketTradeEvent
    | TickerEvent
    | BarEvent
    | StatusChanged
    | Gap
    | Lag
    | Stale
)
UserEvent = (
    AccountUpdateEvent
    | OrderUpdateEvent
    | PositionUpdateEvent
    | UserTradeEvent
    | OrderOutcomeEvent
    | HealthEvent
)
Event = (
    QuoteEvent
    | DepthEvent
    | MarketTradeEvent
    | TickerEvent
    | BarEvent
    | AccountUpdateEvent
    | OrderUpdateEvent
    | PositionUpdateEvent
    | UserTradeEvent
    | OrderOutcomeEvent
    | HealthEvent
)
