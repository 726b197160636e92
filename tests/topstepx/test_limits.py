"""The venue's request limits: never exceeded, never in the way of an exit."""

import asyncio

import pytest

from tradeforge_core import Account, Contract, NotSent, OrderRequest, OrderSide
from tradeforge_topstepx._budgets import budgets_of
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox


async def test_a_storm_of_requests_never_exceeds_the_limit(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    resting = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    reads = [asyncio.create_task(broker.get_positions(account.id)) for _ in range(250)]
    while sandbox.worst_rates["others"] < 180:
        await asyncio.wait(reads, timeout=0.05)
    with pytest.raises(NotSent, match="used up"):
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
    await broker.cancel_order(account.id, resting.id)
    done = [task for task in reads if task.done()]
    assert 150 < len(done) < 200
    assert all(task.exception() is None for task in done)
    for task in reads:
        task.cancel()
    assert sandbox.worst_rates["others"] <= 200


async def test_two_providers_with_one_login_count_together(
    sandbox: TopStepXSandbox, broker: TopStepXProvider
) -> None:
    async with TopStepXProvider(broker.config) as second:
        used = budgets_of(broker.config, broker._clock).rest.used
        await second.get_accounts()
        assert budgets_of(broker.config, broker._clock).rest.used == used + 1
