"""Getting out: cancel all, flatten, and the proof that it is so."""

import asyncio
from collections.abc import Callable

import pytest

from tradeforge_core import (
    Account,
    Bracket,
    CancelResult,
    Contract,
    LookUps,
    NotFlat,
    NotFound,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSide,
    OrderType,
)
from tradeforge_testing.exchange import ExchangeEvent, PositionChanged
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

Connect = Callable[..., TopStepXProvider]


async def work(broker: TopStepXProvider, account: Account, contract: Contract, count: int) -> None:
    for number in range(1, count + 1):
        await broker.place_order(
            OrderRequest.limit(
                account.id, contract.id, OrderSide.BUY, 1, number * contract.tick_size
            )
        )


async def test_every_order_is_cancelled_and_told(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    await work(broker, account, contract, 3)
    results = await broker.cancel_all_orders(account.id)
    assert len(results) == 3
    assert all(result.error is None for result in results)
    assert await broker.get_open_orders(account.id) == []
    assert await broker.cancel_all_orders(account.id) == []


async def test_only_the_orders_of_one_contract(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    other = await broker.get_contract_by_symbol("ES")
    await work(broker, account, contract, 2)
    await work(broker, account, other, 1)
    assert len(await broker.cancel_all_orders(account.id, contract_id=contract.id)) == 2
    (left,) = await broker.get_open_orders(account.id)
    assert left.contract_id == other.id


async def test_a_cancel_that_did_not_arrive_is_repeated_once_a_look_shows_the_order_at_work(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await work(broker, account, contract, 3)
    sandbox.fail_next("/api/Order/cancel", Fault.RESET, handled=False)
    results = await broker.cancel_all_orders(account.id)
    assert [result.error for result in results] == [None] * 3
    assert await broker.get_open_orders(account.id) == []
    assert sandbox.requests["/api/Order/cancel"] == 4


async def test_one_cancel_that_is_lost_hides_no_other(
    provider_of: Connect, sandbox: TopStepXSandbox
) -> None:
    async with provider_of(sandbox, LookUps(pauses=(0.05,), deadline=0.5)) as broker:
        (account, *_) = await broker.get_accounts()
        contract = await broker.get_contract_by_symbol("MNQ")
        await work(broker, account, contract, 3)
        sandbox.fail_next("/api/Order/cancel", Fault.RESET, handled=False)
        sandbox.fail_next("/api/Order/searchById", 503, count=1000)
        await _one_of_three_is_unknown(broker, account)


async def _one_of_three_is_unknown(broker: TopStepXProvider, account: Account) -> None:
    results: list[CancelResult] = await broker.cancel_all_orders(account.id)
    lost = [result for result in results if result.error is not None]
    assert len(lost) == 1
    assert isinstance(lost[0].error, OrderOutcomeUnknown)
    (left,) = await broker.get_open_orders(account.id)
    assert left.id == lost[0].order_id


async def test_flat_means_flat(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    other = await broker.get_contract_by_symbol("GC")
    await work(broker, account, other, 2)
    await broker.place_order(OrderRequest.market(account.id, other.id, OrderSide.SELL, 2))
    await broker.place_order(
        OrderRequest(
            account_id=account.id,
            contract_id=contract.id,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=2,
            bracket=Bracket(stop_loss=10, take_profit=10),
        )
    )
    await broker.flatten(account.id)
    assert sandbox.exchange.positions(int(account.id)) == []
    assert await broker.get_open_orders(account.id) == []
    assert sandbox.requests["/api/Position/closeContract"] == 2
    await broker.flatten(account.id)
    assert sandbox.requests["/api/Position/closeContract"] == 2, "there was nothing to close"


async def test_a_cancel_that_was_lost_is_repeated_on_the_way_to_flat(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await work(broker, account, contract, 1)
    sandbox.fail_next("/api/Order/cancel", Fault.RESET, handled=False)
    await broker.flatten(account.id)
    assert await broker.get_open_orders(account.id) == []
    assert sandbox.requests["/api/Order/cancel"] >= 2, "by the next look, or by the search for it"


async def test_a_close_that_was_lost_is_not_repeated(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
    sandbox.fail_next("/api/Position/closeContract", Fault.RESET)
    await broker.flatten(account.id)
    assert sandbox.requests["/api/Position/closeContract"] == 1
    assert sandbox.exchange.positions(int(account.id)) == []


async def test_an_order_that_is_on_its_way_is_waited_for_and_closed(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    """No look can show it before it arrives."""
    sandbox.fail_next("/api/Order/place", Fault.DELAY, seconds=0.5, handled=False)
    order = OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
    placing = asyncio.create_task(broker.place_order(order))
    async with asyncio.timeout(10):
        while not sandbox.requests["/api/Order/place"]:  # noqa: ASYNC110  # no event says so
            await asyncio.sleep(0)
    await broker.flatten(account.id)
    assert (await placing).id == str(sandbox.exchange.orders(int(account.id))[0].id)
    assert sandbox.exchange.positions(int(account.id)) == []


async def test_what_is_left_is_named(account: Account, contract: Contract) -> None:
    error = NotFlat([], [])
    assert "nothing could be proven" in str(error)


async def test_nothing_to_close(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    with pytest.raises(NotFound):
        await broker.close_position(account.id, contract.id)


async def test_a_look_that_fails_is_followed_by_another(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))

    def fail_the_next_look(event: ExchangeEvent) -> None:
        if isinstance(event, PositionChanged):
            sandbox.fail_next("/api/Position/searchOpen", 503)

    sandbox.exchange.listen(fail_the_next_look)
    await broker.flatten(account.id)
    assert sandbox.requests["/api/Position/searchOpen"] == 3
    assert sandbox.exchange.positions(int(account.id)) == []
