"""What a script does to an order: fill, reject and expire it, whatever the market says."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from tradeforge_core.enums import OrderStatus
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    AccountChanged,
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    Instrument,
    MarketTrade,
    OrderChanged,
    PositionChanged,
    Refused,
    Reject,
)

Place = Callable[..., ExchangeOrder]


def _reason(call: Callable[..., object], *values: object) -> Reject:
    with pytest.raises(Refused) as refusal:
        call(*values)
    return refusal.value.reason


def _bid_size(exchange: Exchange, price: str) -> int:
    levels = {level.price: level.size for level in exchange.depth("FUT.ABC")[0]}
    return levels.get(Decimal(price), 0)


# Fill


@pytest.mark.parametrize(
    ("side", "type_", "price"),
    [("buy", "limit", "90"), ("buy", "stop", "110"), ("sell", "trailing_stop", "97")],
)
def test_a_fill_is_at_the_orders_own_price(
    exchange: Exchange, place: Place, side: str, type_: str, price: str
) -> None:
    order = place(side, type_, 2, price)
    filled = exchange.fill_order(order.account_id, order.id)
    assert (filled.status, filled.average_fill_price) == (OrderStatus.FILLED, Decimal(price))
    assert exchange.order(order.account_id, order.id) == filled


def test_a_waiting_market_order_is_filled_at_the_other_side(
    exchange: Exchange, place: Place
) -> None:
    order = place("buy", "market", sum(level.size for level in exchange.depth("FUT.ABC")[1]) + 2)
    ask = exchange.quote("FUT.ABC").ask
    filled = exchange.fill_order(order.account_id, order.id)
    assert filled.status is OrderStatus.FILLED
    assert exchange.fills(order.account_id)[-1].price == ask
    exchange.advance()
    assert exchange.order(order.account_id, order.id) == filled


def test_no_fill_below_the_first_tick(
    exchange: Exchange, place: Place, instrument: Instrument
) -> None:
    exchange.add_instrument(evolve(instrument, id="LOW", start_price=Decimal("0.25")))
    size = sum(level.size for level in exchange.depth("LOW")[0]) + 1
    order = place("sell", "market", size, instrument_id="LOW")
    exchange.fill_order(order.account_id, order.id)
    assert exchange.fills(order.account_id)[-1].price == Decimal("0.25")


def test_a_fill_is_told_like_any_other_but_not_printed(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    order, quote = place("buy", "limit", 2, "90"), exchange.quote("FUT.ABC")
    events.clear()
    exchange.fill_order(order.account_id, order.id, 1, Decimal("89.75"))
    assert [type(each) for each in events[:4]] == [
        FillMade,
        OrderChanged,
        PositionChanged,
        AccountChanged,
    ]
    assert not any(isinstance(each, MarketTrade) for each in events)
    assert exchange.quote("FUT.ABC") == quote


def test_what_is_filled_leaves_the_book(exchange: Exchange, place: Place) -> None:
    order = place("buy", "limit", 5, "90")
    exchange.fill_order(order.account_id, order.id, 2)
    assert _bid_size(exchange, "90") == 3
    exchange.fill_order(order.account_id, order.id, 3)
    assert _bid_size(exchange, "90") == 0
    exchange.move_to("FUT.ABC", Decimal("89"))
    assert exchange.order(order.account_id, order.id).filled_size == 5


def test_a_stop_filled_in_part_waits_for_the_rest(exchange: Exchange, place: Place) -> None:
    order = place("sell", "stop", 3, "95")
    exchange.fill_order(order.account_id, order.id, 1)
    assert exchange.order(order.account_id, order.id).status is OrderStatus.PARTIALLY_FILLED
    exchange.move_to("FUT.ABC", Decimal("95"))
    assert exchange.order(order.account_id, order.id).filled_size == 3
    assert [each.size for each in exchange.positions(order.account_id)] == [-3]


def test_an_order_is_filled_while_the_market_is_closed(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 1, "90", stop_loss=-8)
    exchange.close_market()
    exchange.fill_order(entry.account_id, entry.id)
    leg = exchange.order(entry.account_id, entry.id + 1)
    assert leg.status is OrderStatus.SUSPENDED  # nothing goes to work before the market opens
    exchange.open_market()
    leg = exchange.order(entry.account_id, entry.id + 1)
    assert (leg.status, leg.stop_price) == (OrderStatus.WORKING, Decimal("88"))


@pytest.mark.parametrize("size", [0, -1, 3, True, 1.5])
def test_a_bad_size_is_not_filled(exchange: Exchange, place: Place, size: int) -> None:
    order = place("buy", "limit", 2, "90")
    assert _reason(exchange.fill_order, order.account_id, order.id, size) is Reject.BAD_SIZE
    assert exchange.order(order.account_id, order.id) == order


@pytest.mark.parametrize("price", ["90.1", "0", "-90"])
def test_a_bad_price_is_not_filled(exchange: Exchange, place: Place, price: str) -> None:
    order = place("buy", "limit", 2, "90")
    ids = order.account_id, order.id
    assert _reason(exchange.fill_order, *ids, 1, Decimal(price)) is Reject.PRICE_OFF_TICK
    assert exchange.order(*ids) == order
    with pytest.raises(TypeError, match="not exact"):
        exchange.fill_order(*ids, price=90.0)  # type: ignore[arg-type]


def test_a_leg_that_waits_is_not_filled(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 2, "90", stop_loss=-8)
    reason = _reason(exchange.fill_order, entry.account_id, entry.id + 1)
    assert reason is Reject.ORDER_NOT_WORKING


# Reject and expire


@pytest.mark.parametrize("type_", ["limit", "stop"])
def test_a_working_order_is_rejected(
    exchange: Exchange, place: Place, clock: ManualClock, events: list[ExchangeEvent], type_: str
) -> None:
    order = place("sell", type_, 2, "110" if type_ == "limit" else "95")
    clock.advance(1)
    events.clear()
    rejected = exchange.reject_order(order.account_id, order.id)
    assert (rejected.status, rejected.reject) == (
        OrderStatus.REJECTED,
        Reject.REJECTED_BY_VENUE,
    )
    assert rejected.updated_at == clock.now()
    assert events[0] == OrderChanged(rejected)
    exchange.move_to("FUT.ABC", Decimal("120"))
    exchange.move_to("FUT.ABC", Decimal("90"))
    assert exchange.fills(order.account_id) == []


def test_a_pending_order_is_rejected(exchange: Exchange, place: Place) -> None:
    place("buy", "market", sum(level.size for level in exchange.depth("FUT.ABC")[1]))
    order = place("buy", "market", 1)
    exchange.reject_order(order.account_id, order.id)
    exchange.advance()
    assert exchange.order(order.account_id, order.id).status is OrderStatus.REJECTED


def test_an_order_with_a_fill_is_not_rejected(exchange: Exchange, place: Place) -> None:
    order = place("buy", "limit", 2, "90")
    exchange.fill_order(order.account_id, order.id, 1)
    reason = _reason(exchange.reject_order, order.account_id, order.id)
    assert reason is Reject.ORDER_NOT_WORKING
    assert exchange.expire_order(order.account_id, order.id).filled_size == 1


def test_an_expired_order_is_out_of_the_book(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    order = place("buy", "limit", 2, "90")
    events.clear()
    expired = exchange.expire_order(order.account_id, order.id)
    assert (expired.status, expired.reject) == (OrderStatus.EXPIRED, None)
    assert events[0] == OrderChanged(expired)
    assert _bid_size(exchange, "90") == 0


@pytest.mark.parametrize("end", ["reject_order", "expire_order"])
def test_an_entry_takes_its_legs_with_it(exchange: Exchange, place: Place, end: str) -> None:
    entry = place("buy", "limit", 1, "90", stop_loss=-8, take_profit=12)
    getattr(exchange, end)(entry.account_id, entry.id)
    legs = exchange.orders(entry.account_id)[1:]
    assert [leg.status for leg in legs] == [OrderStatus.CANCELLED] * 2


@pytest.mark.parametrize("end", ["reject_order", "expire_order"])
def test_a_leg_leaves_the_other_alone(exchange: Exchange, place: Place, end: str) -> None:
    entry = place("buy", "market", 1, stop_loss=-8, take_profit=12)
    getattr(exchange, end)(entry.account_id, entry.id + 1)
    take_profit = exchange.order(entry.account_id, entry.id + 2)
    assert take_profit.status is OrderStatus.WORKING


# What cannot be done to any order


def test_the_next_entry_comes_without_its_legs(
    exchange: Exchange, place: Place, account: ExchangeAccount, events: list[ExchangeEvent]
) -> None:
    exchange.lose_legs(account.id, stop_loss=False)
    place("buy", "market", 1)
    entry = place("buy", "market", 1, tag="a", stop_loss=-10, take_profit=20)
    (leg,) = [one for one in exchange.orders(account.id) if one.parent_id == entry.id]
    assert (leg.tag, leg.status) == ("a-SL", OrderStatus.WORKING)
    again = place("buy", "market", 1, tag="b", stop_loss=-10, take_profit=20)
    assert [one.tag for one in exchange.orders(account.id)][-3:] == ["b", "b-SL", "b-TP"]
    assert again.status is OrderStatus.FILLED


def test_legs_of_another_account_are_not_lost(
    exchange: Exchange, place: Place, account: ExchangeAccount, other: ExchangeAccount
) -> None:
    exchange.lose_legs(other.id)
    place("buy", "market", 1, stop_loss=-10)
    assert len(exchange.orders(account.id)) == 2
    with pytest.raises(Refused):
        exchange.lose_legs(99)


@pytest.mark.parametrize("do", ["fill_order", "reject_order", "expire_order"])
def test_an_order_that_is_not_there(
    exchange: Exchange, place: Place, other: ExchangeAccount, do: str
) -> None:
    order = place("buy", "limit", 1, "90")
    call = getattr(exchange, do)
    assert _reason(call, 1, order.id) is Reject.UNKNOWN_ACCOUNT
    assert _reason(call, other.id, order.id) is Reject.UNKNOWN_ORDER
    assert _reason(call, order.account_id, order.id + 1) is Reject.UNKNOWN_ORDER


@pytest.mark.parametrize("do", ["fill_order", "reject_order", "expire_order"])
@pytest.mark.parametrize("size", [0, 1])
def test_an_order_that_is_over(exchange: Exchange, place: Place, do: str, size: int) -> None:
    order = place("buy", "market", size)
    reason = _reason(getattr(exchange, do), order.account_id, order.id)
    assert reason is Reject.ORDER_NOT_WORKING
    assert exchange.order(order.account_id, order.id) == order


# Accounts


def test_an_account_is_locked_and_unlocked(
    exchange: Exchange, place: Place, account: ExchangeAccount, events: list[ExchangeEvent]
) -> None:
    resting = place("buy", "limit", 1, "90")
    events.clear()
    locked = exchange.set_can_trade(account.id, False)
    assert (locked.can_trade, exchange.account(account.id)) == (False, locked)
    assert events == [AccountChanged(locked)]
    assert place("buy", "market", 1).reject is Reject.ACCOUNT_CANNOT_TRADE
    exchange.move_to("FUT.ABC", Decimal("90"))
    assert exchange.order(account.id, resting.id).status is OrderStatus.FILLED
    assert not exchange.account(account.id).can_trade
    exchange.set_can_trade(account.id, True)
    assert place("buy", "market", 1).status is OrderStatus.FILLED


@pytest.mark.parametrize("switch", ["set_can_trade", "set_auto_oco"])
def test_a_switch_that_is_set_already_is_silent(
    exchange: Exchange, account: ExchangeAccount, events: list[ExchangeEvent], switch: str
) -> None:
    assert getattr(exchange, switch)(account.id, True) == account
    assert events == []
    assert _reason(getattr(exchange, switch), 1, True) is Reject.UNKNOWN_ACCOUNT
