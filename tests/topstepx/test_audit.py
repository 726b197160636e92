"""What the streams lose is found, told once, and said to have been missed; in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from attrs import define, field

from tradeforge_core import (
    Event,
    EventSource,
    Gap,
    GapCause,
    JournalKind,
    Order,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderType,
    OrderUpdateEvent,
    PositionUpdateEvent,
    Resynced,
    Trade,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
    load_provider,
)
from tradeforge_core.provider import Provider
from tradeforge_testing.exchange import Ticket
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx.sandbox import EventFault, Fault, Hubs, TopStepXSandbox

EVENTS = ("GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition")


@define
class Day:
    """A trader who listens to his account, and all that he hears."""

    sandbox: TopStepXSandbox
    broker: Provider
    account_id: str
    contract_id: str
    heard: list[Event] = field(factory=list)
    errors: list[TradeForgeError] = field(factory=list)

    async def buy(self, size: int = 1) -> Order:
        return await self.broker.place_order(
            OrderRequest.market(self.account_id, self.contract_id, OrderSide.BUY, size)
        )

    def told(self, kind: type) -> list[Event]:
        return [one for one in self.heard if isinstance(one, kind)]

    def gaps(self, cause: GapCause) -> list[Event]:
        return [one for one in self.told(Gap) if isinstance(one, Gap) and one.cause is cause]

    @property
    def fills(self) -> list[str]:
        return [one.trade.id for one in self.heard if isinstance(one, UserTradeEvent)]

    @property
    def booked(self) -> list[str]:
        return [str(one.id) for one in self.sandbox.exchange.fills(int(self.account_id))]


def a_day(live: Callable[[Day], Awaitable[None]]) -> Day:
    """Live it, and give it back."""

    async def program() -> Day:
        safety = OrderSafety(journal=JournalKind.MEMORY)
        async with TopStepXSandbox(seed=7, tick_seconds=30) as sandbox:
            async with load_provider("topstepx", sandbox.settings, safety=safety) as broker:
                account, *_ = await broker.get_accounts()
                contract = await broker.get_contract_by_symbol("MNQ")
                day = Day(sandbox, broker, account.id, contract.id)
                broker.on_event(day.heard.append)
                broker.on_error(day.errors.append)
                await broker.subscribe_user_data([account.id], list(UserDataType))
                await live(day)
                return day

    return simulate(program, network=MemoryNetwork(latency=0.01))


def test_what_a_live_stream_lost_is_told_and_said_to_be_missed() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        await day.buy(2)
        day.sandbox.mute_hubs(Hubs.USER, silence=None)
        await asyncio.sleep(65)

    day = a_day(live)
    assert day.fills == day.booked
    assert day.gaps(GapCause.MISSED)
    found = [one for one in day.told(UserTradeEvent) if isinstance(one, UserTradeEvent)]
    assert {one.source for one in found} == {EventSource.AUDIT}
    (resynced,) = day.told(Resynced)
    assert isinstance(resynced, Resynced)
    assert f"position {day.contract_id}" in resynced.repaired
    kinds = [type(one) for one in day.heard]
    assert kinds.index(Gap) < kinds.index(UserTradeEvent) < kinds.index(Resynced)


@pytest.mark.parametrize("event", EVENTS)
def test_a_single_lost_message_is_found(event: str) -> None:
    async def live(day: Day) -> None:
        day.sandbox.fail_events(event, EventFault.LOST, count=9)
        await day.buy()
        day.sandbox.forget_faults()
        await asyncio.sleep(65)

    day = a_day(live)
    assert day.fills == day.booked
    assert len(day.told(PositionUpdateEvent)) >= 1
    assert day.broker.positions.size(day.account_id, day.contract_id) == 1


def test_a_position_that_was_closed_unheard_is_told_to_be_flat() -> None:
    """The venue lists no flat position: that it is not there any more is the news."""

    async def live(day: Day) -> None:
        await day.buy(2)
        await asyncio.sleep(1)
        day.sandbox.mute_hubs(Hubs.USER)
        await day.broker.close_position(day.account_id, day.contract_id)
        day.sandbox.mute_hubs(Hubs.USER, silence=None)
        await asyncio.sleep(130)

    day = a_day(live)
    told = [one for one in day.heard if isinstance(one, PositionUpdateEvent)]
    assert [int(one.position.size) for one in told] == [2, 0]
    assert told[-1].source is EventSource.AUDIT
    repaired = [name for one in day.heard if isinstance(one, Resynced) for name in one.repaired]
    assert repaired.count(f"position {day.contract_id}") == 1


def test_what_happened_while_there_was_no_connection_is_told_after_the_gap() -> None:
    async def live(day: Day) -> None:
        day.sandbox.reset_hubs(Hubs.USER)
        await day.buy(3)
        await asyncio.sleep(40)

    day = a_day(live)
    assert day.fills == day.booked
    assert day.gaps(GapCause.DISCONNECTED)
    assert not day.gaps(GapCause.MISSED)
    assert day.told(Resynced)


def test_nothing_is_told_twice_and_no_order_goes_back() -> None:
    async def live(day: Day) -> None:
        for event in EVENTS:
            day.sandbox.fail_events(event, EventFault.REORDERED, count=2)
            day.sandbox.fail_events(event, EventFault.DUPLICATED, count=4)
        await day.buy()
        await day.buy()
        await asyncio.sleep(65)

    day = a_day(live)
    assert sorted(day.fills) == sorted(day.booked)
    by_order: dict[str, list[Decimal]] = {}
    for one in day.heard:
        if isinstance(one, OrderUpdateEvent):
            by_order.setdefault(one.order.id, []).append(one.order.filled_size)
    assert all(sizes == sorted(sizes) for sizes in by_order.values())


def test_a_message_that_is_only_late_is_not_called_missed() -> None:
    async def live(day: Day) -> None:
        await asyncio.sleep(59)
        day.sandbox.delay_events(1.5, Hubs.USER)
        await day.buy()
        await asyncio.sleep(65)

    day = a_day(live)
    assert not day.gaps(GapCause.MISSED)
    assert day.fills == day.booked


def test_a_venue_that_does_not_answer_is_reported_once_and_asked_again() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        await day.buy()
        day.sandbox.mute_hubs(Hubs.USER, silence=None)
        day.sandbox.fail_next("/api/Trade/search", 500, count=3)
        await asyncio.sleep(90)

    day = a_day(live)
    assert len(day.errors) == 1
    assert day.fills == day.booked


def test_a_failed_reading_makes_nothing_flat() -> None:
    async def live(day: Day) -> None:
        await day.buy(2)
        await asyncio.sleep(1)
        day.sandbox.fail_next("/api/Position/searchOpen", Fault.EMPTY, count=50)
        await asyncio.sleep(200)
        assert day.broker.positions.size(day.account_id, day.contract_id) == 2

    a_day(live)


def test_an_hour_without_losses_has_no_gap_and_few_requests() -> None:
    async def live(day: Day) -> None:
        await day.buy()
        await asyncio.sleep(3600)

    day = a_day(live)
    assert not day.told(Gap)
    assert not day.told(Resynced)
    assert day.sandbox.requests["/api/Trade/search"] <= 64
    assert day.sandbox.worst_rates["others"] <= 40


# --- whatever happens, it goes on ---


def test_a_fault_of_the_provider_ends_no_audit() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        fetch, day.broker._fetch_trades = day.broker._fetch_trades, _broken  # type: ignore[assignment, method-assign]
        await day.buy()
        await asyncio.sleep(70)
        day.broker._fetch_trades = fetch  # type: ignore[method-assign]
        await asyncio.sleep(70)

    day = a_day(live)
    (told,) = day.errors
    assert "the audit failed by a fault" in str(told)
    assert "KeyError" in str(told)
    assert isinstance(told.__cause__, KeyError)
    assert day.fills == day.booked


async def _broken(*arguments: object) -> list[Trade]:
    raise KeyError("a fault")


def test_leaving_while_it_begins_leaves_nothing() -> None:
    """`simulate` refuses to end while a task is left."""
    for tenths in range(12):

        async def live(day: Day, delay: float = tenths / 100) -> None:
            await day.broker.disconnect()
            await day.broker.connect()
            topics = [day.account_id], list(UserDataType)
            beginning = asyncio.ensure_future(_subscribe(day, *topics))
            await asyncio.sleep(delay)
            await day.broker.disconnect()
            await asyncio.wait([beginning])
            beginning.exception()
            await asyncio.sleep(1)
            assert [
                one.get_name() for one in asyncio.all_tasks() if one.get_name() == "audit"
            ] == []

        a_day(live)


async def _subscribe(day: Day, accounts: list[str], kinds: list[UserDataType]) -> None:
    await day.broker.subscribe_user_data(accounts, kinds)


def test_it_makes_room_for_orders_while_the_limit_is_half_used() -> None:
    async def live(day: Day) -> None:
        async def hurry() -> None:
            for _ in range(110):
                await day.broker.get_positions(day.account_id)

        await hurry()
        before = day.sandbox.requests["/api/Trade/search"]
        for _ in range(5):
            await asyncio.sleep(10)
            asked = day.sandbox.requests["/api/Trade/search"] - before
            used = max(one.used for one in day.broker._budgets().values())
            assert not asked or used <= 100, (asked, used)
        await asyncio.sleep(80)
        assert day.sandbox.requests["/api/Trade/search"] > before

    a_day(live)


def test_a_venue_that_is_always_busy_is_audited_all_the_same() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        await day.buy()
        for _ in range(40):
            await asyncio.gather(*(day.broker.get_positions(day.account_id) for _ in range(11)))
            await asyncio.sleep(5)

    day = a_day(live)
    assert day.fills == day.booked


def test_a_gap_of_what_was_missed_says_how_much() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        await day.buy()
        await day.buy()
        day.sandbox.mute_hubs(Hubs.USER, silence=None)
        await asyncio.sleep(65)

    day = a_day(live)
    (gap,) = day.gaps(GapCause.MISSED)
    assert isinstance(gap, Gap)
    found = [one for one in day.heard if getattr(one, "source", None) is EventSource.AUDIT]
    assert gap.dropped == len(found) >= 5  # two orders, two fills, a position


def test_a_position_that_moves_keeps_no_other_from_being_believed() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        other = next(one for one in day.sandbox.exchange.instruments if one != day.contract_id)
        await day.buy(3)

        async def trade() -> None:
            for _ in range(120):
                day.sandbox.exchange.place(ticket(day, other))
                await asyncio.sleep(0.7)

        moving = asyncio.create_task(trade())
        await asyncio.sleep(70)
        assert [(one.contract_id, one.size) for one in day.broker.positions] == [
            (day.contract_id, Decimal(3))
        ]
        await moving
        await asyncio.sleep(130)
        assert {one.contract_id: int(one.size) for one in day.broker.positions} == {
            day.contract_id: 3,
            other: 120,
        }

    a_day(live)


def ticket(day: Day, contract_id: str) -> Ticket:
    """An order of somebody else who trades the account."""
    return Ticket(
        account_id=int(day.account_id),
        instrument_id=contract_id,
        side=OrderSide.BUY,
        type=OrderType.MARKET,
        size=1,
    )
