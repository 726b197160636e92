"""Live data over both hubs, and what happens to it when the venue goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest

from tradeforge_core import (
    Account,
    AccountUpdateEvent,
    Contract,
    DepthEvent,
    Disconnected,
    Event,
    Gap,
    GapCause,
    MarketDataType,
    MarketTradeEvent,
    NotFound,
    OrderBook,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderUpdateEvent,
    PositionUpdateEvent,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
    VenueError,
)
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

E = TypeVar("E")
ALL_MARKET = [MarketDataType.QUOTE, MarketDataType.DEPTH, MarketDataType.TRADE]
ALL_USER = list(UserDataType)


async def until(
    events: AsyncIterator[Any], kind: type[E], wanted: Callable[[E], bool] = lambda event: True
) -> E:
    """The next event of a kind that is wanted; the others are passed over."""
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind) and wanted(event):
                return event
    raise AssertionError("an iterator must not just stop")


def buy(account: Account, contract: Contract) -> OrderRequest:
    return OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)


async def test_every_kind_of_market_data_arrives(
    broker: TopStepXProvider, contract: Contract
) -> None:
    async with broker.subscribe_market_data([contract.id], ALL_MARKET) as market:
        assert broker.status is StreamConnectionStatus.LIVE
        quote = await until(market, QuoteEvent, lambda quote: quote.bid is not None)
        assert quote.contract_id == contract.id
        await until(market, MarketTradeEvent)
        await until(market, DepthEvent)


async def test_the_book_agrees_with_the_venue(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    book = OrderBook(contract.id)
    async with broker.subscribe_market_data(contract.id, [MarketDataType.DEPTH]) as depth:
        for _ in range(200):
            book.apply(await anext(depth))
    bids, asks = book.bids(5), book.asks(5)
    assert len(bids) == len(asks) == 5
    assert bids[0].price < asks[0].price


async def test_the_events_of_a_trade_in_their_order(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    async with broker.subscribe_user_data([account.id], ALL_USER) as user:
        placed = await broker.place_order(buy(account, contract))
        first = await until(user, OrderUpdateEvent)
        assert (first.order.id, first.order.status) == (placed.id, OrderStatus.PENDING)
        fill = await until(user, UserTradeEvent)
        assert (fill.trade.order_id, fill.trade.realized_pnl) == (placed.id, None)
        last = await until(user, OrderUpdateEvent)
        assert last.order.status is OrderStatus.FILLED
        position = await until(user, PositionUpdateEvent)
        assert position.position.size == 1
        balance = await until(user, AccountUpdateEvent)
        assert balance.account.balance < account.balance
        await broker.close_position(account.id, contract.id)
        flat = await until(user, PositionUpdateEvent)
        assert flat.position.is_flat


async def test_only_what_was_subscribed_arrives(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    other = await broker.get_contract_by_symbol("CL")
    async with (
        broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes,
        broker.subscribe_market_data(other.id, [MarketDataType.TRADE]) as trades,
    ):
        for _ in range(20):
            event = await anext(quotes)
            assert isinstance(event, (QuoteEvent, StatusChanged))
            assert not isinstance(event, QuoteEvent) or event.contract_id == contract.id
        assert (await until(trades, MarketTradeEvent)).contract_id == other.id


async def test_an_unknown_contract_is_not_subscribed_in_silence(broker: TopStepXProvider) -> None:
    with pytest.raises(NotFound, match="CON.NOPE"):
        async with broker.subscribe_market_data(["CON.NOPE"], ALL_MARKET):
            pass


async def test_an_account_that_is_no_number_is_refused(broker: TopStepXProvider) -> None:
    with pytest.raises(NotFound, match="'mine'"):
        await broker.subscribe_user_data("mine", [UserDataType.ORDER_UPDATE])
    assert broker.status is not StreamConnectionStatus.RECONNECTING


async def test_handlers_get_what_iterators_get(
    broker: TopStepXProvider, account: Account, contract: Contract
) -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    changes: list[StreamConnectionStatus] = []
    broker.on_event(events.put_nowait)

    @broker.on_status_change
    async def note(change: StatusChanged) -> None:
        changes.append(change.status)

    await broker.subscribe_market_data([contract.id], [MarketDataType.QUOTE])
    await broker.subscribe_user_data([account.id], [UserDataType.ORDER_UPDATE])
    seen: set[str] = set()
    async with asyncio.timeout(10):
        await broker.place_order(buy(account, contract))
        while not {"QuoteEvent", "OrderUpdateEvent", "StatusChanged"} <= seen:
            seen.add(type(await events.get()).__name__)
    assert changes.count(StreamConnectionStatus.LIVE) == 2


async def test_unsubscribing_ends_the_flow(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    broker.on_event(events.put_nowait)
    await broker.subscribe_market_data(contract.id, [MarketDataType.TRADE])
    async with asyncio.timeout(10):
        while not isinstance(await events.get(), MarketTradeEvent):
            pass
    await broker.unsubscribe_market_data(contract.id, [MarketDataType.TRADE])
    while not events.empty():
        events.get_nowait()
    async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
        for _ in range(10):
            await until(quotes, QuoteEvent)
    left = [events.get_nowait() for _ in range(events.qsize())]
    assert not any(isinstance(event, MarketTradeEvent) for event in left)


async def test_one_subscription_after_the_other_shares_a_connection(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    for _ in range(5):
        async with broker.subscribe_market_data(contract.id, [MarketDataType.DEPTH]) as depth:
            assert (await until(depth, DepthEvent)).reset
    assert sandbox.requests["/hubs/market"] == 1
    assert sandbox.state()["hubs"]["market"]["followers"] == {}


async def test_a_dropped_connection_is_told_and_mended(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_market_data([contract.id], ALL_MARKET) as market:
        await until(market, QuoteEvent)
        await sandbox.drop_hubs()
        lost = await until(
            market,
            StatusChanged,
            lambda change: change.status is StreamConnectionStatus.RECONNECTING,
        )
        assert lost.reason is not None
        assert "Connection closed" in lost.reason
        gaps = [await until(market, Gap) for _ in ALL_MARKET]
        assert {topic.kind for gap in gaps for topic in gap.topics} == set(ALL_MARKET)
        for gap in gaps:
            assert gap.cause is GapCause.DISCONNECTED
            assert gap.since is not None
            assert gap.until is not None
            assert gap.since <= lost.received <= gap.until
        live = await until(
            market, StatusChanged, lambda change: change.status is StreamConnectionStatus.LIVE
        )
        assert live.generation > lost.generation
        await until(market, QuoteEvent)
        await until(market, DepthEvent)
        await until(market, MarketTradeEvent)


async def test_the_first_depth_after_a_loss_begins_the_book_anew(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_market_data(contract.id, [MarketDataType.DEPTH]) as depth:
        await until(depth, DepthEvent)
        await sandbox.drop_hubs(allow_reconnect=False)
        await until(depth, Gap)
        assert (await until(depth, DepthEvent)).reset


async def test_a_venue_that_goes_away_and_comes_back_on_the_same_port(
    broker: TopStepXProvider, account: Account, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with (
        broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes,
        broker.subscribe_user_data(account.id, ALL_USER) as user,
    ):
        await until(quotes, QuoteEvent)
        await sandbox.__aexit__()
        await until(quotes, StatusChanged, lambda one: one.reason is not None)
        forever = asyncio.create_task(broker.run_forever())
        await sandbox.__aenter__()
        await until(quotes, Gap)
        await until(quotes, QuoteEvent)
        await until(user, Gap)
        await until(user, StatusChanged, lambda one: one.status is StreamConnectionStatus.LIVE)
        placed = await broker.place_order(buy(account, contract))
        assert (await until(user, UserTradeEvent)).trade.order_id == placed.id
        assert not forever.done()
        forever.cancel()


async def test_a_reconnection_comes_with_a_token_that_is_alive(
    broker: TopStepXProvider, contract: Contract, sandbox: TopStepXSandbox
) -> None:
    async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
        await until(quotes, QuoteEvent)
        sandbox.expire_tokens()
        await sandbox.drop_hubs()
        await until(quotes, Gap)
        await until(quotes, QuoteEvent)
    assert sandbox.requests["/api/Auth/loginKey"] == 2


async def test_run_forever_ends_by_disconnect_and_iterators_say_why(
    broker: TopStepXProvider, contract: Contract
) -> None:
    forever = asyncio.create_task(broker.run_forever())
    subscription: Subscription[Any] = broker.subscribe_market_data(contract.id, ALL_MARKET)
    async with subscription as market:
        await until(market, QuoteEvent)
        await broker.disconnect()
        with pytest.raises(Disconnected, match="disconnect"):
            async for _ in market:
                pass
    await asyncio.wait_for(forever, 5)
    assert broker.status is StreamConnectionStatus.IDLE


async def test_the_first_connection_that_fails_is_the_callers_to_know(
    sandbox: TopStepXSandbox, provider_of: Callable[..., TopStepXProvider]
) -> None:
    async with provider_of(sandbox, TS_MARKET_HUB_URL="http://127.0.0.1:1/hubs/market") as broker:
        contract = await broker.get_contract_by_symbol("MNQ")
        with pytest.raises(Disconnected):
            await broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE])
        assert broker.status is StreamConnectionStatus.IDLE


async def test_a_token_that_died_early_is_replaced_once(
    broker: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    sandbox.expire_tokens()
    await broker.subscribe_user_data(account.id, [UserDataType.ORDER_UPDATE])
    assert broker.status is StreamConnectionStatus.LIVE
    assert sandbox.requests["/api/Auth/loginKey"] == 2


async def test_a_login_that_fails_is_told_to_the_one_who_subscribes(
    broker: TopStepXProvider, account: Account, sandbox: TopStepXSandbox
) -> None:
    await broker.end_session()
    sandbox.fail_next("/api/Auth/loginKey", 503)
    with pytest.raises(VenueError, match="503"):
        await broker.subscribe_user_data(account.id, [UserDataType.ORDER_UPDATE])
    assert broker.status is StreamConnectionStatus.IDLE


async def test_errors_without_a_caller_reach_the_error_handler(
    broker: TopStepXProvider, contract: Contract
) -> None:
    errors: asyncio.Queue[TradeForgeError] = asyncio.Queue()
    broker.on_error(errors.put_nowait)

    @broker.on_event
    def clumsy(event: Event) -> None:
        raise RuntimeError("oops")

    await broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE])
    error = await asyncio.wait_for(errors.get(), 5)
    assert "oops" in str(error)
    assert isinstance(error.__cause__, RuntimeError)
