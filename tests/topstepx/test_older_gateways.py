"""A gateway that does not have the newest operations yet is served by the older ones."""

from tradeforge_core import Account, Contract, OrderRequest, OrderSide
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

QUERY = "/api/Order/v2/query"


async def test_open_orders_without_the_query(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    placed = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    sandbox.fail_next(QUERY, 404)
    assert [order.id for order in await broker.get_open_orders(account.id)] == [placed.id]
    assert sandbox.requests["/api/Order/searchOpen"] == 1


async def test_a_family_without_the_query(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    placed = await broker.place_order(
        OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
    )
    sandbox.fail_next(QUERY, 404)
    family = await broker.get_order_family(account.id, placed.id)
    assert family.exits == []
    assert sandbox.requests["/api/Order/search"] == 1
