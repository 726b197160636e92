"""What a venue does on a bad day, and what the stream says about it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest

from tradeforge_core import (
    Account,
    Contract,
    DecodeError,
    DepthEvent,
    Gap,
    GapCause,
    MarketDataType,
    MarketTradeEvent,
    OrderRequest,
    OrderSide,
    QuoteEvent,
    SessionConflict,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import EventFault, Hubs, TopStepXSandbox

E = TypeVar("E")


async def until(
    events: AsyncIterator[Any], kind: type[E], wanted: Callable[[E], bool] = lambda event: True
) -> E:
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind) and wanted(event):
                return event
    raise AssertionError("an iterator must not just stop")


def live(change: StatusChanged) -> bool:
    return change.status is StreamConnectionStatus.LIVE


async def test_a_displaced_session_comes_back_with_a_new_token(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
        await until(quotes, QuoteEvent)
        sandbox.log_out(Hubs.MARKET)
        lost = await until(quotes, StatusChanged, lambda one: one.reason is not None)
        assert "GatewayLogout" in str(lost.reason)
        await until(quotes, StatusChanged, live)
        await until(quotes, QuoteEvent)
    assert sandbox.requests["/api/Auth/loginKey"] == 2


async def test_a_session_that_is_displaced_again_and_again_is_a_conflict(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    errors: asyncio.Queue[TradeForgeError] = asyncio.Queue()
    broker.on_error(errors.put_nowait)
    async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
        await until(quotes, StatusChanged, live)
        for _ in range(3):
            assert errors.empty()
            sandbox.log_out(Hubs.MARKET)
            await until(quotes, StatusChanged, live)
    error = await asyncio.wait_for(errors.get(), 5)
    assert isinstance(error, SessionConflict)
    assert "same login" in str(error)


@pytest.mark.parametrize(
    ("target", "kind", "event"),
    [
        ("GatewayQuote", MarketDataType.QUOTE, QuoteEvent),
        ("GatewayTrade", MarketDataType.TRADE, MarketTradeEvent),
        ("GatewayDepth", MarketDataType.DEPTH, DepthEvent),
    ],
)
async def test_a_malformed_record_is_left_out_and_told(
    target: str,
    kind: MarketDataType,
    event: type[object],
    broker: TopStepXProvider,
    contract: Contract,
    sandbox: TopStepXSandbox,
) -> None:
    errors: asyncio.Queue[TradeForgeError] = asyncio.Queue()
    broker.on_error(errors.put_nowait)
    async with broker.subscribe_market_data(contract.id, [kind]) as data:
        await until(data, event)
        sandbox.fail_events(target, EventFault.MALFORMED)
        gap = await until(data, Gap)
        assert (gap.cause, gap.dropped) == (GapCause.DECODE_ERROR, 1)
        assert {topic.kind for topic in gap.topics} == {kind}
        await until(data, event)
        assert broker.status is StreamConnectionStatus.LIVE
    assert isinstance(await asyncio.wait_for(errors.get(), 5), DecodeError)


@pytest.mark.parametrize("target", ["GatewayTrade", "GatewayDepth"])
async def test_padding_is_nothing(
    target: str, broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_market_data(contract.id, broker.capabilities.market_data) as data:
        await until(data, StatusChanged, live)
        sandbox.fail_events(target, EventFault.PADDED, count=3)
        for _ in range(50):
            assert not isinstance(await anext(data), Gap)


async def test_a_fill_that_comes_twice_is_told_once(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_user_data(account.id, [UserDataType.USER_TRADE]) as fills:
        sandbox.fail_events("GatewayUserTrade", EventFault.DUPLICATED)
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        told = [(await until(fills, UserTradeEvent)).trade.id for _ in range(2)]
    assert told == [str(fill.id) for fill in sandbox.exchange.fills(int(account.id))]


async def test_a_hub_that_is_reset_without_a_word(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
        await until(quotes, QuoteEvent)
        sandbox.reset_hubs(Hubs.MARKET)
        await until(quotes, Gap)
        await until(quotes, QuoteEvent)


async def test_nobody_exceeds_the_limits_of_the_venue(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    await asyncio.gather(*(broker.get_accounts() for _ in range(30)))
    assert sandbox.worst_rates["others"] <= 200
    assert sandbox.worst_rates["others"] >= 30, "the venue counted them"
