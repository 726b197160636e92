"""Orders that join the best price: a limit order at the bid or the ask of the moment."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from tradeforge_core.enums import OrderStatus
from tradeforge_testing.exchange import Exchange, ExchangeOrder, Instrument, Refused, Reject

Place = Callable[..., ExchangeOrder]


@pytest.mark.parametrize(("side", "type_"), [("buy", "join_bid"), ("sell", "join_ask")])
def test_a_join_rests_at_the_best_price_of_its_side(
    exchange: Exchange, place: Place, side: str, type_: str
) -> None:
    quote = exchange.quote("FUT.ABC")
    best = quote.bid if side == "buy" else quote.ask
    levels = exchange.depth("FUT.ABC")[side == "sell"]
    order = place(side, type_, 3)
    assert (order.status, order.limit_price) == (OrderStatus.WORKING, best)
    assert order.type.value == type_
    assert exchange.depth("FUT.ABC")[side == "sell"][0].size == levels[0].size + 3


@pytest.mark.parametrize(("side", "type_"), [("buy", "join_ask"), ("sell", "join_bid")])
def test_a_join_of_the_other_side_trades(
    exchange: Exchange, place: Place, side: str, type_: str
) -> None:
    quote = exchange.quote("FUT.ABC")
    order = place(side, type_, 1)
    assert order.status is OrderStatus.FILLED
    assert order.average_fill_price == (quote.ask if side == "buy" else quote.bid)


def test_the_price_is_that_of_the_receipt(exchange: Exchange, place: Place) -> None:
    order = place("buy", "join_bid", 1)
    exchange.move_to("FUT.ABC", Decimal("110"))
    assert exchange.order(order.account_id, order.id) == order
    assert exchange.quote("FUT.ABC").bid > (order.limit_price or 0)


def test_an_empty_side_is_joined_where_it_would_be(exchange: Exchange, place: Place) -> None:
    place("sell", "market", sum(level.size for level in exchange.depth("FUT.ABC")[0]))
    assert exchange.depth("FUT.ABC")[0] == []
    bid = exchange.quote("FUT.ABC").bid
    assert place("buy", "join_bid", 1).limit_price == bid


def test_no_join_below_the_first_tick(
    exchange: Exchange, place: Place, instrument: Instrument
) -> None:
    exchange.add_instrument(evolve(instrument, id="LOW", start_price=Decimal("0.25")))
    size = sum(level.size for level in exchange.depth("LOW")[0])
    place("sell", "market", size, instrument_id="LOW")
    assert exchange.quote("LOW").bid == 0
    assert place("buy", "join_bid", 1, instrument_id="LOW").limit_price == Decimal("0.25")


def test_a_join_is_modified_like_a_limit_order(exchange: Exchange, place: Place) -> None:
    order = place("buy", "join_bid", 3)
    ids = order.account_id, order.id
    smaller = exchange.modify(*ids, size=2)
    assert (smaller.size, smaller.limit_price) == (2, order.limit_price)
    moved = exchange.modify(*ids, limit_price=Decimal("90"))
    assert moved.limit_price == Decimal("90")
    for name in ("stop_price", "trail_price"):
        with pytest.raises(Refused) as refusal:
            exchange.modify(*ids, **{name: Decimal("90")})  # type: ignore[arg-type]
        assert refusal.value.reason is Reject.UNSUPPORTED_TYPE


def test_a_smaller_join_keeps_its_place(exchange: Exchange, place: Place) -> None:
    first, second = place("buy", "join_bid", 3), place("buy", "join_bid", 1)
    exchange.modify(first.account_id, first.id, size=1)
    place("sell", "market", 1)
    filled = [exchange.order(each.account_id, each.id).filled_size for each in (first, second)]
    assert filled == [1, 0]


@pytest.mark.parametrize("size", [0, -1, True])
def test_a_bad_join_is_rejected(exchange: Exchange, place: Place, size: int) -> None:
    order = place("buy", "join_bid", size)
    assert (order.reject, order.limit_price) == (Reject.BAD_SIZE, None)
