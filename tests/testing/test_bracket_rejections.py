"""What a bracket must not be, and what is left of one that is refused: nothing."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeforge_core.enums import OrderStatus, OrderType
from tradeforge_testing.exchange import (
    AccountChanged,
    Exchange,
    ExchangeAccount,
    ExchangeEvent,
    ExchangeOrder,
    Leg,
    Reject,
)

Place = Callable[..., ExchangeOrder]


@pytest.mark.parametrize(
    ("side", "legs", "reason"),
    [
        ("buy", {"stop_loss": 40}, Reject.BAD_STOP_LOSS_SIGN),
        ("buy", {"stop_loss": 0}, Reject.BAD_STOP_LOSS_SIGN),
        ("sell", {"stop_loss": -40}, Reject.BAD_STOP_LOSS_SIGN),
        ("buy", {"take_profit": -30}, Reject.BAD_TAKE_PROFIT_SIGN),
        ("buy", {"take_profit": 0}, Reject.BAD_TAKE_PROFIT_SIGN),
        ("sell", {"take_profit": 30}, Reject.BAD_TAKE_PROFIT_SIGN),
        ("buy", {"stop_loss": -3}, Reject.STOP_LOSS_TOO_NEAR),
        ("sell", {"stop_loss": 1}, Reject.STOP_LOSS_TOO_NEAR),
        ("buy", {"take_profit": 3}, Reject.TAKE_PROFIT_TOO_NEAR),
        ("sell", {"take_profit": -3}, Reject.TAKE_PROFIT_TOO_NEAR),
        ("buy", {"stop_loss": -3, "take_profit": -3}, Reject.BAD_TAKE_PROFIT_SIGN),
        ("buy", {"stop_loss": 8, "take_profit": -8}, Reject.BAD_STOP_LOSS_SIGN),
    ],
)
@pytest.mark.parametrize("type_", ["market", "limit"])
def test_a_bad_distance_is_rejected(
    exchange: Exchange,
    place: Place,
    account: ExchangeAccount,
    type_: str,
    side: str,
    legs: dict[str, int],
    reason: Reject,
) -> None:
    order = place(side, type_, 1, "100", **legs)
    assert (order.status, order.reject) == (OrderStatus.REJECTED, reason)
    assert exchange.orders(account.id) == [order]
    assert exchange.fills(account.id) == []


@pytest.mark.parametrize("ticks", [-4, -1000])
def test_four_ticks_are_far_enough(place: Place, ticks: int) -> None:
    order = place("buy", "limit", 1, "90", stop_loss=ticks, take_profit=-ticks)
    assert order.status is OrderStatus.WORKING


@pytest.mark.parametrize(
    "type_", sorted(set(OrderType) - {OrderType.STOP, OrderType.TRAILING_STOP})
)
def test_a_stop_loss_is_a_stop(place: Place, type_: OrderType) -> None:
    order = place("buy", "market", 1, stop_loss=Leg(-8, type_))
    assert order.reject is Reject.BAD_STOP_LOSS_TYPE


@pytest.mark.parametrize("type_", sorted(set(OrderType) - {OrderType.LIMIT}))
def test_a_take_profit_is_a_limit(place: Place, type_: OrderType) -> None:
    order = place("buy", "market", 1, take_profit=Leg(8, type_))
    assert order.reject is Reject.BAD_TAKE_PROFIT_TYPE


@pytest.mark.parametrize("ticks", [1.5, "8", None, Decimal(8)])
def test_ticks_are_whole(ticks: int) -> None:
    with pytest.raises(TypeError):
        Leg(ticks, OrderType.LIMIT)


@pytest.mark.parametrize("legs", [{"stop_loss": -8}, {"take_profit": 8}])
def test_an_account_may_take_no_brackets(
    exchange: Exchange, place: Place, legs: dict[str, int]
) -> None:
    plain = exchange.open_account("plain", Decimal(50_000), auto_oco=False)
    assert not plain.auto_oco
    order = place("buy", "market", 1, account_id=plain.id, **legs)
    assert order.reject is Reject.BRACKETS_DISABLED
    assert place("buy", "market", 1, account_id=plain.id).status is OrderStatus.FILLED


def test_the_mode_is_switched_and_told(
    exchange: Exchange, place: Place, account: ExchangeAccount, events: list[ExchangeEvent]
) -> None:
    assert account.auto_oco
    changed = exchange.set_auto_oco(account.id, False)
    assert events == [AccountChanged(changed)]
    assert place("buy", "market", 1, stop_loss=-8).reject is Reject.BRACKETS_DISABLED
    exchange.set_auto_oco(account.id, True)
    assert place("buy", "market", 1, stop_loss=-8).reject is None


def test_the_mode_does_not_touch_a_bracket_that_is_there(exchange: Exchange, place: Place) -> None:
    entry = place("buy", "limit", 1, "95", stop_loss=-8, take_profit=12)
    exchange.set_auto_oco(entry.account_id, False)
    exchange.move_to("FUT.ABC", Decimal("95"))
    legs = exchange.orders(entry.account_id)[1:]
    assert [leg.status for leg in legs] == [OrderStatus.WORKING] * 2


def test_the_first_fault_is_that_of_the_entry(place: Place) -> None:
    assert place("buy", "market", 0, stop_loss=8).reject is Reject.BAD_SIZE
    assert place("buy", "limit", 1, "90.1", stop_loss=8).reject is Reject.PRICE_OFF_TICK
    assert place("buy", "market", 10**6, stop_loss=8).reject is Reject.BAD_STOP_LOSS_SIGN


# Tags


@pytest.mark.parametrize("taken", ["mine", "mine-SL", "mine-TP"])
def test_a_bracket_needs_all_its_tags(place: Place, taken: str) -> None:
    place("buy", "limit", 1, "90", tag=taken)
    entry = place("buy", "market", 1, tag="mine", stop_loss=-8, take_profit=8)
    assert entry.reject is Reject.DUPLICATE_TAG


def test_a_tag_of_a_leg_that_is_not_there_is_free(place: Place) -> None:
    place("buy", "limit", 1, "90", tag="mine-TP")
    assert place("buy", "market", 1, tag="mine", stop_loss=-8).reject is None


@pytest.mark.parametrize("tag", ["mine", "mine-SL", "mine-TP"])
def test_a_bracket_uses_up_all_its_tags(place: Place, tag: str) -> None:
    place("buy", "market", 1, tag="mine", stop_loss=-8, take_profit=8)
    assert place("buy", "market", 1, tag=tag).reject is Reject.DUPLICATE_TAG


@pytest.mark.parametrize(
    ("tag", "reason"),
    [("mine", Reject.DUPLICATE_TAG), ("mine-SL", None), ("mine-TP", None)],
)
def test_a_rejected_bracket_uses_up_the_tag_of_the_entry(
    place: Place, tag: str, reason: Reject | None
) -> None:
    place("buy", "market", 0, tag="mine", stop_loss=-8, take_profit=8)
    assert place("buy", "market", 1, tag=tag).reject is reason
