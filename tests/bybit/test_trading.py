"""A trader's day at the sandbox of Bybit, which was written without a look at the provider."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from tradeforge_bybit._endpoints import Endpoint
from tradeforge_bybit._wire import Nothing
from tradeforge_bybit.provider import BybitProvider
from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_core import (
    Contract,
    NotFound,
    Order,
    OrderRejected,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    load_provider,
)

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SWITCH_MODE = Endpoint("/v5/position/switch-mode", Nothing, limit=10, write=True)


@frozen(kw_only=True)
class Day:
    broker: BybitProvider
    account_id: str
    linear: Contract
    spot: Contract
    inverse: Contract
    last: Decimal

    def price(self, part: str) -> Decimal:
        """This part of the last price, on the tick."""
        rounding = ROUND_UP if Decimal(part) > 1 else ROUND_DOWN
        return self.linear.round_price(self.last * Decimal(part), rounding=rounding)

    def market(self, contract: Contract, side: OrderSide, size: str, **more: Any) -> OrderRequest:
        return evolve(OrderRequest.market(self.account_id, contract.id, side, size), **more)

    def limit(self, side: OrderSide, size: str, part: str, **more: Any) -> OrderRequest:
        price = self.price(part)
        return evolve(
            OrderRequest.limit(self.account_id, self.linear.id, side, size, price), **more
        )

    async def held(self) -> dict[tuple[str, OrderSide | None], Decimal]:
        positions = await self.broker.get_positions(self.account_id)
        return {(one.contract_id, one.hedge_side): one.size for one in positions}

    async def hedge(self) -> None:
        body = {"category": "linear", "symbol": "BTCUSDT", "mode": 3}
        await self.broker._rest._write(SWITCH_MODE, body)


@pytest.fixture
async def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Day]:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    async with BybitSandbox(seed=7, tick_seconds=3600) as sandbox:
        broker = load_provider("bybit", settings=sandbox.settings)
        assert isinstance(broker, BybitProvider)
        async with broker:
            (account,) = await broker.get_accounts()
            linear = await broker.get_contract_by_symbol("BTCUSDT")
            last = (await broker.ticker_of(linear.id)).last
            assert last is not None
            yield Day(
                broker=broker,
                account_id=account.id,
                linear=linear,
                spot=await broker.get_contract_by_symbol("spot:BTCUSDT"),
                inverse=await broker.get_contract_by_symbol("inverse:BTCUSD"),
                last=last,
            )


async def test_an_order_from_its_placing_to_its_end(day: Day) -> None:
    broker = day.broker
    order = await broker.place_order(day.limit(BUY, "0.1", "0.97"))
    assert order.status is OrderStatus.WORKING
    await broker.modify_order(day.account_id, order.id, size="0.2", limit_price=day.price("0.96"))
    changed = await broker.get_order(day.account_id, order.id)
    assert (changed.size, changed.limit_price) == (Decimal("0.2"), day.price("0.96"))
    assert [one.id for one in await broker.get_open_orders(day.account_id)] == [order.id]
    await broker.cancel_order(day.account_id, order.id)
    assert order.client_order_id is not None
    ended = await broker.find_order(day.account_id, order.client_order_id)
    assert (ended.id, ended.status) == (order.id, OrderStatus.CANCELLED)


async def test_every_type_is_taken_as_what_it_is(day: Day) -> None:
    stop = OrderRequest.stop(day.account_id, day.linear.id, SELL, "0.1", day.price("0.97"))
    above = day.price("1.02")
    orders = [
        stop,
        evolve(stop, contract_id=day.spot.id, size=Decimal("0.01")),
        evolve(stop, side=BUY, type=OrderType.STOP_LIMIT, stop_price=above, limit_price=above),
        day.limit(BUY, "0.1", "0.97", post_only=True),
    ]
    for request in orders:
        order = await day.broker.place_order(request)
        found = await day.broker.get_order(day.account_id, order.id)
        assert (found.type, found.side, found.status) == (
            request.type,
            request.side,
            OrderStatus.WORKING,
        )
        assert (found.stop_price, found.limit_price) == (request.stop_price, request.limit_price)
        assert found.post_only is request.post_only
    results = await day.broker.cancel_all_orders(day.account_id)
    assert [one.error for one in results] == [None] * 4


async def test_orders_that_the_venue_has_said_yes_to_and_refuses(day: Day) -> None:
    with pytest.raises(OrderRejected, match="EC_PostOnlyWillTakeLiquidity"):
        await day.broker.place_order(day.limit(BUY, "0.1", "1.005", post_only=True))
    missed = await day.broker.place_order(
        day.limit(BUY, "0.1", "0.97", time_in_force=TimeInForce.IOC)
    )
    assert (missed.status, missed.filled_size) == (OrderStatus.CANCELLED, 0)


@pytest.mark.parametrize(
    ("request_of", "said"),
    [
        (lambda day: day.market(day.linear, BUY, "99"), "insufficient balance"),
        (lambda day: day.limit(BUY, "0.01", "1.2"), "price outside the limits"),
        (lambda day: day.market(day.linear, SELL, "0.1", reduce_only=True), "reduce-only"),
        (
            lambda day: OrderRequest.stop(
                day.account_id, day.linear.id, BUY, "0.1", day.price("0.9")
            ),
            "trigger price on the wrong side",
        ),
        (lambda day: day.market(day.spot, SELL, "40"), "insufficient balance"),
    ],
)
async def test_what_the_venue_refuses_says_why(day: Day, request_of: Any, said: str) -> None:
    with pytest.raises(OrderRejected, match=said):
        await day.broker.place_order(request_of(day))


async def test_spot_moves_balances(day: Day) -> None:
    async def coins() -> dict[str, Decimal]:
        (account,) = await day.broker.get_accounts()
        return {one.currency: one.total for one in account.balances}

    before = await coins()
    bought = await day.broker.place_order(day.market(day.spot, BUY, "50", in_quote=True))
    assert (bought.status, bought.in_quote, bought.size) == (OrderStatus.FILLED, True, 50)
    after = await coins()
    trades = await _trades(day)
    assert before["USDT"] - after["USDT"] == sum(one.size * one.price for one in trades) <= 50
    fees = sum((one.fees for one in trades if one.fees is not None), Decimal(0))
    assert after["BTC"] - before["BTC"] == bought.filled_size - fees
    assert {one.fee_currency for one in trades} == {"BTC"}
    assert await day.held() == {}


async def test_positions_of_each_kind_are_closed(day: Day) -> None:
    await day.broker.place_order(day.market(day.linear, BUY, "0.1"))
    await day.broker.place_order(day.market(day.inverse, SELL, "100"))
    assert await day.held() == {
        (day.linear.id, None): Decimal("0.1"),
        (day.inverse.id, None): Decimal(-100),
    }
    await day.broker.close_position(day.account_id, day.linear.id, size="0.04")
    assert (await day.held())[day.linear.id, None] == Decimal("0.06")
    await day.broker.flatten(day.account_id)
    assert await day.held() == {}
    with pytest.raises(NotFound):
        await day.broker.close_position(day.account_id, day.linear.id)


async def test_long_and_short_at_once(day: Day) -> None:
    await day.broker.place_order(day.limit(BUY, "0.1", "0.97"))  # the mode is known by now
    await day.broker.cancel_all_orders(day.account_id)
    await day.hedge()
    with pytest.raises(OrderRejected, match="the position mode was changed: try again"):
        await day.broker.place_order(day.market(day.linear, BUY, "0.1"))
    await day.broker.place_order(day.market(day.linear, BUY, "0.1"))
    await day.broker.place_order(day.market(day.linear, SELL, "0.05"))
    long, short = (day.linear.id, BUY), (day.linear.id, SELL)
    assert await day.held() == {long: Decimal("0.1"), short: Decimal("-0.05")}
    await day.broker.place_order(day.market(day.linear, SELL, "0.04", reduce_only=True))
    assert await day.held() == {long: Decimal("0.06"), short: Decimal("-0.05")}
    await day.broker.close_position(day.account_id, day.linear.id)
    assert await day.held() == {}


async def test_histories_have_everything_once(day: Day) -> None:
    placed: list[Order] = [
        await day.broker.place_order(day.market(contract, side, size))
        for contract, side, size in (
            (day.linear, BUY, "0.05"),
            (day.spot, SELL, "0.01"),
            (day.inverse, BUY, "10"),
            (day.linear, SELL, "0.05"),
        )
    ]
    start = min(one.created_at for one in placed if one.created_at) - timedelta(minutes=1)
    history = await day.broker.get_order_history(day.account_id, start=start)
    assert {one.id for one in history} == {one.id for one in placed}
    trades = await _trades(day)
    filled = {one.id: one.filled_size for one in placed}
    for order_id, size in filled.items():
        assert sum(one.size for one in trades if one.order_id == order_id) == size


async def _trades(day: Day) -> list[Any]:
    now = day.broker._clock.now()
    return await day.broker.get_trade_history(day.account_id, start=now - timedelta(hours=1))
