"""A venue that trades, and what arrives of it: shuffled, twice, late, in part, beside its answers.

Once everything has arrived, or has been asked for again, the ledger knows what the venue knows.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tradeforge_core import Order, OrderSide, OrderStatus, OrderType, Position, Trade
from tradeforge_core.state.ledger import Ledger

S = OrderStatus
CONTRACTS = ("ABC", "DEF")
Message = Callable[[Ledger, datetime], object]
"""Takes a ledger and when the message is received."""


class Venue:
    """What is true. Every change of an order, fill or position leaves as a message."""

    def __init__(self, *, moves_time: bool) -> None:
        self.now = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
        self.moves_time = moves_time
        """Whether a modification moves `updated_at`; a fill never does."""
        self.orders: dict[str, Order] = {}
        self.trades: dict[str, Trade] = {}
        self.sent: list[Message] = []
        """Orders and fills: they may overtake each other, and come twice."""
        self.positions_sent: list[Message] = []
        """In order, as one connection delivers them."""

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def where(self, *statuses: OrderStatus) -> list[Order]:
        return [one for one in self.orders.values() if one.status in statuses]

    def open(self) -> list[Order]:
        return [one for one in self.orders.values() if not one.status.is_final]

    def place(self, contract_id: str, side: OrderSide, size: int, *, bracket: bool) -> None:
        entry = self._new(contract_id, side, size, S.PENDING, client_order_id=self._name())
        if bracket:
            leg = {"parent_order_id": entry.id, "limit_price": Decimal(1)}
            stop = self._new(contract_id, side.opposite, size, S.SUSPENDED, **leg)
            self._new(contract_id, side.opposite, size, S.SUSPENDED, linked_order_id=stop.id, **leg)

    def change(self, order: Order, *, moves_time: bool = True, **changes: Any) -> Order:
        order = evolve(order, **changes)
        if moves_time:
            order = evolve(order, updated_at=self.tick())
        self.orders[order.id] = order
        self.sent.append(lambda ledger, received: ledger.saw_order(order, received))
        return order

    def fill(self, order: Order, size: Decimal, price: int) -> None:
        filled = order.filled_size + size
        status = S.FILLED if filled == order.size else S.PARTIALLY_FILLED
        if order.status is S.PENDING_CANCEL and status is not S.FILLED:
            status = S.PENDING_CANCEL
        spent = order.filled_size * (order.average_fill_price or 0) + size * price
        self._trade(order, size, price)
        self.change(
            order,
            moves_time=False,
            status=status,
            filled_size=filled,
            average_fill_price=spent / filled,
        )
        self._tell_position(order.contract_id)
        if status is S.FILLED:
            for leg in [one for one in self.where(S.SUSPENDED) if one.parent_order_id == order.id]:
                self.change(leg, status=S.WORKING)

    def void(self, trade: Trade) -> None:
        self.send_trade(evolve(trade, voided=True))
        self._tell_position(trade.contract_id)

    def send_trade(self, trade: Trade) -> None:
        self.trades[trade.id] = trade
        self.sent.append(lambda ledger, _: ledger.saw_trade(trade))

    def positions(self) -> list[Position]:
        return [one for one in map(self.position, CONTRACTS) if not one.is_flat]

    def position(self, contract_id: str) -> Position:
        counted = [
            one for one in self.trades.values() if one.contract_id == contract_id and not one.voided
        ]
        size = sum(
            (one.size if one.side is OrderSide.BUY else -one.size for one in counted), Decimal(0)
        )
        return Position(account_id="1", contract_id=contract_id, size=size)

    def answer(self, asked_at: datetime) -> list[Message]:
        """Open orders and positions as they are now, asked for a while ago.

        A venue that loses nothing says less in an answer.
        """
        orders, positions = self.open(), self.positions()
        if self.moves_time:
            orders = [evolve(one, client_order_id=None, parent_order_id=None) for one in orders]
        return [
            lambda ledger, _: ledger.saw_open_orders("1", orders, asked_at),
            lambda ledger, _: ledger.saw_positions("1", positions, asked_at),
        ]

    def _name(self) -> str:
        return f"client {len(self.orders)}"

    def _new(
        self, contract_id: str, side: OrderSide, size: int, status: OrderStatus, **members: Any
    ) -> Order:
        order = Order(
            id=str(len(self.orders) + 1),
            account_id="1",
            contract_id=contract_id,
            side=side,
            type=OrderType.LIMIT,
            status=status,
            size=Decimal(size),
            created_at=self.now,
            **members,
        )
        return self.change(order)

    def _trade(self, order: Order, size: Decimal, price: int) -> None:
        trade = Trade(
            id=str(len(self.trades) + 1),
            account_id="1",
            contract_id=order.contract_id,
            order_id=order.id,
            side=order.side,
            size=size,
            price=Decimal(price),
            time=self.tick(),
        )
        self.send_trade(trade)

    def _tell_position(self, contract_id: str) -> None:
        position = self.position(contract_id)
        self.positions_sent.append(lambda ledger, at: ledger.saw_position(position, at))


AT_WORK = (S.PENDING, S.WORKING, S.PARTIALLY_FILLED, S.PENDING_CANCEL)
numbers = st.integers(0, 10_000)


class LongLives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue(moves_time=True)
        self.ended: set[str] = set()
        self.ledger = Ledger(on_change=self._check)
        self.asked: list[datetime] = []
        self.answers: list[Message] = []
        self.is_good = True

    @initialize(is_good=st.booleans())
    def begin(self, is_good: bool) -> None:
        """A good venue loses nothing and dates every change; another one has to be asked again."""
        self.is_good = self.venue.moves_time = is_good

    def teardown(self) -> None:
        self._settle(Random(0))

    def _check(self, order: Order) -> None:
        assert order.status.is_final or order.id not in self.ended, "it has come back to life"
        if order.status.is_final:
            self.ended.add(order.id)

    # --- what the venue does ---

    @rule(
        contract_id=st.sampled_from(CONTRACTS),
        side=st.sampled_from(OrderSide),
        size=st.integers(1, 3),
        bracket=st.booleans(),
    )
    def place(self, contract_id: str, side: OrderSide, size: int, bracket: bool) -> None:
        self.venue.place(contract_id, side, size, bracket=bracket)

    @rule(choice=numbers, status=st.sampled_from([S.WORKING, S.WORKING, S.REJECTED]))
    def put_to_work(self, choice: int, status: OrderStatus) -> None:
        if waiting := self.venue.where(S.PENDING):
            self.venue.change(waiting[choice % len(waiting)], status=status)

    @rule(choice=numbers, size=st.integers(1, 3), price=st.integers(1, 3))
    def fill(self, choice: int, size: int, price: int) -> None:
        if working := self.venue.where(*AT_WORK):
            order = working[choice % len(working)]
            self.venue.fill(order, min(Decimal(size), order.remaining_size), price)

    @rule(choice=numbers, price=st.integers(1, 9), more=st.integers(0, 2))
    def modify(self, choice: int, price: int, more: int) -> None:
        if working := self.venue.where(S.WORKING, S.PARTIALLY_FILLED, S.SUSPENDED):
            order = working[choice % len(working)]
            size = max(order.filled_size + 1, order.size + more - 1)
            self.venue.change(
                order, moves_time=self.venue.moves_time, limit_price=Decimal(price), size=size
            )

    @rule(choice=numbers)
    def ask_to_cancel(self, choice: int) -> None:
        if working := self.venue.where(S.WORKING, S.PARTIALLY_FILLED):
            order = working[choice % len(working)]
            self.venue.change(order, moves_time=self.venue.moves_time, status=S.PENDING_CANCEL)

    @rule(choice=numbers)
    def refuse_to_cancel(self, choice: int) -> None:
        if asked := self.venue.where(S.PENDING_CANCEL):
            order = asked[choice % len(asked)]
            status = S.PARTIALLY_FILLED if order.filled_size else S.WORKING
            self.venue.change(order, moves_time=self.venue.moves_time, status=status)

    @rule(choice=numbers, status=st.sampled_from([S.CANCELLED, S.CANCELLED, S.EXPIRED]))
    def end(self, choice: int, status: OrderStatus) -> None:
        if alive := self.venue.open():
            self.venue.change(alive[choice % len(alive)], status=status)

    @rule(choice=numbers, void=st.booleans())
    def say_a_fill_again(self, choice: int, void: bool) -> None:
        if trades := list(self.venue.trades.values()):
            trade = trades[choice % len(trades)]
            if void:
                self.venue.void(trade)
            else:
                self.venue.send_trade(trade)

    # --- what arrives ---

    @rule(choice=numbers, again=st.booleans())
    def receive(self, choice: int, again: bool) -> None:
        if sent := self.venue.sent:
            place = choice % len(sent)
            message = sent[place] if again else sent.pop(place)
            message(self.ledger, self.venue.tick())

    @rule()
    def receive_a_position(self) -> None:
        if sent := self.venue.positions_sent:
            sent.pop(0)(self.ledger, self.venue.tick())

    @precondition(lambda self: self.venue.sent and not self.is_good)
    @rule(choice=numbers)
    def lose(self, choice: int) -> None:
        self.venue.sent.pop(choice % len(self.venue.sent))

    @precondition(lambda self: self.venue.positions_sent and not self.is_good)
    @rule()
    def lose_a_position(self) -> None:
        self.venue.positions_sent.pop(0)

    @rule()
    def ask(self) -> None:
        self.asked.append(self.venue.tick())

    @rule(choice=numbers)
    def answer(self, choice: int) -> None:
        if self.asked:
            self.venue.tick()
            self.answers += self.venue.answer(self.asked.pop(choice % len(self.asked)))

    @rule(choice=numbers)
    def receive_an_answer(self, choice: int) -> None:
        if self.answers:
            message = self.answers.pop(choice % len(self.answers))
            message(self.ledger, self.venue.tick())

    # --- when nothing is on its way any more ---

    @rule(random=st.randoms(use_true_random=False))
    def let_all_of_it_arrive(self, random: Random) -> None:
        self._settle(random)

    def _settle(self, random: Random) -> None:
        self._receive_all(random)
        if not self.is_good:
            self._ask_for_all()
        self._compare()

    def _receive_all(self, random: Random) -> None:
        loose = [*self.venue.sent, *self.answers]
        random.shuffle(loose)
        while loose or self.venue.positions_sent:
            from_loose = loose and (not self.venue.positions_sent or random.random() < 0.5)
            message = loose.pop() if from_loose else self.venue.positions_sent.pop(0)
            message(self.ledger, self.venue.tick())
        self.venue.sent.clear()
        self.answers.clear()

    def _ask_for_all(self) -> None:
        for message in self.venue.answer(self.venue.tick()):
            message(self.ledger, self.venue.tick())
        for trade in self.venue.trades.values():
            self.ledger.saw_trade(trade)
        for order in self.ledger.questionable("1"):
            self.ledger.saw_order(self.venue.orders[order.id], self.venue.tick())
        assert self.ledger.questionable("1") == []

    def _compare(self) -> None:
        known, venue = {one.id: one for one in self.ledger.orders}, self.venue
        assert known == {one: order for one, order in venue.orders.items() if one in known}
        assert not self.is_good or known.keys() == venue.orders.keys()
        assert {one.id for one in self.ledger.orders.open()} == {one.id for one in venue.open()}
        fills = [fill for one in known for fill in self.ledger.orders.fills(one)]
        assert {one.id: one for one in fills} == {
            one: trade for one, trade in venue.trades.items() if trade.order_id in known
        }
        assert sorted(self.ledger.positions, key=lambda one: one.contract_id) == venue.positions()

    @invariant()
    def an_order_is_found_by_its_name(self) -> None:
        for order in self.ledger.orders:
            if order.client_order_id is not None:
                assert self.ledger.orders.by_client_id(order.client_order_id) is order


TestLongLives = LongLives.TestCase
TestLongLives.settings = settings(
    max_examples=100,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
