"""What the exchange does not do, and how it says so."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from tradeforge_core.enums import OrderSide, OrderStatus, OrderType
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    Instrument,
    OrderChanged,
    Refused,
    Reject,
    Ticket,
)

Place = Callable[..., ExchangeOrder]


@pytest.fixture
def ticket(account: ExchangeAccount) -> Ticket:
    """A good limit order; each test spoils one thing."""
    return Ticket(
        account_id=account.id,
        instrument_id="FUT.ABC",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        size=1,
        limit_price=Decimal("90"),
    )


def _assert_rejected(exchange: Exchange, ticket: Ticket, reason: Reject) -> None:
    order = exchange.place(ticket)
    assert (order.status, order.reject) == (OrderStatus.REJECTED, reason)
    assert exchange.orders(ticket.account_id)[-1] == order
    assert exchange.fills(ticket.account_id) == []


def test_the_ticket_is_good(exchange: Exchange, ticket: Ticket) -> None:
    assert exchange.place(ticket).status is OrderStatus.WORKING


def test_a_rejected_order_is_pending_first_and_leaves_the_book_alone(
    exchange: Exchange, ticket: Ticket, events: list[ExchangeEvent]
) -> None:
    before = exchange.depth("FUT.ABC")
    order = exchange.place(evolve(ticket, size=0))
    pending, rejected = events
    assert isinstance(pending, OrderChanged)
    assert (pending.order.status, pending.order.reject) == (OrderStatus.PENDING, None)
    assert rejected == OrderChanged(order)
    assert exchange.depth("FUT.ABC") == before


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "1"])
def test_a_size_is_a_whole_number_above_zero(exchange: Exchange, ticket: Ticket, size: int) -> None:
    _assert_rejected(exchange, evolve(ticket, size=size), Reject.BAD_SIZE)


@pytest.mark.parametrize("price", ["90.1", "0", "-90", "90.00000000000000001"])
@pytest.mark.parametrize("type_", [OrderType.LIMIT, OrderType.STOP])
def test_a_price_is_on_the_tick_grid(
    exchange: Exchange, ticket: Ticket, type_: OrderType, price: str
) -> None:
    exact = Decimal(price)
    spoilt = evolve(ticket, type=type_, limit_price=exact, stop_price=exact)
    _assert_rejected(exchange, spoilt, Reject.PRICE_OFF_TICK)


@pytest.mark.parametrize("type_", [OrderType.LIMIT, OrderType.STOP])
def test_a_limit_and_a_stop_need_their_price(
    exchange: Exchange, ticket: Ticket, type_: OrderType
) -> None:
    spoilt = evolve(ticket, type=type_, limit_price=None, stop_price=None)
    _assert_rejected(exchange, spoilt, Reject.MISSING_PRICE)


def test_the_other_price_does_not_do(exchange: Exchange, ticket: Ticket) -> None:
    _assert_rejected(exchange, evolve(ticket, type=OrderType.STOP), Reject.MISSING_PRICE)


@pytest.mark.parametrize(
    ("side", "price"), [("buy", "100"), ("buy", "99.75"), ("sell", "100"), ("sell", "100.25")]
)
def test_a_stop_stands_beyond_the_last_trade(
    exchange: Exchange, ticket: Ticket, side: str, price: str
) -> None:
    spoilt = evolve(
        ticket,
        type=OrderType.STOP,
        side=OrderSide(side),
        limit_price=None,
        stop_price=Decimal(price),
    )
    _assert_rejected(exchange, spoilt, Reject.STOP_ON_WRONG_SIDE)


@pytest.mark.parametrize("type_", [OrderType.STOP_LIMIT, OrderType.UNKNOWN])
def test_other_types_are_not_supported(
    exchange: Exchange, ticket: Ticket, type_: OrderType
) -> None:
    _assert_rejected(exchange, evolve(ticket, type=type_), Reject.UNSUPPORTED_TYPE)


def test_a_tag_is_used_once(exchange: Exchange, ticket: Ticket) -> None:
    tagged = evolve(ticket, tag="mine")
    assert exchange.place(tagged).tag == "mine"
    _assert_rejected(exchange, tagged, Reject.DUPLICATE_TAG)


def test_a_rejected_order_has_used_its_tag(exchange: Exchange, ticket: Ticket) -> None:
    exchange.place(evolve(ticket, tag="mine", size=0))
    _assert_rejected(exchange, evolve(ticket, tag="mine"), Reject.DUPLICATE_TAG)


def test_a_cancelled_order_has_used_its_tag(exchange: Exchange, ticket: Ticket) -> None:
    order = exchange.place(evolve(ticket, tag="mine"))
    exchange.cancel(ticket.account_id, order.id)
    _assert_rejected(exchange, evolve(ticket, tag="mine"), Reject.DUPLICATE_TAG)


def test_a_tag_belongs_to_one_account(
    exchange: Exchange, ticket: Ticket, other: ExchangeAccount
) -> None:
    exchange.place(evolve(ticket, tag="mine"))
    placed = exchange.place(evolve(ticket, tag="mine", account_id=other.id))
    assert placed.status is OrderStatus.WORKING


def test_a_closed_market_takes_no_order(exchange: Exchange, ticket: Ticket) -> None:
    exchange.close_market()
    assert not exchange.market_open
    _assert_rejected(exchange, ticket, Reject.MARKET_CLOSED)
    exchange.open_market()
    assert exchange.place(ticket).status is OrderStatus.WORKING


def test_an_account_that_cannot_trade(exchange: Exchange, ticket: Ticket) -> None:
    locked = exchange.open_account("locked", Decimal(50_000), can_trade=False, simulated=False)
    assert (locked.can_trade, locked.simulated) == (False, False)
    spoilt = evolve(ticket, account_id=locked.id)
    _assert_rejected(exchange, spoilt, Reject.ACCOUNT_CANNOT_TRADE)


def test_an_instrument_that_is_not_active(
    clock: ManualClock, instrument: Instrument, ticket: Ticket
) -> None:
    exchange = Exchange([evolve(instrument, active=False)], clock=clock)
    account = exchange.open_account("first", Decimal(50_000))
    _assert_rejected(exchange, evolve(ticket, account_id=account.id), Reject.INACTIVE_INSTRUMENT)


def test_the_balance_pays_the_fees(exchange: Exchange, ticket: Ticket) -> None:
    poor = exchange.open_account("poor", Decimal("1.24"))
    spoilt = evolve(ticket, account_id=poor.id, size=3)
    _assert_rejected(exchange, spoilt, Reject.INSUFFICIENT_FUNDS)
    enough = evolve(spoilt, size=2)
    assert exchange.place(enough).status is OrderStatus.WORKING


def test_a_position_can_be_closed_without_money(exchange: Exchange, place: Place) -> None:
    poor = exchange.open_account("poor", Decimal("1.24"))
    place("buy", "market", 2, account_id=poor.id)
    assert exchange.account(poor.id).balance == 0
    assert place("sell", "market", 3, account_id=poor.id).reject is Reject.INSUFFICIENT_FUNDS
    assert exchange.close_position(poor.id, "FUT.ABC").status is OrderStatus.FILLED


def test_the_first_fault_counts(exchange: Exchange, ticket: Ticket) -> None:
    exchange.place(evolve(ticket, tag="mine"))
    exchange.close_market()
    _assert_rejected(exchange, evolve(ticket, tag="mine", size=0), Reject.DUPLICATE_TAG)


def test_no_order_without_account_or_instrument(
    exchange: Exchange, ticket: Ticket, events: list[ExchangeEvent]
) -> None:
    for spoilt, reason in (
        (evolve(ticket, account_id=1), Reject.UNKNOWN_ACCOUNT),
        (evolve(ticket, instrument_id="FUT.XYZ"), Reject.UNKNOWN_INSTRUMENT),
    ):
        with pytest.raises(Refused) as refusal:
            exchange.place(spoilt)
        assert refusal.value.reason is reason
    assert (events, exchange.orders(ticket.account_id)) == ([], [])


@pytest.mark.parametrize(
    "ask",
    [
        lambda exchange: exchange.account(1),
        lambda exchange: exchange.orders(1),
        lambda exchange: exchange.order(1, 2),
        lambda exchange: exchange.fills(1),
        lambda exchange: exchange.positions(1),
        lambda exchange: exchange.modify(1, 2, size=3),
        lambda exchange: exchange.cancel(1, 2),
        lambda exchange: exchange.close_position(1, "FUT.ABC"),
    ],
)
def test_an_unknown_account_is_refused(
    exchange: Exchange, ask: Callable[[Exchange], object]
) -> None:
    with pytest.raises(Refused) as refusal:
        ask(exchange)
    assert refusal.value.reason is Reject.UNKNOWN_ACCOUNT


@pytest.mark.parametrize(
    "ask",
    [
        lambda exchange: exchange.quote("FUT.XYZ"),
        lambda exchange: exchange.depth("FUT.XYZ"),
        lambda exchange: exchange.move_to("FUT.XYZ", Decimal(1)),
        lambda exchange: exchange.close_position(1001, "FUT.XYZ"),
    ],
)
def test_an_unknown_instrument_is_refused(
    exchange: Exchange, account: ExchangeAccount, ask: Callable[[Exchange], object]
) -> None:
    with pytest.raises(Refused) as refusal:
        ask(exchange)
    assert refusal.value.reason is Reject.UNKNOWN_INSTRUMENT


def test_two_instruments_of_one_id_are_refused(instrument: Instrument, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="same id"):
        Exchange([instrument, instrument], clock=clock)


def test_a_balance_is_exact(exchange: Exchange) -> None:
    with pytest.raises(TypeError, match="not exact"):
        exchange.open_account("first", 50_000.0)  # type: ignore[arg-type]
