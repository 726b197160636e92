"""The venue's request limits: never exceeded, never in the way of an exit."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from tradeforge_core import (
    Account,
    Bracket,
    Contract,
    InvalidOrder,
    NotFound,
    NotSent,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
)
from tradeforge_testing import ManualClock
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx._budgets import _by_login, budgets_of
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


@pytest.fixture
async def used_up(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> AsyncIterator[TopStepXProvider]:
    """A position with its exits, and no room left for anything that is not urgent."""
    await broker.place_order(
        OrderRequest(
            account_id=account.id,
            contract_id=contract.id,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=1,
            bracket=Bracket(stop_loss=10, take_profit=10),
        )
    )
    broker._rest._budgets.rest.cool_down(60)
    async with asyncio.timeout(10):
        yield broker


async def test_closing_does_not_wait_for_room(
    used_up: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await used_up.close_position(account.id, contract.id)
    state = sandbox.exchange
    assert state.positions(int(account.id)) == []
    assert not any(order.status is OrderStatus.WORKING for order in state.orders(int(account.id)))


async def test_flattening_does_not_wait_for_room(
    used_up: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    await used_up.flatten(account.id)
    assert sandbox.exchange.positions(int(account.id)) == []


async def test_cancelling_all_does_not_wait_for_room(
    used_up: TopStepXProvider, account: Account
) -> None:
    assert len(await used_up.cancel_all_orders(account.id)) == 2


async def test_new_risk_is_refused_at_once_and_never_leaves_late(
    used_up: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    """Also where something must be looked up before the order can leave."""
    used_up._contracts.clear()
    with pytest.raises(NotSent, match="used up"):
        await used_up.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
    order = sandbox.exchange.orders(int(account.id))[0]
    with pytest.raises(NotSent, match="used up"):
        await used_up.modify_order(account.id, str(order.id), size=2)
    assert sandbox.requests["/api/Order/place"] == 1
    assert sandbox.requests["/api/Order/modify"] == 0


async def test_a_look_up_before_an_order_ends_with_its_caller(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next("/api/History/retrieveBars", Fault.HANG)
    trailing = OrderRequest.trailing_stop(account.id, contract.id, OrderSide.SELL, 1, "10")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await broker.place_order(trailing)
    await broker.get_accounts()
    assert sandbox.requests["/api/Order/place"] == 0, "what was not sent is not sent later"


async def test_the_count_outlives_a_provider(
    sandbox: TopStepXSandbox, broker: TopStepXProvider
) -> None:
    budget = budgets_of(broker.config, broker._clock).rest
    for _ in range(5):
        used = budget.used
        async with TopStepXProvider(broker.config) as short_lived:
            await short_lived.get_accounts()
        assert budgets_of(broker.config, broker._clock).rest is budget
        assert budget.used == used + 2


async def test_a_ping_counts(broker: TopStepXProvider) -> None:
    budget = budgets_of(broker.config, broker._clock).rest
    used = budget.used
    await broker.ping()
    assert budget.used == used + 1


@pytest.mark.parametrize("odd", ["001001", "9" * 5000, "-1", "1.0", " 1", "١", "", 5, None])
async def test_an_odd_id_is_nobodys_and_nothing_is_sent(
    odd: Any, broker: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    with pytest.raises(NotFound if isinstance(odd, str) else InvalidOrder):
        await broker.cancel_order(account.id, odd)
    with pytest.raises(NotFound):
        await broker.get_positions(odd)
    assert sandbox.requests["/api/Order/cancel"] == 0


@pytest.mark.parametrize("large", [str(2**31), "99999999999"])
async def test_an_account_id_that_no_gateway_has_is_nobodys(
    large: str, broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    before = sandbox.requests.total()
    with pytest.raises(NotFound, match=f"no account '{large}'"):
        await broker.get_positions(large)
    with pytest.raises(NotFound, match=f"no account '{large}'"):
        await broker.cancel_order(large, "3400000000")
    with pytest.raises(NotFound, match=f"no account '{large}'"):
        await broker.place_order(OrderRequest.market(large, contract.id, OrderSide.BUY, 1))
    assert sandbox.requests.total() == before


@pytest.mark.parametrize("label", ["", " ", "\ud800", "a\nb", "ü"])
async def test_an_odd_client_order_id_never_leaves(
    label: str,
    broker: TopStepXProvider,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
) -> None:
    request = OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
    with pytest.raises(InvalidOrder, match="client_order_id"):
        await broker.place_order(attrs.evolve(request, client_order_id=label))
    assert sandbox.requests["/api/Order/place"] == 0


async def test_a_size_that_no_gateway_can_express(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    request = OrderRequest.market(account.id, contract.id, OrderSide.BUY, 2**31)
    with pytest.raises(InvalidOrder, match="more than the gateway can express"):
        await broker.place_order(request)
    assert sandbox.requests["/api/Order/place"] == 0


async def test_a_change_or_a_close_that_no_gateway_can_express(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    working = await broker.place_order(
        OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    )
    with pytest.raises(InvalidOrder, match="more than the gateway can express"):
        await broker.modify_order(account.id, working.id, size=2**31)
    with pytest.raises(NotSent, match="more than the gateway can express"):
        await broker.close_position(account.id, contract.id, size=2**31)
    assert sandbox.requests["/api/Order/modify"] == 0
    assert sandbox.requests["/api/Position/partialCloseContract"] == 0


async def test_a_simulation_that_is_over_is_forgotten(broker: TopStepXProvider) -> None:
    """Its clock stands still, so that what it counted would count for ever."""
    here = budgets_of(broker.config, broker._clock)
    for number in range(3):
        login = attrs.evolve(broker.config, username=f"simulated-{number}")
        budgets_of(login, ManualClock()).rest.cool_down(60)
    assert [user for _, user in _by_login.made if user.startswith("simulated")] == ["simulated-2"]
    assert budgets_of(broker.config, broker._clock) is here
    assert not [user for _, user in _by_login.made if user.startswith("simulated")]
