"""What the demo has seen so far: no network, no terminal; views are drawn from it."""

from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import Factory, define, field, frozen

from tradeforge_cli.demo.wording import order_text, position_text, trade_text
from tradeforge_cli.figures import money_text
from tradeforge_cli.gaps import gap_text
from tradeforge_core import (
    Account,
    AccountUpdateEvent,
    Bar,
    Contract,
    DepthEvent,
    Event,
    Gap,
    MarketTradeEvent,
    Order,
    OrderBook,
    OrderStatus,
    OrderUpdateEvent,
    Position,
    PositionUpdateEvent,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    Trade,
    TradeForgeError,
    UserTradeEvent,
)

WANTED: dict[type, str] = {
    QuoteEvent: "quote",
    DepthEvent: "depth update",
    MarketTradeEvent: "market trade",
    AccountUpdateEvent: "account update",
    OrderUpdateEvent: "order update",
    PositionUpdateEvent: "position update",
    UserTradeEvent: "fill",
}
"""The kinds of event that a complete demo has seen, and what a person calls them."""


_TOLD = (
    StreamConnectionStatus.LIVE,
    StreamConnectionStatus.RECONNECTING,
    StreamConnectionStatus.CLOSED,
)
"""The steps in between last some milliseconds."""


def _now() -> datetime:
    return datetime.now(UTC)


@frozen
class Moment:
    """One line of the story."""

    at: datetime
    text: str


@define
class OrderLife:
    """The newest state of an order and the statuses it went through."""

    order: Order
    statuses: list[OrderStatus]


@define
class DemoRecord:
    provider: str
    seed: int
    planned_seconds: float
    began: datetime = Factory(_now)
    streaming_since: datetime | None = None
    streamed_seconds: float = 0.0
    accounts: list[Account] = Factory(list)
    account: Account | None = None
    contract: Contract | None = None
    bars: list[Bar] = Factory(list)
    seen: Counter[type] = Factory(Counter)
    quote: QuoteEvent | None = None
    previous_last: Decimal | None = None
    book: OrderBook | None = None
    tape: deque[MarketTradeEvent] = field(factory=lambda: deque(maxlen=40))
    orders: dict[str, OrderLife] = Factory(dict)
    entry_id: str | None = None
    resting_id: str | None = None
    trades: dict[str, Trade] = Factory(dict)
    """By id: the venue may tell of one fill twice."""
    position: Position | None = None
    position_after: Decimal | None = None
    streams: dict[str, StreamConnectionStatus] = Factory(dict)
    story: list[Moment] = Factory(list)
    errors: list[TradeForgeError] = Factory(list)

    def tell(self, text: str) -> None:
        self.story.append(Moment(_now(), text))

    def take(self, event: Event) -> None:
        """Take in one event of the streams; a kind that is not known here is only counted."""
        self.seen[type(event)] += 1
        if take := _TAKE.get(type(event)):
            take(self, event)

    def take_error(self, error: TradeForgeError) -> None:
        """Take in what no caller was there to catch."""
        self.errors.append(error)
        self.tell(f"error: {error}")

    def status_of(self, order_id: str | None) -> OrderStatus | None:
        life = self.orders.get(order_id or "")
        return life.order.status if life else None

    @property
    def is_flat(self) -> bool:
        return self.position is not None and self.position.is_flat

    @property
    def fills(self) -> list[Trade]:
        return [trade for trade in self.trades.values() if not trade.voided]

    @property
    def realized_pnl(self) -> Decimal:
        """Before fees and commissions."""
        return sum((trade.realized_pnl or Decimal(0) for trade in self.fills), Decimal(0))

    @property
    def costs(self) -> Decimal:
        """Fees and commissions of all fills."""
        parts = [part for trade in self.fills for part in (trade.fees, trade.commissions)]
        return sum((part for part in parts if part is not None), Decimal(0))

    @property
    def open_pnl(self) -> Decimal:
        """What closing at the last price would make, before fees."""
        held, last = self.position, self.quote.last if self.quote else None
        worth = None if self.contract is None else self.contract.point_value
        if worth is None or held is None or held.average_price is None or last is None:
            return Decimal(0)
        return (last - held.average_price) * held.size * worth

    # --- one method for each kind of event ---

    def _take_quote(self, event: QuoteEvent) -> None:
        if self.quote is not None and self.quote.last != event.last:
            self.previous_last = self.quote.last
        self.quote = event

    def _take_depth(self, event: DepthEvent) -> None:
        if self.book is not None:
            self.book.apply(event)

    def _take_market_trade(self, event: MarketTradeEvent) -> None:
        self.tape.append(event)

    def _take_account(self, event: AccountUpdateEvent) -> None:
        changed = self.account is None or self.account.balance != event.account.balance
        self.account = event.account
        if changed:
            self.tell(f"balance {money_text(event.account.balance)}")

    def _take_order(self, event: OrderUpdateEvent) -> None:
        order = event.order
        life = self.orders.setdefault(order.id, OrderLife(order, []))
        life.order = order
        if order.status not in life.statuses[-1:]:
            life.statuses.append(order.status)
            self.tell(f"order {order_text(order, self.contract)}: {order.status.replace('_', ' ')}")

    def _take_position(self, event: PositionUpdateEvent) -> None:
        self.position = event.position
        self.tell(f"position {position_text(event.position, self.contract)}")

    def _take_fill(self, event: UserTradeEvent) -> None:
        is_news = event.trade.id not in self.trades
        self.trades[event.trade.id] = event.trade
        if is_news:
            self.tell(f"fill {trade_text(event.trade, self.contract)}")

    def _take_status(self, event: StatusChanged) -> None:
        self.streams[event.stream] = event.status
        if event.status in _TOLD:
            self.tell(f"{event.stream} stream {event.status}")

    def _take_gap(self, event: Gap) -> None:
        if self.book is not None:
            self.book.apply(event)
        self.tell(gap_text(event))


_TAKE: dict[type, Callable[[DemoRecord, Any], None]] = {
    QuoteEvent: DemoRecord._take_quote,
    DepthEvent: DemoRecord._take_depth,
    MarketTradeEvent: DemoRecord._take_market_trade,
    AccountUpdateEvent: DemoRecord._take_account,
    OrderUpdateEvent: DemoRecord._take_order,
    PositionUpdateEvent: DemoRecord._take_position,
    UserTradeEvent: DemoRecord._take_fill,
    StatusChanged: DemoRecord._take_status,
    Gap: DemoRecord._take_gap,
}
