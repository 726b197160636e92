"""A gateway without the newest operations and members is served by the older ones."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tradeforge_core import (
    Account,
    Bracket,
    Contract,
    NotFound,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
)
from tradeforge_topstepx import _wire
from tradeforge_topstepx._families import adopted
from tradeforge_topstepx._mapping import to_order
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox, wire
from tradeforge_topstepx.sandbox.wire import Row

NEW_PATHS = ("/api/Order/v2/query", "/api/Order/searchById")
NEW_MEMBERS = ("trailDistance", "trailPrice", "parentOrderId", "linkedOrderId")


@pytest.fixture(autouse=True)
def older(sandbox: TopStepXSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The gateway as it was before the middle of 2026: neither the operations nor the members."""
    order_of_today = wire.order

    def order(*given: object) -> Row:
        row = order_of_today(*given)  # type: ignore[arg-type]
        return {name: value for name, value in row.items() if name not in NEW_MEMBERS}

    monkeypatch.setattr(wire, "order", order)
    for path in NEW_PATHS:
        sandbox.fail_next(path, 404, count=100)
    yield


@pytest.fixture
async def bracketed(broker: TopStepXProvider, account: Account, contract: Contract) -> Order:
    return await broker.place_order(
        OrderRequest(
            account_id=account.id,
            contract_id=contract.id,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=1,
            bracket=Bracket(stop_loss=100, take_profit=100),
        )
    )


async def test_open_orders(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    placed = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    assert [order.id for order in await broker.get_open_orders(account.id)] == [placed.id]
    assert sandbox.requests["/api/Order/searchOpen"] == 1
    assert sandbox.requests["/api/Order/search"] == 0, "nothing looks like an exit"


async def test_one_order(broker: TopStepXProvider, account: Account, contract: Contract) -> None:
    placed = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    assert (await broker.get_order(account.id, placed.id)).status is OrderStatus.WORKING
    await broker.modify_order(account.id, placed.id, size=2)
    assert (await broker.get_order(account.id, placed.id)).size == 2
    with pytest.raises(NotFound):
        await broker.get_order(account.id, "5")


async def test_a_family(broker: TopStepXProvider, account: Account, bracketed: Order) -> None:
    family = await broker.get_order_family(account.id, bracketed.id)
    assert family.stop_loss is not None
    assert family.take_profit is not None
    assert {leg.parent_order_id for leg in family.exits} == {bracketed.id}


async def test_closing_takes_the_exits_along(
    broker: TopStepXProvider, account: Account, contract: Contract, bracketed: Order
) -> None:
    assert len(await broker.get_open_orders(account.id)) == 2
    await broker.close_position(account.id, contract.id)
    assert await broker.get_open_orders(account.id) == []


ENTRY = to_order(
    _wire.OrderRow(
        id=1, accountId=1, contractId="C", status=2, type=2, side=0, size=Decimal(1), customTag="t"
    )
)


@pytest.mark.parametrize(
    ("tag", "type_", "side", "contract_id", "is_exit"),
    [
        ("t-SL", 4, 1, "C", True),
        ("t-SL", 5, 1, "C", True),
        ("t-TP", 1, 1, "C", True),
        ("t-SL", 1, 1, "C", False),
        ("t-TP", 4, 1, "C", False),
        ("t-SL", 4, 0, "C", False),
        ("t-SL", 4, 1, "D", False),
        ("u-SL", 4, 1, "C", False),
        ("-SL", 4, 1, "C", False),
        ("t", 4, 1, "C", False),
        (None, 4, 1, "C", False),
    ],
)
def test_an_exit_is_told_by_its_tag(
    tag: str | None, type_: int, side: int, contract_id: str, is_exit: bool
) -> None:
    row = _wire.OrderRow(
        id=2,
        accountId=1,
        contractId=contract_id,
        status=1,
        type=type_,
        side=side,
        size=Decimal(1),
        customTag=tag,
    )
    (order,) = adopted([to_order(row)], [ENTRY])
    assert order.parent_order_id == ("1" if is_exit else None)
