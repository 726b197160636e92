"""An entry never stands without its exits unnoticed, and nobody is alarmed without a reason."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pytest
from tests.patience import HANG, settle

from tradeforge_core import (
    Bracket,
    ConfigError,
    Disconnected,
    JournalKind,
    MarketClosed,
    NotFlat,
    NotFound,
    Order,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
    Protection,
    ProtectionIncomplete,
    RequestTimeout,
    TradeForgeError,
    UserDataType,
)
from tradeforge_core.requests import Period
from tradeforge_testing import ManualClock

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make

T = TypeVar("T")


def safety(**changes: Any) -> OrderSafety:
    return OrderSafety(journal=JournalKind.MEMORY, protection=Protection(**changes))


WORKING, SUSPENDED = OrderStatus.WORKING, OrderStatus.SUSPENDED
CANCELLED, REJECTED, FILLED = OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.FILLED


def bracket(**changes: Any) -> OrderRequest:
    exits = {"bracket": Bracket(stop_loss=10, take_profit=20)}
    return attrs.evolve(OrderRequest.market("1", "ABC", OrderSide.BUY, 1), **exits | changes)


class Books:
    """What the venue has of one entry, and what looks at it come back with."""

    def __init__(self, broker: "FakeProvider", make: "Make", clock: ManualClock) -> None:
        self.broker = broker
        self.make = make
        self.clock = clock
        self.entry = make.order(status=FILLED, filled_size=Decimal(1))
        self.legs = {"8": self.leg("8", OrderType.STOP), "9": self.leg("9", OrderType.LIMIT)}
        self.held = Decimal(1)
        self.look_error: Exception | None = None
        self.close_error: Exception | None = None
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.looks: list[float] = []
        self.shared_looks: list[float] = []
        self.closes: list[float] = []
        self.cancels: list[str] = []
        self.alarms: list[ProtectionIncomplete] = []
        self.shows_waiting_exits = True
        self._attach(broker)

    @classmethod
    async def of(cls, broker: "FakeProvider", make: "Make", clock: ManualClock) -> "Books":
        await broker._orders.journals.of("1")  # its thread starts in no time of this clock
        return cls(broker, make, clock)

    # --- time ---

    async def spend(self, seconds: float) -> None:
        """Let so many seconds pass, in small steps, with all that happens in them."""
        for _ in range(round(seconds / 0.1)):
            await self.settle()
            self.clock.advance(0.1)
        await self.settle()

    async def done(self, work: Awaitable[T]) -> T:
        """The result of something, with as much time as it takes."""
        task = asyncio.ensure_future(work)
        async with asyncio.timeout(HANG):
            await self.settle()
            while not task.done():
                self.clock.advance(0.1)
                await self.settle()
        return await task

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        await settle([self.broker])

    def _attach(self, broker: "FakeProvider") -> None:
        broker.capabilities = attrs.evolve(  # type: ignore[misc]
            broker.capabilities, brackets=True, bracket_min_ticks=1
        )
        for name in ("order", "exits", "open_orders", "order_history", "positions"):
            setattr(broker, f"_fetch_{name}", getattr(self, f"fetch_{name}"))
        broker._submit_close = self.close  # type: ignore[method-assign]
        broker._submit_cancel = self.cancel  # type: ignore[method-assign]
        broker.on_error(self.heard)

    def heard(self, error: TradeForgeError) -> None:
        assert isinstance(error, ProtectionIncomplete)
        self.alarms.append(error)

    def leg(self, order_id: str, type_: OrderType, status: OrderStatus = WORKING) -> Order:
        return self.make.order(
            id=order_id, type=type_, status=status, side=OrderSide.SELL, parent_order_id="7"
        )

    def rest(self) -> None:
        """The entry has no fill, and its exits wait."""
        self.entry = self.make.order(status=WORKING)
        self.held = Decimal(0)
        self.set_legs(SUSPENDED)

    def fill(self, legs: OrderStatus = WORKING) -> None:
        self.entry = attrs.evolve(self.entry, status=FILLED, filled_size=Decimal(1))
        self.held = Decimal(1)
        self.set_legs(legs)

    def set_legs(self, status: OrderStatus) -> None:
        self.legs = {one: attrs.evolve(leg, status=status) for one, leg in self.legs.items()}

    def set_leg(self, order_id: str, status: OrderStatus) -> None:
        self.legs[order_id] = attrs.evolve(self.legs[order_id], status=status)

    # --- what the venue answers ---

    def _look(self) -> None:
        self.looks.append(self.clock.monotonic())
        if self.look_error is not None:
            raise self.look_error

    async def fetch_order(self, account_id: str, order_id: str) -> Order:
        self._look()
        return next(one for one in (*self._entries, *self.legs.values()) if one.id == order_id)

    async def fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        self._look()
        return [*self._entries, *self.legs.values()]

    @property
    def _entries(self) -> list[Order]:
        """Two of them, of the same fate."""
        return [self.entry, attrs.evolve(self.entry, id="17")]

    async def fetch_exits(self, entry: Order) -> list[Order]:
        self._look()
        return list(self.legs.values())

    async def fetch_open_orders(self, account_id: str) -> list[Order]:
        self.shared_looks.append(self.clock.monotonic())
        if self.look_error is not None:
            raise self.look_error
        return [one for one in (self.entry, *self.legs.values()) if not one.status.is_final]

    async def fetch_positions(self, account_id: str) -> list[Position]:
        self._look()
        position = Position(account_id="1", contract_id="ABC", size=self.held)
        return [] if position.is_flat else [position]

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        self.closes.append(self.clock.monotonic())
        await self.may_close.wait()
        if self.close_error is not None:
            raise self.close_error
        self.held = Decimal(0)

    async def cancel(self, account_id: str, order_id: str) -> None:
        self.cancels.append(order_id)
        if order_id == "7":
            self.entry = attrs.evolve(self.entry, status=CANCELLED)
        elif self.legs[order_id].status.is_final:
            raise OrderRejected("it has ended")
        else:
            self.set_leg(order_id, CANCELLED)


@pytest.fixture
async def watched(new_broker: Callable[..., "FakeProvider"]) -> "FakeProvider":
    broker = new_broker(safety=safety())
    await broker.connect()
    return broker


@pytest.fixture
async def flattened(new_broker: Callable[..., "FakeProvider"]) -> "FakeProvider":
    broker = new_broker(safety=safety(flatten=True))
    await broker.connect()
    return broker


@pytest.fixture
async def books(watched: "FakeProvider", make: "Make", clock: ManualClock) -> Books:
    return await Books.of(watched, make, clock)


@pytest.fixture
async def risky(flattened: "FakeProvider", make: "Make", clock: ManualClock) -> Books:
    """The books of the provider that flattens."""
    return await Books.of(flattened, make, clock)


def guards() -> list[str]:
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("guard of")]


# --- all is well ---


async def test_exits_at_work_cost_one_look(watched: "FakeProvider", books: Books) -> None:
    placed = await books.done(watched.place_order(bracket()))
    await books.settle()
    assert placed.id == "7"
    assert (len(books.looks), guards(), books.alarms) == (1, [], [])


async def test_an_entry_without_a_bracket_is_not_looked_at(
    watched: "FakeProvider", books: Books
) -> None:
    books.legs = {}
    await books.done(watched.place_order(attrs.evolve(bracket(), bracket=None)))
    assert (books.looks, guards()) == ([], [])


async def test_only_what_was_asked_for_is_missed(watched: "FakeProvider", books: Books) -> None:
    del books.legs["9"]
    await books.done(watched.place_order(bracket(bracket=Bracket(stop_loss=10))))
    await books.settle()
    assert (guards(), books.alarms) == ([], [])


async def test_exits_that_come_late_are_waited_for(watched: "FakeProvider", books: Books) -> None:
    late, books.legs = books.legs, {}
    placing = asyncio.ensure_future(watched.place_order(bracket()))
    await books.spend(0.6)
    assert not placing.done()
    books.legs = late
    await books.done(placing)
    await books.spend(10)
    assert (guards(), books.alarms) == ([], [])


async def test_a_resting_entry_does_not_keep_its_caller(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    await books.spend(20)
    assert guards() == ["guard of order 7"]
    books.fill()
    await books.spend(20)
    assert (guards(), books.alarms) == ([], [])


async def test_a_resting_entry_is_looked_at_seldom(watched: "FakeProvider", books: Books) -> None:
    books.rest()
    await watched.place_order(bracket())
    await books.spend(300)
    assert len(books.looks) == 2 + 2
    assert 18 <= len(books.shared_looks) <= 20


async def test_many_resting_entries_share_their_looks(
    watched: "FakeProvider", books: Books, make: "Make"
) -> None:
    books.rest()
    numbers = iter(range(100, 120))
    watched._submit_order = (  # type: ignore[method-assign]
        lambda request: _accepted(make, str(next(numbers)), request)
    )

    async def open_orders(account_id: str) -> list[Order]:
        books.shared_looks.append(0)
        return [make.order(id=str(one)) for one in range(100, 120)]

    async def no_exits(entry: Order) -> list[Order]:
        return []

    watched.shows_waiting_exits = False
    watched._fetch_open_orders = open_orders  # type: ignore[method-assign]
    watched._fetch_exits = no_exits  # type: ignore[method-assign]
    watched._fetch_order = (  # type: ignore[method-assign]
        lambda account_id, order_id: _accepted(make, order_id)
    )
    for _ in range(20):
        await watched.place_order(bracket())
        await books.spend(0.35)
    books.shared_looks.clear()
    await books.spend(60)
    assert len(guards()) == 20
    assert len(books.shared_looks) <= 8
    assert books.alarms == []


async def _accepted(make: "Make", order_id: str, request: OrderRequest | None = None) -> Order:
    return make.order(id=order_id, client_order_id=request and request.client_order_id)


async def test_the_stream_makes_the_look_come_at_once(
    watched: "FakeProvider", books: Books, make: "Make"
) -> None:
    books.rest()
    await watched.subscribe_user_data("1", [UserDataType.ORDER_UPDATE])
    books.shared_looks.clear()
    await watched.place_order(bracket())
    await books.spend(4)
    books.fill()
    watched.publish(make.ORDER, make.order_update())
    await books.spend(0.2)
    assert guards() == []
    assert books.shared_looks == []


@pytest.mark.parametrize("order_id", ["7", "8", "9"])
async def test_a_message_about_any_of_the_family_does(
    watched: "FakeProvider", books: Books, make: "Make", order_id: str
) -> None:
    from tradeforge_core import OrderUpdateEvent

    books.rest()
    await watched.subscribe_user_data("1", [UserDataType.ORDER_UPDATE])
    await watched.place_order(bracket())
    await books.spend(4)
    books.fill()
    order = books.entry if order_id == "7" else books.legs[order_id]
    event = OrderUpdateEvent(order=order, received=books.clock.now())
    watched.publish(make.ORDER, event)
    await books.spend(0.2)
    assert guards() == []


def _filled(books: Books, order_id: str) -> None:
    books.fill(CANCELLED)
    books.set_leg(order_id, FILLED)
    books.held = Decimal(0)


def _ended(books: Books, status: OrderStatus) -> None:
    books.entry = attrs.evolve(books.entry, status=status)
    books.set_legs(CANCELLED)


def _closed(books: Books) -> None:
    books.fill(CANCELLED)
    books.held = Decimal(0)


WELL: dict[str, Callable[[Books], None]] = {
    "it fills and its exits go to work": lambda books: books.fill(),
    "its stop loss fills at once": lambda books: _filled(books, "8"),
    "its take profit fills at once": lambda books: _filled(books, "9"),
    "it is cancelled": lambda books: _ended(books, CANCELLED),
    "it expires": lambda books: _ended(books, OrderStatus.EXPIRED),
    "it is rejected": lambda books: _ended(books, REJECTED),
    "it fills and is closed": _closed,
}


@pytest.mark.parametrize("way", WELL)
async def test_no_good_end_of_a_resting_entry_alarms_anybody(
    watched: "FakeProvider", books: Books, way: str
) -> None:
    books.rest()
    await watched.place_order(bracket())
    await books.spend(1)
    WELL[way](books)
    await books.spend(40)
    assert (guards(), books.alarms) == ([], [])


@pytest.mark.parametrize("way", WELL)
async def test_nor_does_one_that_is_over_at_the_first_look(
    watched: "FakeProvider", books: Books, way: str
) -> None:
    books.rest()
    WELL[way](books)
    await watched.place_order(bracket())
    await books.spend(10)
    assert (guards(), books.alarms) == ([], [])


async def test_an_exit_that_the_user_cancels_is_not_missed(
    flattened: "FakeProvider", risky: Books
) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    await flattened.cancel_order("1", "9")
    await risky.spend(20)
    risky.fill()
    risky.set_leg("9", CANCELLED)
    await risky.spend(20)
    assert (guards(), risky.alarms, risky.closes) == ([], [], [])


async def test_nor_while_the_answer_to_his_cancel_is_awaited(
    flattened: "FakeProvider", risky: Books
) -> None:
    may_answer = asyncio.Event()

    async def cancel(account_id: str, order_id: str) -> None:
        risky.set_leg(order_id, CANCELLED)
        await may_answer.wait()

    risky.rest()
    await flattened.place_order(bracket())
    flattened._submit_cancel = cancel  # type: ignore[method-assign]
    cancelling = asyncio.ensure_future(flattened.cancel_order("1", "8"))
    await risky.spend(40)
    may_answer.set()
    await cancelling
    assert (risky.alarms, risky.closes) == ([], [])


async def test_the_other_exit_is_still_missed(watched: "FakeProvider", books: Books) -> None:
    books.rest()
    await watched.place_order(bracket())
    await watched.cancel_order("1", "9")
    await books.spend(1)
    books.fill()
    books.set_leg("8", REJECTED)
    books.set_leg("9", CANCELLED)
    await books.spend(40)
    (alarm,) = books.alarms
    assert alarm.missing == ("stop_loss",)


async def test_a_cancel_that_the_venue_refused_has_ended_nothing(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    books.set_leg("8", CANCELLED)  # by the venue
    with pytest.raises(OrderRejected):
        await watched.cancel_order("1", "8")
    await books.spend(40)
    (alarm,) = books.alarms
    assert alarm.missing == ("stop_loss",)


async def test_a_second_cancel_that_is_refused_changes_nothing(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    await watched.cancel_order("1", "8")
    with pytest.raises(OrderRejected):
        await watched.cancel_order("1", "8")
    await books.spend(40)
    assert books.alarms == []


async def test_an_exit_that_filled_is_over_whatever_else_is_held(
    flattened: "FakeProvider", risky: Books
) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    _filled(risky, "9")
    risky.held = Decimal(3)
    await risky.spend(20)
    assert (guards(), risky.alarms, risky.closes) == ([], [], [])


# --- an exit is missing ---


def _without(books: Books, *order_ids: str) -> None:
    for order_id in order_ids:
        del books.legs[order_id]


LOST: dict[str, tuple[Callable[[Books], None], tuple[str, ...]]] = {
    "no stop loss": (lambda books: _without(books, "8"), ("stop_loss",)),
    "no take profit": (lambda books: _without(books, "9"), ("take_profit",)),
    "neither": (lambda books: _without(books, "8", "9"), ("stop_loss", "take_profit")),
    "one rejected": (lambda books: books.set_leg("8", REJECTED), ("stop_loss",)),
    "one cancelled": (lambda books: books.set_leg("8", CANCELLED), ("stop_loss",)),
    "one expired": (lambda books: books.set_leg("9", OrderStatus.EXPIRED), ("take_profit",)),
    "both still wait": (lambda books: books.set_legs(SUSPENDED), ("stop_loss", "take_profit")),
}


@pytest.mark.parametrize("way", LOST)
async def test_place_order_says_what_is_missing(
    watched: "FakeProvider", books: Books, way: str
) -> None:
    lose, missing = LOST[way]
    lose(books)
    with pytest.raises(ProtectionIncomplete) as caught:
        await books.done(watched.place_order(bracket()))
    assert caught.value.missing == missing
    assert (caught.value.order, caught.value.flattened) == (books.entry, False)
    assert books.clock.monotonic() <= 2.1
    await books.spend(20)
    assert (guards(), books.alarms, books.closes) == ([], [], [])
    assert len(watched.submitted) == 1


async def test_a_rejected_exit_is_told_at_once(
    watched: "FakeProvider", books: Books, clock: ManualClock
) -> None:
    books.set_leg("8", REJECTED)
    with pytest.raises(ProtectionIncomplete):
        await watched.place_order(bracket())
    assert clock.monotonic() == 0


@pytest.mark.parametrize("way", LOST)
async def test_what_is_lost_later_is_reported_once(
    watched: "FakeProvider", books: Books, way: str
) -> None:
    lose, missing = LOST[way]
    books.rest()
    await watched.place_order(bracket())
    await books.spend(1)
    books.fill()
    lose(books)
    await books.spend(60)
    (alarm,) = books.alarms
    assert (alarm.missing, alarm.flattened, books.closes) == (missing, False, [])
    assert guards() == []


async def test_an_exit_is_missed_before_the_entry_fills(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    books.set_leg("8", REJECTED)
    await books.spend(30)
    (alarm,) = books.alarms
    assert alarm.order.status is WORKING


async def test_of_a_venue_that_hides_waiting_exits_nothing_is_missed_before_a_fill(
    watched: "FakeProvider", books: Books
) -> None:
    watched.shows_waiting_exits = False
    books.rest()
    hidden, books.legs = books.legs, {}
    await watched.place_order(bracket())
    await books.spend(60)
    assert books.alarms == []
    books.legs = hidden
    books.fill()
    books.set_leg("8", REJECTED)
    await books.spend(30)
    (alarm,) = books.alarms
    assert alarm.missing == ("stop_loss",)


async def test_a_part_that_is_filled_is_protected_too(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    books.entry = attrs.evolve(
        books.entry, status=OrderStatus.PARTIALLY_FILLED, filled_size=Decimal("0.5")
    )
    books.held = Decimal("0.5")
    books.set_leg("9", WORKING)
    books.set_leg("8", REJECTED)
    await books.spend(30)
    assert len(books.alarms) == 1


async def test_what_works_of_an_entry_may_fill_yet(watched: "FakeProvider", books: Books) -> None:
    """A part was filled and closed again; the rest would come without exits."""
    books.rest()
    await watched.place_order(bracket())
    books.entry = attrs.evolve(
        books.entry, status=OrderStatus.PARTIALLY_FILLED, filled_size=Decimal("0.5")
    )
    books.set_legs(CANCELLED)
    await books.spend(30)
    assert len(books.alarms) == 1


async def test_a_position_on_the_other_side_needs_no_exit(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    books.fill(CANCELLED)
    books.held = Decimal(-2)
    await books.spend(40)
    assert (guards(), books.alarms) == ([], [])


async def test_a_list_of_positions_that_is_behind_hides_nothing(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    await books.spend(3)
    books.fill(CANCELLED)
    books.held = Decimal(0)
    await books.spend(15)
    books.held = Decimal(1)
    await books.spend(30)
    assert len(books.alarms) == 1


# --- looks that fail ---


@pytest.mark.parametrize(
    "error", [RequestTimeout("late"), NotFound("no such order"), KeyError("a bug of the provider")]
)
async def test_a_look_that_fails_proves_nothing(
    watched: "FakeProvider", books: Books, error: Exception
) -> None:
    books.look_error = error
    placed = await books.done(watched.place_order(bracket()))
    assert placed.id == "7"
    assert books.clock.monotonic() == pytest.approx(2, abs=0.2)
    await books.spend(60)
    assert books.alarms == []
    assert len(books.looks) < 15
    books.look_error = None
    await books.spend(20)
    assert (guards(), books.alarms) == ([], [])


async def test_what_is_missing_must_be_seen_missing_in_the_end(
    watched: "FakeProvider", books: Books
) -> None:
    books.rest()
    await watched.place_order(bracket())
    books.fill()
    legs, books.legs = books.legs, {}
    await books.spend(0.7)  # seen to be missing
    assert len(books.looks) > 3
    books.look_error = RequestTimeout("late")
    await books.spend(30)
    assert books.alarms == []
    books.look_error, books.legs = None, legs
    await books.spend(30)
    assert books.alarms == []


async def test_who_does_not_want_to_wait_hears_of_it_by_his_handler(
    new_broker: Callable[..., "FakeProvider"], make: "Make", clock: ManualClock
) -> None:
    broker = new_broker(safety=safety(confirm=0))
    await broker.connect()
    books = await Books.of(broker, make, clock)
    books.legs = {}
    await broker.place_order(bracket())
    assert clock.monotonic() == 0
    await books.spend(6)
    assert [alarm.missing for alarm in books.alarms] == [("stop_loss", "take_profit")]


async def test_a_caller_who_goes_is_told_by_his_handler(
    watched: "FakeProvider", books: Books
) -> None:
    books.legs = {}
    placing = asyncio.ensure_future(watched.place_order(bracket()))
    await books.spend(0.5)
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    await books.spend(10)
    assert len(books.alarms) == 1


async def test_a_caller_who_goes_when_he_was_to_be_told(
    new_broker: Callable[..., "FakeProvider"], make: "Make", clock: ManualClock
) -> None:
    broker = new_broker(safety=safety(within=0.5))
    await broker.connect()
    books = await Books.of(broker, make, clock)
    books.legs = {}
    placing = asyncio.ensure_future(broker.place_order(bracket()))
    await books.settle()
    while guards():
        clock.advance(0.01)
        await asyncio.sleep(0)
    assert not placing.done()
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    await books.settle()
    assert len(books.alarms) == 1


async def test_a_short_time_is_told_once_too(
    new_broker: Callable[..., "FakeProvider"],
    make: "Make",
    clock: ManualClock,
) -> None:
    for within in (0.2, 0.5, 2, 3):
        broker = new_broker(safety=safety(within=within))
        await broker.connect()
        books = await Books.of(broker, make, clock)
        books.legs = {}
        with pytest.raises(ProtectionIncomplete):
            await books.done(broker.place_order(bracket()))
        await books.spend(10)
        assert (books.alarms, guards()) == ([], [])


# --- and then ---


@pytest.mark.parametrize("way", LOST)
async def test_the_contract_is_left_within_the_stated_time(
    flattened: "FakeProvider", risky: Books, way: str
) -> None:
    lose, missing = LOST[way]
    risky.rest()
    await flattened.place_order(bracket())
    await risky.spend(1)
    risky.fill()
    lose(risky)
    lost_at = risky.clock.monotonic()
    await risky.spend(40)
    (alarm,) = risky.alarms
    assert (alarm.missing, alarm.flattened) == (missing, True)
    seen_at = min(time for time in risky.looks if time > lost_at + 0.5)
    assert risky.closes[0] - seen_at <= 5
    assert risky.held == 0
    assert all(leg.status.is_final for leg in risky.legs.values())
    assert (guards(), len(risky.closes)) == ([], 1)


async def test_whoever_was_told_is_told_of_the_end(flattened: "FakeProvider", risky: Books) -> None:
    risky.legs = {}
    with pytest.raises(ProtectionIncomplete) as caught:
        await risky.done(flattened.place_order(bracket()))
    assert not caught.value.flattened
    await risky.spend(5)
    (alarm,) = risky.alarms
    assert alarm.flattened
    assert risky.closes[0] <= 5


async def test_an_entry_that_rests_is_taken_back(flattened: "FakeProvider", risky: Books) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    risky.set_leg("8", REJECTED)
    await risky.spend(40)
    (alarm,) = risky.alarms
    assert alarm.flattened
    assert risky.entry.status is CANCELLED
    assert risky.closes == []


async def test_what_comes_late_saves_the_position(flattened: "FakeProvider", risky: Books) -> None:
    late, risky.legs = risky.legs, {}
    with pytest.raises(ProtectionIncomplete):
        await risky.done(flattened.place_order(bracket()))
    risky.legs = late
    await risky.spend(20)
    assert (risky.alarms, risky.closes, guards()) == ([], [], [])


async def test_a_close_that_cannot_be_done_is_told(flattened: "FakeProvider", risky: Books) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    risky.fill(CANCELLED)
    risky.close_error = MarketClosed("shut")
    await risky.spend(60)
    (alarm,) = risky.alarms
    assert not alarm.flattened
    assert isinstance(alarm.__cause__, NotFlat)
    assert len(risky.closes) == 1


async def test_a_user_who_is_closing_is_not_interfered_with(
    flattened: "FakeProvider", risky: Books
) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    await risky.spend(3)
    risky.fill(CANCELLED)
    risky.may_close.clear()
    closing = asyncio.ensure_future(flattened.close_position("1", "ABC"))
    await risky.spend(60)
    assert len(risky.closes) == 1
    risky.may_close.set()
    await risky.spend(20)
    await closing
    assert (risky.alarms, len(risky.closes), guards()) == ([], 1, [])


async def test_nor_one_who_is_about_to(flattened: "FakeProvider", risky: Books) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    risky.fill(CANCELLED)
    may_look, look = asyncio.Event(), risky.fetch_open_orders

    async def slow(account_id: str) -> list[Order]:
        await may_look.wait()
        return await look(account_id)

    flattened._fetch_open_orders = slow  # type: ignore[method-assign]
    leaving = asyncio.ensure_future(flattened.flatten("1"))
    await risky.spend(30)
    assert risky.closes == []
    may_look.set()
    await risky.done(leaving)
    await risky.spend(20)
    assert (risky.alarms, len(risky.closes), guards()) == ([], 1, [])


async def test_two_entries_that_are_lost_are_closed_once(
    flattened: "FakeProvider", risky: Books, make: "Make"
) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    flattened._submit_order = lambda request: _accepted(  # type: ignore[method-assign]
        make, "17", request
    )
    await flattened.place_order(bracket())
    risky.fill(CANCELLED)
    await risky.spend(40)
    (alarm,) = risky.alarms
    assert alarm.flattened
    assert (len(risky.closes), guards()) == (1, [])


async def test_a_close_of_unknown_outcome_is_not_followed_by_another(
    flattened: "FakeProvider", risky: Books
) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    await risky.spend(3)
    risky.fill(CANCELLED)
    risky.close_error = Disconnected("reset")
    closing = asyncio.ensure_future(flattened.close_position("1", "ABC"))
    await risky.spend(60)
    with pytest.raises(OrderOutcomeUnknown):
        await closing
    (alarm,) = risky.alarms
    assert not alarm.flattened
    assert isinstance(alarm.__cause__, OrderOutcomeUnknown)
    assert len(risky.closes) == 1


async def test_a_halt_keeps_nobody_in(flattened: "FakeProvider", risky: Books) -> None:
    risky.rest()
    await flattened.place_order(bracket())
    flattened.halt("enough")
    risky.fill(CANCELLED)
    await risky.spend(40)
    (alarm,) = risky.alarms
    assert alarm.flattened


async def test_other_contracts_are_left_alone(
    flattened: "FakeProvider", risky: Books, make: "Make"
) -> None:
    other = make.order(id="70", contract_id="DEF")
    ours = risky.fetch_open_orders

    async def with_another(account_id: str) -> list[Order]:
        return [*await ours(account_id), other]

    async def two_positions(account_id: str) -> list[Position]:
        held = Position(account_id="1", contract_id="DEF", size=Decimal(3))
        return [*await risky.fetch_positions(account_id), held]

    flattened._fetch_open_orders = with_another  # type: ignore[method-assign]
    flattened._fetch_positions = two_positions  # type: ignore[method-assign]
    risky.rest()
    await flattened.place_order(bracket())
    risky.fill(CANCELLED)
    await risky.spend(40)
    (alarm,) = risky.alarms
    assert alarm.flattened
    assert "70" not in risky.cancels
    assert len(risky.closes) == 1


async def test_disconnect_ends_every_guard_and_says_so(
    watched: "FakeProvider", books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    books.rest()
    await watched.place_order(bracket())
    await watched.disconnect()
    assert guards() == []
    assert "order 7" in caplog.text
    assert books.alarms == []


async def test_disconnect_frees_whoever_waits(watched: "FakeProvider", books: Books) -> None:
    books.look_error = RequestTimeout("late")
    placing = asyncio.ensure_future(watched.place_order(bracket()))
    await books.spend(0.3)
    await watched.disconnect()
    assert (await placing).id == "7"


async def test_an_entry_that_is_accepted_during_disconnect_has_no_guard(
    watched: "FakeProvider", books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    books.rest()
    watched.may_answer.clear()
    placing = asyncio.ensure_future(watched.place_order(bracket()))
    await books.settle()
    leaving = asyncio.ensure_future(watched.disconnect())
    await books.settle()
    watched.may_answer.set()
    await asyncio.gather(placing, leaving)
    assert guards() == []
    assert "order 7" in caplog.text


# --- settings ---


def test_the_policy_is_a_setting() -> None:
    assert OrderSafety.from_settings({}).protection == Protection(within=5, flatten=False)
    asked = OrderSafety.from_settings({"TRADEFORGE_FLATTEN_UNPROTECTED": "2.5"})
    assert asked.protection == Protection(within=2.5, flatten=True)


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf", "4000"])
def test_a_time_that_cannot_be_meant(value: str) -> None:
    with pytest.raises(ConfigError, match="TRADEFORGE_"):
        OrderSafety.from_settings({"TRADEFORGE_FLATTEN_UNPROTECTED": value})


def test_alarms_are_errors_of_the_library() -> None:
    assert issubclass(ProtectionIncomplete, TradeForgeError)
