"""Whatever is done to the exchange, in whatever order, these hold after every step."""

from collections import Counter
from decimal import Decimal

from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    DepthChanged,
    Exchange,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    Instrument,
    MarketTrade,
    OrderChanged,
    Refused,
    Ticket,
)

TICK = Decimal("0.25")
START = Decimal(100)
BALANCE = Decimal(50_000)


@frozen
class Place:
    account: int
    side: OrderSide
    type: OrderType
    size: int
    distance: int


@frozen
class Modify:
    number: int
    size: int | None
    distance: int | None


@frozen
class Cancel:
    number: int


@frozen
class Close:
    account: int
    size: int | None


@frozen
class Move:
    distance: int


@frozen
class Advance:
    seconds: float


Action = Place | Modify | Cancel | Close | Move | Advance

_accounts = st.integers(0, 1)
_sizes = st.one_of(st.integers(1, 12), st.integers(-1, 400))
_distances = st.one_of(st.integers(-3, 3), st.integers(-14, 14))
_numbers = st.integers(0, 40)
_types = st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP])
_places = st.builds(Place, _accounts, st.sampled_from(OrderSide), _types, _sizes, _distances)
_actions = st.lists(
    st.one_of(
        _places,
        _places,
        st.builds(Modify, _numbers, st.none() | _sizes, st.none() | _distances),
        st.builds(Cancel, _numbers),
        st.builds(Close, _accounts, st.none() | _sizes),
        st.builds(Move, _distances),
        st.builds(Advance, st.sampled_from([0.0, 0.25, 30.0])),
    ),
    min_size=12,
    max_size=50,
)


@define
class Play:
    """An exchange with two accounts, and everything it told."""

    seed: int
    clock: ManualClock = field(factory=ManualClock)
    exchange: Exchange = field(init=False)
    accounts: list[int] = field(init=False)
    orders: list[ExchangeOrder] = field(factory=list)
    events: list[ExchangeEvent] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.exchange = Exchange([_instrument()], clock=self.clock, seed=self.seed)
        self.accounts = [self.exchange.open_account(name, BALANCE).id for name in "ab"]
        self.exchange.listen(self.events.append)

    def do(self, action: Action) -> None:
        """A refusal is an answer like any other."""
        try:
            self._do(action)
        except Refused:
            pass

    def _do(self, action: Action) -> None:
        match action:
            case Place():
                self.orders.append(self.exchange.place(self._ticket(action)))
            case Modify(number, size, distance) if self.orders:
                self._modify(self.orders[number % len(self.orders)], size, distance)
            case Cancel(number) if self.orders:
                order = self.orders[number % len(self.orders)]
                self.exchange.cancel(order.account_id, order.id)
            case Close(account, size):
                self.exchange.close_position(self.accounts[account], "X", size)
            case Move(distance):
                self.exchange.move_to("X", START + distance * TICK)
            case Advance(seconds):
                self.clock.advance(seconds)
                self.exchange.advance()

    def _ticket(self, action: Place) -> Ticket:
        price = START + action.distance * TICK
        return Ticket(
            account_id=self.accounts[action.account],
            instrument_id="X",
            side=action.side,
            type=action.type,
            size=action.size,
            limit_price=price if action.type is OrderType.LIMIT else None,
            stop_price=price if action.type is OrderType.STOP else None,
        )

    def _modify(self, order: ExchangeOrder, size: int | None, distance: int | None) -> None:
        price = None if distance is None else START + distance * TICK
        self.exchange.modify(
            order.account_id,
            order.id,
            size=size,
            limit_price=price if order.type is OrderType.LIMIT else None,
            stop_price=price if order.type is OrderType.STOP else None,
        )


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_the_books_add_up(actions: list[Action], seed: int) -> None:
    play = Play(seed)
    for action in actions:
        play.do(action)
        _check_book(play.exchange)
        for account_id in play.accounts:
            _check_money(play.exchange, account_id)
            _check_orders(play.exchange, account_id)


def _check_book(exchange: Exchange) -> None:
    bids, asks = exchange.depth("X")
    quote = exchange.quote("X")
    assert quote.bid < quote.ask
    if bids:
        assert quote.bid == bids[0].price
    if asks:
        assert quote.ask == asks[0].price
    assert bids == sorted(bids, key=lambda level: -level.price)
    assert asks == sorted(asks, key=lambda level: level.price)
    assert all(level.size > 0 for level in bids + asks)


def _check_money(exchange: Exchange, account_id: int) -> None:
    fills = exchange.fills(account_id)
    paid = sum((each.fees + each.commissions for each in fills), Decimal())
    realized = sum((each.realized_pnl or Decimal() for each in fills), Decimal())
    assert exchange.account(account_id).balance == BALANCE + realized - paid
    assert paid == sum(each.size for each in fills) * Decimal("0.62")
    held = sum(each.size if each.side is OrderSide.BUY else -each.size for each in fills)
    positions = exchange.positions(account_id)
    assert [each.size for each in positions] == ([held] if held else [])
    worth = sum((each.size * each.average_price for each in positions), Decimal())
    signed = ((each.side is OrderSide.SELL) * 2 - 1 for each in fills)
    flow = sum(
        (sign * each.size * each.price for sign, each in zip(signed, fills, strict=True)), Decimal()
    )
    assert abs(realized - (flow + worth) * 50) <= Decimal("0.02")
    if not held:
        assert realized == flow * 50


def _check_orders(exchange: Exchange, account_id: int) -> None:
    filled: Counter[int] = Counter()
    for fill in exchange.fills(account_id):
        filled[fill.order_id] += fill.size
    for order in exchange.orders(account_id):
        assert order.filled_size == filled[order.id]
        if order.status is OrderStatus.REJECTED:
            assert order.reject is not None
            continue
        assert order.reject is None
        assert 0 <= order.filled_size <= order.size
        assert (order.filled_size == order.size) == (order.status is OrderStatus.FILLED)
        assert (order.filled_size == 0) == (order.average_fill_price is None)


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_no_limit_order_trades_outside_its_limit(actions: list[Action], seed: int) -> None:
    play = Play(seed)
    for action in actions:
        play.do(action)
    limits: dict[int, Decimal] = {}
    for event in play.events:
        if isinstance(event, OrderChanged) and event.order.limit_price is not None:
            limits[event.order.id] = event.order.limit_price
        if isinstance(event, FillMade) and event.fill.order_id in limits:
            gain = limits[event.fill.order_id] - event.fill.price
            assert gain >= 0 if event.fill.side is OrderSide.BUY else gain <= 0


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_price_goes_first_and_then_time(actions: list[Action], seed: int) -> None:
    """No limit order is filled while one with a better claim waits on the same side."""
    play = Play(seed)
    for action in actions:
        play.do(action)
    claims: dict[int, _Claim] = {}
    for number, event in enumerate(play.events):
        if isinstance(event, OrderChanged) and event.order.type is OrderType.LIMIT:
            _update(claims, event.order, number)
        if isinstance(event, FillMade) and event.fill.order_id in claims:
            mine = claims[event.fill.order_id]
            rivals = (each for each in claims.values() if each.side is mine.side)
            assert min(rivals, key=lambda each: each.rank) == mine


@frozen
class _Claim:
    """A working limit order; the smaller rank goes first."""

    side: OrderSide
    size: int
    rank: tuple[Decimal, int]


def _update(claims: dict[int, _Claim], order: ExchangeOrder, number: int) -> None:
    if order.status.is_final or order.limit_price is None:
        claims.pop(order.id, None)
        return
    old = claims.get(order.id)
    price = -order.limit_price if order.side is OrderSide.BUY else order.limit_price
    keeps = old is not None and old.rank[0] == price and order.size <= old.size
    claims[order.id] = _Claim(
        order.side, order.size, (price, old.rank[1] if old and keeps else number)
    )


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_the_same_calls_tell_the_same(actions: list[Action], seed: int) -> None:
    one, two = Play(seed), Play(seed)
    for play in (one, two):
        for action in actions:
            play.do(action)
    assert one.events == two.events
    assert one.exchange.depth("X") == two.exchange.depth("X")


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_a_book_kept_from_events_is_the_book(actions: list[Action], seed: int) -> None:
    play = Play(seed)
    before = play.exchange.depth("X")
    book = {
        side: {level.price: level.size for level in levels}
        for side, levels in zip((OrderSide.BUY, OrderSide.SELL), before, strict=True)
    }
    for action in actions:
        play.do(action)
    for event in play.events:
        if isinstance(event, DepthChanged):
            _keep(book, event)
    bids, asks = play.exchange.depth("X")
    assert book[OrderSide.BUY] == {level.price: level.size for level in bids}
    assert book[OrderSide.SELL] == {level.price: level.size for level in asks}


def _keep(book: dict[OrderSide, dict[Decimal, int]], event: DepthChanged) -> None:
    if event.size:
        book[event.side][event.price] = event.size
    else:
        del book[event.side][event.price]
    if book[OrderSide.BUY] and book[OrderSide.SELL]:
        assert max(book[OrderSide.BUY]) < min(book[OrderSide.SELL])


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_every_fill_is_a_print_and_the_session_counts_them(
    actions: list[Action], seed: int
) -> None:
    play = Play(seed)
    for action in actions:
        play.do(action)
    prints = [each for each in play.events if isinstance(each, MarketTrade)]
    fills = [each.fill for each in play.events if isinstance(each, FillMade)]
    for price in {each.price for each in fills}:
        sizes = {
            side: sum(f.size for f in fills if (f.price, f.side) == (price, side))
            for side in OrderSide
        }
        assert max(sizes.values()) <= sum(each.size for each in prints if each.price == price)
    quote = play.exchange.quote("X")
    assert quote.volume == sum(each.size for each in prints)
    assert quote.high == max([START, *(each.price for each in prints)])
    assert quote.low == min([START, *(each.price for each in prints)])
    assert quote.last == (prints[-1].price if prints else START)


def _instrument() -> Instrument:
    return Instrument(
        id="X",
        symbol="X",
        root="X",
        description="",
        tick_size=TICK,
        tick_value=Decimal("12.50"),
        start_price=START,
        fee=Decimal("0.37"),
        commission=Decimal("0.25"),
    )
