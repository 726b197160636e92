"""Instruments that come, halt, expire and roll, and the whole state as JSON."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from tradeforge_core.enums import OrderStatus
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
)

Place = Callable[..., ExchangeOrder]


@pytest.fixture
def next_one(instrument: Instrument) -> Instrument:
    return evolve(instrument, id="FUT.DEF", symbol="ABCH7", start_price=Decimal("120"))


def _reason(call: Callable[..., object], *values: object) -> Reject:
    with pytest.raises(Refused) as refusal:
        call(*values)
    return refusal.value.reason


# Add


def test_an_instrument_is_added(exchange: Exchange, place: Place, next_one: Instrument) -> None:
    exchange.add_instrument(next_one)
    assert exchange.instruments["FUT.DEF"] == next_one
    assert exchange.quote("FUT.DEF").last == Decimal("120")
    order = place("buy", "market", 1, instrument_id="FUT.DEF")
    assert order.status is OrderStatus.FILLED
    exchange.advance()
    assert exchange.quote("FUT.ABC").last < Decimal("110")


def test_the_same_id_is_not_added_twice(exchange: Exchange, instrument: Instrument) -> None:
    before = exchange.snapshot()
    with pytest.raises(ValueError, match="same id"):
        exchange.add_instrument(evolve(instrument, start_price=Decimal("120")))
    assert exchange.snapshot() == before


@pytest.mark.parametrize("newly_listed", [True, False])
def test_what_is_newly_listed_has_no_past(
    exchange: Exchange, next_one: Instrument, clock: ManualClock, newly_listed: bool
) -> None:
    exchange.add_instrument(evolve(next_one, newly_listed=newly_listed))
    start = clock.now()
    clock.advance(120)
    exchange.move_to("FUT.DEF", Decimal("121"))
    bars = exchange.bars(
        "FUT.DEF",
        start=start.replace(hour=0),
        end=clock.now().replace(hour=23),
        seconds=60,
        limit=9,
    )
    assert len(bars) == (1 if newly_listed else 9)
    assert bars[-1].close == Decimal("121")


# Halt


def test_a_halt_stops_one_market(
    exchange: Exchange, place: Place, next_one: Instrument, events: list[ExchangeEvent]
) -> None:
    exchange.add_instrument(next_one)
    resting = place("buy", "limit", 1, "90")
    exchange.halt("FUT.ABC")
    events.clear()
    exchange.advance()
    assert events
    assert not any(getattr(each, "instrument_id", "") == "FUT.ABC" for each in events)
    assert place("buy", "market", 1).reject is Reject.MARKET_CLOSED
    assert place("buy", "market", 1, instrument_id="FUT.DEF").reject is None
    assert _reason(exchange.move_to, "FUT.ABC", Decimal("90")) is Reject.MARKET_CLOSED
    assert _reason(exchange.modify, resting.account_id, resting.id) is Reject.MARKET_CLOSED
    cancelled = exchange.cancel(resting.account_id, resting.id)
    assert cancelled.status is OrderStatus.CANCELLED


def test_a_halt_ends(exchange: Exchange, place: Place) -> None:
    exchange.halt("FUT.ABC")
    exchange.halt("FUT.ABC")
    assert exchange.is_halted("FUT.ABC")
    exchange.resume("FUT.ABC")
    assert not exchange.is_halted("FUT.ABC")
    exchange.resume("FUT.ABC")
    assert place("buy", "market", 1).status is OrderStatus.FILLED


def test_a_resumed_market_stays_closed_with_the_others(exchange: Exchange, place: Place) -> None:
    exchange.halt("FUT.ABC")
    exchange.close_market()
    exchange.resume("FUT.ABC")
    assert place("buy", "market", 1).reject is Reject.MARKET_CLOSED
    exchange.open_market()
    assert place("buy", "market", 1).reject is None


def test_a_halted_market_stays_halted_when_the_others_open(
    exchange: Exchange, place: Place
) -> None:
    exchange.close_market()
    exchange.halt("FUT.ABC")
    exchange.open_market()
    assert exchange.market_open
    assert place("buy", "market", 1).reject is Reject.MARKET_CLOSED


def test_legs_wait_for_the_end_of_a_halt(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 1, "90", take_profit=12)
    exchange.halt("FUT.ABC")
    exchange.fill_order(entry.account_id, entry.id)
    assert exchange.order(entry.account_id, entry.id + 1).status is OrderStatus.SUSPENDED
    exchange.resume("FUT.ABC")
    assert exchange.order(entry.account_id, entry.id + 1).status is OrderStatus.FILLED


# Expire and roll


def test_a_contract_expires_with_its_orders(
    exchange: Exchange,
    place: Place,
    account: ExchangeAccount,
    other: ExchangeAccount,
    events: list[ExchangeEvent],
) -> None:
    place("buy", "market", 2)
    working = [
        place("buy", "limit", 1, "90"),
        place("sell", "stop", 1, "90", account_id=other.id),
        place("sell", "trailing_stop", 1, "90"),
    ]
    (position,) = exchange.positions(account.id)
    events.clear()
    exchange.expire_contract("FUT.ABC")
    assert not exchange.instruments["FUT.ABC"].active
    now = [exchange.order(each.account_id, each.id) for each in working]
    assert [each.status for each in now] == [OrderStatus.EXPIRED] * 3
    assert [each for each in events if isinstance(each, OrderChanged)] == [
        OrderChanged(each) for each in now
    ]
    assert exchange.positions(account.id) == [position]


def test_an_expired_contract_does_not_trade(exchange: Exchange, place: Place) -> None:
    exchange.expire_contract("FUT.ABC")
    assert place("buy", "limit", 1, "90").reject is Reject.INACTIVE_INSTRUMENT
    assert _reason(exchange.move_to, "FUT.ABC", Decimal("90")) is Reject.INACTIVE_INSTRUMENT
    quote = exchange.quote("FUT.ABC")
    exchange.advance()
    exchange.expire_contract("FUT.ABC")
    assert exchange.quote("FUT.ABC") == quote


def test_legs_that_wait_are_cancelled_when_the_contract_expires(
    exchange: Exchange, place: Place
) -> None:
    entry = place("buy", "limit", 1, "90", stop_loss=-8, take_profit=12)
    filled = place("buy", "market", 1, stop_loss=-8, take_profit=12)
    exchange.expire_contract("FUT.ABC")
    statuses = [each.status for each in exchange.orders(entry.account_id)]
    assert statuses == [
        OrderStatus.EXPIRED,
        OrderStatus.CANCELLED,
        OrderStatus.CANCELLED,
        filled.status,
        OrderStatus.EXPIRED,
        OrderStatus.EXPIRED,
    ]


def test_orders_of_another_contract_stay(
    exchange: Exchange, place: Place, next_one: Instrument
) -> None:
    exchange.add_instrument(next_one)
    order = place("buy", "limit", 1, "90", instrument_id="FUT.DEF")
    exchange.expire_contract("FUT.ABC")
    assert exchange.order(order.account_id, order.id) == order


def test_a_roll_ends_one_contract_and_begins_the_next(
    exchange: Exchange, place: Place, next_one: Instrument
) -> None:
    order = place("buy", "limit", 1, "90")
    exchange.roll("FUT.ABC", next_one)
    assert exchange.order(order.account_id, order.id).status is OrderStatus.EXPIRED
    active = {name: each.active for name, each in exchange.instruments.items()}
    assert active == {"FUT.ABC": False, "FUT.DEF": True}
    assert exchange.quote("FUT.DEF").last == Decimal("120")
    assert place("buy", "market", 1, instrument_id="FUT.DEF").status is OrderStatus.FILLED


def test_a_roll_that_cannot_be_done_does_nothing(
    exchange: Exchange, instrument: Instrument, next_one: Instrument
) -> None:
    before = exchange.snapshot()
    with pytest.raises(ValueError, match="same id"):
        exchange.roll("FUT.ABC", instrument)
    assert _reason(exchange.roll, "FUT.XYZ", next_one) is Reject.UNKNOWN_INSTRUMENT
    assert exchange.snapshot() == before


@pytest.mark.parametrize("do", ["halt", "resume", "is_halted", "expire_contract"])
def test_an_unknown_instrument_is_refused(exchange: Exchange, do: str) -> None:
    assert _reason(getattr(exchange, do), "FUT.XYZ") is Reject.UNKNOWN_INSTRUMENT


# Snapshot


def test_a_snapshot_shows_everything(
    exchange: Exchange, place: Place, account: ExchangeAccount, clock: ManualClock
) -> None:
    place("buy", "market", 2, tag="mine", stop_loss=-8, take_profit=12)
    place("buy", "market", 0)
    exchange.halt("FUT.ABC")
    shown: dict[str, Any] = exchange.snapshot()
    assert (shown["time"], shown["market_open"]) == (clock.now().isoformat(), True)
    (contract,), (first,) = shown["instruments"], shown["accounts"]
    assert (contract["id"], contract["tick_size"], contract["halted"]) == ("FUT.ABC", "0.25", True)
    quote, (bids, asks) = exchange.quote("FUT.ABC"), exchange.depth("FUT.ABC")
    assert (contract["quote"]["bid"], contract["quote"]["last"]) == (
        str(quote.bid),
        str(quote.last),
    )
    assert contract["bids"] == [{"price": str(each.price), "size": each.size} for each in bids]
    assert len(contract["asks"]) == len(asks)
    assert (first["id"], first["balance"]) == (account.id, "49998.76")
    assert [each["status"] for each in first["orders"]] == [
        "filled",
        "working",
        "working",
        "rejected",
    ]
    assert [each["tag"] for each in first["orders"]] == ["mine", "mine-SL", "mine-TP", None]
    assert first["orders"][3]["reject"] == "bad_size"
    assert [each["size"] for each in first["positions"]] == [2]
    assert [each["voided"] for each in first["fills"]] == [False]


def test_a_snapshot_is_plain_json(exchange: Exchange, place: Place) -> None:
    place("buy", "market", 2, stop_loss=-8, take_profit=12)
    place("sell", "trailing_stop", 1, "98")
    shown = exchange.snapshot()
    assert json.loads(json.dumps(shown)) == shown
    assert _kinds(shown) == {dict, list, str, int, bool, type(None)}


def test_a_snapshot_is_a_copy(exchange: Exchange, place: Place) -> None:
    shown: dict[str, Any] = exchange.snapshot()
    shown["accounts"].append("nobody")
    shown["instruments"][0]["quote"]["last"] = "0"
    assert exchange.snapshot() != shown
    assert exchange.snapshot() == exchange.snapshot()


def _kinds(value: Any) -> set[type]:
    """The exact types of all that is in it."""
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        return {type(value)}.union(*map(_kinds, inside))
    return {type(value)}
