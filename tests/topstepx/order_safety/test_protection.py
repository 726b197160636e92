"""Entries and their exits, against a venue that loses, rejects and holds back what it took."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest
from tests.patience import HANG

from tradeforge_core import (
    Account,
    Bracket,
    Contract,
    LookUps,
    Order,
    OrderOutcomeUnknown,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderStatus,
    OrderType,
    Protection,
    ProtectionIncomplete,
    TradeForgeError,
    UserDataType,
)
from tradeforge_testing.exchange import ExchangeEvent, ExchangeOrder, OrderChanged
from tradeforge_testing.sandbox.planned_faults import Fault
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import Hubs, TopStepXSandbox

QUERY, BY_ID = "/api/Order/v2/query", "/api/Order/searchById"
PLACE = "/api/Order/place"
WITHIN = 1.0
"""Seconds; the machine that runs this may be busy."""

NewProvider = Callable[..., TopStepXProvider]


class Desk:
    """A connected provider that watches its entries, with what it was told."""

    def __init__(
        self, broker: TopStepXProvider, account: Account, contract: Contract, venue: TopStepXSandbox
    ) -> None:
        self.broker = broker
        self.account = account
        self.contract = contract
        self.exchange = venue.exchange
        self.alarms: list[ProtectionIncomplete] = []
        self.others: list[TradeForgeError] = []
        self.told = asyncio.Event()
        broker.on_error(self._heard)

    def _heard(self, error: TradeForgeError) -> None:
        if isinstance(error, ProtectionIncomplete):
            self.alarms.append(error)
            self.told.set()
        else:
            self.others.append(error)

    @property
    def account_id(self) -> int:
        return int(self.account.id)

    def market(self, size: int = 1) -> OrderRequest:
        return OrderRequest(
            account_id=self.account.id,
            contract_id=self.contract.id,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            size=size,
            bracket=Bracket(stop_loss=10, take_profit=20),
        )

    def resting(self, size: int = 1) -> OrderRequest:
        """An order that nobody fills unless he is told to."""
        price = 400 * self.contract.tick_size
        return attrs.evolve(self.market(size), type=OrderType.LIMIT, limit_price=price)

    def fill(self, order: Order, size: int | None = None) -> None:
        price = self.exchange.quote(self.contract.id).last
        self.exchange.fill_order(self.account_id, int(order.id), size, price)

    def leg(self, entry: Order, type_: OrderType = OrderType.STOP) -> ExchangeOrder:
        legs = self.exchange.orders(self.account_id)
        return next(one for one in legs if one.parent_id == int(entry.id) and one.type is type_)

    def reject_legs(self, type_: OrderType = OrderType.STOP) -> None:
        """The venue refuses to put such a leg to work."""

        def reject(event: ExchangeEvent) -> None:
            if not isinstance(event, OrderChanged):
                return
            order = event.order
            if order.parent_id and order.type is type_ and not order.status.is_final:
                self.exchange.reject_order(order.account_id, order.id)

        self.exchange.listen(reject)

    def is_flat(self) -> bool:
        orders = self.exchange.orders(self.account_id)
        working = [one for one in orders if not one.status.is_final]
        return not working and not self.exchange.positions(self.account_id)

    async def alarm(self) -> ProtectionIncomplete:
        async with asyncio.timeout(HANG):
            await self.told.wait()
        (alarm,) = self.alarms
        return alarm


Connect = Callable[..., Awaitable[Desk]]


async def no_guards() -> None:
    """Return once every guard has come to its end."""
    async with asyncio.timeout(HANG):
        for task in asyncio.all_tasks():
            if task.get_name().startswith("guard of order"):
                await asyncio.wait([task])


async def guarded(order: Order) -> None:
    """Return once somebody looks after the order."""
    async with asyncio.timeout(HANG):
        while f"guard of order {order.id}" not in {one.get_name() for one in asyncio.all_tasks()}:  # noqa: ASYNC110  # it is not the test that makes it true
            await asyncio.sleep(0)


_USUAL = LookUps()


@pytest.fixture
async def connect(sandbox: TopStepXSandbox, provider_of: NewProvider) -> AsyncIterator[Connect]:
    """Connects a provider that tells within a second, and flattens if that is wanted."""
    opened: list[TopStepXProvider] = []

    async def connect(*, flatten: bool = False, look_ups: LookUps = _USUAL) -> Desk:
        broker = provider_of(sandbox)
        protection = Protection(within=WITHIN, confirm=1.0, flatten=flatten)
        broker.safety = OrderSafety(protection=protection, look_ups=look_ups)
        opened.append(broker)
        await broker.connect()
        account, *_ = await broker.get_accounts()
        return Desk(broker, account, await broker.get_contract_by_symbol("MNQ"), sandbox)

    yield connect
    for broker in opened:
        await broker.disconnect()
    left = [one.get_name() for one in asyncio.all_tasks() if "guard of" in one.get_name()]
    assert left == []


@pytest.fixture
async def desk(connect: Connect) -> Desk:
    return await connect()


@pytest.fixture
async def strict(connect: Connect) -> Desk:
    """With the policy."""
    return await connect(flatten=True)


# --- all is well ---


async def test_a_market_entry_is_seen_to_be_protected(
    strict: Desk, sandbox: TopStepXSandbox
) -> None:
    await strict.broker.place_order(strict.market())
    await no_guards()
    assert strict.alarms == []
    assert sandbox.requests[QUERY] == 1, "one look more than before"
    assert sandbox.requests[BY_ID] == 0


@pytest.mark.parametrize("points", [30, -20])
async def test_an_exit_that_fills_alarms_nobody(strict: Desk, points: int) -> None:
    placed = await strict.broker.place_order(strict.resting())
    strict.fill(placed)
    last = strict.exchange.quote(strict.contract.id).last
    strict.exchange.move_to(strict.contract.id, last + points)
    await no_guards()
    assert strict.alarms == []
    assert strict.is_flat()


async def test_an_entry_that_is_cancelled_alarms_nobody(strict: Desk) -> None:
    placed = await strict.broker.place_order(strict.resting())
    await strict.broker.cancel_order(strict.account.id, placed.id)
    await no_guards()
    assert strict.alarms == []


@pytest.mark.parametrize("way", ["close_position", "flatten"])
async def test_whoever_gets_out_himself_is_left_alone(
    strict: Desk, sandbox: TopStepXSandbox, way: str
) -> None:
    placed = await strict.broker.place_order(strict.resting())
    strict.fill(placed)
    if way == "flatten":
        await strict.broker.flatten(strict.account.id)
    else:
        await strict.broker.close_position(strict.account.id, strict.contract.id)
    await no_guards()
    assert strict.alarms == []
    assert sandbox.requests["/api/Position/closeContract"] == 1


@pytest.mark.parametrize("type_", [OrderType.STOP, OrderType.LIMIT])
async def test_whoever_cancels_an_exit_himself_is_left_alone(
    strict: Desk, type_: OrderType
) -> None:
    placed = await strict.broker.place_order(strict.resting())
    await strict.broker.cancel_order(strict.account.id, str(strict.leg(placed, type_).id))
    strict.fill(placed)
    await no_guards()
    assert strict.alarms == []
    assert len(strict.exchange.positions(strict.account_id)) == 1


async def test_whoever_moves_an_exit_is_left_alone(strict: Desk) -> None:
    placed = await strict.broker.place_order(strict.resting(size=2))
    strict.fill(placed, 1)
    leg = strict.leg(placed)
    assert leg.stop_price is not None
    await strict.broker.modify_order(strict.account.id, str(leg.id), stop_price=leg.stop_price - 5)
    strict.fill(placed, 1)
    await no_guards()
    assert strict.alarms == []


async def test_a_stream_that_flows_ends_the_guard_at_once(
    strict: Desk, sandbox: TopStepXSandbox
) -> None:
    await strict.broker.subscribe_user_data(strict.account.id, [UserDataType.ORDER_UPDATE])
    placed = await strict.broker.place_order(strict.resting())
    strict.fill(placed)
    began = asyncio.get_running_loop().time()
    await no_guards()
    assert asyncio.get_running_loop().time() - began < 5
    assert strict.alarms == []


# --- an exit is missing ---


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        ({"take_profit": False}, ("stop_loss",)),
        ({"stop_loss": False}, ("take_profit",)),
        ({}, ("stop_loss", "take_profit")),
    ],
)
async def test_an_entry_without_its_exits_is_told_to_who_placed_it(
    desk: Desk, sandbox: TopStepXSandbox, lost: dict[str, bool], missing: tuple[str, ...]
) -> None:
    desk.exchange.lose_legs(desk.account_id, **lost)
    with pytest.raises(ProtectionIncomplete) as caught:
        await desk.broker.place_order(desk.market())
    assert caught.value.missing == missing
    assert caught.value.order.status is OrderStatus.FILLED
    assert not caught.value.flattened
    await no_guards()
    assert desk.alarms == []
    assert sandbox.requests[PLACE] == 1
    assert len(desk.exchange.positions(desk.account_id)) == 1, "nothing was done about it"


async def test_an_exit_that_is_rejected_is_told(desk: Desk) -> None:
    desk.reject_legs()
    with pytest.raises(ProtectionIncomplete) as caught:
        await desk.broker.place_order(desk.market())
    assert caught.value.missing == ("stop_loss",)
    await no_guards()
    assert desk.alarms == []


async def test_a_resting_entry_without_its_exits_is_told_too(desk: Desk) -> None:
    desk.exchange.lose_legs(desk.account_id, take_profit=False)
    with pytest.raises(ProtectionIncomplete) as caught:
        await desk.broker.place_order(desk.resting())
    assert caught.value.order.status is OrderStatus.WORKING


def _reject(desk: Desk, entry: Order) -> None:
    desk.exchange.reject_order(desk.account_id, desk.leg(entry).id)
    desk.fill(entry)


def _cancel(desk: Desk, entry: Order) -> None:
    desk.exchange.cancel(desk.account_id, desk.leg(entry).id)
    desk.fill(entry)


def _expire(desk: Desk, entry: Order) -> None:
    desk.exchange.expire_order(desk.account_id, desk.leg(entry).id)
    desk.fill(entry)


def _reject_at_work(desk: Desk, entry: Order) -> None:
    desk.reject_legs()
    desk.fill(entry)


def _reject_after_a_part(desk: Desk, entry: Order) -> None:
    desk.exchange.reject_order(desk.account_id, desk.leg(entry).id)
    desk.fill(entry, 1)


BAD: dict[str, Callable[[Desk, Order], None]] = {
    "rejected by the venue": _reject,
    "cancelled by somebody else": _cancel,
    "expired": _expire,
    "rejected when it should go to work": _reject_at_work,
    "rejected, and a part fills": _reject_after_a_part,
}


@pytest.mark.parametrize("way", BAD)
async def test_an_exit_that_is_lost_later_is_reported_once(desk: Desk, way: str) -> None:
    await desk.broker.subscribe_user_data(desk.account.id, [UserDataType.ORDER_UPDATE])
    BAD[way](desk, await desk.broker.place_order(desk.resting(size=2)))
    alarm = await desk.alarm()
    assert (alarm.missing, alarm.flattened) == (("stop_loss",), False)
    await no_guards()
    assert len(desk.alarms) == 1
    assert len(desk.exchange.positions(desk.account_id)) == 1


@pytest.mark.parametrize("way", BAD)
async def test_with_the_policy_the_account_is_flat_in_the_stated_time(
    strict: Desk, way: str
) -> None:
    await strict.broker.subscribe_user_data(strict.account.id, [UserDataType.ORDER_UPDATE])
    placed = await strict.broker.place_order(strict.resting(size=2))
    began = asyncio.get_running_loop().time()
    BAD[way](strict, placed)
    alarm = await strict.alarm()
    took = asyncio.get_running_loop().time() - began
    assert (alarm.missing, alarm.flattened) == (("stop_loss",), True)
    assert strict.is_flat()
    # until the message has come and the look has been made there is nothing to count from
    assert took < WITHIN + 1.5
    await no_guards()
    assert len(strict.alarms) == 1


async def test_news_that_are_lost_are_made_up_for_by_looks(
    strict: Desk, sandbox: TopStepXSandbox
) -> None:
    await strict.broker.subscribe_user_data(strict.account.id, [UserDataType.ORDER_UPDATE])
    sandbox.mute_hubs(Hubs.USER)
    _cancel(strict, await strict.broker.place_order(strict.resting()))
    assert (await strict.alarm()).flattened
    assert strict.is_flat()


async def test_a_market_entry_without_exits_is_left_by_the_policy(strict: Desk) -> None:
    strict.exchange.lose_legs(strict.account_id)
    began = asyncio.get_running_loop().time()
    with pytest.raises(ProtectionIncomplete) as caught:
        await strict.broker.place_order(strict.market(size=2))
    alarm = caught.value if caught.value.flattened else await strict.alarm()
    assert alarm.flattened
    assert strict.is_flat()
    assert asyncio.get_running_loop().time() - began < WITHIN + 1


async def test_exits_that_stay_suspended_protect_nothing(desk: Desk) -> None:
    placed = await desk.broker.place_order(desk.resting())
    desk.exchange.close_market()  # so that the legs cannot go to work
    desk.fill(placed)
    alarm = await desk.alarm()
    assert alarm.missing == ("stop_loss", "take_profit")


async def test_a_halt_does_not_keep_the_policy_from_getting_out(strict: Desk) -> None:
    placed = await strict.broker.place_order(strict.resting())
    strict.broker.halt("enough for today")
    _cancel(strict, placed)
    assert (await strict.alarm()).flattened
    assert strict.is_flat()


async def test_other_contracts_and_their_orders_stay(strict: Desk) -> None:
    other = await strict.broker.get_contract_by_symbol("GC")
    await strict.broker.place_order(
        OrderRequest.market(strict.account.id, other.id, OrderSide.SELL, 1)
    )
    placed = await strict.broker.place_order(strict.resting())
    _cancel(strict, placed)
    assert (await strict.alarm()).flattened
    (held,) = strict.exchange.positions(strict.account_id)
    assert held.instrument_id == other.id


# --- a bad network ---


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.HTML, 503])
async def test_an_entry_that_was_looked_up_is_looked_after(
    strict: Desk, sandbox: TopStepXSandbox, fault: Fault | int
) -> None:
    sandbox.fail_next(PLACE, fault)
    strict.exchange.lose_legs(strict.account_id, take_profit=False)
    with pytest.raises(ProtectionIncomplete) as caught:
        await strict.broker.place_order(strict.market())
    alarm = caught.value if caught.value.flattened else await strict.alarm()
    assert alarm.flattened
    assert strict.is_flat()
    assert sandbox.requests[PLACE] == 1


async def test_looks_that_fail_are_no_absence(desk: Desk, sandbox: TopStepXSandbox) -> None:
    sandbox.fail_next(QUERY, 503, count=1000)
    placed = await desk.broker.place_order(desk.market())
    assert placed.id
    sandbox._gate.faults.forget()
    await no_guards()
    assert desk.alarms == []


async def test_an_older_gateway_is_judged_once_the_entry_has_filled(
    desk: Desk, sandbox: TopStepXSandbox
) -> None:
    sandbox.fail_next(QUERY, 404, count=10_000)
    sandbox.fail_next(BY_ID, 404, count=10_000)
    await desk.broker.subscribe_user_data(desk.account.id, [UserDataType.ORDER_UPDATE])
    good = await desk.broker.place_order(desk.resting())
    desk.fill(good)
    await no_guards()
    assert desk.alarms == []
    bad = await desk.broker.place_order(desk.resting())
    desk.exchange.reject_order(desk.account_id, desk.leg(bad).id)
    desk.fill(bad)
    assert (await desk.alarm()).missing == ("stop_loss",)


async def test_an_entry_that_a_restart_finds_is_looked_after(
    connect: Connect, sandbox: TopStepXSandbox
) -> None:
    impatient = LookUps(pauses=(0.05,), deadline=0.3)
    first = await connect(look_ups=impatient)
    sandbox.fail_next(PLACE, Fault.RESET)
    sandbox.fail_next(QUERY, 503, count=1000)
    first.exchange.lose_legs(first.account_id, take_profit=False)
    with pytest.raises(OrderOutcomeUnknown):
        await first.broker.place_order(first.market())
    await first.broker.disconnect()
    assert first.alarms == []
    sandbox._gate.faults.forget()
    second = await connect(look_ups=impatient, flatten=True)
    alarm = await second.alarm()
    assert (alarm.missing, alarm.flattened) == (("stop_loss",), True)
    assert second.is_flat()
    assert sandbox.requests[PLACE] == 1


@pytest.mark.parametrize("by_user", [True, False])
async def test_a_resting_entry_is_looked_after_again_after_a_restart(
    connect: Connect, by_user: bool
) -> None:
    first = await connect()
    placed = await first.broker.place_order(first.resting())
    leg = first.leg(placed)
    if by_user:
        await first.broker.cancel_order(first.account.id, str(leg.id))
    await first.broker.disconnect()
    second = await connect(flatten=True)
    await second.broker.subscribe_user_data(second.account.id, [UserDataType.ORDER_UPDATE])
    other = OrderRequest.limit(second.account.id, second.contract.id, OrderSide.BUY, 1, 1)
    await second.broker.place_order(other)
    await guarded(placed)
    if not by_user:
        second.exchange.cancel(second.account_id, leg.id)
    second.fill(placed)
    if by_user:
        await no_guards()
        assert second.alarms == []
    else:
        assert (await second.alarm()).flattened
        assert second.is_flat()
