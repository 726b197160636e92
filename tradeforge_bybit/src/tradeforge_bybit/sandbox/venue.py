"""What the endpoints work on: the exchange, whose it is, and what this venue knows besides."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import count
from uuid import UUID

from attrs import define, evolve, field, frozen

from tradeforge_bybit.sandbox.closings import Closings
from tradeforge_bybit.sandbox.instruments import Listing, instrument_id
from tradeforge_bybit.sandbox.literals import (
    fill_id_text,
    milliseconds,
    order_id_text,
)
from tradeforge_bybit.sandbox.signing import Credentials
from tradeforge_bybit.sandbox.slips import Slip, slip_of
from tradeforge_core.enums import OrderSide, OrderStatus
from tradeforge_core.kit.clock import Clock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    Fill,
    FillMade,
    MarketTrade,
)
from tradeforge_testing.sandbox.books import Books

_NOTHING = Decimal(0)
_MOST_PRINTS = 1000
_PRINTS = UUID("9afd1288-b444-53f8-8e40-000000000000").int


PositionKey = tuple[str, OrderSide | None]
"""Of an instrument, and of a side where there is a position for each."""
ExitPrices = Mapping[str, Decimal | None]


@frozen(kw_only=True)
class Tally:
    """What the fills of an order come to."""

    lots: int = 0
    value: Decimal = _NOTHING
    profit: Decimal = _NOTHING
    fees: Mapping[str, Decimal] = field(factory=dict)
    time: datetime | None = None
    """Of the last one."""


@frozen(kw_only=True)
class Print:
    """A trade of the market, with the id and the number that the venue gives it."""

    id: str
    sequence: int
    direction: str
    trade: MarketTrade


@define
class BookNumbers:
    """Those of the book of one instrument: `update` grows by one with each change that is told."""

    update: int
    sequence: int


@define
class Venue:
    exchange: Exchange
    credentials: Credentials
    clock: Clock
    listings: Mapping[str, Listing]
    slips: dict[str, Slip] = field(factory=dict)
    tallies: dict[int, Tally] = field(factory=dict)
    closings: Closings = field(factory=Closings)
    hedged: set[str] = field(factory=set)
    """The instruments with a position for each side."""
    exits: dict[PositionKey, dict[str, Decimal]] = field(factory=dict)
    """The prices of the take profit and the stop loss of each position that has them."""
    protect: Callable[[PositionKey, ExitPrices], None] = lambda key, prices: None
    unprotect: Callable[[PositionKey, str], None] = lambda key, kind: None
    ahead: float = 0.0
    """Seconds by which the venue's clock is ahead of the one that it was given."""
    plain_ids: bool = False
    """Whether orders and fills go by the numbers that the exchange gives them."""
    show: Callable[[], Books] | None = None
    """Where reads of orders, fills and positions look; None is the exchange itself."""
    settle_books: Callable[[], None] = lambda: None
    """Tells the stream of the book what is still to be told of it."""
    _prints: dict[str, deque[Print]] = field(
        factory=lambda: defaultdict(lambda: deque(maxlen=_MOST_PRINTS))
    )
    _books: dict[str, BookNumbers] = field(factory=dict)
    _filled: dict[int, int] = field(factory=dict)
    _serials: "count[int]" = field(factory=lambda: count(1_000_000))

    @property
    def books(self) -> Books:
        return self.exchange if self.show is None else self.show()

    @property
    def account(self) -> ExchangeAccount:
        return self.exchange.accounts()[0]

    @property
    def now(self) -> int:
        """The venue's time in milliseconds."""
        return milliseconds(self.clock.now()) + round(self.ahead * 1000)

    def held(self, key: PositionKey) -> int:
        """The position in lots, below zero when short."""
        positions = self.exchange.positions(self.account.id)
        return sum(one.size for one in positions if (one.instrument_id, one.hedge_side) == key)

    def serial(self) -> int:
        """A number that grows with everything that happens."""
        return next(self._serials)

    def book_numbers(self, listing: Listing) -> BookNumbers:
        return self._books.setdefault(listing.instrument.id, BookNumbers(100_000, self.serial()))

    def prints(self, listing: Listing) -> Iterable[Print]:
        """The last trades of the market, the oldest first."""
        return self._prints[listing.instrument.id]

    def last_print(self, instrument_id: str) -> Print | None:
        prints = self._prints[instrument_id]
        return prints[-1] if prints else None

    def listing(self, category: str, symbol: str) -> Listing | None:
        return self.listings.get(instrument_id(category, symbol))

    def listing_of(self, record: ExchangeOrder | Fill) -> Listing:
        return self.listings[record.instrument_id]

    # What was asked, and what came of it

    def keep(self, slip: Slip) -> None:
        self.slips[slip.tag] = slip

    def slip(self, order: ExchangeOrder) -> Slip:
        return self.slips.get(order.tag or "") or slip_of(order)

    def is_shown(self, order: ExchangeOrder) -> bool:
        """Exits are there once their order has a fill; before, they are a part of it."""
        if order.parent_id is None:
            return True
        entry = self.exchange.order(order.account_id, order.parent_id)
        return entry.filled_size > 0 and order.status is not OrderStatus.SUSPENDED

    def tally(self, order_id: int) -> Tally:
        return self.tallies.get(order_id, Tally())

    def filled_by(self, fill: Fill) -> int:
        """How many lots its order had filled with this fill."""
        return self._filled.get(fill.id, fill.size)

    def hear(self, event: ExchangeEvent) -> None:
        """Keep a print, and add a fill to what its order comes to."""
        if isinstance(event, MarketTrade):
            self._print(event)
        if not isinstance(event, FillMade) or event.fill.voided:
            return
        if event.fill.id in self._filled:
            return  # told again, because one before it was taken back
        fill, before = event.fill, self.tally(event.fill.order_id)
        listing = self.listing_of(fill)
        coin = self.coin(listing, fill.fee_coin)
        if not listing.is_spot:
            self.closings.add(fill)
        self._filled[fill.id] = before.lots + fill.size
        self.tallies[fill.order_id] = Tally(
            lots=before.lots + fill.size,
            value=before.value + listing.instrument.value(fill.size, fill.price),
            profit=before.profit + (fill.realized_pnl or _NOTHING),
            fees={**before.fees, coin: before.fees.get(coin, _NOTHING) + fill.fees},
            time=fill.time,
        )

    def _print(self, trade: MarketTrade) -> None:
        prints, sequence = self._prints[trade.instrument_id], self.serial()
        before = prints[-1].trade.price if prints else trade.price
        way = "Zero" if trade.price == before else ""
        way += "Minus" if trade.price < before else "Plus"
        id_ = str(UUID(int=_PRINTS | sequence))
        prints.append(Print(id=id_, sequence=sequence, direction=f"{way}Tick", trade=trade))

    @staticmethod
    def coin(listing: Listing, coin: str) -> str:
        """The name of the coin; the account's own money has none at the exchange."""
        return coin or listing.settle

    def id_text(self, order: ExchangeOrder | Fill) -> str:
        number = order.order_id if isinstance(order, Fill) else order.id
        if self.plain_ids:
            return str(number)
        return order_id_text(number, spot=self.listing_of(order).is_spot)

    def fill_id_text(self, fill: Fill) -> str:
        if self.plain_ids:
            return str(fill.id)
        return fill_id_text(fill.id, spot=self.listing_of(fill).is_spot)

    def change_slip(self, order: ExchangeOrder, **changes: object) -> Slip:
        slip = evolve(self.slip(order), **changes)  # type: ignore[arg-type]
        self.keep(slip)
        return slip


def open_venue(
    credentials: Credentials,
    *,
    clock: Clock,
    seed: int,
    balance: Decimal,
    coins: Mapping[str, Decimal],
    listed: Mapping[str, Listing],
    plain_ids: bool,
) -> Venue:
    """A venue with one account; `balance` is what it has of USDT."""
    exchange = Exchange([one.instrument for one in listed.values()], clock=clock, seed=seed)
    exchange.open_account("UNIFIED", balance, coins=coins, auto_oco=True)
    venue = Venue(exchange, credentials, clock, listed, plain_ids=plain_ids)
    exchange.listen(venue.hear)
    return venue
