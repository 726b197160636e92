"""What the audit must not do: undo what is newer, cry loss, or take what orders need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.topstepx.test_audit import EVENTS, Day, a_day, ticket

from tradeforge_core import (
    EventSource,
    Gap,
    GapCause,
    NotFound,
    Order,
    OrderRequest,
    OrderSide,
    PositionUpdateEvent,
    Resynced,
    Topic,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_topstepx.sandbox import EventFault, Fault, Hubs


def _sizes(day: Day) -> list[int]:
    return [int(one.position.size) for one in day.heard if isinstance(one, PositionUpdateEvent)]


async def _rest(day: Day, price: int = 100) -> Order:
    """An order that no market comes near to."""
    request = OrderRequest.limit(day.account_id, day.contract_id, OrderSide.BUY, 1, price)
    return await day.broker.place_order(request)


# --- reads that are behind ---


@pytest.mark.parametrize("seconds", [59.0, 59.3, 59.5, 59.7, 60.0, 60.5])
def test_a_reading_that_is_behind_undoes_nothing(seconds: float) -> None:
    async def live(day: Day) -> None:
        day.sandbox.lag_reads(1.9)
        await asyncio.sleep(seconds)
        await day.buy(2)
        await asyncio.sleep(70)
        assert day.broker.positions.size(day.account_id, day.contract_id) == 2

    day = a_day(live)
    assert _sizes(day) == [2]
    assert not day.gaps(GapCause.MISSED)


def test_a_reading_of_an_older_entry_of_the_same_size_undoes_nothing() -> None:
    async def live(day: Day) -> None:
        await day.buy()
        await asyncio.sleep(59)
        day.sandbox.lag_reads(1.9)
        bid = day.sandbox.exchange.quote(day.contract_id).bid
        assert bid is not None
        day.sandbox.exchange.move_to(day.contract_id, bid + 25)
        day.sandbox.exchange.close_position(int(day.account_id), day.contract_id)
        day.sandbox.exchange.place(ticket(day, day.contract_id))
        await asyncio.sleep(10)

    day = a_day(live)
    assert _sizes(day) == [1, 0, 1]
    assert not day.gaps(GapCause.MISSED)


# --- what is no loss ---


def test_what_happened_while_nobody_listened_is_no_news() -> None:
    everything = list(UserDataType)

    async def live(day: Day) -> None:
        order = await _rest(day)
        await day.buy()
        await asyncio.sleep(1)
        await day.broker.unsubscribe_user_data([day.account_id], everything)
        await day.broker.cancel_order(day.account_id, order.id)
        await day.broker.close_position(day.account_id, day.contract_id)
        await day.broker.subscribe_user_data([day.account_id], everything)
        await asyncio.sleep(65)

    day = a_day(live)
    assert not day.gaps(GapCause.MISSED)
    assert not day.told(Resynced)


def test_orders_on_their_way_while_it_waits_are_not_missed() -> None:
    async def live(day: Day) -> None:
        await asyncio.sleep(57)
        day.sandbox.delay_events(1.0, Hubs.USER)
        for _ in range(40):
            await day.buy()
            await asyncio.sleep(0.25)
        await asyncio.sleep(30)

    day = a_day(live)
    assert day.fills == day.booked
    assert not day.gaps(GapCause.MISSED)


def test_a_loss_of_one_kind_does_not_make_the_others_missed() -> None:
    """The look comes at once: what else is on its way has its time to come all the same."""

    async def live(day: Day) -> None:
        day.sandbox.delay_events(1.8, Hubs.USER)
        await day.buy()
        day.sandbox.say('{"type":1,"target":"GatewayUserOrder","arguments":[{}]}\x1e', Hubs.USER)
        await asyncio.sleep(65)

    day = a_day(live)
    assert day.gaps(GapCause.DECODE_ERROR)
    assert not day.gaps(GapCause.MISSED)
    assert day.fills == day.booked


def test_what_happens_in_a_long_outage_is_told_behind_the_beginning_of_the_gap() -> None:
    """The hub is away, and the rest of the venue is there: nobody has to wait for the hub."""

    async def live(day: Day) -> None:
        await _rest(day)
        day.sandbox.fail_next("/hubs/user", 503, count=1000)
        day.sandbox.reset_hubs(Hubs.USER)
        day.sandbox.exchange.place(ticket(day, day.contract_id))
        await asyncio.sleep(20)
        assert day.fills == day.booked
        day.sandbox.forget_faults()
        await asyncio.sleep(60)

    day = a_day(live)
    assert not day.gaps(GapCause.MISSED)
    topic = Topic(UserDataType.USER_TRADE, day.account_id)
    kinds = [
        (type(one), getattr(one, "is_open", None))
        for one in day.heard
        if isinstance(one, UserTradeEvent) or (isinstance(one, Gap) and topic in one.topics)
    ]
    assert kinds == [(Gap, True), (UserTradeEvent, None), (Gap, False)]
    assert len({one.since for one in day.heard if isinstance(one, Gap)}) == 1


def test_a_reading_that_is_behind_after_a_loss_is_followed_by_another() -> None:
    async def live(day: Day) -> None:
        await asyncio.sleep(35)  # so that it is made again at once
        day.sandbox.lag_reads(1.9)
        day.sandbox.reset_hubs(Hubs.USER)
        day.sandbox.exchange.place(ticket(day, day.contract_id))
        await asyncio.sleep(6)
        assert day.fills == day.booked
        await asyncio.sleep(60)

    day = a_day(live)
    told = [one.repaired for one in day.heard if isinstance(one, Resynced)]
    assert [len(repaired) for repaired in told] == [0, 3]
    _check_gaps_come_first(day)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.5, 2.5, 4.0])
def test_what_is_lost_right_after_a_loss_is_told_behind_a_gap_of_its_own(seconds: float) -> None:
    async def live(day: Day) -> None:
        await asyncio.sleep(35)
        day.sandbox.reset_hubs(Hubs.USER)
        await asyncio.sleep(seconds)
        for event in EVENTS:
            day.sandbox.fail_events(event, EventFault.LOST, count=9)
        day.sandbox.exchange.place(ticket(day, day.contract_id))
        await asyncio.sleep(70)
        assert day.fills == day.booked

    _check_gaps_come_first(a_day(live))


def _check_gaps_come_first(day: Day) -> None:
    """Whatever the audit tells comes between a gap of its kind and the next `Resynced`."""
    in_gap: set[Topic] = set()
    for one in day.heard:
        if isinstance(one, Gap):
            in_gap |= set(one.topics)
        elif isinstance(one, Resynced):
            in_gap -= set(one.topics)
        elif isinstance(one, UserTradeEvent) and one.source is EventSource.AUDIT:
            assert Topic(UserDataType.USER_TRADE, day.account_id) in in_gap
    assert any(isinstance(one, UserTradeEvent) for one in day.heard)


# --- when it comes ---


@pytest.mark.parametrize("seconds", [0, 1, 14, 16, 44])
def test_an_order_is_looked_after_from_when_it_is_open(seconds: int) -> None:
    """The account was idle when it was audited last, and would be audited in a minute."""

    async def live(day: Day) -> None:
        await asyncio.sleep(seconds)
        order = await _rest(day)
        day.sandbox.mute_hubs(Hubs.USER)
        assert order.limit_price is not None
        day.sandbox.exchange.fill_order(int(day.account_id), int(order.id), 1, order.limit_price)
        await asyncio.sleep(20)  # 15, two readings of positions, and the time to come
        assert day.fills == day.booked

    a_day(live)


# --- what it may cost ---


def test_a_venue_that_fails_for_long_is_asked_ever_more_rarely() -> None:
    async def live(day: Day) -> None:
        day.sandbox.fail_next("/api/Trade/search", 500, count=10_000)
        day.sandbox.reset_hubs(Hubs.USER)
        await asyncio.sleep(600)
        assert day.sandbox.requests["/api/Trade/search"] <= 50
        await _rest(day)
        day.sandbox.forget_faults()
        day.sandbox.mute_hubs(Hubs.USER)
        await day.buy()
        await asyncio.sleep(40)

    day = a_day(live)
    assert len(day.errors) == 1
    assert day.fills == day.booked


def test_many_accounts_leave_room_for_orders() -> None:
    kinds = [UserDataType.ORDER_UPDATE, UserDataType.POSITION_UPDATE]

    async def live(day: Day) -> None:
        for number in range(45):
            day.sandbox.exchange.open_account(f"MORE-{number}", Decimal(50_000))
        accounts = [one.id for one in await day.broker.get_accounts()]
        await day.broker.subscribe_user_data(accounts, kinds)
        for account_id in accounts * 2:  # none of them is refused for want of room
            request = OrderRequest.limit(account_id, day.contract_id, OrderSide.BUY, 1, 100)
            await day.broker.place_order(request)
            await asyncio.sleep(2)

    a_day(live)


def test_orders_that_nobody_finds_keep_no_other_from_being_looked_up() -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        orders = [await _rest(day, 100 + number) for number in range(30)]
        await asyncio.sleep(20)
        fetch, lost = day.broker._fetch_order, {one.id for one in orders[:25]}
        asked: list[str] = []

        async def without(account_id: str, order_id: str) -> Order:
            asked.append(order_id)
            if order_id in lost:
                raise NotFound(order_id)
            return await fetch(account_id, order_id)

        async def nothing(*arguments: object) -> list[Order]:
            return []

        day.broker._fetch_order = without  # type: ignore[method-assign]
        day.broker._fetch_open_orders = nothing  # type: ignore[assignment, method-assign]
        day.broker._fetch_order_history = nothing  # type: ignore[assignment, method-assign]
        day.sandbox.exchange.cancel(int(day.account_id), int(orders[-1].id))
        await asyncio.sleep(60)
        assert day.broker.orders[orders[-1].id].status.is_final
        asked.clear()
        await asyncio.sleep(60)
        assert 0 < len([one for one in asked if one in lost]) <= 15

    a_day(live)


# --- whatever happens, it goes on, and ends when it has to ---


@asynccontextmanager
async def _every_audit_fails(day: Day, name: str, error: BaseException) -> AsyncIterator[None]:
    def broken(*arguments: object) -> Any:
        raise error

    setattr(day.broker, name, broken)
    try:
        yield
    finally:
        delattr(day.broker, name)


@pytest.mark.parametrize(
    ("name", "error"),
    [("_budgets", KeyError("a fault")), ("_fetch_trades", asyncio.CancelledError("a stray one"))],
)
def test_no_fault_of_the_provider_ends_it(name: str, error: BaseException) -> None:
    async def live(day: Day) -> None:
        day.sandbox.mute_hubs(Hubs.USER)
        await day.buy()
        async with _every_audit_fails(day, name, error):
            await asyncio.sleep(70)
        await asyncio.sleep(70)

    day = a_day(live)
    (told,) = day.errors
    assert "the audit failed by a fault" in str(told)
    assert day.fills == day.booked


class _SetBack:
    """A clock whose hands are moved."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.by = timedelta()

    def now(self) -> datetime:
        return self._clock.now() - self.by

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


def test_a_clock_that_is_set_back_ends_no_audit() -> None:
    async def live(day: Day) -> None:
        audit: Any = day.broker._audit
        clock = audit._clock = audit._reader._clock = _SetBack(audit._clock)
        await asyncio.sleep(61)
        clock.by = timedelta(minutes=10)
        day.sandbox.mute_hubs(Hubs.USER)
        await _rest(day)
        await asyncio.sleep(100)

    day = a_day(live)
    assert day.errors == []
    assert day.gaps(GapCause.MISSED)


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.6, 0.9, 1.2, 1.5])
def test_a_subscription_that_begins_while_the_provider_leaves_starts_none(seconds: float) -> None:
    """An order in flight holds the leaving up; `simulate` refuses to end while a task is left."""

    async def live(day: Day) -> None:
        await day.broker.unsubscribe_user_data([day.account_id], list(UserDataType))
        day.sandbox.fail_next("/api/Order/place", Fault.DELAY, seconds=3)
        day.sandbox.fail_next("/api/Account/search", Fault.DELAY, seconds=1)
        placing = asyncio.ensure_future(day.buy())
        await asyncio.sleep(0.1)
        beginning = asyncio.ensure_future(_outcome(_subscribe(day)))
        await asyncio.sleep(seconds)
        await day.broker.disconnect()
        await asyncio.wait([placing, beginning])
        placing.exception()
        assert "audit" not in {one.get_name() for one in asyncio.all_tasks()}

    a_day(live)


async def _subscribe(day: Day) -> None:
    await day.broker.subscribe_user_data([day.account_id], list(UserDataType))


async def _outcome(work: Awaitable[None]) -> TradeForgeError | None:
    try:
        await work
    except TradeForgeError as error:
        return error
    return None


def test_accounts_that_are_left_and_taken_up_again_are_audited() -> None:
    """One falls due, with nobody listening, while another one is read to begin with."""
    for tenths in range(10):

        async def live(day: Day, delay: float = tenths / 20) -> None:
            accounts = [one.id for one in await day.broker.get_accounts()]
            kinds = [UserDataType.ORDER_UPDATE, UserDataType.USER_TRADE]
            await day.broker.unsubscribe_user_data(day.account_id, list(UserDataType))
            await asyncio.sleep(59.6 + delay)
            await day.broker.subscribe_user_data(accounts, kinds)
            day.sandbox.mute_hubs(Hubs.USER)
            await day.buy()
            await asyncio.sleep(70)

        day = a_day(live)
        assert day.fills == day.booked
