"""A sandbox of the gateway, and a provider that is connected to it over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import pytest

from tradeforge_core import (
    Account,
    Contract,
    LookUps,
    OrderOutcome,
    OrderSafety,
    Plugins,
    Settings,
    hookimpl,
)
from tradeforge_core.streams.backoff import Backoff
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

Connect = Callable[..., TopStepXProvider]

QUICK = LookUps(pauses=(0.02, 0.05, 0.1, 0.2), deadline=4.0, settle=0.5, slow=0.5)
"""Looks so early that no test waits for one; the deadline leaves a busy machine its time."""


class Outcomes(list[OrderOutcome]):
    """What became of every request, in the order in which it was told."""

    @hookimpl
    def tradeforge_order_outcome(self, outcome: OrderOutcome) -> None:
        self.append(outcome)


@pytest.fixture
async def sandbox() -> AsyncIterator[TopStepXSandbox]:
    async with TopStepXSandbox(seed=7, tick_seconds=0.02) as sandbox:
        yield sandbox


@pytest.fixture
def outcomes() -> Outcomes:
    """Of all providers of the test."""
    return Outcomes()


@pytest.fixture
def provider_of(outcomes: Outcomes) -> Connect:
    """Makes a provider for a sandbox that comes back fast after a loss; it is not connected."""

    def make(
        sandbox: TopStepXSandbox, look_ups: LookUps = QUICK, **changes: str
    ) -> TopStepXProvider:
        settings = Settings("topstepx", sandbox.settings | changes)
        config = TopStepXConfig.from_settings(settings)
        backoff = Backoff(base=0.01, cap=0.05, attempts_a_minute=1000, random=Random(7))
        return TopStepXProvider(
            config,
            backoff=backoff,
            plugins=Plugins([outcomes]),
            safety=OrderSafety(look_ups=look_ups),
        )

    return make


@pytest.fixture
async def broker(sandbox: TopStepXSandbox, provider_of: Connect) -> AsyncIterator[TopStepXProvider]:
    async with provider_of(sandbox) as broker:
        yield broker
    leaked = [task for task in asyncio.all_tasks() if _is_ours(task)]
    assert not leaked, f"disconnect() left tasks behind: {leaked}"


def _is_ours(task: "asyncio.Task[Any]") -> bool:
    """Whether a task runs code of the library; those of the sandbox and of pytest do not."""
    code = getattr(task.get_coro(), "cr_code", None)
    path = code.co_filename if code else ""
    return "tradeforge_" in path and "sandbox" not in path and "/tests/" not in path


@pytest.fixture
async def account(broker: TopStepXProvider) -> Account:
    return (await broker.get_accounts())[0]


@pytest.fixture
async def contract(broker: TopStepXProvider) -> Contract:
    return await broker.get_contract_by_symbol("MNQ")
