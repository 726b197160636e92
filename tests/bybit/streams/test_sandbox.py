"""The streams of Bybit against its sandbox, over a network in memory and in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.provider import BybitProvider
from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_core import (
    BarEvent,
    BookState,
    Event,
    Gap,
    MarketDataType,
    MarketTradeEvent,
    OrderRequest,
    OrderSafety,
    OrderSide,
    Plugins,
    Settings,
    StreamConnectionStatus,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_core.orders.safety import JournalKind
from tradeforge_testing.sim import MemoryNetwork, simulate

BTC = "linear:BTCUSDT"
E = TypeVar("E")


def of(kind: type[E], events: list[Event]) -> list[E]:
    return [one for one in events if isinstance(one, kind)]


def live(day: Callable[[BybitSandbox, BybitProvider, list[Event]], Awaitable[None]]) -> None:
    """A broker who has subscribed to everything, for as long as the day lasts."""

    async def program() -> None:
        async with BybitSandbox(tick_seconds=1.0) as sandbox:
            config = BybitConfig.from_settings(Settings("bybit", sandbox.settings))
            safety = OrderSafety(journal=JournalKind.MEMORY)
            broker = BybitProvider(config, plugins=Plugins(installed=False), safety=safety)
            heard: list[Event] = []
            async with broker:
                broker.on_event(heard.append)
                (account,) = await broker.get_accounts()
                await broker.subscribe_market_data(BTC, list(MarketDataType))
                await broker.subscribe_user_data(account.id, list(UserDataType))
                await day(sandbox, broker, heard)

    simulate(program, network=MemoryNetwork(latency=0.01))


def test_ten_minutes_without_faults_has_no_gap_and_a_bar_for_each_minute() -> None:
    async def day(sandbox: BybitSandbox, broker: BybitProvider, heard: list[Event]) -> None:
        async with broker.order_book(BTC) as book:
            await book.live()
            gaps = len(of(Gap, heard))  # the book was subscribed anew for whoever came later
            await asyncio.sleep(600)
            assert book.state is BookState.LIVE
            assert len(of(Gap, heard)) == gaps
        closed = [one.bar.time for one in of(BarEvent, heard) if not one.bar.partial]
        assert len(closed) == len(set(closed))
        assert 9 <= len(closed) <= 11
        assert broker.health.streams[0].reconnects == 0
        assert len(of(MarketTradeEvent, heard)) > 100

    live(day)


@pytest.mark.parametrize("name", ["linear", "private"])
def test_a_line_that_is_cut_is_told_and_mended(name: str) -> None:
    async def day(sandbox: BybitSandbox, broker: BybitProvider, heard: list[Event]) -> None:
        await asyncio.sleep(60)
        sandbox.sockets[name].cut()
        await asyncio.sleep(60)
        told = {topic.kind for gap in of(Gap, heard) for topic in gap.topics}
        wanted = set(MarketDataType) if name == "linear" else set(UserDataType)
        assert told == wanted
        assert all(not gap.is_open for gap in of(Gap, heard))
        assert broker.status is StreamConnectionStatus.LIVE

    live(day)


def test_every_fill_is_told_once() -> None:
    async def day(sandbox: BybitSandbox, broker: BybitProvider, heard: list[Event]) -> None:
        (account,) = await broker.get_accounts()
        for side in (OrderSide.BUY, OrderSide.BUY, OrderSide.SELL, OrderSide.SELL):
            await broker.place_order(OrderRequest.market(account.id, BTC, side, "0.01"))
            sandbox.sockets["private"].cut()
            await asyncio.sleep(20)
        fills = [one.trade.id for one in of(UserTradeEvent, heard)]
        assert len(fills) == len(set(fills)) >= 4
        assert [one for one in broker.positions if not one.is_flat] == []

    live(day)
