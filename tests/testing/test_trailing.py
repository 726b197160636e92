"""Trailing stops: a distance that stays, a trigger that follows, and what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    Instrument,
    OrderChanged,
    Refused,
    Reject,
    Ticket,
)

Place = Callable[..., ExchangeOrder]
TICK = Decimal("0.25")


def _move(exchange: Exchange, *prices: str) -> None:
    for price in prices:
        exchange.move_to("FUT.ABC", Decimal(price))


def _now(exchange: Exchange, order: ExchangeOrder) -> ExchangeOrder:
    return exchange.order(order.account_id, order.id)


@pytest.mark.parametrize(
    ("side", "trail", "stop"),
    [
        ("sell", "98.50", "98.50"),
        ("buy", "101.50", "101.50"),
        ("sell", "101.50", "98.50"),  # only the distance counts, not the side it is on
        ("buy", "98.50", "101.50"),
    ],
)
def test_the_trail_price_is_a_distance_from_the_last_trade(
    place: Place, side: str, trail: str, stop: str
) -> None:
    order = place(side, "trailing_stop", 2, trail)
    assert (order.status, order.stop_price) == (OrderStatus.WORKING, Decimal(stop))
    assert (order.trail_ticks, order.trail_distance) == (6, Decimal("1.50"))


def test_other_types_do_not_trail(place: Place) -> None:
    order = place("sell", "stop", 1, "98.50")
    assert (order.trail_ticks, order.trail_distance) == (None, None)


@pytest.mark.parametrize(
    ("side", "trail", "away", "back", "stop"),
    [
        ("sell", "98", "105", "103.25", "103"),
        ("buy", "102", "95", "96.75", "97"),
    ],
)
def test_the_trigger_follows_the_market_and_does_not_go_back(
    exchange: Exchange, place: Place, side: str, trail: str, away: str, back: str, stop: str
) -> None:
    order = place(side, "trailing_stop", 1, trail)
    _move(exchange, away, back)
    assert _now(exchange, order).stop_price == Decimal(stop)
    assert _now(exchange, order).status is OrderStatus.WORKING
    _move(exchange, stop)
    assert _now(exchange, order).status is OrderStatus.FILLED


def test_every_move_of_the_trigger_is_told_and_leaves_the_time_alone(
    exchange: Exchange, place: Place, clock: ManualClock, events: list[ExchangeEvent]
) -> None:
    order = place("sell", "trailing_stop", 1, "98")
    events.clear()
    clock.advance(5)
    _move(exchange, "101", "102")
    told = [each.order for each in events if isinstance(each, OrderChanged)]
    assert [each.stop_price for each in told] == [Decimal("99"), Decimal("100")]
    assert {each.updated_at for each in told} == {order.updated_at}
    assert told[-1] == _now(exchange, order)


def test_a_large_order_drags_the_trigger_with_each_print(
    exchange: Exchange, place: Place, other: ExchangeAccount
) -> None:
    order = place("sell", "trailing_stop", 1, "98")
    asks = exchange.depth("FUT.ABC")[1]
    size = asks[0].size + asks[1].size + 1
    place("buy", "market", size, account_id=other.id)
    assert _now(exchange, order).stop_price == asks[2].price - 2


def test_the_trigger_is_met_on_the_way(exchange: Exchange, place: Place) -> None:
    order = place("sell", "trailing_stop", 1, "98")
    _move(exchange, "105", "90")
    filled = _now(exchange, order)
    assert filled.average_fill_price is not None
    assert Decimal("102.50") <= filled.average_fill_price <= Decimal("103")


def test_a_trigger_is_never_below_the_first_tick(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    order = place("sell", "trailing_stop", 1, "210")
    assert (order.stop_price, order.trail_ticks) == (TICK, 440)
    _move(exchange, "111")
    assert _now(exchange, order).stop_price == Decimal("1")


# What is refused


@pytest.mark.parametrize(
    ("trail", "reason"),
    [
        (None, Reject.TRAIL_MISSING),
        ("99.90", Reject.TRAIL_OFF_TICK),
        ("0", Reject.TRAIL_OFF_TICK),
        ("-98", Reject.TRAIL_OFF_TICK),
        ("350.25", Reject.TRAIL_TOO_FAR),
        ("100", Reject.STOP_ON_WRONG_SIDE),
    ],
)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_bad_trail_is_rejected(
    place: Place, exchange: Exchange, side: str, trail: str | None, reason: Reject
) -> None:
    order = place(side, "trailing_stop", 1, trail)
    assert (order.status, order.reject) == (OrderStatus.REJECTED, reason)
    assert (order.stop_price, order.trail_ticks) == (None, None)
    assert _now(exchange, order) == order


def test_a_thousand_ticks_are_not_too_far(place: Place) -> None:
    assert place("buy", "trailing_stop", 1, "350").trail_ticks == 1000


def test_a_stop_price_is_not_a_trail_price(exchange: Exchange, account: ExchangeAccount) -> None:
    ticket = Ticket(
        account_id=account.id,
        instrument_id="FUT.ABC",
        side=OrderSide.SELL,
        type=OrderType.TRAILING_STOP,
        size=1,
        stop_price=Decimal("98"),
    )
    assert exchange.place(ticket).reject is Reject.TRAIL_MISSING


def test_a_trail_takes_no_float(account: ExchangeAccount) -> None:
    with pytest.raises(TypeError, match="not exact"):
        Ticket(
            account_id=account.id,
            instrument_id="FUT.ABC",
            side=OrderSide.SELL,
            type=OrderType.TRAILING_STOP,
            size=1,
            trail_price=98.0,  # type: ignore[arg-type]
        )


def test_nothing_trails_before_the_first_trade(
    instrument: Instrument, exchange: Exchange, place: Place
) -> None:
    exchange.add_instrument(evolve(instrument, id="NEW", newly_listed=True))
    early = place("sell", "trailing_stop", 1, "98", instrument_id="NEW")
    assert early.reject is Reject.NO_LAST_PRICE
    exchange.move_to("NEW", Decimal("101"))
    late = place("sell", "trailing_stop", 1, "98", instrument_id="NEW")
    assert (late.status, late.trail_ticks) == (OrderStatus.WORKING, 12)


# Modify


def test_modify_starts_anew_from_the_last_trade(exchange: Exchange, place: Place) -> None:
    order = place("sell", "trailing_stop", 1, "98")
    _move(exchange, "105")
    ids = order.account_id, order.id
    changed = exchange.modify(*ids, trail_price=Decimal("101"))
    assert (changed.stop_price, changed.trail_ticks) == (Decimal("101"), 16)
    assert changed.trail_distance == Decimal("4")
    _move(exchange, "106")
    assert _now(exchange, order).stop_price == Decimal("102")


def test_modify_has_no_farthest_trail(exchange: Exchange, place: Place) -> None:
    order = place("buy", "trailing_stop", 1, "102")
    changed = exchange.modify(order.account_id, order.id, trail_price=Decimal("400"))
    assert (changed.trail_ticks, changed.stop_price) == (1200, Decimal("400"))


def test_another_size_keeps_the_trigger(exchange: Exchange, place: Place) -> None:
    order = place("sell", "trailing_stop", 1, "98")
    _move(exchange, "105", "104")
    changed = exchange.modify(order.account_id, order.id, size=3)
    assert (changed.size, changed.stop_price, changed.trail_ticks) == (3, Decimal("103"), 8)
    _move(exchange, "106", "103")
    assert _now(exchange, order).filled_size == 3


@pytest.mark.parametrize(
    ("type_", "price", "change", "reason"),
    [
        ("trailing_stop", "98", {"trail_price": "98.10"}, Reject.TRAIL_OFF_TICK),
        ("trailing_stop", "98", {"trail_price": "-1"}, Reject.TRAIL_OFF_TICK),
        ("trailing_stop", "98", {"trail_price": "100"}, Reject.STOP_ON_WRONG_SIDE),
        ("trailing_stop", "98", {"stop_price": "97"}, Reject.UNSUPPORTED_TYPE),
        ("trailing_stop", "98", {"limit_price": "97"}, Reject.UNSUPPORTED_TYPE),
        ("stop", "98", {"trail_price": "97"}, Reject.UNSUPPORTED_TYPE),
        ("limit", "102", {"trail_price": "97"}, Reject.UNSUPPORTED_TYPE),
    ],
)
def test_modify_refuses_a_bad_trail(
    exchange: Exchange,
    place: Place,
    type_: str,
    price: str,
    change: dict[str, str],
    reason: Reject,
) -> None:
    order = place("sell", type_, 1, price)
    prices: dict[str, Any] = {name: Decimal(value) for name, value in change.items()}
    with pytest.raises(Refused) as refusal:
        exchange.modify(order.account_id, order.id, **prices)
    assert refusal.value.reason is reason
    assert _now(exchange, order) == order


def test_a_cancelled_trailing_stop_follows_no_more(
    exchange: Exchange, place: Place, events: list[ExchangeEvent]
) -> None:
    order = place("sell", "trailing_stop", 1, "98")
    exchange.cancel(order.account_id, order.id)
    events.clear()
    _move(exchange, "110", "90")
    assert not any(isinstance(each, OrderChanged) for each in events)


@given(
    side=st.sampled_from(["buy", "sell"]),
    distance=st.integers(1, 20),
    path=st.lists(st.integers(-25, 25), min_size=1, max_size=8),
    steps=st.integers(0, 5),
)
def test_a_trigger_goes_one_way_and_stays_in_reach(
    side: str, distance: int, path: list[int], steps: int
) -> None:
    exchange, told, order = _trailing(side, distance)
    for ticks in path:
        exchange.move_to("X", 100 + ticks * TICK)
        for _ in range(steps):
            exchange.advance()
        _check_reach(exchange, _now(exchange, order))
    orders = [each.order for each in told if isinstance(each, OrderChanged)]
    levels = [each.stop_price for each in orders if each.stop_price is not None]
    assert levels == sorted(levels, reverse=side == "buy")
    assert {each.trail_ticks for each in orders} == {distance}
    reached = any(isinstance(each, FillMade) for each in told)
    assert reached == (_now(exchange, order).status is OrderStatus.FILLED)


def _check_reach(exchange: Exchange, order: ExchangeOrder) -> None:
    """While it works it is no farther from the last trade than its distance, and not reached."""
    if order.status is OrderStatus.WORKING:
        assert order.stop_price is not None and order.trail_distance is not None
        gap = exchange.quote("X").last - order.stop_price
        gap = gap if order.side is OrderSide.SELL else -gap
        assert 0 < gap <= order.trail_distance


def _trailing(side: str, distance: int) -> tuple[Exchange, list[ExchangeEvent], ExchangeOrder]:
    instrument = Instrument(
        id="X",
        symbol="X",
        root="X",
        description="",
        tick_size=TICK,
        tick_value=Decimal(1),
        start_price=Decimal(100),
        fee=Decimal(0),
        commission=Decimal(0),
    )
    exchange, told = Exchange([instrument], clock=ManualClock()), list[ExchangeEvent]()
    account = exchange.open_account("first", Decimal(1000))
    exchange.listen(told.append)
    ticket = Ticket(
        account_id=account.id,
        instrument_id="X",
        side=OrderSide(side),
        type=OrderType.TRAILING_STOP,
        size=1,
        trail_price=100 + distance * TICK,
    )
    return exchange, told, exchange.place(ticket)
