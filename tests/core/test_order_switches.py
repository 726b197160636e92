"""Orders that only reduce, only rest, or count what is paid: declared or refused, and checked."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from tradeforge_core import (
    Account,
    Balance,
    Bracket,
    Capabilities,
    Contract,
    InvalidOrder,
    NotSupported,
    Order,
    OrderRequest,
    OrderSide,
    OrderType,
    OrderVetoed,
    RiskLimits,
    TimeInForce,
    from_json,
    to_json,
)
from tradeforge_core.orders.checks import check_order, check_supported

if TYPE_CHECKING:
    from tests.core.conftest import FakeProvider, Make

LIMIT = {"type": OrderType.LIMIT, "limit_price": "100.25"}
SWITCHES = ("reduce_only", "post_only", "in_quote")


def _request(**changes: Any) -> OrderRequest:
    members: dict[str, Any] = {
        "account_id": "1",
        "contract_id": "ABC",
        "side": OrderSide.BUY,
        "type": OrderType.MARKET,
        "size": 1,
    }
    return OrderRequest(**members | changes)


_DECLARED = {
    "reduce_only": Capabilities(reduce_only=True),
    "post_only": Capabilities(post_only=True),
    "in_quote": Capabilities(quote_size=True),
}


@pytest.fixture
def crypto(make: "Make") -> Contract:
    return attrs.evolve(
        make.contract(),
        size_step=Decimal("0.001"),
        min_size=Decimal("0.005"),
        max_size=Decimal(100),
        min_notional=Decimal(5),
        quote_step=Decimal("0.01"),
    )


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_is_not_declared_is_refused_and_what_is_passes(switch: str) -> None:
    kinds = frozenset({OrderType.MARKET})
    request = _request(**{switch: True})
    with pytest.raises(NotSupported, match=f"{switch} must be False"):
        check_supported(request, Capabilities(order_types=kinds), "acme")
    check_supported(request, attrs.evolve(_DECLARED[switch], order_types=kinds), "acme")


def test_nothing_of_it_is_declared_by_default() -> None:
    nothing = Capabilities()
    assert not (nothing.reduce_only or nothing.post_only or nothing.quote_size)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_on_or_off(switch: str) -> None:
    with pytest.raises(TypeError):
        _request(**{switch: 1})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"post_only": True}, "post_only goes with a limit order, not with a market order"),
        (LIMIT | {"post_only": True, "time_in_force": TimeInForce.IOC}, "post_only excludes ioc"),
        ({"reduce_only": True, "bracket": Bracket(stop_loss=5)}, "opens nothing"),
        ({"in_quote": True, "side": OrderSide.SELL, "size": 10}, "a market order that buys"),
        (LIMIT | {"in_quote": True, "size": 10}, "a market order that buys"),
        ({"in_quote": True, "size": "10.001"}, "size in_quote must be a multiple of 0.01"),
        ({"in_quote": True, "size": "4.99"}, "size in_quote must be at least 5"),
        ({"in_quote": True, "size": 0}, "size must be above 0"),
        ({"size": "0.004"}, "size must be at least 0.005, not 0.004"),
        ({"size": "100.001"}, "size must be at most 100, not 100.001"),
        (LIMIT | {"size": "0.049"}, "the order is worth 4.91225, and 5 is the least"),
    ],
    ids=str,
)
def test_one_problem(crypto: Contract, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidOrder) as caught:
        check_order(_request(**changes), crypto)
    (said,) = caught.value.problems
    assert problem in said


@pytest.mark.parametrize(
    "changes",
    [
        {"in_quote": True, "size": "5.01"},
        {"in_quote": True, "size": "100000"},  # the greatest size is one of what is bought
        {"size": "0.005"},
        LIMIT | {"size": "0.05", "post_only": True},
        LIMIT | {"size": "0.049", "reduce_only": True},  # what is left may be worth less
        LIMIT | {"post_only": True, "time_in_force": TimeInForce.GTC},
    ],
    ids=str,
)
def test_nothing_is_wrong(crypto: Contract, changes: dict[str, Any]) -> None:
    check_order(_request(**changes), crypto)


def test_the_record_of_a_request_has_all_of_it() -> None:
    request = _request(reduce_only=True, post_only=True, in_quote=True)
    assert from_json(OrderRequest, to_json(request)) == request
    before = to_json(_request())
    for switch in SWITCHES:
        before = before.replace(f', "{switch}": false', "")
    assert from_json(OrderRequest, before) == _request()  # of a journal from before there were any


def test_an_account_of_several_currencies_comes_through_json() -> None:
    account = Account(
        id="1",
        name="UNIFIED",
        balance=Decimal("10.5"),
        can_trade=True,
        currency="USD",
        balances=(Balance(currency="BTC", total=Decimal("0.1"), available=Decimal(0)),),
    )
    assert from_json(Account, to_json(account)) == account


def test_what_is_left_of_an_order_in_quote_is_in_quote(make: "Make") -> None:
    order = attrs.evolve(make.order(), size=Decimal(50), in_quote=True)
    assert order.remaining_size == 50
    filled = attrs.evolve(order, filled_size=Decimal("0.4"), average_fill_price=Decimal(100))
    assert filled.remaining_size == 10


def test_a_contract_need_not_have_a_tick_of_one_worth(make: "Make") -> None:
    inverse = attrs.evolve(make.contract(), tick_value=None)
    assert inverse.point_value is None


async def test_limits_in_contracts_cannot_be_checked_for_a_size_in_quote(
    broker: "FakeProvider", make: "Make", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        type(broker), "capabilities", attrs.evolve(broker.capabilities, quote_size=True)
    )
    broker._orders.desk._gate._limits = RiskLimits(max_order_size=100, max_position=100)
    with pytest.raises(OrderVetoed) as caught:
        await broker.place_order(_request(in_quote=True, size=50))
    assert [one.partition(" ")[0] for one in caught.value.reasons][:2] == [
        "max_order_size",
        "max_position",
    ]


def test_an_order_says_what_it_is(make: "Make") -> None:
    order = attrs.evolve(make.order(), reduce_only=True, post_only=True, in_quote=True)
    assert from_json(Order, to_json(order)) == order
