"""A venue whose reads are seconds behind, as those of a copy: what was done is not forgotten."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import pytest
from attrs import define
from tests.topstepx.order_safety.stage import stage
from tests.truth_table import SHORT

from tradeforge_core import (
    Bracket,
    JournalKind,
    NotFlat,
    NotSent,
    Order,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderType,
    OrderVetoed,
    RiskLimits,
    TradeForgeError,
    UserDataType,
    load_provider,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_core.provider import Provider
from tradeforge_testing.exchange import Ticket
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LAG = 3.0


@define
class Desk:
    """A trader whose venue shows what was so three seconds ago."""

    sandbox: TopStepXSandbox
    broker: Provider
    account_id: str
    contract_id: str

    async def trade(self, side: OrderSide, size: int = 1, **more: Any) -> Order:
        request = OrderRequest.market(self.account_id, self.contract_id, side, size)
        return await self.broker.place_order(attrs.evolve(request, **more))

    async def rest(self, side: OrderSide, price: int, size: int = 1) -> Order:
        request = OrderRequest.limit(self.account_id, self.contract_id, side, size, price)
        return await self.broker.place_order(request)

    async def flatten(self) -> None:
        await self.broker.flatten(self.account_id)

    def somebody_else(self, side: OrderSide, size: int) -> None:
        """The same account, traded from another program."""
        ticket = Ticket(
            account_id=int(self.account_id),
            instrument_id=self.contract_id,
            side=side,
            type=OrderType.MARKET,
            size=size,
        )
        self.sandbox.exchange.place(ticket)

    def fill(self, order: Order, size: int) -> None:
        price = order.limit_price
        assert price is not None
        self.sandbox.exchange.fill_order(int(order.account_id), int(order.id), size, price)

    @property
    def held(self) -> int:
        return sum(one.size for one in self.sandbox.exchange.positions(int(self.account_id)))

    @property
    def at_work(self) -> int:
        orders = self.sandbox.exchange.orders(int(self.account_id))
        return sum(not one.status.is_final for one in orders)


Live = Callable[[Desk], Awaitable[None]]


def behind(
    live: Live,
    *,
    lag: float = LAG,
    limits: RiskLimits | None = None,
    listens: bool = False,
    seed: int = 0,
) -> None:
    """Live it with reads that are behind by `lag`, and with the streams if it `listens`."""

    async def program() -> None:
        safety = OrderSafety(journal=JournalKind.MEMORY, limits=limits or RiskLimits())
        async with TopStepXSandbox(seed=7, tick_seconds=3600) as sandbox:
            async with load_provider("topstepx", sandbox.settings, safety=safety) as broker:
                account, *_ = await broker.get_accounts()
                contract = await broker.get_contract_by_symbol("MNQ")
                if listens:
                    await broker.subscribe_user_data([account.id], list(UserDataType))
                sandbox.lag_reads(lag)
                await live(Desk(sandbox, broker, account.id, contract.id))

    simulate(program, seed=seed, network=MemoryNetwork(latency=0.01, seed=seed))


listening = pytest.mark.parametrize("listens", [False, True])


# --- flatten ---


@listening
def test_flat_is_not_said_of_an_order_that_has_just_filled(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(BUY)
        await desk.flatten()
        assert (desk.held, desk.at_work) == (0, 0)

    behind(live, listens=listens)


@listening
def test_flat_is_not_said_of_an_order_that_rests(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.rest(BUY, 1)
        await desk.flatten()
        assert (desk.held, desk.at_work) == (0, 0)

    behind(live, listens=listens)


@listening
def test_flat_is_not_said_of_one_that_turned_an_old_position(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(SELL)
        await asyncio.sleep(60)
        await desk.trade(BUY)
        await desk.trade(BUY, 2)
        await desk.flatten()
        assert (desk.held, desk.at_work) == (0, 0)

    behind(live, listens=listens)


@pytest.mark.parametrize("bracket", [Bracket(stop_loss=10, take_profit=20), Bracket(stop_loss=10)])
def test_flat_is_not_said_of_an_entry_with_exits(bracket: Bracket) -> None:
    async def live(desk: Desk) -> None:
        try:
            await desk.trade(BUY, bracket=bracket)
        except TradeForgeError:
            pass  # its exits are not shown in time either
        await desk.flatten()
        assert (desk.held, desk.at_work) == (0, 0)

    behind(live)


def test_with_a_venue_that_stays_behind_flat_is_not_said() -> None:
    async def live(desk: Desk) -> None:
        order = await desk.trade(BUY)
        with pytest.raises(NotFlat) as caught:
            await desk.flatten()
        assert order.client_order_id in caught.value.unknown

    behind(live, lag=3600)


@listening
def test_nobody_waits_where_looks_are_not_behind(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(SELL, 3)
        await asyncio.sleep(60)
        await desk.trade(BUY)
        await desk.rest(BUY, 1)
        began = current_clock().monotonic()
        await desk.flatten()
        assert current_clock().monotonic() - began < 1
        assert (desk.held, desk.at_work) == (0, 0)

    behind(live, lag=0, listens=listens)


def test_flat_is_not_said_after_a_new_connection_either() -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(BUY)
        await desk.broker.disconnect()
        await desk.broker.connect()
        await desk.flatten()
        assert desk.held == 0

    behind(live)


async def test_flat_is_not_said_by_the_next_run_of_the_program_either() -> None:
    """What the journal says of the last seconds counts; on a real disk, so in real time."""
    look_ups = attrs.evolve(SHORT, settle=4.0)
    async with stage(journal=JournalKind.DURABLE, look_ups=look_ups) as on:
        on.sandbox.lag_reads(1.0)
        request = OrderRequest.market(on.account_id, on.contract.id, BUY, 2)
        await on.broker.place_order(request)
        await on.broker.disconnect()
        again = TopStepXProvider(on.broker.config, safety=on.broker.safety)
        async with again:
            await again.flatten(on.account_id)
            assert on.held == 0


# --- limits ---


@listening
def test_the_largest_position_counts_what_has_just_filled(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(BUY)
        for pause in (0.0, 1.0, 3.0, 9.0):
            await asyncio.sleep(pause)
            with pytest.raises(OrderVetoed, match="max_position is 1, and it could become 2"):
                await desk.trade(BUY)
        await desk.trade(SELL)
        assert desk.held == 0

    behind(live, limits=RiskLimits(max_position=1), listens=listens)


@listening
def test_the_largest_position_counts_what_has_just_been_closed(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(BUY)
        await asyncio.sleep(60)
        await desk.broker.close_position(desk.account_id, desk.contract_id)
        with pytest.raises(OrderVetoed, match="max_position"):
            await desk.trade(SELL, 2)
        assert desk.held == 0

    behind(live, limits=RiskLimits(max_position=1), listens=listens)


@listening
def test_the_largest_position_counts_a_size_that_has_just_grown(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        resting = await desk.rest(BUY, 1)
        await asyncio.sleep(60)
        await desk.broker.modify_order(desk.account_id, resting.id, size=3)
        with pytest.raises(OrderVetoed, match="max_position is 3, and it could become 4"):
            await desk.rest(BUY, 1)

    behind(live, limits=RiskLimits(max_position=3), listens=listens)


@listening
def test_what_only_makes_it_smaller_does_not_turn_it_around(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(BUY)
        await asyncio.sleep(60)
        await desk.trade(SELL)
        desk.broker.halt("news")
        with pytest.raises(OrderVetoed, match="halted"):
            await desk.trade(SELL)
        assert desk.held == 0

    behind(live, listens=listens)


@listening
def test_whoever_trades_fast_is_not_held_up_where_looks_are_not_behind(listens: bool) -> None:
    async def live(desk: Desk) -> None:
        for _ in range(20):
            await desk.trade(BUY)
            await desk.trade(SELL)
            await asyncio.sleep(6)
            await desk.trade(SELL)
            await desk.broker.close_position(desk.account_id, desk.contract_id)
        assert desk.held == 0

    behind(live, lag=0, limits=RiskLimits(max_position=1), listens=listens)


def test_what_another_program_does_is_believed_soon() -> None:
    async def live(desk: Desk) -> None:
        await desk.trade(BUY)
        desk.somebody_else(SELL, 1)
        await asyncio.sleep(11)
        await desk.trade(BUY)
        assert desk.held == 1

    behind(live, lag=0, limits=RiskLimits(max_position=1))


# --- whatever a trader does ---


async def _act(desk: Desk, chance: Random) -> None:
    side, size = chance.choice([BUY, SELL]), chance.randint(1, 3)
    match chance.choice(["trade", "trade", "rest", "close", "part", "flatten", "wait"]):
        case "trade":
            await desk.trade(side, size)
        case "rest":
            order = await desk.rest(side, 1 if side is BUY else 90_000, size)
            if chance.random() < 0.5:
                desk.fill(order, chance.randint(1, size))
        case "close":
            await desk.broker.close_position(desk.account_id, desk.contract_id)
        case "part":
            await desk.broker.close_position(desk.account_id, desk.contract_id, size=Decimal(1))
        case "flatten":
            await desk.flatten()
            assert (desk.held, desk.at_work) == (0, 0)
        case "wait":
            await asyncio.sleep(chance.choice([0.1, 1.0, 2.0, 5.0, 20.0]))


@pytest.mark.parametrize("seed", range(20))
def test_no_limit_is_exceeded_and_flat_is_flat_whatever_a_trader_does(seed: int) -> None:
    chance = Random(seed)

    async def live(desk: Desk) -> None:
        for _ in range(40):
            try:
                await _act(desk, chance)
            except (OrderVetoed, NotSent, NotFlat, TradeForgeError):
                pass
            assert abs(desk.held) <= 4

    lag = chance.choice([0.0, 0.5, 2.0, 5.0])
    limits = RiskLimits(max_position=4)
    behind(live, lag=lag, limits=limits, listens=seed % 2 == 0, seed=seed)
