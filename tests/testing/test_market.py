"""The seeded market: lively, repeatable, never crossed, and movable."""

import random
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

import pytest
from attrs import evolve

from tradeforge_core.enums import OrderSide, OrderStatus
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import (
    DepthChanged,
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    Instrument,
    MarketTrade,
    QuoteChanged,
    Refused,
    Reject,
)

Place = Callable[..., ExchangeOrder]
TICK = Decimal("0.25")


def _run(instruments: list[Instrument], *, seed: int, steps: int = 50) -> list[ExchangeEvent]:
    clock, told = ManualClock(), list[ExchangeEvent]()
    exchange = Exchange(instruments, clock=clock, seed=seed)
    exchange.listen(told.append)
    for _ in range(steps):
        clock.advance(0.25)
        exchange.advance()
    return told


def test_the_market_starts_at_the_start_price(exchange: Exchange, clock: ManualClock) -> None:
    quote = exchange.quote("FUT.ABC")
    start = Decimal("100.00")
    assert (quote.last, quote.open, quote.high, quote.low) == (start, start, start, start)
    assert (quote.volume, quote.change, quote.change_percent) == (0, Decimal(0), Decimal(0))
    assert quote.bid < quote.ask
    assert quote.time == clock.now()


def test_depth_has_ten_levels_a_side_on_the_grid(
    exchange: Exchange, instrument: Instrument
) -> None:
    for _ in range(20):
        exchange.advance()
        bids, asks = exchange.depth("FUT.ABC")
        assert 9 <= len(bids) <= 10
        assert 9 <= len(asks) <= 10
        assert all(above.price > below.price for above, below in pairwise(bids))
        assert all(above.price < below.price for above, below in pairwise(asks))
        assert all(level.size > 0 and instrument.to_ticks(level.price) for level in bids + asks)


def test_every_step_shows_and_every_other_prints(
    exchange: Exchange, events: list[ExchangeEvent]
) -> None:
    was_quiet = False
    for _ in range(300):
        events.clear()
        exchange.advance()
        assert any(isinstance(each, QuoteChanged | DepthChanged) for each in events)
        is_quiet = not any(isinstance(each, MarketTrade) for each in events)
        assert not (is_quiet and was_quiet)
        was_quiet = is_quiet


def test_the_price_wanders(exchange: Exchange) -> None:
    lasts = set()
    for _ in range(300):
        exchange.advance()
        lasts.add(exchange.quote("FUT.ABC").last)
    assert len(lasts) > 5


def test_quote_events_end_with_the_quote(exchange: Exchange, events: list[ExchangeEvent]) -> None:
    for _ in range(20):
        exchange.advance()
        assert exchange.quote("FUT.ABC") == next(
            each.quote for each in reversed(events) if isinstance(each, QuoteChanged)
        )


def test_the_quote_counts_the_session(exchange: Exchange, events: list[ExchangeEvent]) -> None:
    exchange.move_to("FUT.ABC", Decimal("103"))
    exchange.move_to("FUT.ABC", Decimal("98.50"))
    exchange.move_to("FUT.ABC", Decimal("99"))
    quote = exchange.quote("FUT.ABC")
    assert (quote.open, quote.high) == (Decimal(100), Decimal(103))
    assert (quote.low, quote.last) == (Decimal("98.50"), Decimal(99))
    assert (quote.change, quote.change_percent) == (Decimal(-1), Decimal("-1.00"))
    prints = [each for each in events if isinstance(each, MarketTrade)]
    assert quote.volume == sum(each.size for each in prints)


def test_the_same_seed_tells_the_same(instrument: Instrument) -> None:
    assert _run([instrument], seed=1) == _run([instrument], seed=1)


def test_another_seed_tells_another(instrument: Instrument) -> None:
    assert _run([instrument], seed=1) != _run([instrument], seed=2)


def test_instruments_do_not_move_each_other(instrument: Instrument) -> None:
    alone = _run([instrument], seed=1)
    both = _run([evolve(instrument, id="FUT.XYZ"), instrument], seed=1)
    assert [each for each in both if "FUT.ABC" in repr(each)] == alone


def test_the_global_random_is_left_alone(instrument: Instrument) -> None:
    before = random.getstate()
    _run([instrument], seed=1)
    assert random.getstate() == before


def test_nothing_moves_without_a_step(
    exchange: Exchange, clock: ManualClock, events: list[ExchangeEvent]
) -> None:
    clock.advance(3600)
    exchange.quote("FUT.ABC")
    exchange.depth("FUT.ABC")
    assert events == []


def test_a_closed_market_stands_still(exchange: Exchange, events: list[ExchangeEvent]) -> None:
    exchange.close_market()
    exchange.advance()
    assert events == []
    with pytest.raises(Refused) as refusal:
        exchange.move_to("FUT.ABC", Decimal("101"))
    assert refusal.value.reason is Reject.MARKET_CLOSED
    exchange.open_market()
    exchange.advance()
    assert events


def test_an_instrument_that_is_not_active_stands_still(
    instrument: Instrument, clock: ManualClock
) -> None:
    exchange = Exchange([evolve(instrument, active=False)], clock=clock)
    told: list[ExchangeEvent] = []
    exchange.listen(told.append)
    exchange.advance()
    assert told == []
    with pytest.raises(Refused) as refusal:
        exchange.move_to("FUT.ABC", Decimal("101"))
    assert refusal.value.reason is Reject.INACTIVE_INSTRUMENT


@pytest.mark.parametrize("price", ["101", "99", "100", "0.25", "100.25", "99.75", "250"])
def test_move_to_ends_with_a_print_at_the_price(
    exchange: Exchange, events: list[ExchangeEvent], price: str
) -> None:
    exchange.move_to("FUT.ABC", Decimal(price))
    prints = [each for each in events if isinstance(each, MarketTrade)]
    assert prints[-1].price == Decimal(price)
    quote = exchange.quote("FUT.ABC")
    assert quote.last == Decimal(price)
    assert quote.bid < quote.ask
    assert quote.bid - 1 <= quote.last <= quote.ask + 1
    exchange.advance()


@pytest.mark.parametrize("price", ["100.1", "0", "-1"])
def test_move_to_goes_to_prices_on_the_grid_only(exchange: Exchange, price: str) -> None:
    with pytest.raises(Refused) as refusal:
        exchange.move_to("FUT.ABC", Decimal(price))
    assert refusal.value.reason is Reject.PRICE_OFF_TICK


@pytest.mark.parametrize(
    ("side", "prices", "target"),
    [("buy", ["99", "98", "97"], "98"), ("sell", ["101", "102", "103"], "102")],
)
def test_move_to_fills_what_lies_between_and_at_the_price(
    exchange: Exchange,
    place: Place,
    account: ExchangeAccount,
    side: str,
    prices: list[str],
    target: str,
) -> None:
    for price in prices:
        place(side, "limit", 70, price)
    exchange.move_to("FUT.ABC", Decimal(target))
    assert [each.status for each in exchange.orders(account.id)] == [
        OrderStatus.FILLED,
        OrderStatus.FILLED,
        OrderStatus.WORKING,
    ]
    averages = [each.average_fill_price for each in exchange.orders(account.id)[:2]]
    assert averages == [Decimal(price) for price in prices[:2]]


def test_move_to_where_the_market_is_fills_what_rests_there(
    exchange: Exchange, place: Place
) -> None:
    bid = exchange.quote("FUT.ABC").bid
    order = place("buy", "limit", 50, bid)
    exchange.move_to("FUT.ABC", bid)
    assert exchange.order(order.account_id, order.id).status is OrderStatus.FILLED


def test_move_to_reaches_its_price_through_stops_that_overshoot(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    place("buy", "stop", 1_000, "101")
    place("sell", "limit", 30, "102.50")
    exchange.move_to("FUT.ABC", Decimal("101"))
    assert exchange.quote("FUT.ABC").last == Decimal("101")
    assert {each.status for each in exchange.orders(account.id)} == {OrderStatus.FILLED}


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_move_to_finds_a_trigger_that_lies_behind_the_quote(
    exchange: Exchange, place: Place, side: str, sign: int
) -> None:
    """A bid may stand above the last trade, and so above the trigger of a stop."""
    quote = exchange.quote("FUT.ABC")
    while ((quote.ask if sign > 0 else quote.bid) - quote.last) * sign <= TICK:
        exchange.advance()
        quote = exchange.quote("FUT.ABC")
    stop = place(side, "stop", 1, quote.last + sign * TICK)
    place(side, "limit", 1, quote.last + sign * TICK)
    assert stop.status is OrderStatus.WORKING
    exchange.move_to("FUT.ABC", quote.last + 2 * sign)
    assert exchange.order(stop.account_id, stop.id).status is OrderStatus.FILLED


def test_move_to_shows_the_quote_before_it_trades_there(
    exchange: Exchange, events: list[ExchangeEvent]
) -> None:
    exchange.move_to("FUT.ABC", Decimal("103"))
    kinds = [type(each) for each in events if not isinstance(each, DepthChanged)]
    assert kinds == [QuoteChanged, MarketTrade, QuoteChanged]
    quotes = [each.quote for each in events if isinstance(each, QuoteChanged)]
    assert (quotes[0].ask, quotes[1].last) == (Decimal("103"), Decimal("103"))


def test_the_market_presses_against_a_large_order_and_gets_through(
    exchange: Exchange, place: Place, account: ExchangeAccount
) -> None:
    """The crowd never quotes through a user's order; it has to trade it away first."""
    exchange.move_to("FUT.ABC", Decimal("100"))
    order = place("sell", "limit", 150, exchange.quote("FUT.ABC").ask)
    for _ in range(2_000):
        exchange.advance()
        quote = exchange.quote("FUT.ABC")
        assert quote.bid < quote.ask
        order = exchange.order(account.id, order.id)
        if order.status is OrderStatus.FILLED:
            break
        assert order.limit_price is not None
        assert quote.ask <= order.limit_price
    assert order.status is OrderStatus.FILLED
    assert {each.side for each in exchange.fills(account.id)} == {OrderSide.SELL}


def test_the_market_follows_a_large_order(exchange: Exchange, place: Place) -> None:
    shown = sum(level.size for level in exchange.depth("FUT.ABC")[1])
    place("buy", "market", shown)
    last = exchange.quote("FUT.ABC").last
    assert last > Decimal("102")
    exchange.advance()
    quote = exchange.quote("FUT.ABC")
    assert abs(quote.bid - last) <= 1
    assert len(exchange.depth("FUT.ABC")[1]) >= 9


def test_a_market_near_zero_stays_above_it(instrument: Instrument, clock: ManualClock) -> None:
    low = evolve(instrument, start_price=Decimal("0.50"))
    exchange = Exchange([low], clock=clock, seed=3)
    for _ in range(500):
        exchange.advance()
        bids, asks = exchange.depth("FUT.ABC")
        assert all(level.price > 0 for level in bids + asks)


def test_a_step_of_six_instruments_is_cheap(instrument: Instrument, clock: ManualClock) -> None:
    exchange = Exchange(
        [evolve(instrument, id=f"FUT.{number}") for number in range(6)], clock=clock
    )
    exchange.listen(lambda event: None)
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(20):
            exchange.advance()
        best = min(best, (time.process_time() - started) / 20)
    assert best < 0.002
