"""The public interface as its users write it: never run, only checked by mypy."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type

from tradeforge_core import (
    Account,
    AccountUpdateEvent,
    Bar,
    BarEvent,
    BarSpan,
    BarUnit,
    Contract,
    DepthEvent,
    DepthLevel,
    Event,
    Gap,
    GapCause,
    InstalledProvider,
    Lag,
    LiveOrderBook,
    MarketDataType,
    MarketEvent,
    MarketHours,
    MarketTradeEvent,
    NotSent,
    Order,
    OrderBook,
    OrderContext,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    Position,
    PositionUpdateEvent,
    Provider,
    QuoteEvent,
    RateLimited,
    Sandbox,
    Stale,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    TickerEvent,
    TimeInForce,
    Topic,
    Trade,
    TradeForgeError,
    UserDataType,
    UserEvent,
    UserTradeEvent,
    VenueError,
    Veto,
    from_json,
    hookimpl,
    installed_providers,
    load_provider,
    load_sandbox,
    to_json,
)


async def loads() -> None:
    assert_type(load_provider("topstepx"), Provider)
    load_provider("topstepx", {"TRADEFORGE_TOPSTEPX_USERNAME": "me"}, plugins=[RiskLimits()])
    load_provider("topstepx", plugins=())
    load_provider(7)  # type: ignore[arg-type]
    load_provider("topstepx", {"PORT": 1})  # type: ignore[dict-item]
    assert_type(installed_providers(), list[InstalledProvider])
    async with load_sandbox("topstepx", port=0, seed=7) as sandbox:
        assert_type(sandbox, Sandbox)
        assert_type(sandbox.settings, dict[str, str])
        async with load_provider("topstepx", sandbox.settings) as broker:
            assert_type(broker, Provider)


async def reads(broker: Provider) -> None:
    assert_type(await broker.get_accounts(), list[Account])
    assert_type(await broker.search_contracts("MNQ"), list[Contract])
    contract = await broker.get_contract_by_symbol("MNQ")
    assert_type(contract, Contract)
    assert_type(await broker.get_contract(contract.id), Contract)
    assert_type(broker.market_hours(contract), MarketHours | None)
    bars = await broker.get_historical_bars(
        contract.id, start=datetime.now(UTC), unit=BarUnit.MINUTE, size=5, limit=100
    )
    assert_type(bars, list[Bar])
    assert_type(await broker.get_open_orders("1"), list[Order])
    assert_type(await broker.get_positions("1"), list[Position])
    assert_type(await broker.get_trade_history("1", start=datetime.now(UTC)), list[Trade])
    assert_type(contract.round_price(Decimal("1.1"), rounding="ROUND_HALF_EVEN"), Decimal)


async def trades(broker: Provider, account: Account, contract: Contract) -> None:
    market = OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1)
    limit = OrderRequest.limit(account.id, contract.id, OrderSide.SELL, "2", "17500.25")
    stop = OrderRequest.stop(account.id, contract.id, OrderSide.SELL, Decimal(1), Decimal("17"))
    assert_type(market, OrderRequest)
    assert_type(limit.limit_price, Decimal | None)
    assert_type(stop.size, Decimal)
    OrderRequest(
        account_id=account.id,
        contract_id=contract.id,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        size=1,
        limit_price="17500.25",
        time_in_force=TimeInForce.DAY,
        client_order_id="my-own-name",
    )
    OrderRequest.market(account.id, contract.id, OrderSide.BUY, 1.5)  # type: ignore[arg-type]
    OrderRequest.market(account.id, contract.id, "buy", 1)  # type: ignore[arg-type]
    market.size = Decimal(2)  # type: ignore[misc]

    placed = await broker.place_order(market)
    assert_type(placed, Order)
    assert_type(placed.status, OrderStatus)
    assert_type(placed.client_order_id, str | None)
    await broker.modify_order(account.id, placed.id, limit_price="17500.50", size=2)
    await broker.cancel_order(account.id, placed.id)
    await broker.close_position(account.id, contract.id, size="1")
    assert_type(await broker.find_order(account.id, "my-own-name"), Order)
    await broker.modify_order(account.id, placed.id, limit_price=0.5)  # type: ignore[arg-type]


async def handles_errors(broker: Provider, request: OrderRequest) -> str | None:
    try:
        await broker.place_order(request)
    except NotSent as error:
        assert_type(error.reason, str)
    except OrderRejected as error:
        assert_type(error.order_id, str | None)
    except OrderOutcomeUnknown as error:
        assert_type(error.operation, str)
        return error.client_order_id
    except RateLimited as error:
        assert_type(error.retry_after, float | None)
    except VenueError as error:
        assert_type(error.code, int | str | None)
    except TradeForgeError:
        raise
    return None


async def iterates(broker: Provider, contract: Contract) -> None:
    book = OrderBook(contract.id)
    types = [MarketDataType.QUOTE, MarketDataType.DEPTH, MarketDataType.TRADE]
    async with broker.subscribe_market_data([contract.id], types) as stream:
        assert_type(stream, Subscription[MarketEvent])
        assert_type(stream.dropped, int)
        assert_type(stream.topics, tuple[Topic, ...])
        async for event in stream:
            assert_type(
                event,
                QuoteEvent
                | DepthEvent
                | MarketTradeEvent
                | TickerEvent
                | BarEvent
                | StatusChanged
                | Gap
                | Lag
                | Stale,
            )
            book.apply(event)
            match event:
                case QuoteEvent(bid=bid, ask=ask):
                    assert_type(bid, Decimal | None)
                    assert_type(ask, Decimal | None)
                case MarketTradeEvent():
                    assert_type(event.aggressor, OrderSide | None)
                case DepthEvent():
                    assert_type(event.bids, tuple[DepthLevel, ...])
                case TickerEvent(ticker=ticker):
                    assert_type(ticker.funding_rate, Decimal | None)
                case BarEvent(bar=bar, span=span):
                    assert_type(bar.partial, bool)
                    assert_type(span, BarSpan)
                case Gap():
                    assert_type(event.cause, GapCause)
                case StatusChanged():
                    assert_type(event.status, StreamConnectionStatus)
                case Lag() | Stale():
                    assert_type(event.until, datetime | None)
            assert_type(book.bids(5), list[DepthLevel])
    await broker.subscribe_market_data(contract.id, BarSpan(BarUnit.MINUTE, 5))
    await broker.subscribe_market_data(contract.id, [MarketDataType.BAR, BarSpan(BarUnit.DAY)])
    async with broker.order_book(contract.id) as kept:
        assert_type(kept, LiveOrderBook)
        assert_type(kept.best_bid(), DepthLevel | None)
        assert_type(kept.spread(stale_ok=True), Decimal | None)
    await (await broker.subscribe_market_data(contract.id, types)).__anext__()
    awaited: Awaitable[Subscription[MarketEvent]] = broker.subscribe_market_data("ABC", types)
    assert_type(await awaited, Subscription[MarketEvent])
    await broker.unsubscribe_market_data(contract.id, types)


async def iterates_over_user_data(broker: Provider, account: Account) -> None:
    async with broker.subscribe_user_data(account.id, [*UserDataType]) as stream:
        assert_type(stream, Subscription[UserEvent])
        async for event in stream:
            match event:
                case OrderUpdateEvent():
                    assert_type(event.order, Order)
                case UserTradeEvent(trade=trade):
                    assert_type(trade.price, Decimal)
                case PositionUpdateEvent():
                    assert_type(event.position, Position)
                case AccountUpdateEvent():
                    assert_type(event.account, Account)
                case Gap() | StatusChanged() | Lag() | Stale():
                    assert_type(event, Gap | StatusChanged | Lag | Stale)


async def gives_handlers(broker: Provider) -> None:
    @broker.on_event
    async def later(event: Event) -> None: ...

    @broker.on_status_change
    def changed(change: StatusChanged) -> None: ...

    @broker.on_error
    def failed(error: TradeForgeError) -> None: ...

    def wrong(event: int) -> None: ...

    broker.on_event(print)
    broker.on_event(wrong)  # type: ignore[type-var]
    changed(StatusChanged(**_anything()))
    assert_type(broker.status, StreamConnectionStatus)
    await broker.connect()
    await broker.run_forever()
    await broker.disconnect()


def _anything() -> dict[str, Any]:
    return {}


def writes_and_reads_json(order: Order, event: Event) -> None:
    assert_type(to_json(order, indent=2), str)
    assert_type(from_json(Order, to_json(order)), Order)
    assert_type(from_json(QuoteEvent, b"{}"), QuoteEvent)
    again: Event = from_json(Event, to_json(event))
    assert again == event


class RiskLimits:
    """An add-on takes the arguments that it needs, and may be async."""

    @hookimpl
    async def tradeforge_check_order(
        self, request: OrderRequest, context: OrderContext
    ) -> Veto | None:
        assert_type(context.contract, Contract)
        return Veto("too many") if request.size > 10 else None

    @hookimpl
    def tradeforge_event(self, event: Event) -> None: ...
