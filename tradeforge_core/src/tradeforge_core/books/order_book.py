"""The order book of one contract, kept from depth events."""

from decimal import Decimal
from enum import StrEnum

from tradeforge_core.enums import MarketDataType, StreamConnectionStatus
from tradeforge_core.errors import BookNotLive
from tradeforge_core.events import DepthEvent, DepthLevel, Event, Gap, StatusChanged, Topic


class BookState(StrEnum):
    STALE = "stale"
    """Nothing has been received yet, or something is missing: only a reset can make it right."""
    LIVE = "live"


class OrderBook:
    """Give it every event of a depth subscription; it knows when it must not be read."""

    def __init__(self, contract_id: str) -> None:
        self.contract_id = contract_id
        self.state = BookState.STALE
        self._topic = Topic(MarketDataType.DEPTH, contract_id)
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def apply(self, event: Event) -> None:
        """Take in an event; those of other contracts and of other kinds change nothing."""
        if isinstance(event, (Gap, StatusChanged)) and self._is_interrupted(event):
            self.state = BookState.STALE
        elif isinstance(event, DepthEvent) and event.contract_id == self.contract_id:
            self._apply_depth(event)

    def bids(self, levels: int) -> list[DepthLevel]:
        """The best `levels` bids, the highest first. Raises `BookNotLive`."""
        self._check()
        prices = sorted(self._bids, reverse=True)[:levels]
        return [DepthLevel(price, self._bids[price]) for price in prices]

    def asks(self, levels: int) -> list[DepthLevel]:
        """The best `levels` asks, the lowest first. Raises `BookNotLive`."""
        self._check()
        prices = sorted(self._asks)[:levels]
        return [DepthLevel(price, self._asks[price]) for price in prices]

    def _apply_depth(self, event: DepthEvent) -> None:
        if event.reset:
            self._bids.clear()
            self._asks.clear()
            self.state = BookState.LIVE
        _set_levels(self._bids, event.bids)
        _set_levels(self._asks, event.asks)

    def _is_interrupted(self, event: Gap | StatusChanged) -> bool:
        """A lost connection counts at once; the gap may only be told when it is over.

        While others of the stream are being subscribed, this one has its own gap if it has one.
        """
        connected = isinstance(event, StatusChanged) and event.status in _CONNECTED
        return self._topic in event.topics and not connected

    def _check(self) -> None:
        if self.state is not BookState.LIVE:
            raise BookNotLive(
                f"the book of {self.contract_id} is {self.state}: wait for the venue's next reset"
            )


_CONNECTED = (StreamConnectionStatus.SUBSCRIBING, StreamConnectionStatus.LIVE)


def _set_levels(side: dict[Decimal, Decimal], levels: tuple[DepthLevel, ...]) -> None:
    for price, size in levels:
        if size:
            side[price] = size
        else:
            side.pop(price, None)
