"""A disk that takes its time: no order leaves late or after a halt, and the way out stays open."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.patience import HANG
from tests.topstepx.order_safety.stage import CANCEL, MODIFY, PLACE, Stage, stage

from tradeforge_core import (
    JournalKind,
    NotSent,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderVetoed,
)
from tradeforge_core.orders import _journal_file
from tradeforge_core.outcomes import Accepted
from tradeforge_core.outcomes import NotSent as NotSentOutcome


@pytest.fixture
async def on(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """With an order at work, from when the disk was fast; a slow one does not give up by itself."""
    monkeypatch.setattr(_journal_file, "_BUSY_SECONDS", 3600.0)
    async with stage(journal=JournalKind.DURABLE) as on:
        await on.rest()
        on.outcomes.clear()
        yield on


@contextmanager
def stuck(folder: Path) -> Iterator[None]:
    """Nothing can be written to the one journal there is."""
    (journal,) = folder.glob("*/*/*.sqlite3")
    with closing(sqlite3.connect(journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def limit(on: Stage) -> OrderRequest:
    return OrderRequest.limit(
        on.account_id, on.contract.id, OrderSide.BUY, 1, on.contract.tick_size
    )


async def begun(on: Stage) -> None:
    """Return once a request waits for the disk."""
    await on.until(lambda: bool(on.broker._orders.path.cases()))


async def test_an_order_that_waits_for_the_disk_does_not_leave_after_a_halt(
    on: Stage, state_folder: Path
) -> None:
    with stuck(state_folder):
        placing = asyncio.create_task(on.broker.place_order(limit(on)))
        await begun(on)
        on.broker.halt("news")
    with pytest.raises(OrderVetoed, match="news"):
        await placing
    assert on.sandbox.requests[PLACE.path] == 1, "the one that rests"
    assert isinstance(on.outcomes[-1], NotSentOutcome)


@pytest.mark.parametrize("change", [{"size": 9}, {"limit_price": "1.00"}])
async def test_nor_does_a_change(on: Stage, state_folder: Path, change: dict[str, str]) -> None:
    with stuck(state_folder):
        changing = asyncio.create_task(
            on.broker.modify_order(on.account_id, str(on.orders[0].id), **change)
        )
        await begun(on)
        on.broker.halt("news")
    with pytest.raises(OrderVetoed, match="news"):
        await changing
    assert on.sandbox.requests[MODIFY.path] == 0


async def test_an_order_does_not_leave_late(on: Stage, state_folder: Path) -> None:
    with stuck(state_folder), pytest.raises(NotSent, match="more than 2 s"):
        await on.broker.place_order(limit(on))
    (outcome,) = on.outcomes
    await on.broker.place_order(limit(on))
    assert on.sandbox.requests[PLACE.path] == 2
    records = {one.intent.id: one.state for one in await on.broker.get_journal()}
    assert records[outcome.client_order_id] == "not_sent"


async def test_a_cancel_leaves_all_the_same_and_is_written_down_later(
    on: Stage, state_folder: Path
) -> None:
    with stuck(state_folder):
        async with asyncio.timeout(HANG):
            await on.broker.cancel_order(on.account_id, str(on.orders[0].id))
    assert on.orders[0].status is OrderStatus.CANCELLED
    assert on.sandbox.requests[CANCEL.path] == 1
    (outcome,) = on.outcomes
    assert isinstance(outcome, Accepted)
    await on.broker.place_order(limit(on))
    records = {one.intent.id: one.state for one in await on.broker.get_journal()}
    assert records[outcome.client_order_id] == "accepted"


async def test_a_cancel_does_not_wait_for_a_journal_that_cannot_be_opened(
    on: Stage, state_folder: Path
) -> None:
    await on.broker.disconnect()
    await on.broker.connect()
    with stuck(state_folder):
        async with asyncio.timeout(HANG):
            await on.broker.cancel_order(on.account_id, str(on.orders[0].id))
    assert on.orders[0].status is OrderStatus.CANCELLED
