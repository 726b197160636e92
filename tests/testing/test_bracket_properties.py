"""Whatever happens to brackets and to the books, these hold after every step."""

from collections.abc import Callable
from decimal import Decimal

from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeEvent,
    ExchangeOrder,
    Instrument,
    Leg,
    OrderChanged,
    Refused,
    Ticket,
)

TICK = Decimal("0.25")
START = Decimal(100)
BALANCE = Decimal(50_000)
BUY = OrderSide.BUY


@frozen
class Enter:
    """`distance` is where it stands, in ticks away from the start, if its type has a price."""

    account: int
    side: OrderSide
    type: OrderType
    size: int
    distance: int
    stop_loss: int | None
    trails: bool
    take_profit: int | None


@frozen
class Touch:
    """Something done to one of the orders there are, legs included."""

    name: str
    number: int
    size: int


@frozen
class Void:
    account: int
    number: int


@frozen
class Move:
    distance: int


@frozen
class Call:
    name: str


Action = Enter | Touch | Void | Move | Call

_TYPES = [each for each in OrderType if each not in (OrderType.STOP_LIMIT, OrderType.UNKNOWN)]
_enters = st.builds(
    Enter,
    account=st.integers(0, 1),
    side=st.sampled_from(OrderSide),
    type=st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, *_TYPES]),
    size=st.one_of(st.integers(1, 9), st.integers(1, 300)),
    distance=st.integers(-8, 8),
    stop_loss=st.none() | st.integers(4, 12),
    trails=st.booleans(),
    take_profit=st.none() | st.integers(4, 12),
)
_NAMES = ["cancel_order", "fill_order", "fill_order", "reject_order", "expire_order"]
_actions = st.lists(
    st.one_of(
        _enters,
        _enters,
        st.builds(Touch, st.sampled_from(_NAMES), st.integers(0, 60), st.integers(1, 6)),
        st.builds(Void, st.integers(0, 1), st.integers(0, 20)),
        st.builds(Move, st.integers(-25, 25)),
        st.builds(Call, st.sampled_from(["advance", "halt", "resume"])),
    ),
    min_size=8,
    max_size=35,
)


@define
class Play:
    """An exchange with two accounts, and everything it told."""

    seed: int
    exchange: Exchange = field(init=False)
    accounts: list[int] = field(init=False)
    events: list[ExchangeEvent] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.exchange = Exchange([_instrument()], clock=ManualClock(), seed=self.seed)
        self.accounts = [self.exchange.open_account(name, BALANCE).id for name in "ab"]
        self.exchange.listen(self.events.append)

    def orders(self) -> list[ExchangeOrder]:
        return [order for each in self.accounts for order in self.exchange.orders(each)]

    def do(self, action: Action) -> None:
        """A refusal is an answer like any other."""
        try:
            self._do(action)
        except Refused:
            pass

    def _do(self, action: Action) -> None:
        match action:
            case Enter():
                self.exchange.place(self._ticket(action))
            case Touch() if orders := self.orders():
                self._touch(action, orders[action.number % len(orders)])
            case Void(number, index):
                account = self.accounts[number]
                if fills := self.exchange.fills(account):
                    self.exchange.void_fill(account, fills[index % len(fills)].id)
            case Move(distance):
                self.exchange.move_to("X", START + distance * TICK)
            case Call(name):
                _CALLS[name](self.exchange)

    def _touch(self, action: Touch, order: ExchangeOrder) -> None:
        match action.name:
            case "cancel_order":
                self.exchange.cancel(order.account_id, order.id)
            case "fill_order":
                size = min(action.size, max(1, order.remaining_size))
                self.exchange.fill_order(order.account_id, order.id, size)
            case name:
                getattr(self.exchange, name)(order.account_id, order.id)

    def _ticket(self, action: Enter) -> Ticket:
        price = START + action.distance * TICK
        sign = 1 if action.side is BUY else -1
        stop_type = OrderType.TRAILING_STOP if action.trails else OrderType.STOP
        return Ticket(
            account_id=self.accounts[action.account],
            instrument_id="X",
            side=action.side,
            type=action.type,
            size=action.size,
            limit_price=price if action.type is OrderType.LIMIT else None,
            stop_price=price if action.type is OrderType.STOP else None,
            trail_price=price if action.type is OrderType.TRAILING_STOP else None,
            stop_loss=_leg(action.stop_loss, -sign, stop_type),
            take_profit=_leg(action.take_profit, sign, OrderType.LIMIT),
        )


def _leg(ticks: int | None, sign: int, type_: OrderType) -> Leg | None:
    return None if ticks is None else Leg(sign * ticks, type_)


_CALLS: dict[str, Callable[[Exchange], None]] = {
    "advance": Exchange.advance,
    "halt": lambda exchange: exchange.halt("X"),
    "resume": lambda exchange: exchange.resume("X"),
}


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_no_exit_is_larger_than_what_its_entry_left_open(actions: list[Action], seed: int) -> None:
    play = Play(seed)
    for action in actions:
        play.do(action)
        orders = {each.id: each for each in play.orders()}
        for entry in orders.values():
            legs = [each for each in orders.values() if each.parent_id == entry.id]
            _check_family(entry, legs, play.exchange.is_halted("X"))


def _check_family(entry: ExchangeOrder, legs: list[ExchangeOrder], halted: bool) -> None:
    exited = sum(leg.filled_size for leg in legs)
    still_open = entry.filled_size - exited
    assert still_open >= 0
    for leg in (each for each in legs if not each.status.is_final):
        if leg.status is OrderStatus.SUSPENDED:
            assert not entry.filled_size or halted
        else:
            assert 0 < leg.remaining_size <= still_open
            assert leg.remaining_size == still_open or halted
    if any(leg.status is OrderStatus.FILLED for leg in legs):
        assert all(order.status.is_final for order in (entry, *legs))
    if entry.status.is_final and not entry.filled_size:
        assert all(leg.status.is_final for leg in legs)


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_voided_fills_count_for_nothing(actions: list[Action], seed: int) -> None:
    play = Play(seed)
    for action in actions:
        play.do(action)
        for account_id in play.accounts:
            _check_books(play.exchange, account_id)


def _check_books(exchange: Exchange, account_id: int) -> None:
    fills = [each for each in exchange.fills(account_id) if not each.voided]
    paid = sum((each.fees + each.commissions for each in fills), Decimal())
    realized = sum((each.realized_pnl or Decimal() for each in fills), Decimal())
    assert exchange.account(account_id).balance == BALANCE + realized - paid
    signed = [(each.size if each.side is BUY else -each.size, each.price) for each in fills]
    held = sum(size for size, _ in signed)
    positions = exchange.positions(account_id)
    assert [each.size for each in positions] == ([held] if held else [])
    worth = sum((each.size * each.average_price for each in positions), Decimal())
    flow = sum((-size * price for size, price in signed), Decimal())
    assert abs(realized - (flow + worth) * 50) <= Decimal("0.02")


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_the_same_calls_tell_the_same(actions: list[Action], seed: int) -> None:
    one, two = Play(seed), Play(seed)
    for play in (one, two):
        for action in actions:
            play.do(action)
    assert one.events == two.events
    assert one.exchange.snapshot() == two.exchange.snapshot()


@settings(deadline=None)
@given(actions=_actions, seed=st.integers(0, 3))
def test_who_listens_knows_every_order(actions: list[Action], seed: int) -> None:
    """The last that was told of an order is how it is, and what is final stays as it is."""
    play, told = Play(seed), dict[int, ExchangeOrder]()
    for action in actions:
        play.do(action)
    for event in play.events:
        if isinstance(event, OrderChanged):
            old = told.get(event.order.id)
            assert old is None or not old.status.is_final
            told[event.order.id] = event.order
    assert told == {each.id: each for each in play.orders()}


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
