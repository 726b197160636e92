"""A login over days, over two places, and over a month in a moment."""

import asyncio

from tradeforge_core import (
    Account,
    OrderRequest,
    OrderSide,
    PositionUpdateEvent,
    Settings,
    StreamConnectionStatus,
    Subscription,
    TradeForgeError,
    UserDataType,
    UserEvent,
    UserTradeEvent,
)
from tradeforge_core.streams.backoff import Backoff
from tradeforge_testing import ManualClock
from tradeforge_topstepx._signalr import HubLimits
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

HOUR = 3600.0
PATIENT = HubLimits(keep_alive=HOUR, server_timeout=10 * HOUR, watch_every=HOUR)


async def settled(clock: ManualClock, seconds: float) -> None:
    """Move on, and let what is due happen over the real sockets."""
    clock.advance(seconds)
    for _ in range(5):
        await asyncio.sleep(0.001)


def provider_on(clock: ManualClock, sandbox: TopStepXSandbox) -> TopStepXProvider:
    config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings))
    backoff = Backoff(base=0, cap=0, attempts_a_minute=1000)
    return TopStepXProvider(config, clock=clock, backoff=backoff, hub_limits=PATIENT)


async def collect(events: Subscription[UserEvent], fills: list[str]) -> None:
    async for event in events:
        if isinstance(event, UserTradeEvent):
            fills.append(event.trade.id)


async def test_thirty_days_without_a_dead_token_or_a_lost_fill() -> None:
    clock = ManualClock()
    days, fills = 30, list[str]()
    errors: list[TradeForgeError] = []
    async with TopStepXSandbox(clock=clock, tick_seconds=HOUR) as sandbox:
        broker = provider_on(clock, sandbox)
        broker.on_error(errors.append)
        async with broker:
            (account, *_) = await broker.get_accounts()
            contract = await broker.get_contract_by_symbol("MNQ")
            updates = broker.subscribe_user_data(account.id, [UserDataType.USER_TRADE])
            async with updates, asyncio.timeout(100):
                reader = asyncio.create_task(collect(updates, fills))
                for hour in range(days * 24):
                    await settled(clock, HOUR)
                    if hour % 24 == 12:
                        await sandbox.drop_hubs()
                        while sandbox.requests["/hubs/user"] < 2 + hour // 24:
                            await settled(clock, 0)
                    while broker.status is not StreamConnectionStatus.LIVE:
                        await settled(clock, 0)
                    side = OrderSide.BUY if hour % 2 else OrderSide.SELL
                    await broker.place_order(OrderRequest.market(account.id, contract.id, side, 1))
                theirs = [str(fill.id) for fill in sandbox.exchange.fills(int(account.id))]
                while len(fills) < len(theirs):
                    await settled(clock, 0)
                reader.cancel()
        assert fills == theirs, "each fill once, in order"
        assert errors == []
        assert sandbox.requests["/api/Auth/loginKey"] == 1
        assert sandbox.requests["/api/Auth/validate"] == days * 24 // 20, "at 80 % of 24 hours"
        assert sandbox.requests["/hubs/user"] == days + 1


async def test_a_renewal_that_fails_is_told_and_tried_again() -> None:
    clock = ManualClock()
    errors: list[TradeForgeError] = []
    async with TopStepXSandbox(clock=clock, tick_seconds=HOUR) as sandbox:
        broker = provider_on(clock, sandbox)
        broker.on_error(errors.append)
        async with broker:
            for path in ("/api/Auth/validate", "/api/Auth/loginKey"):
                sandbox.fail_next(path, 503, handled=False)
            async with asyncio.timeout(20):
                await settled(clock, 0)
                await settled(clock, 19.5 * HOUR)
                while not errors:
                    await settled(clock, 0)
                assert await broker.get_accounts(), "the old token is good until it ends"
                while sandbox.requests["/api/Auth/validate"] < 2:
                    await settled(clock, 60)
        assert len(errors) == 1


async def test_a_session_that_is_taken_over_again_and_again(
    broker: TopStepXProvider, account: Account
) -> None:
    """What the hub does with a GatewayLogout, without waiting for a second login to happen."""
    session = broker._rest.session
    assert not session.was_displaced_again()
    assert not session.was_displaced_again()
    assert session.was_displaced_again()


async def test_a_fill_that_the_venue_tells_twice_arrives_once(
    broker: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    contract = await broker.get_contract_by_symbol("MNQ")
    fills: list[str] = []
    async with broker.subscribe_user_data(account.id, list(UserDataType)) as updates:
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        await broker.close_position(account.id, contract.id)
        async with asyncio.timeout(10):
            async for event in updates:
                if isinstance(event, UserTradeEvent):
                    fills.append(event.trade.id)
                if isinstance(event, PositionUpdateEvent) and event.position.is_flat:
                    break
    assert fills == [str(fill.id) for fill in sandbox.exchange.fills(int(account.id))]


async def test_a_fill_that_is_voided_is_told_as_such(
    broker: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    contract = await broker.get_contract_by_symbol("MNQ")
    async with broker.subscribe_user_data(account.id, [UserDataType.USER_TRADE]) as updates:
        await broker.place_order(OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1))
        (fill,) = sandbox.exchange.fills(int(account.id))
        sandbox.exchange.void_fill(int(account.id), fill.id)
        told: list[bool] = []
        async with asyncio.timeout(10):
            async for event in updates:
                if isinstance(event, UserTradeEvent):
                    told.append(event.trade.voided)
                if len(told) == 2:
                    break
    assert told == [False, True]
