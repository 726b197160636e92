"""A venue and a client for one request that goes wrong, and the venue's books as the oracle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import attrs
from attrs import field, frozen
from tests import truth_table
from tests.patience import HANG
from tests.truth_table import SHORT, Outcomes, check_told, error_of

from tradeforge_core import (
    Contract,
    JournalKind,
    LookUps,
    NotSent,
    OrderOutcome,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderStatus,
    Plugins,
    Resolution,
    RiskLimits,
    Settings,
    TradeForgeError,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.orders.intents import Operation
from tradeforge_core.outcomes import Accepted, Unknown
from tradeforge_core.outcomes import NotSent as NotSentOutcome
from tradeforge_testing.exchange import ExchangeOrder
from tradeforge_testing.proxy import FaultProxy
from tradeforge_testing.sim import simulate
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

RESOLVED_WITHIN = 5.0
"""Seconds from the call to the outcome of what the venue did."""
NEXT = "the next one"
_LOGINS = count()


@frozen(kw_only=True)
class Stage:
    """Everything that one row needs, for itself alone."""

    sandbox: TopStepXSandbox
    proxy: FaultProxy
    broker: TopStepXProvider
    account_id: str
    contract: Contract
    outcomes: Outcomes = field(factory=Outcomes)

    @property
    def orders(self) -> list[ExchangeOrder]:
        """What the venue has, without the order of `trade_on`."""
        orders = self.sandbox.exchange.orders(int(self.account_id))
        return [one for one in orders if one.tag != NEXT]

    @property
    def standing(self) -> list[ExchangeOrder]:
        """Those that were not refused."""
        return [one for one in self.orders if one.status is not OrderStatus.REJECTED]

    @property
    def held(self) -> int:
        return sum(one.size for one in self.sandbox.exchange.positions(int(self.account_id)))

    async def rest(self) -> None:
        """Put an order for two into the book, far from the market."""
        limit = OrderRequest.limit(
            self.account_id, self.contract.id, OrderSide.BUY, 2, self.contract.tick_size
        )
        await self.broker.place_order(limit)

    async def hold(self) -> None:
        """Buy three."""
        market = OrderRequest.market(self.account_id, self.contract.id, OrderSide.BUY, 3)
        await self.broker.place_order(market)

    async def nothing(self) -> None: ...

    async def trade_on(self) -> None:
        """Place another order, as anybody does after something went wrong.

        While the outcome of the first one is not known it is not sent: then it is placed later.
        """
        another = OrderRequest.limit(
            self.account_id, self.contract.id, OrderSide.BUY, 1, self.contract.tick_size
        )
        async with asyncio.timeout(HANG):
            while True:
                try:
                    await self.broker.place_order(attrs.evolve(another, client_order_id=NEXT))
                except NotSent:
                    await self.until(lambda: not self.broker.unsettled_outcomes())
                else:
                    return

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the loop turn until it is so."""
        async with asyncio.timeout(HANG):
            while not is_so():  # noqa: ASYNC110  # no event says so: it is the venue's books
                await asyncio.sleep(0)

    @property
    def told(self) -> list[OrderOutcome]:
        """The outcomes, without that of `trade_on`."""
        return [one for one in self.outcomes if one.client_order_id != NEXT]


@asynccontextmanager
async def stage(
    *,
    look_ups: LookUps = SHORT,
    timeouts: HttpTimeouts | None = None,
    journal: JournalKind = JournalKind.MEMORY,
    limits: RiskLimits | None = None,
) -> AsyncIterator[Stage]:
    """A sandbox whose market stands still, a proxy in front of it, and a connected client."""
    outcomes = Outcomes()
    async with AsyncExitStack() as stack:
        # a port may come again, and with the same name the cool-down after a 429 there as well
        venue = TopStepXSandbox(seed=7, tick_seconds=3600, username=f"trader-{next(_LOGINS)}")
        sandbox = await stack.enter_async_context(venue)
        proxy = await stack.enter_async_context(FaultProxy(sandbox.port, clock=current_clock()))
        settings = sandbox.settings | {"TS_REST_URL": f"http://127.0.0.1:{proxy.port}"}
        config = TopStepXConfig.from_settings(Settings("topstepx", settings))
        broker = TopStepXProvider(
            attrs.evolve(config, timeouts=timeouts or HttpTimeouts()),
            plugins=Plugins([outcomes], installed=False),
            safety=OrderSafety(journal=journal, look_ups=look_ups, limits=limits or RiskLimits()),
        )
        await stack.enter_async_context(broker)
        yield Stage(
            sandbox=sandbox,
            proxy=proxy,
            broker=broker,
            account_id=(await broker.get_accounts())[0].id,
            contract=await broker.get_contract_by_symbol("MNQ"),
            outcomes=outcomes,
        )


@frozen(kw_only=True)
class Mutation:
    """A way to change something at the venue, and how its books show that it was done."""

    operation: Operation
    path: str
    before: Callable[[Stage], Awaitable[None]]
    call: Callable[[Stage], Coroutine[Any, Any, object]]
    was_done: Callable[[Stage], bool]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


async def _place(on: Stage) -> None:
    request = OrderRequest.limit(
        on.account_id, on.contract.id, OrderSide.BUY, 2, on.contract.tick_size
    )
    placed = await on.broker.place_order(request)
    (booked,) = on.orders
    assert (placed.id, placed.client_order_id) == (str(booked.id), booked.tag), "another order"
    assert (placed.size, placed.limit_price) == (booked.size, booked.limit_price)


def _is_booked(on: Stage) -> bool:
    assert len(on.standing) <= 1, f"{len(on.standing)} orders of one intent"
    return bool(on.standing)


PLACE = Mutation(
    operation=Operation.PLACE,
    path="/api/Order/place",
    before=Stage.nothing,
    call=_place,
    was_done=_is_booked,
)
MODIFY = Mutation(
    operation=Operation.MODIFY,
    path="/api/Order/modify",
    before=Stage.rest,
    call=lambda on: on.broker.modify_order(on.account_id, str(on.orders[0].id), size=5),
    was_done=lambda on: on.orders[0].size == 5,
)
CANCEL = Mutation(
    operation=Operation.CANCEL,
    path="/api/Order/cancel",
    before=Stage.rest,
    call=lambda on: on.broker.cancel_order(on.account_id, str(on.orders[0].id)),
    was_done=lambda on: on.orders[0].status is OrderStatus.CANCELLED,
)
CLOSE = Mutation(
    operation=Operation.CLOSE,
    path="/api/Position/closeContract",
    before=Stage.hold,
    call=lambda on: on.broker.close_position(on.account_id, on.contract.id),
    was_done=lambda on: on.held == 0,
)
PARTIAL_CLOSE = Mutation(
    operation=Operation.CLOSE,
    path="/api/Position/partialCloseContract",
    before=Stage.hold,
    call=lambda on: on.broker.close_position(on.account_id, on.contract.id, size=Decimal(1)),
    was_done=lambda on: on.held == 2,
)
MUTATIONS = (PLACE, MODIFY, CANCEL, CLOSE, PARTIAL_CLOSE)


@frozen(kw_only=True)
class Row:
    """One mutation under one fault."""

    fault: str
    """Its number in the catalogue, and what it is here."""
    mutation: Mutation
    spoil: Callable[[Stage], object]
    undone: tuple[type, ...] = (Unknown,)
    """What may be said of a request that the venue did not do; no request of `NotSent` leaves."""
    timeouts: HttpTimeouts | None = None
    most_requests: int = 1


def failures(rows: Iterable[Row]) -> list[str]:
    """What is wrong with the rows, a line for each; in virtual time, as it tells what is late."""
    return simulate(lambda: truth_table.failures(rows, _try, _name), seed=7)


def _name(row: Row) -> str:
    return f"{row.mutation.name}, {row.fault}"


async def _try(row: Row) -> None:
    async with stage(timeouts=row.timeouts) as on:
        await row.mutation.before(on)
        on.outcomes.clear()
        if isinstance(spoiling := row.spoil(on), Awaitable):
            await spoiling
        asked = on.sandbox.requests[row.mutation.path]
        error, took = await _call(row.mutation, on)
        if on.outcomes:
            check_told(on.outcomes[-1], error)
            await _settle(row, on, took)
            _check_end(row, on)
        else:  # it was not even begun
            assert isinstance(error, NotSent), f"no outcome, and {error!r}"
            assert NotSentOutcome in row.undone and not row.mutation.was_done(on)
        _check_requests(row, on, asked)


async def _call(mutation: Mutation, on: Stage) -> tuple[TradeForgeError | None, float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    return await error_of(mutation.call(on)), loop.time() - began


async def _settle(row: Row, on: Stage, took: float) -> None:
    """What the venue did becomes known in time; what it did not do is found to be absent."""
    outcome = on.outcomes[-1]
    if row.mutation.was_done(on):
        assert took < RESOLVED_WITHIN, f"it took {took:.1f} s"
    until = asyncio.get_running_loop().time() + RESOLVED_WITHIN - took
    while isinstance(outcome, Unknown):
        done = row.mutation.was_done(on)
        if outcome.resolution is Resolution.ABSENT and not done:
            return
        assert not done or asyncio.get_running_loop().time() < until, f"not found: {outcome}"
        outcome = await on.broker.resolve(outcome.client_order_id, timeout=0.1)


def _check_end(row: Row, on: Stage) -> None:
    outcome = on.outcomes[-1]
    done = row.mutation.was_done(on)
    assert outcome.operation is row.mutation.operation
    if done:
        assert isinstance(outcome, Accepted), f"the venue did it, and it is called {outcome}"
        return
    assert isinstance(outcome, row.undone), f"the venue did not do it, and it is called {outcome}"
    if isinstance(outcome, Unknown):
        assert outcome.resolution is Resolution.ABSENT, f"not looked at to the end: {outcome}"


def _check_requests(row: Row, on: Stage, asked: int) -> None:
    sent = on.sandbox.requests[row.mutation.path] - asked
    assert sent <= row.most_requests, f"{sent} requests"
    if row.mutation.operation is Operation.CANCEL:
        looks = on.sandbox.requests["/api/Order/searchById"]
        assert sent <= 1 + looks, f"{sent} cancels and {looks} looks"
