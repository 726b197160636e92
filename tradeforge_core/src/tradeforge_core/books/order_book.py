"""The order book of one contract, kept from depth events."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from tradeforge_core.books.side import Side
from tradeforge_core.enums import GapCause, MarketDataType, OrderSide, StreamConnectionStatus
from tradeforge_core.errors import BookNotLive
from tradeforge_core.events import DepthEvent, DepthLevel, Event, Gap, StatusChanged, Topic


class BookState(StrEnum):
    STALE = "stale"
    """Nothing has been received yet, or something is missing: only a reset can make it right."""
    LIVE = "live"
    RESYNCING = "resyncing"
    """The venue delivers again, or was asked to, and its whole book is awaited."""


class OrderBook:
    """Give it every event of a depth subscription; it knows when it must not be read.

    Whatever reads it raises `BookNotLive` while it is not LIVE. With `stale_ok=True` it gives what
    was known when the book stopped being right. A side may be empty: then there is no best.
    """

    def __init__(self, contract_id: str) -> None:
        self.contract_id = contract_id
        self.state = BookState.STALE
        self.reason = "nothing was received yet"
        """Why it is not LIVE; of a LIVE book, the last reason there was."""
        self.sequence: int | None = None
        """The number of the last event, None where the venue has none."""
        self._topic = Topic(MarketDataType.DEPTH, contract_id)
        self._bids = Side()
        self._asks = Side()
        self._changes = 0

    def apply(self, event: Event) -> None:
        """Take in an event; those of other contracts and of other kinds change nothing."""
        if isinstance(event, DepthEvent):
            if event.contract_id == self.contract_id:
                self._apply_depth(event)
        elif isinstance(event, (Gap, StatusChanged)) and self._topic in event.topics:
            self._interrupt(event)

    # --- reading ---

    def bids(self, levels: int, *, stale_ok: bool = False) -> list[DepthLevel]:
        """The best `levels` bids, the highest first. Raises `BookNotLive`."""
        self._check(stale_ok)
        side, size = self._bids, len(self._bids.prices)
        return [side.level(at) for at in range(size - 1, max(size - levels, 0) - 1, -1)]

    def asks(self, levels: int, *, stale_ok: bool = False) -> list[DepthLevel]:
        """The best `levels` asks, the lowest first. Raises `BookNotLive`."""
        self._check(stale_ok)
        return [self._asks.level(at) for at in range(min(levels, len(self._asks.prices)))]

    def iter_bids(self, *, stale_ok: bool = False) -> Iterator[DepthLevel]:
        """Every bid, the highest first, without a copy. Raises `BookNotLive`.

        Raises `RuntimeError` when the book has changed between two steps, and `BookNotLive` when it
        has ceased to be right.
        """
        self._check(stale_ok)
        order = range(len(self._bids.prices) - 1, -1, -1)
        return self._steps(self._bids, order, stale_ok)

    def iter_asks(self, *, stale_ok: bool = False) -> Iterator[DepthLevel]:
        """Every ask, the lowest first, without a copy; raises as `iter_bids`."""
        self._check(stale_ok)
        return self._steps(self._asks, range(len(self._asks.prices)), stale_ok)

    def best_bid(self, *, stale_ok: bool = False) -> DepthLevel | None:
        """The highest bid, None if there is none. Raises `BookNotLive`."""
        self._check(stale_ok)
        return self._bids.level(-1) if self._bids.prices else None

    def best_ask(self, *, stale_ok: bool = False) -> DepthLevel | None:
        """The lowest ask, None if there is none. Raises `BookNotLive`."""
        self._check(stale_ok)
        return self._asks.level(0) if self._asks.prices else None

    def mid(self, *, stale_ok: bool = False) -> Decimal | None:
        """The middle of the best two, not rounded to a tick; None if a side is empty.

        Raises `BookNotLive`.
        """
        self._check(stale_ok)
        bids, asks = self._bids.prices, self._asks.prices
        return (bids[-1] + asks[0]) / 2 if bids and asks else None

    def spread(self, *, stale_ok: bool = False) -> Decimal | None:
        """The best ask less the best bid, None if a side is empty. Raises `BookNotLive`."""
        self._check(stale_ok)
        bids, asks = self._bids.prices, self._asks.prices
        return asks[0] - bids[-1] if bids and asks else None

    def size_at(self, side: OrderSide, price: Decimal, *, stale_ok: bool = False) -> Decimal:
        """What rests at exactly this price: bids for BUY, asks for SELL. Raises `BookNotLive`."""
        self._check(stale_ok)
        return self._side(side).size_at(price)

    def size_to(self, side: OrderSide, price: Decimal, *, stale_ok: bool = False) -> Decimal:
        """What rests from the best to this price, both included: bids for BUY, asks for SELL.

        Raises `BookNotLive`.
        """
        self._check(stale_ok)
        found = self._side(side)
        if found is self._bids:
            return found.size_between(bisect_left(found.prices, price), len(found.prices))
        return found.size_between(0, bisect_right(found.prices, price))

    # --- keeping ---

    def _apply_depth(self, event: DepthEvent) -> None:
        if not event.reset and not self._follows(event.sequence):
            return
        if event.reset:
            self._bids.clear()
            self._asks.clear()
            self.state = BookState.LIVE
        self.sequence = event.sequence
        self._changes += 1
        self._set(event)
        bids, asks = self._bids.prices, self._asks.prices
        if bids and asks and bids[-1] >= asks[0]:
            self._stop(BookState.STALE, f"it is crossed: bid {bids[-1]}, ask {asks[0]}")

    def _follows(self, sequence: int | None) -> bool:
        """Whether the change is the next one; the last one again is passed over in silence."""
        if self.state is not BookState.LIVE:
            return False
        last = self.sequence
        if sequence == last:
            return sequence is None
        if last is not None and sequence == last + 1:
            return True
        self._stop(BookState.STALE, f"change {sequence} came after {last}")
        return False

    def _set(self, event: DepthEvent) -> None:
        digits = event.digits()
        if digits is None:
            self._bids.set_levels(event.bids)
            self._asks.set_levels(event.asks)
        else:
            self._bids.set_digits(digits[0])
            self._asks.set_digits(digits[1])

    def _interrupt(self, event: Gap | StatusChanged) -> None:
        """A lost connection counts at once; the gap may only be told when it is over.

        While others of the stream are being subscribed, this one has its own gap if it has one.
        """
        if isinstance(event, Gap):
            awaited = event.until is not None or event.cause is GapCause.RENEWED
            self._stop(BookState.RESYNCING if awaited else BookState.STALE, f"gap: {event.cause}")
        elif event.status not in _CONNECTED:
            self._stop(BookState.STALE, f"the {event.stream} stream is {event.status}")

    def _stop(self, state: BookState, reason: str) -> None:
        self.state, self.reason = state, reason

    # --- the small parts of reading ---

    def _check(self, stale_ok: bool) -> None:
        if self.state is not BookState.LIVE and not stale_ok:
            raise BookNotLive(
                f"the book of {self.contract_id} is {self.state} ({self.reason}): wait for the"
                " venue's next reset"
            )

    def _side(self, side: OrderSide) -> Side:
        return self._bids if side is OrderSide.BUY else self._asks

    def _steps(self, side: Side, order: range, stale_ok: bool) -> Iterator[DepthLevel]:
        changes = self._changes
        for at in order:
            self._check(stale_ok)
            if self._changes != changes:
                raise RuntimeError(f"the book of {self.contract_id} changed during iteration")
            yield side.level(at)


_CONNECTED = (StreamConnectionStatus.SUBSCRIBING, StreamConnectionStatus.LIVE)
