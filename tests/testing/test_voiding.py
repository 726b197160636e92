"""Fills that are taken back: the books are as if they had not been."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from tradeforge_core.enums import OrderStatus
from tradeforge_testing.exchange import (
    AccountChanged,
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    FillMade,
    Instrument,
    PositionChanged,
    Refused,
    Reject,
)

Place = Callable[..., ExchangeOrder]
Trade = Callable[..., int]


@pytest.fixture
def trade(exchange: Exchange, place: Place) -> Trade:
    """`trade("buy", 2, "99.75")` fills an order at exactly that price; the id of the fill."""

    def trade(side: str, size: int, price: str, **named: str) -> int:
        order = place(side, "stop", size, "200" if side == "buy" else "1", **named)
        exchange.fill_order(order.account_id, order.id, price=Decimal(price))
        return exchange.fills(order.account_id)[-1].id

    return trade


def _held(exchange: Exchange, account: ExchangeAccount) -> list[tuple[int, Decimal]]:
    return [(each.size, each.average_price) for each in exchange.positions(account.id)]


def _realized(exchange: Exchange, account: ExchangeAccount) -> list[Decimal | None]:
    return [each.realized_pnl for each in exchange.fills(account.id)]


def test_the_only_fill_is_taken_back(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, events: list[ExchangeEvent]
) -> None:
    fill_id = trade("buy", 2, "100")
    (fill,), (position,) = exchange.fills(account.id), exchange.positions(account.id)
    events.clear()
    voided = exchange.void_fill(account.id, fill_id)
    assert voided == evolve(fill, voided=True)
    assert (exchange.fills(account.id), exchange.positions(account.id)) == ([voided], [])
    assert exchange.account(account.id) == account
    assert events == [
        FillMade(voided),
        PositionChanged(evolve(position, size=0)),
        AccountChanged(account),
    ]


def test_the_order_keeps_what_it_was_filled(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    order = place("buy", "market", 1)
    exchange.void_fill(account.id, exchange.fills(account.id)[0].id)
    assert exchange.order(account.id, order.id) == order
    assert order.status is OrderStatus.FILLED


def test_an_exit_is_taken_back(exchange: Exchange, account: ExchangeAccount, trade: Trade) -> None:
    trade("buy", 2, "100")
    before = exchange.account(account.id), exchange.positions(account.id)
    fill_id = trade("sell", 2, "103")
    assert exchange.positions(account.id) == []
    exchange.void_fill(account.id, fill_id)
    assert (exchange.account(account.id), exchange.positions(account.id)) == before


def test_without_its_entry_an_exit_is_an_entry(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, events: list[ExchangeEvent]
) -> None:
    entry, exit_ = trade("buy", 2, "100"), trade("sell", 2, "103")
    assert _realized(exchange, account) == [None, Decimal(300)]
    events.clear()
    exchange.void_fill(account.id, entry)
    assert _held(exchange, account) == [(-2, Decimal("103"))]
    assert _realized(exchange, account) == [None, None]
    assert exchange.account(account.id).balance == Decimal("49998.76")
    told = [each.fill for each in events if isinstance(each, FillMade)]
    assert [(each.id, each.voided) for each in told] == [(entry, True), (exit_, False)]


def test_the_average_of_what_stays_is_made_anew(
    exchange: Exchange, account: ExchangeAccount, trade: Trade
) -> None:
    trade("buy", 1, "100")
    middle = trade("buy", 1, "104")
    trade("sell", 1, "106")
    assert _realized(exchange, account) == [None, None, Decimal(200)]
    exchange.void_fill(account.id, middle)
    assert _realized(exchange, account) == [None, None, Decimal(300)]
    assert _held(exchange, account) == []
    assert exchange.account(account.id).balance == 50_000 + 300 - Decimal("1.24")


def test_what_is_not_touched_is_not_told_again(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, events: list[ExchangeEvent]
) -> None:
    trade("buy", 1, "100")
    trade("sell", 1, "101")
    last = trade("buy", 1, "102")
    events.clear()
    exchange.void_fill(account.id, last)
    assert [each.fill.id for each in events if isinstance(each, FillMade)] == [last]


def test_a_position_that_comes_back_has_its_own_id(
    exchange: Exchange, account: ExchangeAccount, trade: Trade
) -> None:
    trade("buy", 1, "100")
    (position,) = exchange.positions(account.id)
    exit_ = trade("sell", 1, "101")
    exchange.void_fill(account.id, exit_)
    assert exchange.positions(account.id) == [position]


def test_after_a_void_the_next_position_is_a_new_one(
    exchange: Exchange, account: ExchangeAccount, trade: Trade
) -> None:
    exchange.void_fill(account.id, trade("buy", 1, "100"))
    trade("buy", 1, "101")
    (position,) = exchange.positions(account.id)
    assert position.id == 700_002
    assert position.average_price == Decimal("101")


def test_another_instrument_is_not_touched(
    exchange: Exchange, account: ExchangeAccount, trade: Trade, instrument: Instrument
) -> None:
    exchange.add_instrument(evolve(instrument, id="FUT.DEF"))
    trade("buy", 1, "100", instrument_id="FUT.DEF")
    kept = exchange.positions(account.id), exchange.account(account.id)
    exchange.void_fill(account.id, trade("buy", 1, "100"))
    assert (exchange.positions(account.id), exchange.account(account.id)) == kept


def test_a_fill_is_voided_once(exchange: Exchange, account: ExchangeAccount, trade: Trade) -> None:
    fill_id = trade("buy", 1, "100")
    exchange.void_fill(account.id, fill_id)
    before = exchange.snapshot()
    with pytest.raises(Refused) as refusal:
        exchange.void_fill(account.id, fill_id)
    assert refusal.value.reason is Reject.FILL_VOIDED
    assert exchange.snapshot() == before


def test_a_fill_that_is_not_there(
    exchange: Exchange, account: ExchangeAccount, other: ExchangeAccount, trade: Trade
) -> None:
    fill_id = trade("buy", 1, "100")
    for account_id, unknown, reason in (
        (1, fill_id, Reject.UNKNOWN_ACCOUNT),
        (other.id, fill_id, Reject.UNKNOWN_FILL),
        (account.id, fill_id + 1, Reject.UNKNOWN_FILL),
    ):
        with pytest.raises(Refused) as refusal:
            exchange.void_fill(account_id, unknown)
        assert refusal.value.reason is reason


def test_the_legs_of_a_voided_entry_keep_working(
    exchange: Exchange, account: ExchangeAccount, place: Place
) -> None:
    place("buy", "market", 1, stop_loss=-8, take_profit=12)
    exchange.void_fill(account.id, exchange.fills(account.id)[0].id)
    statuses = [each.status for each in exchange.orders(account.id)[1:]]
    assert statuses == [OrderStatus.WORKING] * 2
