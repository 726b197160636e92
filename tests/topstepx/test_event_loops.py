"""One provider in one event loop after the other, as `asyncio.run` makes them."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from tradeforge_core import (
    Disconnected,
    Event,
    MarketDataType,
    OrderRequest,
    OrderSide,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

Connect = Callable[..., TopStepXProvider]


@pytest.fixture
def served() -> Iterator[TopStepXSandbox]:
    """A sandbox in a thread of its own: it outlives the event loops of the test."""
    started, may_end = threading.Event(), threading.Event()
    sandbox = TopStepXSandbox(seed=7, tick_seconds=0.02)

    async def serve() -> None:
        async with sandbox:
            started.set()
            await asyncio.get_running_loop().run_in_executor(None, may_end.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(10)
    yield sandbox
    may_end.set()
    thread.join(10)


@pytest.mark.usefixtures("websocket_library")
def test_everything_works_in_the_second_event_loop_too(
    served: TopStepXSandbox, provider_of: Connect
) -> None:
    broker = provider_of(served)
    seen: list[Event] = []
    changes: list[StatusChanged] = []
    broker.on_event(seen.append)

    @broker.on_status_change
    async def note(change: StatusChanged) -> None:
        changes.append(change)

    for _ in range(3):
        seen.clear()
        changes.clear()
        asyncio.run(_a_life(broker))
        assert {QuoteEvent, UserTradeEvent} <= {type(event) for event in seen}
        assert changes[-1].status is StreamConnectionStatus.CLOSED
    assert broker.status is StreamConnectionStatus.IDLE


async def _a_life(broker: TopStepXProvider) -> None:
    """Everything that waits for something, at least once, and more than one at a time."""
    await broker.ping()
    await asyncio.gather(*(broker.connect() for _ in range(3)))
    forever = [asyncio.create_task(broker.run_forever()) for _ in range(2)]
    account, *_ = await broker.get_accounts()
    contract = await broker.get_contract_by_symbol("MNQ")
    await broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE])
    async with (
        broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes,
        broker.subscribe_user_data(account.id, [UserDataType.USER_TRADE]) as fills,
    ):
        placed = await broker.place_order(
            OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
        )
        async with asyncio.timeout(10):
            while not isinstance(await anext(quotes), QuoteEvent):
                pass
            while not isinstance(fill := await anext(fills), UserTradeEvent):
                pass
        assert fill.trade.order_id == placed.id
    await broker.flatten(account.id)
    await asyncio.gather(*(broker.disconnect() for _ in range(3)))
    await asyncio.wait_for(asyncio.gather(*forever), 5)
    with pytest.raises(Disconnected):
        await broker.get_accounts()


def test_a_look_at_the_venue_in_one_loop_and_a_life_in_the_next(
    served: TopStepXSandbox, provider_of: Connect
) -> None:
    broker = provider_of(served)
    asyncio.run(broker.ping())
    asyncio.run(_a_life(broker))
