"""One test of the kit: a provider, its venue, and everything that was heard."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from attrs import define, evolve, field

from tradeforge_core import (
    Capabilities,
    Contract,
    Event,
    Order,
    OrderRequest,
    OrderSide,
    Provider,
    TradeForgeError,
    UserDataType,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_testing.chaos.canaries import Canaries
from tradeforge_testing.chaos.faults import Action, ChaosFault
from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.exchange import Exchange, ExchangeOrder, Fill, Instrument
from tradeforge_testing.proxy import Direction

E = TypeVar("E", bound=Event)
X = TypeVar("X", bound=BaseException)

BUY, SELL = OrderSide.BUY, OrderSide.SELL


@define
class Trial:
    """What a test of the kit works with; time is virtual, and the venue's books are the truth."""

    stage: Stage
    began: datetime
    canaries: Canaries
    fault: ChaosFault | None = None
    fired: int = 0
    """How often the fault has happened."""
    _planned: int = 0
    heard: list[Event] = field(factory=list)
    errors: list[TradeForgeError] = field(factory=list)

    # --- who is there ---

    @property
    def broker(self) -> Provider:
        return self.stage.broker

    @property
    def capabilities(self) -> Capabilities:
        return self.broker.capabilities

    @property
    def exchange(self) -> Exchange:
        return self.stage.exchange

    @property
    def account_id(self) -> str:
        return self.stage.account_id

    @property
    def contract_id(self) -> str:
        return self.stage.contract_id

    @property
    def instrument(self) -> Instrument:
        return self.exchange.instruments[self.contract_id]

    @property
    def sent(self) -> int:
        """How many bytes have come to the venue so far."""
        return self.stage.proxy.received[Direction.UPSTREAM]

    @property
    def came(self) -> int:
        """How many bytes the venue has sent so far."""
        return self.stage.proxy.received[Direction.DOWNSTREAM]

    # --- what the venue has ---

    @property
    def booked(self) -> list[ExchangeOrder]:
        return self.exchange.orders(int(self.account_id))

    @property
    def fills(self) -> list[Fill]:
        return self.exchange.fills(int(self.account_id))

    @property
    def held(self) -> int:
        """The venue's position in the contract: below zero when short."""
        positions = self.exchange.positions(int(self.account_id))
        return sum(one.size for one in positions if one.instrument_id == self.contract_id)

    def of_name(self, client_order_id: str | None) -> list[ExchangeOrder]:
        return [one for one in self.booked if one.tag == client_order_id]

    # --- what a trader does ---

    async def contract(self) -> Contract:
        return await self.broker.get_contract(self.contract_id)

    def price(self, side: OrderSide, ticks: int) -> Decimal:
        """So many ticks away from the last trade, on the side where such an order rests."""
        last = self.exchange.quote(self.contract_id).last
        return last + self.instrument.tick_size * (-ticks if side is BUY else ticks)

    def market(self, side: OrderSide = BUY, size: int = 1, **more: Any) -> OrderRequest:
        """An order with a name, which the test can ask for."""
        request = OrderRequest.market(self.account_id, self.contract_id, side, size)
        return evolve(request, client_order_id=self.new_name(), **more)

    def limit(self, side: OrderSide = BUY, size: int = 1, ticks: int = 200) -> OrderRequest:
        price = self.price(side, ticks)
        request = OrderRequest.limit(self.account_id, self.contract_id, side, size, price)
        return evolve(request, client_order_id=self.new_name())

    def stop(self, side: OrderSide = BUY, size: int = 1, ticks: int = 200) -> OrderRequest:
        price = self.price(SELL if side is BUY else BUY, ticks)
        request = OrderRequest.stop(self.account_id, self.contract_id, side, size, price)
        return evolve(request, client_order_id=self.new_name())

    @staticmethod
    def new_name() -> str:
        return new_client_order_id(current_clock().now())

    async def buy(self, size: int = 1) -> Order:
        return await self.broker.place_order(self.market(BUY, size))

    async def sell(self, size: int = 1) -> Order:
        return await self.broker.place_order(self.market(SELL, size))

    async def rest(self, side: OrderSide = BUY, size: int = 1) -> Order:
        """An order in the book, far from the market."""
        return await self.broker.place_order(self.limit(side, size))

    async def strike(self, action: Action) -> None:
        """Let the fault of this run happen, beside this action."""
        if self.fault is None:
            return
        self.count_fired()
        striking = self.fault.strike(self.stage, action, self.stage.random)
        if striking is not None:
            await striking
        if self.fault.at_once:
            self.fired += 1
        else:
            self._planned = self.stage.pending

    def count_fired(self) -> None:
        """Of what was planned, something is pending no more: it has happened."""
        self.fired += self.stage.pending < self._planned
        self._planned = 0

    async def heal(self) -> None:
        self.count_fired()
        await self.stage.heal()

    # --- what was heard ---

    def listen(self) -> None:
        """Keep every event, and every error that has no caller."""
        self.broker.on_event(self.heard.append)
        self.broker.on_error(self.errors.append)

    async def follow(self) -> None:
        """Have the private data of the account told, all that the provider declares."""
        kinds = [one for one in UserDataType if one in self.capabilities.user_data]
        if kinds:
            await self.broker.subscribe_user_data([self.account_id], kinds)

    def told(self, kind: type[E]) -> list[E]:
        return [one for one in self.heard if isinstance(one, kind)]

    # --- time ---

    async def until(self, is_so: Callable[[], object], *, within: float = 60.0) -> None:
        """Let time pass until it is so. Raises `AssertionError` after `within` seconds."""
        steps = max(round(within / _STEP), 1)
        for _ in range(steps):
            if is_so():
                return
            await asyncio.sleep(_STEP)
        assert is_so(), f"it was not so within {within:g} s"

    async def raises(self, kind: type[X] | tuple[type[X], ...], work: Awaitable[object]) -> X:
        """What `work` raises, which has to be of this kind."""
        try:
            result = await work
        except kind as error:
            return error
        raise AssertionError(f"it raised nothing, and gave {result!r}: {kind} was to be raised")


_STEP = 0.05
