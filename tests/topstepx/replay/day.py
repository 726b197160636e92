"""A day that is recorded, and what its replay is to end with."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import define, frozen

from tradeforge_core import (
    JournalKind,
    OrderRequest,
    OrderSafety,
    OrderSide,
    RecordTo,
    Settings,
    UserDataType,
)
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_testing.replay import Replayed, run_replay
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

ACCOUNT = "1001"


@define
class Day:
    """One who records what he watches, and another who trades in the same account."""

    sandbox: TopStepXSandbox
    broker: TopStepXProvider
    trader: TopStepXProvider
    contract_id: str

    async def trade(self, side: OrderSide = OrderSide.BUY, size: int = 1) -> None:
        await self.trader.place_order(OrderRequest.market(ACCOUNT, self.contract_id, side, size))

    async def rest(self, price: int = 1000) -> str:
        """An order that waits."""
        request = OrderRequest.limit(ACCOUNT, self.contract_id, OrderSide.BUY, 1, price)
        return (await self.trader.place_order(request)).id

    async def watch(self) -> None:
        await self.broker.subscribe_market_data(
            self.contract_id, self.broker.capabilities.market_data
        )
        await self.broker.subscribe_user_data(ACCOUNT, list(UserDataType))


Life = Callable[[Day], Awaitable[None]]


def provider(
    settings: dict[str, str], record_to: RecordTo | None = None, audit: AuditTimes | None = None
) -> TopStepXProvider:
    return TopStepXProvider(
        TopStepXConfig.from_settings(Settings("topstepx", settings)),
        safety=OrderSafety(journal=JournalKind.MEMORY),
        audit=audit,
        record_to=record_to,
    )


@frozen
class Recorded:
    path: Path
    known: list[str]
    """Of the one who recorded, when he had left."""


async def live(
    life: Life, record_to: RecordTo, *, tick_seconds: float, audit: AuditTimes | None = None
) -> Recorded:
    async with TopStepXSandbox(seed=7, tick_seconds=tick_seconds) as sandbox:
        async with provider(sandbox.settings) as trader:
            async with provider(sandbox.settings, record_to, audit) as broker:
                contract = await broker.get_contract_by_symbol("MNQ")
                await life(Day(sandbox, broker, trader, contract.id))
    return Recorded(record_to.path, broker.everything_known())


def recorded(
    life: Life, path: Path, *, most_bytes: int = 2**26, tick_seconds: float = 5
) -> Recorded:
    """The recording of a life in virtual time."""
    to = RecordTo(path=path, most_bytes=most_bytes)
    network = MemoryNetwork(latency=0.01, jitter=0.01, seed=7)
    return simulate(lambda: live(life, to, tick_seconds=tick_seconds), network=network)


def same(recording: Recorded) -> Replayed:
    """The replay, which ends as the recording did."""
    replayed = run_replay(recording.path)
    assert replayed.difference is None
    assert replayed.is_comparable
    assert replayed.is_same
    assert not replayed.surprises
    return replayed


async def a_round_trip(day: Day) -> None:
    await day.watch()
    await day.trade(size=2)
    await day.rest()
    await asyncio.sleep(70)
    await day.trade(OrderSide.SELL)
    await asyncio.sleep(70)
    await day.trader.close_position(ACCOUNT, day.contract_id)
    await asyncio.sleep(5)
