"""What an exchange of coins knows besides: lots, rates, coins, margin, and how orders may trade."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType, TimeInForce
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeOrder,
    Instrument,
    Kind,
    OrderChanged,
    Reject,
    Ticket,
)

BUY, SELL = OrderSide.BUY, OrderSide.SELL
Place = Callable[..., ExchangeOrder]


def _instrument(id_: str, **more: Any) -> Instrument:
    return Instrument(
        id=id_,
        symbol=id_,
        root=id_,
        description=id_,
        tick_size=Decimal("0.1"),
        tick_value=Decimal("0.0001"),
        start_price=Decimal(1000),
        fee=Decimal(0),
        commission=Decimal(0),
        lot=Decimal("0.001"),
        taker_rate=Decimal("0.001"),
        maker_rate=Decimal("0.0002"),
        liquidity=100,
        **more,
    )


@pytest.fixture
def exchange(clock: ManualClock) -> Exchange:
    listed = [
        _instrument("linear", max_leverage=Decimal(100)),
        _instrument("inverse", kind=Kind.INVERSE, money="XYZ", max_leverage=Decimal(100)),
        _instrument("spot", kind=Kind.SPOT, base="XYZ"),
    ]
    return Exchange(listed, clock=clock, seed=3)


@pytest.fixture
def account(exchange: Exchange) -> ExchangeAccount:
    return exchange.open_account("coins", Decimal(1000), coins={"XYZ": Decimal(1)})


@pytest.fixture
def place(exchange: Exchange, account: ExchangeAccount) -> Place:
    def place(side: OrderSide, size: int, price: str | None = None, **more: Any) -> ExchangeOrder:
        asked: dict[str, Any] = {
            "account_id": account.id,
            "instrument_id": "linear",
            "side": side,
            "type": OrderType.LIMIT if price else OrderType.MARKET,
            "size": size,
            "limit_price": price,
            **more,
        }
        return exchange.place(Ticket(**asked))

    return place


def test_a_lot_costs_its_part_of_the_value(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    order = place(BUY, 100)
    fills = exchange.fills(account.id)
    value = sum((one.price * one.size * Decimal("0.001") for one in fills), Decimal(0))
    assert sum(one.fees for one in fills) == (value / 1000).quantize(Decimal("0.00000001"))
    assert (order.status, order.filled_size) == (OrderStatus.FILLED, 100)
    assert not any(one.maker for one in fills)


def test_who_rests_pays_the_rate_of_a_maker(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    place(BUY, 10, "999")
    exchange.move_to("linear", Decimal(999))
    (fill,) = exchange.fills(account.id)
    assert fill.maker
    assert fill.fees == Decimal("9.99") * Decimal("0.0002")


def test_spot_changes_coins_and_takes_its_fee_from_what_comes(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    place(BUY, 100, instrument_id="spot")
    (bought,) = exchange.fills(account.id)
    now = exchange.account(account.id)
    assert now.coins["XYZ"] == 1 + Decimal("0.1") * Decimal("0.999")
    assert now.balance == 1000 - bought.price * Decimal("0.1")
    assert (bought.fee_coin, exchange.positions(account.id)) == ("XYZ", [])
    exchange.void_fill(account.id, bought.id)
    back = exchange.account(account.id)
    assert (back.balance, back.coins["XYZ"]) == (1000, 1)


def test_an_inverse_position_averages_and_gains_in_coin(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    of: dict[str, Any] = {"instrument_id": "inverse"}
    place(BUY, 10_000, **of)
    exchange.move_to("inverse", Decimal(2000))
    place(BUY, 10_000, **of)
    (position,) = exchange.positions(account.id)
    fills = exchange.fills(account.id)
    coins = sum((one.size / one.price for one in fills), Decimal(0))
    assert abs(position.average_price - 20_000 / coins) < Decimal("0.0001")
    place(SELL, 20_000, **of)
    fills = exchange.fills(account.id)
    signs = {BUY: 1, SELL: -1}
    coins = sum((signs[one.side] * one.size / one.price for one in fills), Decimal(0))
    realized = sum((one.realized_pnl or Decimal(0) for one in fills), Decimal(0))
    assert abs(realized - coins / 1000) < Decimal("0.0000001")
    assert exchange.account(account.id).coins["XYZ"] == 1 + realized - sum(
        one.fees for one in fills
    )


def test_margin_is_a_part_of_the_value_and_what_is_bound_is_gone(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    assert place(BUY, 12_000, "900").reject is Reject.INSUFFICIENT_FUNDS  # a tenth of 10800
    exchange.set_leverage(account.id, "linear", Decimal(20))
    assert place(BUY, 12_000, "900").reject is None
    assert exchange.bound_by_orders(account.id)[""] == Decimal(10_800) / 20 + Decimal("10.8")
    assert place(BUY, 12_000, "900").reject is Reject.INSUFFICIENT_FUNDS
    assert place(SELL, 1001, "1100", instrument_id="spot").reject is Reject.INSUFFICIENT_FUNDS
    assert place(SELL, 1000, "1100", instrument_id="spot").reject is None
    assert place(SELL, 1, "1100", instrument_id="spot").reject is Reject.INSUFFICIENT_FUNDS


def test_post_only_rests_or_is_cancelled(exchange: Exchange, place: Place) -> None:
    crossing = place(BUY, 1, "1001", post_only=True)
    assert (crossing.status, crossing.reject) == (OrderStatus.CANCELLED, Reject.POST_ONLY_CROSSES)
    assert place(BUY, 1, "999", post_only=True).status is OrderStatus.WORKING


def test_what_is_to_be_filled_at_once_does_not_rest(exchange: Exchange, place: Place) -> None:
    ask = exchange.depth("linear")[1][0]
    more = ask.size + 1
    some = place(BUY, more, str(ask.price), time_in_force=TimeInForce.IOC)
    assert (some.status, some.filled_size) == (OrderStatus.CANCELLED, ask.size)
    assert some.reject is Reject.NOT_FILLED_AT_ONCE
    bid = exchange.depth("linear")[0][0]
    none = place(SELL, bid.size + 1, str(bid.price), time_in_force=TimeInForce.FOK)
    assert (none.status, none.filled_size) == (OrderStatus.CANCELLED, 0)
    whole = place(SELL, bid.size, str(bid.price), time_in_force=TimeInForce.FOK)
    assert whole.status is OrderStatus.FILLED


def test_what_only_reduces_never_turns_a_position(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    assert place(SELL, 1, reduce_only=True).reject is Reject.REDUCE_ONLY
    place(BUY, 10)
    assert place(BUY, 1, reduce_only=True).reject is Reject.REDUCE_ONLY
    rests = [place(SELL, 10, "1001", reduce_only=True) for _ in range(2)]
    exchange.move_to("linear", Decimal(1001))
    assert exchange.positions(account.id) == []
    ends = [exchange.order(account.id, one.id) for one in rests]
    assert [one.status for one in ends] == [OrderStatus.FILLED, OrderStatus.CANCELLED]
    place(BUY, 5)
    assert place(SELL, 9, reduce_only=True).filled_size == 5
    assert exchange.positions(account.id) == []


def test_positions_of_both_sides_are_held_apart(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    place(BUY, 3, hedge_side=BUY)
    place(SELL, 2, hedge_side=SELL)
    held = {one.hedge_side: one.size for one in exchange.positions(account.id)}
    assert held == {BUY: 3, SELL: -2}
    assert place(SELL, 1, hedge_side=SELL, reduce_only=True).reject is Reject.REDUCE_ONLY
    place(SELL, 3, hedge_side=BUY, reduce_only=True)
    assert [one.size for one in exchange.positions(account.id)] == [-2]


@pytest.mark.parametrize(("side", "rising", "price"), [(BUY, False, 990), (SELL, True, 1010)])
def test_a_trigger_can_be_reached_from_either_side(
    exchange: Exchange,
    account: ExchangeAccount,
    place: Place,
    side: OrderSide,
    rising: bool,
    price: int,
) -> None:
    told: list[bool] = []
    stop = {"type": OrderType.STOP, "stop_price": price, "rising": rising}
    order = place(side, 1, **stop)
    assert order.status is OrderStatus.WORKING
    exchange.listen(
        lambda event: (
            told.append(event.order.triggered) if isinstance(event, OrderChanged) else None
        )
    )
    exchange.move_to("linear", Decimal(price))
    assert exchange.order(account.id, order.id).status is OrderStatus.FILLED
    assert told[0]
    wrong = {**stop, "rising": not rising}
    assert place(side, 1, **{**wrong, "stop_price": price}).reject is Reject.STOP_ON_WRONG_SIDE


def test_a_stop_limit_rests_once_it_is_triggered(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    asked: dict[str, Any] = {"type": OrderType.STOP_LIMIT, "stop_price": 1010, "limit_price": 1005}
    assert place(BUY, 5, **asked).reject is Reject.UNSUPPORTED_TYPE
    order = place(BUY, 5, **asked, rising=True)
    exchange.move_to("linear", Decimal(1010))
    waiting = exchange.order(account.id, order.id)
    assert (waiting.status, waiting.triggered) == (OrderStatus.WORKING, True)
    assert exchange.modify(account.id, order.id, size=4).size == 4
    exchange.move_to("linear", Decimal(1005))
    assert exchange.order(account.id, order.id).status is OrderStatus.FILLED
