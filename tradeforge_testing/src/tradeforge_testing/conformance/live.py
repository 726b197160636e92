"""What can be proven at a real account: a demo one, or a live one with limits on size and spend.

Every order is for one step of size. Nothing that could fill is sent without a limit on what it may
cost, and whatever is left at the end is swept: only what was placed here is touched.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from attrs import define, field, frozen

from tradeforge_core import (
    Account,
    Capabilities,
    Contract,
    MarketDataType,
    MarketState,
    Order,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderUpdateEvent,
    Provider,
    QuoteEvent,
    TradeForgeError,
    UserDataType,
    load_provider,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.conformance.report import Report, TestResult, Verdict
from tradeforge_testing.conformance.run import Told, distribution, versions
from tradeforge_testing.conformance.specification import declares, specification

_LONGEST = 60.0
"""Seconds that a check may take."""
_CLOSED_WAIT = 10.0
"""Seconds for a quote of a market that is closed by its hours: a simulated one may trade."""
_FAR = Decimal("0.97")
"""Of the price: an order there rests, and no venue calls it absurd."""
_LEAST_SPEND_TICKS = 8
"""A round trip pays the spread twice at the worst, in a market that moves."""


class NotRun(Exception):
    """A check does not apply here, for this reason."""


@frozen(kw_only=True)
class LiveLimits:
    """`spend` is the most that a round trip may cost, in the account's currency; None is none."""

    symbol: str
    account_id: str | None = None
    spend: Decimal | None = None


@define
class Visit:
    """One stay at the venue, and what was placed during it."""

    broker: Provider
    limits: LiveLimits
    placed: list[Order] = field(factory=list)
    bought: Decimal = Decimal(0)
    trades_now: bool = False
    account: Account | None = None
    contract: Contract | None = None

    def found(self) -> tuple[Account, Contract]:
        """Raises `NotRun` if earlier checks have not found them."""
        if self.account is None or self.contract is None:
            raise NotRun("there is no account and contract to try it with")
        return self.account, self.contract


Check = Callable[[Visit], Awaitable[None]]


def run_live(
    provider: str,
    limits: LiveLimits,
    *,
    told: Told = lambda result, tests: None,
) -> Report:
    """Run every check with the settings of the environment, and sweep what is left.

    Raises `ConfigError` and `ProviderNotFound`. What fails at the venue is in the report.
    """
    broker = load_provider(provider)
    clock = current_clock()
    began, watch = clock.now(), clock.monotonic()
    results = asyncio.run(run_checks(broker, limits, told))
    return Report(
        provider=provider,
        distribution=distribution(provider),
        versions=versions(provider),
        capabilities=broker.capabilities,
        specification=specification(),
        began=began,
        seconds=clock.monotonic() - watch,
        tests=results,
    )


def run_live_with(
    provider: str,
    *,
    symbol: str,
    account_id: str | None = None,
    spend: Decimal | None = None,
    told: Told = lambda result, tests: None,
) -> Report:
    """The same, from the words of a command line."""
    limits = LiveLimits(symbol=symbol, account_id=account_id, spend=spend)
    return run_live(provider, limits, told=told)


async def run_checks(broker: Provider, limits: LiveLimits, told: Told) -> list[TestResult]:
    """What each check found, in their order; `broker` is disconnected at the end."""
    visit, results = Visit(broker, limits), list[TestResult]()
    try:
        for name, (ids, check) in CHECKS.items():
            results.append(await _tried(visit, name, ids, check))
            told(results[-1], len(CHECKS))
    finally:
        await broker.disconnect()
    return results


async def _tried(visit: Visit, name: str, ids: tuple[str, ...], check: Check) -> TestResult:
    clock = current_clock()
    began = clock.monotonic()
    verdict, detail = Verdict.KEPT, ""
    try:
        if undeclared := list(_undeclared(visit.broker.capabilities, ids)):
            raise NotRun(f"not declared: {', '.join(undeclared)}")
        async with asyncio.timeout(_LONGEST):
            await check(visit)
    except NotRun as why:
        verdict, detail = Verdict.NOT_DECLARED, str(why)
    except (TradeForgeError, AssertionError, TimeoutError) as error:
        verdict, detail = Verdict.BROKEN, f"{type(error).__name__}: {error}"
    seconds = round(clock.monotonic() - began, 3)
    return TestResult(name=name, requirements=ids, verdict=verdict, seconds=seconds, detail=detail)


def _undeclared(has: Capabilities, ids: tuple[str, ...]) -> Iterator[str]:
    for need in {specification().requirements[one].needs for one in ids}:
        if need is not None and not declares(has, need):
            yield need


# --- the checks, in their order ---


async def _log_in(visit: Visit) -> None:
    await visit.broker.connect()
    await visit.broker.connect()


async def _accounts(visit: Visit) -> None:
    accounts = await visit.broker.get_accounts()
    assert accounts, "there is no active account"
    named = [one for one in accounts if one.id == visit.limits.account_id]
    simulated = [one for one in accounts if one.simulated]
    if visit.limits.account_id is not None:
        assert named, f"there is no account {visit.limits.account_id}"
    elif not simulated:
        raise NotRun("no account is known to be simulated: name the one to trade on")
    visit.account = (named or simulated)[0]


async def _contract(visit: Visit) -> None:
    found = await visit.broker.get_contract_by_symbol(visit.limits.symbol)
    assert await visit.broker.get_contract(found.id) == found
    assert found.tick_size > 0 and (found.tick_value is None or found.tick_value > 0)
    visit.contract = found


async def _bars(visit: Visit) -> None:
    _, contract = visit.found()
    now = current_clock().now()
    bars = await visit.broker.get_historical_bars(contract.id, start=now - timedelta(days=3))
    times = [one.time for one in bars]
    assert times, "three days have no bar"
    assert times == sorted(set(times))
    assert all(contract.is_on_tick(one.close) for one in bars)


async def _quotes(visit: Visit) -> None:
    if _is_open(visit):
        return await _see_quotes(visit, 1)
    try:
        async with asyncio.timeout(_CLOSED_WAIT):
            await _see_quotes(visit, 2)  # the first may be the last one of the day, said again
    except TimeoutError:
        raise NotRun("the market is not known to be open, and its quotes stand still") from None
    visit.trades_now = True


async def _see_quotes(visit: Visit, count: int) -> None:
    _, contract = visit.found()
    async with visit.broker.subscribe_market_data([contract.id], [MarketDataType.QUOTE]) as quotes:
        async for event in quotes:
            count -= isinstance(event, QuoteEvent)
            if not count:
                return


async def _resting_order(visit: Visit) -> None:
    account, contract = visit.found()
    _needs_trading(visit)
    request = OrderRequest.limit(
        account.id, contract.id, OrderSide.BUY, _least(contract), await _far(visit)
    )
    async with visit.broker.subscribe_user_data([account.id], UserDataType.ORDER_UPDATE) as news:
        order = await visit.broker.place_order(request)
        visit.placed.append(order)
        assert order.client_order_id is not None
        assert (await visit.broker.find_order(account.id, order.client_order_id)).id == order.id
        assert order.id in {one.id for one in await visit.broker.get_open_orders(account.id)}
        await visit.broker.cancel_order(account.id, order.id)
        found = await visit.broker.get_order(account.id, order.id)
        assert found.status is OrderStatus.CANCELLED, f"after its cancel it is {found.status}"
        async for event in news:
            if isinstance(event, OrderUpdateEvent) and event.order.id == order.id:
                if event.order.status.is_final:
                    return


def _least(contract: Contract) -> Decimal:
    """The smallest order that the contract can have."""
    return max(contract.size_step, contract.min_size or contract.size_step)


async def _round_trip(visit: Visit) -> None:
    account, contract = visit.found()
    if contract.tick_value is None:
        raise NotRun("a tick is not worth the same at every price: what it may cost is not known")
    least = _LEAST_SPEND_TICKS * contract.tick_value
    if visit.limits.spend is None or visit.limits.spend < least:
        raise NotRun(f"it may cost {least:f} or more, and nobody has allowed that much")
    _needs_trading(visit)
    if await _held(visit, account.id, contract.id):
        raise NotRun("the account holds the contract already: it is left alone")
    began = current_clock().now() - timedelta(minutes=1)
    request = OrderRequest.market(account.id, contract.id, OrderSide.BUY, _least(contract))
    order = await visit.broker.place_order(request)
    visit.bought = _least(contract)
    held = await _held(visit, account.id, contract.id)
    assert held == _least(contract), f"{held:f} is held after it was bought"
    await visit.broker.close_position(account.id, contract.id)
    visit.bought = Decimal(0)
    assert not await _held(visit, account.id, contract.id)
    trades = await visit.broker.get_trade_history(account.id, start=began)
    assert order.id in {one.order_id for one in trades}, "its fill is not in the history"


async def _sweep(visit: Visit) -> None:
    """Take back what is left of what was placed here, and nothing else."""
    account, contract = visit.found()
    mine = {one.id for one in visit.placed}
    for order in await visit.broker.get_open_orders(account.id):
        if order.id in mine:
            await visit.broker.cancel_order(account.id, order.id)
    if visit.bought and await _held(visit, account.id, contract.id):
        await visit.broker.close_position(account.id, contract.id, size=visit.bought)
    left = {one.id for one in await visit.broker.get_open_orders(account.id)} & mine
    assert not left, f"orders that could not be taken back: {sorted(left)}"


CHECKS: dict[str, tuple[tuple[str, ...], Check]] = {
    "logging in": (("TF-LIF-010",), _log_in),
    "accounts": (("TF-ACC-010",), _accounts),
    "a contract": (("TF-CON-010", "TF-CON-020", "TF-CON-030"), _contract),
    "bars of three days": (("TF-HIS-010",), _bars),
    "a quote": (("TF-MKT-010",), _quotes),
    "an order that rests": (
        ("TF-ORD-020", "TF-ORD-050", "TF-ORD-070", "TF-ORD-080", "TF-USR-010"),
        _resting_order,
    ),
    "a round trip": (("TF-POS-010", "TF-POS-030", "TF-FIL-010"), _round_trip),
    "sweeping up": (("TF-ORD-050",), _sweep),
}


# --- what they use ---


def _is_open(visit: Visit) -> bool:
    """Whether the contract trades now, as far as its hours are known: unknown ones never close."""
    _, contract = visit.found()
    hours = visit.broker.market_hours(contract)
    return hours is None or hours.state(current_clock().now()) is MarketState.OPEN


def _needs_trading(visit: Visit) -> None:
    if not (visit.trades_now or _is_open(visit)):
        raise NotRun("the market is not known to be open: an order might be refused, or wait")


async def _far(visit: Visit) -> Decimal:
    """A price at which a buy rests."""
    _, contract = visit.found()
    start = current_clock().now() - timedelta(days=5)
    bars = await visit.broker.get_historical_bars(contract.id, start=start, limit=1)
    assert bars, "there is no price to stay away from"
    return contract.round_price(bars[-1].close * _FAR, rounding=ROUND_HALF_EVEN)


async def _held(visit: Visit, account_id: str, contract_id: str) -> Decimal:
    positions = await visit.broker.get_positions(account_id)
    return sum((one.size for one in positions if one.contract_id == contract_id), Decimal(0))
