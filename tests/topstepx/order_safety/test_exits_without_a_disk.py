"""Where nothing can be written down no new order leaves, and the way out is open."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.patience import HANG

from tradeforge_core import (
    Account,
    Contract,
    NotSent,
    OrderRequest,
    OrderSafety,
    OrderSide,
)
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox


@pytest.fixture
async def resting(broker: TopStepXProvider, account: Account, contract: Contract) -> str:
    """A position and an order at work, from when there was room on the disk."""
    await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
    far = OrderRequest.limit(account.id, contract.id, OrderSide.BUY, 1, contract.tick_size)
    return (await broker.place_order(far)).id


@pytest.fixture
async def again(broker: TopStepXProvider, resting: str, state_folder: Path) -> TopStepXProvider:
    """The same provider after another start, where a file stands in the place of every journal."""
    await broker.disconnect()
    _obstruct(state_folder)
    await broker.connect()
    return broker


def _obstruct(state_folder: Path) -> None:
    for realm in state_folder.glob("*/*"):
        for journal in realm.iterdir():
            journal.unlink()
        realm.rmdir()
        realm.touch()


async def test_no_order_leaves(
    again: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    before = sandbox.requests["/api/Order/place"]
    with pytest.raises(NotSent, match="cannot be written down"):
        await again.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
    assert sandbox.requests["/api/Order/place"] == before


async def test_cancels_and_closes_leave(
    again: TopStepXProvider,
    resting: str,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
) -> None:
    await again.cancel_order(account.id, resting)
    await again.close_position(account.id, contract.id)
    assert sandbox.exchange.positions(int(account.id)) == []
    assert not [one for one in sandbox.exchange.orders(int(account.id)) if not one.status.is_final]


async def test_flatten_does_so_too(
    again: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    await again.flatten(account.id)
    assert sandbox.exchange.positions(int(account.id)) == []


async def test_an_account_that_another_process_trades_on(
    broker: TopStepXProvider,
    resting: str,
    account: Account,
    contract: Contract,
    sandbox: TopStepXSandbox,
) -> None:
    """Two programs on one account would each know half of what is on its way."""
    async with TopStepXProvider(broker.config, safety=OrderSafety()) as second:
        with pytest.raises(NotSent, match="process"):
            await second.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        await second.cancel_order(account.id, resting)
        other = (await second.get_accounts())[1]
        await second.place_order(OrderRequest.market(other.id, contract.id, OrderSide.BUY, 1))
    assert len(sandbox.exchange.orders(int(account.id))) == 2


# --- a journal that is away for a while ---


@contextmanager
def moved_away(state_folder: Path) -> Iterator[None]:
    """What cannot be written meanwhile is written when the file is there again."""
    (journal,) = state_folder.glob("*/*/*.sqlite3")
    elsewhere = journal.rename(journal.with_suffix(".elsewhere"))
    yield
    elsewhere.rename(journal)


async def states(broker: TopStepXProvider, operation: str) -> list[str]:
    """What the journal says, once all that waits is written."""
    await broker._orders.journals.opened()[0].flush()
    journal = await broker.get_journal()
    return [one.state.value for one in journal if one.intent.operation == operation]


async def test_a_cancel_without_a_record_has_one_later(
    broker: TopStepXProvider, resting: str, account: Account, state_folder: Path
) -> None:
    with moved_away(state_folder):
        await broker.cancel_order(account.id, resting)
    assert await states(broker, "cancel") == ["accepted"]


async def test_its_record_does_not_say_that_it_was_never_sent(
    broker: TopStepXProvider,
    resting: str,
    account: Account,
    sandbox: TopStepXSandbox,
    state_folder: Path,
) -> None:
    """A program that ends at this moment takes it up as unknown."""
    sandbox.fail_next("/api/Order/cancel", Fault.HANG)
    with moved_away(state_folder):
        cancelling = asyncio.create_task(broker.cancel_order(account.id, resting))
        async with asyncio.timeout(HANG):
            while not sandbox.requests["/api/Order/cancel"]:  # noqa: ASYNC110  # no event says so
                await asyncio.sleep(0)
    assert await states(broker, "cancel") == ["unknown"]
    cancelling.cancel()
    await asyncio.wait([cancelling])
