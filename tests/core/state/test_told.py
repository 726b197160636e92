"""What was not told is found among what was touched, and it is all that there is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from tradeforge_core import (
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    Position,
    PositionUpdateEvent,
    Topic,
    Trade,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_core.state.changes import Item, key_of
from tradeforge_core.state.ledger import Ledger
from tradeforge_core.state.told import AUDITED, Told

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STATUSES = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED)
TOPICS = [Topic(kind, account_id) for kind in sorted(AUDITED) for account_id in ("1", "2")]


class _Life:
    """Messages and answers at random, some of them late, of two accounts."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.ledger = Ledger(most_ended_orders=6, most_fills=20)
        self.told = Told(self.ledger)
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        self.random.choice((self.hear, self.read, self.list_positions, self.begin, self.tell))()

    def when(self) -> datetime:
        return NOON + timedelta(seconds=self.steps - self.random.randrange(4))

    def item(self) -> Item:
        account_id, number = self.random.choice("12"), self.random.randrange(1, 9)
        size = Decimal(self.random.randrange(3))
        kind = self.random.randrange(3)
        if kind == 0:
            return Position(account_id=account_id, contract_id="ABC", size=size)
        if kind == 1:
            return Trade(
                id=str(self.random.randrange(30)),
                account_id=account_id,
                contract_id="ABC",
                order_id=f"{account_id}{number}",
                side=OrderSide.BUY,
                size=Decimal(1),
                price=Decimal(5),
                voided=self.random.random() < 0.2,
            )
        return Order(
            id=f"{account_id}{number}",
            account_id=account_id,
            contract_id="ABC",
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=Decimal(3),
            status=self.random.choice(STATUSES),
            filled_size=size,
        )

    def hear(self) -> None:
        item, received = self.item(), self.when()
        event: OrderUpdateEvent | UserTradeEvent | PositionUpdateEvent
        if isinstance(item, Order):
            event = OrderUpdateEvent(order=item, received=received)
        elif isinstance(item, Trade):
            event = UserTradeEvent(trade=item, received=received)
        else:
            event = PositionUpdateEvent(position=item, received=received)
        self.ledger.take(event)
        self.told.take(event)

    def read(self) -> None:
        item = self.item()
        if isinstance(item, Order):
            self.ledger.saw_order(item, self.when())
        elif isinstance(item, Trade):
            self.ledger.saw_trade(item)
        else:
            self.ledger.saw_position(item, self.when())

    def list_positions(self) -> None:
        size = Decimal(self.random.randrange(3))
        account_id = self.random.choice("12")
        open_ones = [Position(account_id=account_id, contract_id="ABC", size=size)] * bool(size)
        self.ledger.saw_positions(account_id, open_ones, self.when())

    def begin(self) -> None:
        if self.random.random() < 0.2:
            self.told.begin(self.random.choice(TOPICS))

    def tell(self) -> None:
        for item in self.told.untold(self.random.choice(TOPICS))[:2]:
            assert self.told.tell(item)


@pytest.mark.parametrize("seed", range(40))
def test_what_was_touched_is_all_that_can_be_untold(seed: int) -> None:
    life = _Life(seed)
    for topic in TOPICS:
        life.told.begin(topic)
    for _ in range(300):
        life.step()
        for topic in TOPICS:
            everything = [
                key_of(one)
                for one in life.told._known(topic)
                if life.told._is_news(topic.kind, one)
            ]
            found = [key_of(one) for one in life.told.untold(topic)]
            assert sorted(found) == sorted(everything), (life.steps, topic)


def test_what_was_looked_at_is_not_looked_at_again() -> None:
    ledger = Ledger()
    told = Told(ledger)
    topic = Topic(UserDataType.USER_TRADE, "1")
    life = _Life(1)
    life.ledger, life.told = ledger, told
    for _ in range(500):
        life.read()
    told.begin(topic)
    assert told.untold(topic) == []
    assert not [key for key in ledger.touched[Trade] if key[0] == "1"]
