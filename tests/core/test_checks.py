"""What is wrong with an order before it leaves, all of it at once."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tradeforge_core import (
    Capabilities,
    InvalidOrder,
    NotSupported,
    OrderRequest,
    OrderSide,
    OrderType,
    TimeInForce,
)
from tradeforge_core.orders.checks import check_change, check_order, check_size, check_supported

if TYPE_CHECKING:
    from tests.core.conftest import Make


def _request(**changes: Any) -> OrderRequest:
    members: dict[str, Any] = {
        "account_id": "1",
        "contract_id": "ABC",
        "side": OrderSide.BUY,
        "type": OrderType.MARKET,
        "size": 1,
    }
    return OrderRequest(**members | changes)


@pytest.mark.parametrize(
    "request_",
    [
        _request(),
        _request(type=OrderType.LIMIT, limit_price="100.25"),
        _request(type=OrderType.STOP, stop_price="-0.25"),
        _request(type=OrderType.STOP_LIMIT, stop_price=100, limit_price="100.50", size=3),
    ],
    ids=lambda request: request.type.value,
)
def test_nothing_is_wrong(make: "Make", request_: OrderRequest) -> None:
    check_order(request_, make.contract())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"size": 0}, "size must be above 0, not 0"),
        ({"size": -1}, "size must be above 0, not -1"),
        ({"size": "0.5"}, "size must be a multiple of 1, not 0.5"),
        ({"limit_price": 100}, "a market order takes no limit_price"),
        ({"stop_price": 100}, "a market order takes no stop_price"),
        ({"type": OrderType.LIMIT}, "a limit order needs a limit_price"),
        ({"type": OrderType.STOP}, "a stop order needs a stop_price"),
        (
            {"type": OrderType.LIMIT, "limit_price": "100.10"},
            "limit_price 100.10 is not on the tick of ABC, 0.25: see Contract.round_price",
        ),
        (
            {"type": OrderType.LIMIT, "limit_price": "100.2500000000000000000000000000000001"},
            "is not on the tick",
        ),
    ],
    ids=str,
)
def test_one_problem(make: "Make", changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidOrder) as caught:
        check_order(_request(**changes), make.contract())
    (told,) = caught.value.problems
    assert problem in told


def test_all_problems_at_once(make: "Make") -> None:
    request = _request(type=OrderType.STOP_LIMIT, size="-0.5", limit_price="0.1")
    with pytest.raises(InvalidOrder) as caught:
        check_order(request, make.contract(active=False))
    assert len(caught.value.problems) == 4
    assert "ABC is not traded any more" in caught.value.problems


def test_what_the_provider_has(make: "Make") -> None:
    capabilities = Capabilities(
        order_types=frozenset({OrderType.MARKET}), times_in_force=frozenset({TimeInForce.DAY})
    )
    check_supported(_request(), capabilities, "acme")
    check_supported(_request(time_in_force=TimeInForce.DAY), capabilities, "acme")
    with pytest.raises(NotSupported, match="acme has no limit orders; it has: market"):
        check_supported(_request(type=OrderType.LIMIT), capabilities, "acme")
    with pytest.raises(NotSupported, match="no time in force gtc; it has: day"):
        check_supported(_request(time_in_force=TimeInForce.GTC), capabilities, "acme")


@pytest.mark.parametrize("type_", OrderType)
def test_without_capabilities_nothing_is_supported(type_: OrderType) -> None:
    with pytest.raises(NotSupported):
        check_supported(_request(type=type_), Capabilities(), "acme")


def test_a_change_that_may_be(make: "Make") -> None:
    check_change(make.contract(), size=Decimal(2), prices={"limit_price": Decimal("1.25")})
    check_change(make.contract(), size=None, prices={"limit_price": None, "stop_price": Decimal(1)})


def test_a_change_with_every_fault(make: "Make") -> None:
    prices: dict[str, Decimal | None] = {"limit_price": Decimal("0.1"), "stop_price": Decimal("-1")}
    with pytest.raises(InvalidOrder) as caught:
        check_change(make.contract(), size=Decimal(0), prices=prices)
    assert len(caught.value.problems) == 2


def test_a_change_of_nothing(make: "Make") -> None:
    with pytest.raises(InvalidOrder, match="nothing is to be changed"):
        check_change(make.contract(), size=None, prices={"limit_price": None})


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "0.0001"])
def test_a_size_that_cannot_be(make: "Make", size: str) -> None:
    with pytest.raises(InvalidOrder):
        check_size(Decimal(size), make.contract())
    check_size(Decimal("0.5"), make.contract(size_step=Decimal("0.5")))
