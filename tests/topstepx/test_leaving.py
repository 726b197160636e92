"""Connecting and disconnecting are given up at every moment, and no connection is left open."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tradeforge_core import Account, UserDataType
from tradeforge_core.provider import _State
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import Fault, TopStepXSandbox

Connect = Callable[..., TopStepXProvider]
TURNS = [0, 1, 2, 3, 5, 8, 12, 24]
"""Of the event loop, after which the caller gives up."""


async def given_up(work: Coroutine[Any, Any, None], turns: int) -> None:
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def all_closed(sandbox: TopStepXSandbox) -> None:
    """Before the venue itself closes what is idle."""
    async with asyncio.timeout(2):
        while sandbox._server._uvicorn.server_state.connections:  # noqa: ASYNC110  # it is the server that makes it so
            await asyncio.sleep(0.001)


@pytest.mark.usefixtures("websocket_library")
@pytest.mark.parametrize("turns", TURNS)
async def test_disconnecting_is_given_up(
    sandbox: TopStepXSandbox, provider_of: Connect, turns: int
) -> None:
    broker = provider_of(sandbox)
    await broker.connect()
    contract = await broker.get_contract_by_symbol("MNQ")
    account, *_ = await broker.get_accounts()
    await broker.subscribe_market_data(contract.id, broker.capabilities.market_data)
    await broker.subscribe_user_data(account.id, list(UserDataType))
    sandbox.fail_next("/api/Account/search", Fault.DELAY, seconds=0.2)
    asking = asyncio.create_task(_accounts(broker))
    await asyncio.sleep(0)
    await given_up(broker.disconnect(), turns)
    await broker.disconnect()
    await all_closed(sandbox)
    await asyncio.wait([asking])


async def _accounts(broker: TopStepXProvider) -> list[Account]:
    return await broker.get_accounts()


@pytest.mark.parametrize("turns", TURNS)
async def test_connecting_is_given_up(
    sandbox: TopStepXSandbox, provider_of: Connect, turns: int
) -> None:
    broker = provider_of(sandbox)
    await given_up(broker.connect(), turns)
    if broker._state is not _State.CONNECTED:  # it can be quicker than whoever gives up
        await all_closed(sandbox)
    async with broker:
        assert await broker.get_accounts()
    await all_closed(sandbox)


async def test_connecting_is_given_up_twice(sandbox: TopStepXSandbox, provider_of: Connect) -> None:
    """The second time while what the first one left is being closed."""
    for turns in range(12):
        broker = provider_of(sandbox)
        sandbox.fail_next("/api/Auth/loginKey", Fault.DELAY, seconds=0.05)
        connecting = asyncio.create_task(broker.connect())
        await asyncio.sleep(0.01)
        for _ in range(2):
            connecting.cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.wait([connecting])
        await all_closed(sandbox)


async def test_a_ping_leaves_nothing_open(sandbox: TopStepXSandbox, provider_of: Connect) -> None:
    broker = provider_of(sandbox)
    await broker.ping()
    await all_closed(sandbox)
    async with broker:
        await broker.ping()
    await broker.ping()
    await all_closed(sandbox)
