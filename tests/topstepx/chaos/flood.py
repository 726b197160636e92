"""An account that is filled all day, over a connection that is cut, loses, doubles and delays."""

import asyncio
from collections import Counter
from random import Random

from attrs import define, field

from tradeforge_core import (
    Event,
    EventSource,
    JournalKind,
    OrderSafety,
    OrderSide,
    OrderType,
    PositionUpdateEvent,
    StreamConnectionStatus,
    UserDataType,
    UserTradeEvent,
    load_provider,
)
from tradeforge_core.provider import Provider
from tradeforge_testing.exchange import ExchangeEvent, FillMade, Ticket
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx.sandbox import EventFault, Hubs, TopStepXSandbox

EVENTS = ("GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition")
_FAULTS = (EventFault.LOST, EventFault.DUPLICATED, EventFault.REORDERED)
_MOST_HELD = 20
_LOOKS, _PAUSE = 60, 5.0
"""How often, and every how many seconds, it is looked whether all is known."""


@define
class Flood:
    """The fills of another program in the same account, and what is told of them here."""

    sandbox: TopStepXSandbox
    broker: Provider
    account_id: str
    contract_id: str
    random: Random
    fills: Counter[str] = field(factory=Counter)
    """How often each was told."""
    held: int = 0
    """As it was told last."""
    booked: set[str] = field(factory=set)
    cuts: int = 0
    faults: Counter[str] = field(factory=Counter)
    audited: int = 0
    """Fills that the stream did not tell."""

    def __attrs_post_init__(self) -> None:
        self.broker.on_event(self._heard)
        self.sandbox.exchange.listen(self._booked)

    def _booked(self, event: ExchangeEvent) -> None:
        if isinstance(event, FillMade):
            self.booked.add(str(event.fill.id))

    def _heard(self, event: Event) -> None:
        if isinstance(event, UserTradeEvent):
            self.fills[event.trade.id] += 1
            self.audited += event.source is EventSource.AUDIT
        elif isinstance(event, PositionUpdateEvent):
            self.held = int(event.position.size)

    async def round(self, fills: int) -> None:
        """So many fills with a cut somewhere among them; then all is fine until all is known."""
        cut = self.random.randrange(fills)
        self._spoil(fills)
        for number in range(fills):
            if number == cut:
                await self._cut()
            self._fill()
            await asyncio.sleep(self.random.choice((0, 0, 0.01, 0.2)))
        self.sandbox.forget_faults()
        await self._until_known()

    def _spoil(self, fills: int) -> None:
        for event in EVENTS:
            fault = self.random.choice(_FAULTS)
            self.sandbox.fail_events(event, fault, count=self.random.randint(2, fills // 4))
            self.faults[fault] += 1
        if self.random.random() < 0.5:
            self.sandbox.delay_events(self.random.uniform(0, 3), Hubs.USER)
            self.faults["late"] += 1
        if self.random.random() < 0.3:
            self.sandbox.lag_reads(self.random.uniform(0.1, 5))
            self.faults["lag"] += 1

    async def _cut(self) -> None:
        self.cuts += 1
        if self.random.random() < 0.5:
            self.sandbox.reset_hubs(Hubs.USER)
        else:
            await self.sandbox.drop_hubs(Hubs.USER)

    def _fill(self) -> None:
        order = self.sandbox.exchange.place(
            Ticket(
                account_id=int(self.account_id),
                instrument_id=self.contract_id,
                side=self._side(),
                type=OrderType.LIMIT,
                size=self.random.randint(1, 3),
                limit_price=self.sandbox.exchange.quote(self.contract_id).last,
            )
        )
        if not order.status.is_final:
            self.sandbox.exchange.fill_order(int(self.account_id), order.id)

    def _side(self) -> OrderSide:
        """Any, as long as the position stays a small one."""
        held = self._truth()
        if abs(held) <= _MOST_HELD:
            return self.random.choice((OrderSide.BUY, OrderSide.SELL))
        return OrderSide.SELL if held > 0 else OrderSide.BUY

    def _truth(self) -> int:
        positions = self.sandbox.exchange.positions(int(self.account_id))
        return next((one.size for one in positions if one.instrument_id == self.contract_id), 0)

    async def _until_known(self) -> None:
        """Raises `AssertionError` where the books differ for good."""
        for _ in range(_LOOKS):
            await asyncio.sleep(_PAUSE)
            if self.broker.status is StreamConnectionStatus.LIVE and not self.differences():
                return
        raise AssertionError(f"after {self.cuts} cuts: {self.broker.status}, {self.differences()}")

    def differences(self) -> list[str]:
        """Between what was told and what is known here, and what the venue has."""
        truth = self._truth()
        known = int(self.broker.positions.size(self.account_id, self.contract_id))
        lost, strange = self.booked - set(self.fills), set(self.fills) - self.booked
        checks = {
            f"{len(lost)} fills were never told": lost,
            f"{len(strange)} fills are not the venue's": strange,
            f"{known} are known to be held, and {truth} are": known != truth,
            f"{self.held} were told to be held, and {truth} are": self.held != truth,
        }
        return [text for text, is_wrong in checks.items() if is_wrong]

    @property
    def told_twice(self) -> list[str]:
        return [fill for fill, times in self.fills.items() if times > 1]


def flood(seed: int, cuts: int, fills: int) -> Flood:
    """`cuts` rounds with `fills` orders that are filled each, in virtual time."""

    async def program() -> Flood:
        random = Random(seed)
        async with TopStepXSandbox(seed=seed, tick_seconds=5.0) as sandbox:
            safety = OrderSafety(journal=JournalKind.MEMORY)
            async with load_provider("topstepx", sandbox.settings, safety=safety) as broker:
                account, *_ = await broker.get_accounts()
                contract = await broker.get_contract_by_symbol("MNQ")
                for other in sandbox.exchange.instruments.keys() - {contract.id}:
                    sandbox.exchange.halt(other)
                day = Flood(sandbox, broker, account.id, contract.id, random)
                await broker.subscribe_user_data([account.id], list(UserDataType))
                for _ in range(cuts):
                    await day.round(fills)
                return day

    return simulate(
        program, seed=seed, network=MemoryNetwork(latency=0.005, jitter=0.02, seed=seed)
    )
