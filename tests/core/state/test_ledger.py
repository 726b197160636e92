"""What the ledger does with news: what it tells, what it doubts, what it forgets."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tradeforge_core import (
    Account,
    AccountUpdateEvent,
    KnownOrders,
    KnownPositions,
    NotFound,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    Position,
    PositionUpdateEvent,
    Trade,
    UserTradeEvent,
)
from tradeforge_core.state.changes import Changes
from tradeforge_core.state.digest import canonical
from tradeforge_core.state.ledger import Ledger

if TYPE_CHECKING:
    from tests.core.conftest import Make

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
S = OrderStatus
NOTHING = Changes()


def _at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def _order(order_id: str = "7", status: OrderStatus = S.WORKING, **changes: Any) -> Order:
    order = Order(
        id=order_id,
        account_id="1",
        contract_id="ABC",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        status=status,
        size=Decimal(2),
    )
    return evolve(order, **changes)


def _trade(trade_id: str = "1", **changes: Any) -> Trade:
    trade = Trade(
        id=trade_id,
        account_id="1",
        contract_id="ABC",
        order_id="7",
        side=OrderSide.BUY,
        size=Decimal(1),
        price=Decimal(100),
        time=NOW,
    )
    return evolve(trade, **changes)


def _position(size: int | str, contract_id: str = "ABC", account_id: str = "1") -> Position:
    return Position(account_id=account_id, contract_id=contract_id, size=Decimal(size))


@pytest.fixture
def told() -> list[Order]:
    return []


@pytest.fixture
def ledger(told: list[Order]) -> Ledger:
    return Ledger(on_change=told.append)


class TestOrders:
    def test_only_a_change_is_told(self, ledger: Ledger, told: list[Order]) -> None:
        assert ledger.saw_order(_order(), _at(0)) == Changes(orders=(_order(),))
        assert ledger.saw_order(_order(), _at(1)) == NOTHING
        assert not ledger.saw_order(_order(status=S.PENDING), _at(2))
        assert told == [_order()]

    def test_listeners_find_the_new_state(self) -> None:
        seen: list[bool] = []

        def look(order: Order) -> None:
            seen.append(own.orders[order.id] is order and len(own.orders) == 2)

        own = Ledger(on_change=look)
        own.saw_open_orders("1", [_order("7"), _order("8")], _at(0))
        assert seen == [True, True]

    def test_an_unknown_order_is_not_found(self, ledger: Ledger) -> None:
        for look in (
            lambda: ledger.orders["7"],
            lambda: ledger.orders.get("7"),
            lambda: ledger.orders.by_client_id("mine"),
            lambda: ledger.orders.family("7"),
            lambda: ledger.orders.fills("7"),
        ):
            with pytest.raises(NotFound, match="known here"):
                look()
        assert "7" not in ledger.orders and 7 not in ledger.orders
        assert not ledger.orders and ledger.orders.open() == []

    def test_orders_come_in_the_order_in_which_they_became_known(self, ledger: Ledger) -> None:
        for order_id in ("9", "7", "8"):
            ledger.saw_order(_order(order_id), _at(0))
        ledger.saw_order(_order("9", S.CANCELLED), _at(1))
        assert [order.id for order in ledger.orders] == ["9", "7", "8"]
        assert [order.id for order in ledger.orders.open()] == ["7", "8"]
        assert len(ledger.orders) == 3

    def test_open_orders_of_an_account_and_of_a_contract(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(0))
        ledger.saw_order(_order("8", contract_id="DEF"), _at(0))
        ledger.saw_order(_order("9", account_id="2"), _at(0))
        ledger.saw_order(_order("10", S.UNKNOWN), _at(0))
        assert [order.id for order in ledger.orders.open("1", "ABC")] == ["7", "10"]
        assert [order.id for order in ledger.orders.open("2")] == ["9"]
        assert [order.id for order in ledger.orders.open(contract_id="DEF")] == ["8"]

    def test_orders_can_be_looked_at_while_they_change(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(0))
        for order in ledger.orders:
            ledger.saw_order(_order(order.id + "0"), _at(0))
        assert len(ledger.orders) == 2

    def test_a_client_id_of_two_accounts(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("9", client_order_id="mine"), _at(0))
        ledger.saw_order(_order("10", client_order_id="mine", account_id="2"), _at(0))
        assert ledger.orders.by_client_id("mine").id == "9"
        assert ledger.orders.by_client_id("mine", "2").id == "10"
        with pytest.raises(NotFound):
            ledger.orders.by_client_id("mine", "3")

    def test_a_client_id_that_comes_late_and_differs(self, ledger: Ledger) -> None:
        ledger.saw_order(_order(), _at(0))
        ledger.saw_order(_order(client_order_id="a"), _at(1))
        ledger.saw_order(_order(client_order_id="b"), _at(2))
        ledger.saw_order(_order(), _at(3))
        assert ledger.orders.by_client_id("b") is ledger.orders["7"]
        with pytest.raises(NotFound):
            ledger.orders.by_client_id("a")

    def test_a_family_prefers_the_exit_that_is_still_open(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(0))
        for leg_id, status in (("8", S.CANCELLED), ("9", S.WORKING), ("10", S.WORKING)):
            leg = _order(leg_id, status, parent_order_id="7", type=OrderType.TRAILING_STOP)
            ledger.saw_order(leg, _at(0))
        family = ledger.orders.family("7")
        assert family.stop_loss is ledger.orders["9"]
        assert family.take_profit is None


class TestFills:
    def test_a_fill_waits_for_its_order(self, ledger: Ledger, told: list[Order]) -> None:
        assert ledger.saw_trade(_trade()) == Changes(fills=(_trade(),))
        assert ledger.orders.fills("7") == [_trade()]
        assert "7" not in ledger.orders and told == []
        (order,) = ledger.saw_order(_order(status=S.PENDING), _at(0)).orders
        assert (order.status, order.filled_size) == (S.PARTIALLY_FILLED, 1)

    def test_a_fill_changes_its_order(self, ledger: Ledger) -> None:
        ledger.saw_order(_order(), _at(0))
        changes = ledger.saw_trade(_trade())
        assert [order.filled_size for order in changes.orders] == [1]
        assert not ledger.saw_trade(_trade())

    def test_a_fill_that_comes_again_with_less_says_nothing_new(self, ledger: Ledger) -> None:
        ledger.saw_trade(_trade(realized_pnl=Decimal(5), fees=Decimal("0.36")))
        assert not ledger.saw_trade(_trade())
        assert ledger.orders.fills("7")[0].realized_pnl == 5

    def test_an_order_without_fills_has_none(self, ledger: Ledger) -> None:
        ledger.saw_order(_order(), _at(0))
        assert ledger.orders.fills("7") == []

    def test_the_same_trade_id_in_two_accounts_is_two_fills(self, ledger: Ledger) -> None:
        ledger.saw_trade(_trade())
        ledger.saw_trade(_trade(account_id="2", order_id="8"))
        assert len(ledger.orders.fills("7")) == len(ledger.orders.fills("8")) == 1

    def test_fills_come_oldest_first(self, ledger: Ledger) -> None:
        for trade in (
            _trade("10"),
            _trade("11", time=None),
            _trade("9"),
            _trade("12", time=_at(-1)),
        ):
            ledger.saw_trade(trade)
        assert [fill.id for fill in ledger.orders.fills("7")] == ["12", "9", "10", "11"]

    def test_a_voided_fill_counts_for_nothing(self, ledger: Ledger) -> None:
        ledger.saw_order(_order(), _at(0))
        ledger.saw_trade(_trade("1"))
        ledger.saw_trade(_trade("2", voided=True))
        assert ledger.orders["7"].filled_size == 1
        changes = ledger.saw_trade(_trade("1", voided=True))
        assert [order.filled_size for order in changes.orders] == [0]
        assert not ledger.saw_trade(_trade("1")), "what was taken back stays so"
        assert all(fill.voided for fill in ledger.orders.fills("7"))

    def test_it_does_not_take_back_what_the_order_itself_says(self, ledger: Ledger) -> None:
        ledger.saw_order(_order(status=S.FILLED, filled_size=Decimal(2)), _at(0))
        ledger.saw_trade(_trade(voided=True))
        assert ledger.orders["7"].filled_size == 2

    def test_fills_never_exceed_the_size(self, ledger: Ledger) -> None:
        ledger.saw_order(_order(), _at(0))
        for trade_id in "123":
            ledger.saw_trade(_trade(trade_id))
        assert ledger.orders["7"].filled_size == 2

    def test_a_fill_can_turn_out_to_be_of_another_order(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(0))
        ledger.saw_order(_order("8"), _at(0))
        ledger.saw_trade(_trade(order_id="7"))
        changes = ledger.saw_trade(_trade(order_id="8"))
        assert {order.id: order.filled_size for order in changes.orders} == {"7": 0, "8": 1}
        assert ledger.orders.fills("7") == []

    def test_sums_do_not_round(self, ledger: Ledger) -> None:
        size = Decimal("1E30")
        ledger.saw_order(_order(size=size * 2), _at(0))
        ledger.saw_trade(_trade("1", size=size))
        ledger.saw_trade(_trade("2", size=Decimal("1E-9")))
        assert ledger.orders["7"].filled_size == Decimal(f"1{30 * '0'}.000000001")


class TestQuestionable:
    def test_an_open_order_that_is_missing_is_not_closed(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(0))
        ledger.saw_order(_order("8"), _at(0))
        assert ledger.questionable("1") == []
        assert not ledger.saw_open_orders("1", [_order("8")], _at(1))
        assert [order.id for order in ledger.questionable("1")] == ["7"]
        assert [order.id for order in ledger.orders.open()] == ["7", "8"]

    def test_it_is_not_in_doubt_once_it_has_ended_or_was_seen_again(self, ledger: Ledger) -> None:
        for order_id in "789":
            ledger.saw_order(_order(order_id), _at(0))
        ledger.saw_open_orders("1", [], _at(1))
        ledger.saw_order(_order("7", S.FILLED), _at(0))
        ledger.saw_order(_order("8"), _at(2))
        assert [order.id for order in ledger.questionable("1")] == ["9"]

    def test_what_was_received_after_the_list_was_asked_for(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(2))
        ledger.saw_order(_order("8"), _at(1))
        ledger.saw_open_orders("1", [], _at(1))
        assert ledger.questionable("1") == []

    def test_an_older_list_that_comes_later_changes_nothing(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(2))
        ledger.saw_open_orders("1", [], _at(3))
        ledger.saw_open_orders("1", [_order("7")], _at(1))
        assert [order.id for order in ledger.questionable("1")] == ["7"]

    def test_an_old_message_that_comes_late_brings_no_doubt_back(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7"), _at(2))
        ledger.saw_open_orders("1", [], _at(1))
        ledger.saw_order(_order("7", S.PENDING), _at(0))
        assert ledger.questionable("1") == []

    def test_lists_are_of_one_account(self, ledger: Ledger) -> None:
        ledger.saw_order(_order("7", account_id="2"), _at(0))
        ledger.saw_open_orders("1", [], _at(1))
        assert ledger.questionable("1") == ledger.questionable("2") == []


class TestPositions:
    def test_nothing_said_is_not_flat(self, ledger: Ledger) -> None:
        with pytest.raises(NotFound, match="get_positions"):
            ledger.positions.get("1", "ABC")
        with pytest.raises(NotFound):
            ledger.positions.size("1", "ABC")
        assert len(ledger.positions) == 0

    def test_flat_by_a_message_and_flat_by_a_list(self, ledger: Ledger) -> None:
        ledger.saw_position(_position(0), _at(0))
        assert ledger.positions.get("1", "ABC").is_flat
        ledger.saw_positions("1", [], _at(1))
        assert ledger.positions.size("1", "DEF") == 0
        with pytest.raises(NotFound):
            ledger.positions.size("2", "DEF")

    def test_a_position_that_turns_around(self, ledger: Ledger) -> None:
        ledger.saw_position(_position(2), _at(0))
        changes = ledger.saw_position(_position(-1), _at(1))
        assert changes == Changes(positions=(_position(-1),))
        assert list(ledger.positions) == [_position(-1)]
        assert not ledger.saw_position(_position(-1), _at(2))

    def test_what_was_true_later_holds_whenever_it_comes(self, ledger: Ledger) -> None:
        ledger.saw_position(_position(2), _at(5))
        assert not ledger.saw_position(_position(1), _at(4))
        assert not ledger.saw_positions("1", [_position(3)], _at(4))
        assert not ledger.saw_positions("1", [], _at(5)), "news goes before a list of its time"
        assert ledger.saw_positions("1", [_position(3)], _at(6))
        assert ledger.positions.size("1", "ABC") == 3

    def test_what_is_missing_from_a_list_is_flat_as_of_then(self, ledger: Ledger) -> None:
        ledger.saw_position(_position(2), _at(0))
        ledger.saw_position(_position(2, "DEF"), _at(2))
        ledger.saw_position(_position(2, account_id="2"), _at(0))
        changes = ledger.saw_positions("1", [], _at(1))
        assert changes == Changes(positions=(_position(0),))
        assert [one.contract_id for one in ledger.positions] == ["DEF", "ABC"]

    def test_news_from_before_a_list_comes_too_late(self, ledger: Ledger) -> None:
        ledger.saw_positions("1", [], _at(5))
        ledger.saw_positions("1", [], _at(1))
        assert not ledger.saw_position(_position(2), _at(4))
        assert ledger.positions.size("1", "ABC") == 0

    @pytest.mark.parametrize("listed", [1, 3])
    def test_news_goes_before_a_list_of_the_same_time(self, listed: int) -> None:
        one, other = Ledger(), Ledger()
        one.saw_position(_position(2), NOW)
        for ledger in (one, other):
            ledger.saw_positions("1", [_position(listed)], NOW)
        other.saw_position(_position(2), NOW)
        assert one.positions.size("1", "ABC") == other.positions.size("1", "ABC") == 2

    @pytest.mark.parametrize("sizes", [(1, 2), (2, 1), (0, 1), (1, 0)])
    def test_two_at_the_same_time_have_one_result(self, sizes: tuple[int, int]) -> None:
        one, other = Ledger(), Ledger()
        for first, ledger in ((0, one), (1, other)):
            ledger.saw_position(_position(sizes[first]), NOW)
            ledger.saw_position(_position(sizes[1 - first]), NOW)
        assert one.state_hash() == other.state_hash()


class TestBounds:
    def test_orders_that_ended_are_forgotten_the_earliest_first(self) -> None:
        ledger = Ledger(most_ended_orders=2)
        ledger.saw_order(_order("1", client_order_id="a"), _at(0))
        for number in range(2, 6):
            ledger.saw_order(_order(str(number), client_order_id=str(number)), _at(0))
            ledger.saw_trade(_trade(str(number), order_id=str(number)))
            ledger.saw_order(_order(str(number), S.CANCELLED), _at(1))
        assert [order.id for order in ledger.orders] == ["1", "4", "5"]
        for look in (ledger.orders.by_client_id, ledger.orders.fills, ledger.orders.get):
            with pytest.raises(NotFound):
                look("2")
        assert ledger.orders.by_client_id("a") is ledger.orders["1"]

    def test_open_orders_and_their_fills_are_never_forgotten(self) -> None:
        ledger = Ledger(most_ended_orders=0, most_fills=0)
        for number in range(50):
            ledger.saw_order(_order(str(number), size=Decimal(99)), _at(0))
            ledger.saw_trade(_trade(str(number), order_id=str(number)))
        assert len(ledger.orders.open()) == 50
        assert all(ledger.orders.fills(str(number)) for number in range(50))

    def test_fills_are_bounded(self) -> None:
        ledger = Ledger(most_fills=10)
        for number in range(30):
            ledger.saw_trade(_trade(str(number), order_id=str(number // 3)))
        kept = [number for number in range(10) if _has_fills(ledger, str(number))]
        assert kept == [7, 8, 9]

    def test_an_order_that_came_after_its_fill_is_not_forgotten_with_it(self) -> None:
        ledger = Ledger(most_ended_orders=1)
        ledger.saw_trade(_trade(order_id="7"))
        ledger.saw_order(_order("7"), _at(0))
        ledger.saw_order(_order("8", S.REJECTED), _at(0))
        ledger.saw_order(_order("9", S.REJECTED), _at(0))
        assert [order.id for order in ledger.orders] == ["7", "9"]
        assert ledger.orders.fills("7")

    def test_a_long_life_leaves_nothing_behind(self) -> None:
        ledger = Ledger(most_ended_orders=3, most_fills=4)
        for number in range(500):
            name = str(number)
            ledger.saw_trade(_trade(name, order_id=name))
            ledger.saw_order(_order(name, client_order_id=name), _at(number))
            ledger.saw_order(_order(name, S.CANCELLED), _at(number))
            ledger.saw_positions("1", [_position(1, name)], _at(number))
        stores = [ledger._orders, ledger._orders.fills, ledger._positions]
        held = [one for store in stores for one in vars(store).values() if isinstance(one, dict)]
        assert max(map(len, held)) <= 4


def _has_fills(ledger: Ledger, order_id: str) -> bool:
    try:
        return bool(ledger.orders.fills(order_id))
    except NotFound:
        return False


class TestEvents:
    def test_the_four_of_a_user(self, ledger: Ledger) -> None:
        account = Account(id="1", name="first", balance=Decimal(5), can_trade=True)
        assert ledger.take(OrderUpdateEvent(order=_order(), received=NOW)).orders
        assert ledger.take(UserTradeEvent(trade=_trade(), received=NOW)).fills
        assert ledger.take(PositionUpdateEvent(position=_position(1), received=NOW)).positions
        assert ledger.take(AccountUpdateEvent(account=account, received=NOW)).accounts
        assert not ledger.take(AccountUpdateEvent(account=account, received=_at(1)))
        older = evolve(account, balance=Decimal(4))
        assert not ledger.take(AccountUpdateEvent(account=older, received=NOW))

    def test_those_of_the_market_change_nothing(self, ledger: Ledger, make: "Make") -> None:
        before = ledger.state_hash()
        assert ledger.take(make.quote()) == NOTHING
        assert ledger.state_hash() == before

    def test_the_views_are_of_the_public_drawer(self, ledger: Ledger) -> None:
        assert isinstance(ledger.orders, KnownOrders)
        assert isinstance(ledger.positions, KnownPositions)


class TestHash:
    def test_equal_states_have_equal_ones(self) -> None:
        one, other = Ledger(), Ledger()
        one.saw_order(_order(size=Decimal("2.0")), _at(0))
        other.saw_order(_order(size=Decimal("2")), _at(9))
        assert one.state_hash() == other.state_hash()

    def test_any_difference_shows(self) -> None:
        ledger = Ledger()
        hashes = [ledger.state_hash()]
        changes: list[Callable[[], object]] = [
            lambda: ledger.saw_order(_order(), _at(0)),
            lambda: ledger.saw_order(_order(limit_price=Decimal(5)), _at(1)),
            lambda: ledger.saw_trade(_trade()),
            lambda: ledger.saw_trade(_trade(voided=True)),
            lambda: ledger.saw_position(_position(1), _at(0)),
            lambda: ledger.saw_position(_position(-1), _at(1)),
        ]
        for change in changes:
            change()
            hashes.append(ledger.state_hash())
        assert len(set(hashes)) == len(hashes)

    def test_it_is_of_plain_text(self) -> None:
        position = evolve(_position("-1.50"), opened_at=NOW, raw=object())
        assert canonical(position) == (
            'Position "1" "ABC" -1.5 null 2026-03-04T15:00:00+00:00 null'
        )
        assert canonical(_position("1E+2")) == 'Position "1" "ABC" 100 null null null'
