"""Positions, averages, realised profit, balances."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    Instrument,
    PositionChanged,
)
from tradeforge_testing.exchange.holding import Holding

Place = Callable[..., ExchangeOrder]
Trade = Callable[..., ExchangeOrder]


@pytest.fixture
def trade(exchange: Exchange, place: Place) -> Trade:
    """`trade("buy", 2, "101")`: moves the market to the price and fills a limit order there."""

    def trade(side: str, size: int, price: str) -> ExchangeOrder:
        aside = Decimal(price) + (1 if side == "buy" else -1)
        exchange.move_to("FUT.ABC", aside)
        order = place(side, "limit", size, price)
        exchange.move_to("FUT.ABC", Decimal(price))
        return exchange.order(order.account_id, order.id)

    return trade


def _pnl(exchange: Exchange, account: ExchangeAccount) -> list[Decimal | None]:
    return [each.realized_pnl for each in exchange.fills(account.id)]


def test_a_long_round_trip(exchange: Exchange, account: ExchangeAccount, trade: Trade) -> None:
    trade("buy", 2, "100")
    trade("sell", 2, "101")
    assert _pnl(exchange, account) == [None, Decimal("100.00")]
    assert exchange.account(account.id).balance == Decimal("50000") + 100 - 4 * Decimal("0.62")


def test_a_short_round_trip(exchange: Exchange, account: ExchangeAccount, trade: Trade) -> None:
    trade("sell", 1, "100")
    trade("buy", 1, "100.50")
    assert _pnl(exchange, account) == [None, Decimal("-25.00")]


def test_a_closing_fill_at_the_average_realises_zero_and_not_none(
    exchange: Exchange, account: ExchangeAccount, trade: Trade
) -> None:
    trade("buy", 1, "100")
    trade("sell", 1, "100")
    assert _pnl(exchange, account) == [None, Decimal(0)]


def test_scaling_in_weighs_the_average_and_keeps_the_position(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, clock: ManualClock
) -> None:
    trade("buy", 1, "100")
    (before,) = exchange.positions(account.id)
    clock.advance(60)
    trade("buy", 3, "101")
    (after,) = exchange.positions(account.id)
    assert (after.size, after.average_price) == (4, Decimal("100.75"))
    assert (after.id, after.opened_at) == (before.id, before.opened_at)


def test_scaling_out_keeps_the_average(
    exchange: Exchange, account: ExchangeAccount, trade: Trade
) -> None:
    trade("buy", 4, "100")
    trade("sell", 1, "102")
    (position,) = exchange.positions(account.id)
    assert (position.size, position.average_price) == (3, Decimal("100"))
    assert _pnl(exchange, account)[-1] == Decimal("100.00")


def test_one_fill_that_turns_long_into_short(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, clock: ManualClock
) -> None:
    trade("buy", 2, "100")
    (before,) = exchange.positions(account.id)
    clock.advance(60)
    trade("sell", 3, "101")
    (after,) = exchange.positions(account.id)
    assert _pnl(exchange, account) == [None, Decimal("100.00")]
    assert (after.size, after.average_price) == (-1, Decimal("101"))
    assert (after.id, after.opened_at) == (before.id, before.opened_at + timedelta(minutes=1))
    trade("buy", 1, "100")
    assert _pnl(exchange, account)[-1] == Decimal("50.00")


def test_a_flat_position_is_told_once_more_and_the_next_is_a_new_one(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, events: list[ExchangeEvent]
) -> None:
    trade("buy", 1, "100")
    trade("sell", 1, "101")
    assert exchange.positions(account.id) == []
    trade("buy", 1, "99")
    opened, flat, again = (each.position for each in events if isinstance(each, PositionChanged))
    assert (flat.size, flat.average_price) == (0, Decimal("100"))
    assert (flat.id, flat.opened_at) == (opened.id, opened.opened_at)
    assert again.id > opened.id


def test_thirds_of_a_tick_add_up_over_a_round_trip(
    exchange: Exchange, account: ExchangeAccount, trade: Trade
) -> None:
    trade("buy", 2, "100")
    trade("buy", 1, "100.25")
    for _ in range(3):
        trade("sell", 1, "101")
    realized = [pnl for pnl in _pnl(exchange, account) if pnl is not None]
    assert realized == [Decimal("45.83"), Decimal("45.84"), Decimal("45.83")]
    assert sum(realized) == Decimal("137.50")


def test_accounts_are_apart(
    exchange: Exchange, account: ExchangeAccount, other: ExchangeAccount, trade: Trade
) -> None:
    trade("buy", 1, "100")
    assert exchange.positions(other.id) == []
    assert exchange.account(other.id) == other
    assert exchange.accounts() == [exchange.account(account.id), other]


fills = st.lists(
    st.tuples(st.integers(-7, 7).filter(bool), st.integers(1, 2_000)), min_size=1, max_size=30
)


@given(fills=fills, tick_value=st.sampled_from(["12.50", "0.5", "31.25", "7.8125", "0.001"]))
def test_what_a_holding_realises_is_what_single_contracts_realise(
    fills: list[tuple[int, int]], tick_value: str
) -> None:
    """The reference takes contracts one by one and never sees a fill that crosses zero."""
    holding, now = _holding(tick_value), ManualClock().now()
    size, average, exact, told = 0, Fraction(), Fraction(), Decimal()
    for quantity, ticks in fills:
        told += holding.apply(quantity, ticks, now) or 0
        for _ in range(abs(quantity)):
            step = 1 if quantity > 0 else -1
            if size * step >= 0:
                average = (average * abs(size) + ticks) / (abs(size) + 1)
            else:
                exact += (average - ticks) * step * Fraction(tick_value)
            size += step
        assert holding.size == size
        assert abs(Fraction(told) - exact) <= Fraction(1, 200)
        if size == 0:
            assert told == exact
        else:
            told_average = Fraction(holding.position().average_price)
            assert abs(told_average - average / 4) < Fraction(1, 4_000_000)


@given(fills=fills)
def test_none_is_realised_exactly_where_nothing_is_closed(fills: list[tuple[int, int]]) -> None:
    holding, now = _holding("12.50"), ManualClock().now()
    for quantity, ticks in fills:
        closes = holding.size * quantity < 0
        assert (holding.apply(quantity, ticks, now) is not None) == closes


def _holding(tick_value: str) -> Holding:
    instrument = Instrument(
        id="X",
        symbol="X",
        root="X",
        description="",
        tick_size=Decimal("0.25"),
        tick_value=Decimal(tick_value),
        start_price=Decimal(100),
        fee=Decimal(0),
        commission=Decimal(0),
    )
    return Holding(id=1, account_id=1, instrument=instrument)
