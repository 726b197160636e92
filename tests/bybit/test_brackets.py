"""Orders at Bybit that bring their exits along."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from attrs import evolve

from tradeforge_bybit import _orders, _wire
from tradeforge_bybit.provider import BybitProvider
from tradeforge_bybit.sandbox import BybitSandbox, Fault
from tradeforge_core import (
    Bracket,
    InvalidOrder,
    NotSent,
    NotSupported,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    ProtectionIncomplete,
    load_provider,
)

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LINEAR = "linear:BTCUSDT"
CREATE, REALTIME = "/v5/order/create", "/v5/order/realtime"


class Desk:
    """One trader at the linear contract of a sandbox whose market stands still."""

    def __init__(self, broker: BybitProvider, sandbox: BybitSandbox, account_id: str) -> None:
        self.broker = broker
        self.exchange = sandbox.exchange
        self.sandbox = sandbox
        self.account_id = account_id

    @property
    def last(self) -> Decimal:
        return self.exchange.quote(LINEAR).last

    def market(self, side: OrderSide, exits: Bracket, contract_id: str = LINEAR) -> OrderRequest:
        request = OrderRequest.market(self.account_id, contract_id, side, "0.01")
        return evolve(request, bracket=exits)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with BybitSandbox(seed=3, tick_seconds=3600) as sandbox:
        broker = load_provider("bybit", settings=sandbox.settings)
        assert isinstance(broker, BybitProvider)
        async with broker:
            (account,) = await broker.get_accounts()
            yield Desk(broker, sandbox, account.id)


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
async def test_exits_of_a_market_order_count_from_the_best_offer(
    desk: Desk, side: OrderSide, sign: int
) -> None:
    quote = desk.exchange.quote(LINEAR)
    best = quote.ask if side is BUY else quote.bid
    assert best is not None
    order = await desk.broker.place_order(
        desk.market(side, Bracket(stop_loss=100, take_profit=200))
    )
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    stop, target = family.stop_loss, family.take_profit
    assert stop is not None and target is not None
    assert (stop.type, stop.stop_price) == (OrderType.STOP, best - sign * 100)
    assert (target.type, target.stop_price) == (OrderType.MARKET_IF_TOUCHED, best + sign * 200)
    assert {stop.size, target.size} == {Decimal("0.01")}
    assert {stop.side, target.side} == {side.opposite}
    assert {stop.parent_order_id, target.parent_order_id} == {order.id}
    assert stop.reduce_only and target.reduce_only


async def test_exits_of_a_limit_count_from_its_price(desk: Desk) -> None:
    price = desk.last - 500
    request = OrderRequest.limit(desk.account_id, LINEAR, BUY, "0.01", price)
    order = await desk.broker.place_order(evolve(request, bracket=Bracket(stop_loss=100)))
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert (family.stop_loss, family.take_profit) == (None, None)  # it waits for the fill
    desk.exchange.move_to(LINEAR, price - 50)
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.entry.status is OrderStatus.FILLED
    assert family.stop_loss is not None
    assert family.stop_loss.stop_price == price - 100


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
async def test_a_limit_that_fills_at_once_is_not_stopped_out(
    desk: Desk, side: OrderSide, sign: int
) -> None:
    """Counted from its limit, the stop would stand on the wrong side of the market."""
    quote = desk.exchange.quote(LINEAR)
    best = quote.ask if side is BUY else quote.bid
    assert best is not None
    request = OrderRequest.limit(desk.account_id, LINEAR, side, "0.01", best + sign * 300)
    order = await desk.broker.place_order(evolve(request, bracket=Bracket(stop_loss=100)))
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.entry.status is OrderStatus.FILLED
    assert family.stop_loss is not None
    assert family.stop_loss.stop_price == best - sign * 100
    assert not family.stop_loss.status.is_final


async def test_exits_of_a_stop_limit_count_from_where_it_begins(desk: Desk) -> None:
    request = OrderRequest(
        account_id=desk.account_id,
        contract_id=LINEAR,
        side=BUY,
        type=OrderType.STOP_LIMIT,
        size=Decimal("0.01"),
        stop_price=desk.last + 500,
        limit_price=desk.last + 900,
        bracket=Bracket(stop_loss=200),
    )
    order = await desk.broker.place_order(request)
    desk.exchange.move_to(LINEAR, desk.last + 510)
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.entry.status is OrderStatus.FILLED
    assert family.stop_loss is not None
    assert request.stop_price is not None
    assert family.stop_loss.stop_price == request.stop_price - 200


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
async def test_exits_of_a_stop_may_stand_where_the_market_is_before_it(
    desk: Desk, side: OrderSide, sign: int
) -> None:
    begins = desk.last + sign * 500
    request = OrderRequest(
        account_id=desk.account_id,
        contract_id=LINEAR,
        side=side,
        type=OrderType.STOP,
        size=Decimal("0.01"),
        stop_price=begins,
        bracket=Bracket(stop_loss=600, take_profit=200),
    )
    near = evolve(request, bracket=Bracket(stop_loss=100, take_profit=200))
    for one in (request, near):
        order = await desk.broker.place_order(one)
        assert order.status is OrderStatus.WORKING
    desk.exchange.move_to(LINEAR, begins + sign * 10)
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.entry.status is OrderStatus.FILLED
    assert family.stop_loss is not None and family.take_profit is not None
    assert family.stop_loss.stop_price == begins - sign * 100
    assert family.take_profit.stop_price == begins + sign * 200


async def test_open_orders_name_the_entry_also_to_a_newcomer(desk: Desk) -> None:
    order = await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=100, take_profit=200)))
    async with load_provider("bybit", settings=desk.sandbox.settings) as newcomer:
        exits = await newcomer.get_open_orders(desk.account_id)
        assert {one.parent_order_id for one in exits} == {order.id}


async def test_an_entry_is_looked_for_where_its_exits_are(desk: Desk) -> None:
    """Whoever gets out after a restart must not wait for a search of every category."""
    exits = Bracket(stop_loss=100, take_profit=200)
    orders = [await desk.broker.place_order(desk.market(BUY, exits)) for _ in range(3)]
    async with load_provider("bybit", settings=desk.sandbox.settings) as newcomer:
        before = desk.sandbox.requests[REALTIME]
        found = await newcomer.get_open_orders(desk.account_id)
        asked = desk.sandbox.requests[REALTIME] - before
        assert {one.parent_order_id for one in found} == {one.id for one in orders}
        await newcomer.get_open_orders(desk.account_id)
        lists = desk.sandbox.requests[REALTIME] - before - asked
    assert asked - lists == 2 * len(orders)  # each a page, and the empty one after it


async def test_a_close_takes_the_exits_along(desk: Desk) -> None:
    await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=100, take_profit=200)))
    await desk.broker.close_position(desk.account_id, LINEAR)
    assert await desk.broker.get_open_orders(desk.account_id) == []
    assert await desk.broker.get_positions(desk.account_id) == []


async def test_an_exit_can_be_moved(desk: Desk) -> None:
    order = await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=100, take_profit=200)))
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.stop_loss is not None
    stop = desk.last - 300
    await desk.broker.modify_order(desk.account_id, family.stop_loss.id, stop_price=stop)
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.stop_loss is not None and family.stop_loss.stop_price == stop


async def test_exits_that_have_just_ended_are_found_while_the_list_of_past_orders_is_behind(
    desk: Desk,
) -> None:
    """One that has filled must not count as lost: with the policy that would close a position."""
    price = desk.last - 50
    request = OrderRequest.limit(desk.account_id, LINEAR, BUY, "0.01", price)
    request = evolve(request, bracket=Bracket(stop_loss=100, take_profit=200))
    order = await desk.broker.place_order(request)
    desk.sandbox.fail_next("/v5/order/history", Fault.STALE, count=100)
    desk.exchange.move_to(LINEAR, price - 150)
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    assert family.stop_loss is not None and family.take_profit is not None
    assert family.stop_loss.status is OrderStatus.FILLED
    assert family.take_profit.status is OrderStatus.CANCELLED


async def test_exits_are_what_the_venue_names_them(desk: Desk) -> None:
    """Their entry was placed where both are on one side of the market."""
    price = desk.last - 500
    request = OrderRequest.limit(desk.account_id, LINEAR, BUY, "0.01", price)
    request = evolve(request, bracket=Bracket(stop_loss=100, take_profit=200))
    order = await desk.broker.place_order(request)
    desk.exchange.move_to(LINEAR, price - 50)
    family = await desk.broker.get_order_family(desk.account_id, order.id)
    kinds = [_orders.to_order(_without_direction(one), "linear", "7").type for one in family.exits]
    assert kinds == [OrderType.STOP, OrderType.MARKET_IF_TOUCHED]


def _without_direction(exit_: Order) -> _wire.OrderRow:
    assert isinstance(exit_.raw, _wire.OrderRow)
    return msgspec.structs.replace(exit_.raw, triggerDirection=0)


async def test_a_take_profit_is_one_by_its_fills_too(desk: Desk) -> None:
    order = await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=100, take_profit=200)))
    desk.exchange.move_to(LINEAR, desk.last + 300)
    since = datetime.now(UTC) - timedelta(hours=1)
    trades = await desk.broker.get_trade_history(desk.account_id, start=since)
    (trade,) = [one for one in trades if one.order_id != order.id]
    assert isinstance(trade.raw, _wire.ExecutionRow)
    (known,) = _orders.of_fills([trade.raw], "linear", desk.account_id)
    assert known.type is OrderType.MARKET_IF_TOUCHED


async def test_a_stop_that_the_venue_lost_is_told(desk: Desk) -> None:
    account = desk.exchange.accounts()[0].id
    desk.exchange.lose_legs(account, take_profit=False)
    with pytest.raises(ProtectionIncomplete) as told:
        await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=100, take_profit=200)))
    assert told.value.missing == ("stop_loss",)


@pytest.mark.parametrize(
    ("exits", "contract_id", "wrong"),
    [
        (Bracket(stop_loss=100), "spot:BTCUSDT", "spot"),
        (Bracket(stop_loss=100, trailing=True), LINEAR, "trail"),
    ],
)
async def test_what_the_venue_has_not_is_not_sent(
    desk: Desk, exits: Bracket, contract_id: str, wrong: str
) -> None:
    with pytest.raises(NotSupported, match=wrong):
        await desk.broker.place_order(desk.market(BUY, exits, contract_id))
    assert not desk.sandbox.requests[CREATE]


async def test_a_stop_below_zero_is_no_stop(desk: Desk) -> None:
    with pytest.raises(InvalidOrder, match="stop_loss"):
        await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=10_000_000)))
    assert not desk.sandbox.requests[CREATE]


async def test_without_a_book_nothing_is_sent(desk: Desk) -> None:
    """The exits of a market order need a price to count from."""
    desk.sandbox.fail_next("/v5/market/orderbook", 500, count=10)
    with pytest.raises(NotSent):
        await desk.broker.place_order(desk.market(BUY, Bracket(stop_loss=100)))
    assert not desk.sandbox.requests[CREATE]
