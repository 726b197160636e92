"""The base of every provider: what users call.

A provider's author writes the methods of `VenueAdapter`; validation, add-ons, the order path and
the stream path exist once, in the core, so a new provider cannot forget them.
"""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import AsyncExitStack
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Self

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.enums import (
    BarUnit,
    MarketDataType,
    OrderType,
    StreamConnectionStatus,
    UserDataType,
)
from tradeforge_core.errors import Disconnected, NotFound, NotSupported
from tradeforge_core.events import MarketEvent, Topic, UserEvent
from tradeforge_core.interfaces import (
    ErrorHandler,
    EventHandler,
    RealTimeStream,
    StatusHandler,
    TradingPlatformAPI,
)
from tradeforge_core.kit.clock import Clock, SystemClock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.models import (
    Account,
    Bar,
    Contract,
    FrontMonth,
    Order,
    OrderFamily,
    OrderRequest,
    Position,
    Trade,
    exact_or_none,
)
from tradeforge_core.orders.desk import OrderDesk
from tradeforge_core.orders.unwinding import CancelResult, Unwinding
from tradeforge_core.plugins import Plugins
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.subscription import Subscription
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_core.streams.switchboard import Switchboard
from tradeforge_core.streams.topics import topics_of


class _State(Enum):
    NEW = "not connected yet: `await broker.connect()`, or use `async with`"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected: `await broker.connect()` connects again"


class Provider(VenueAdapter, TradingPlatformAPI, RealTimeStream):
    """One broker. `async with` connects and disconnects."""

    def __init__(
        self,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        timeouts: StreamTimeouts | None = None,
    ) -> None:
        self._plugins = plugins or Plugins()
        self._clock = clock or SystemClock()
        self._tasks = TaskOwner()
        self._contracts: dict[str, Contract] = {}
        self._desk = OrderDesk(
            self,
            known_contract=self._known_contract,
            require_connection=self._require_connection,
            plugins=self._plugins,
            tasks=self._tasks,
            clock=self._clock,
        )
        self._unwinding = Unwinding(self._desk, self, self._clock)
        self._state = _State.NEW
        self._connecting = asyncio.Lock()
        self._ended = asyncio.Event()
        self._switchboard = Switchboard(
            self.name,
            self._make_link,
            self.stream_of,
            plugins=self._plugins,
            clock=self._clock,
            backoff=backoff or Backoff(),
            timeouts=timeouts or StreamTimeouts(),
        )

    # --- life ---

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.disconnect()

    async def connect(self) -> None:
        async with self._connecting:
            if self._state is _State.CONNECTED:
                return
            self._ended.clear()
            try:
                await self._log_in()
            except BaseException:
                await self._log_out()
                raise
            self._state = _State.CONNECTED
            self._switchboard.start()

    async def disconnect(self) -> None:
        async with self._connecting:
            if self._state is not _State.CONNECTED:
                return
            self._state = _State.DISCONNECTED
            # each step is taken, whatever became of the others
            async with AsyncExitStack() as last_to_first:
                last_to_first.callback(self._ended.set)
                last_to_first.push_async_callback(self._log_out)
                last_to_first.push_async_callback(self._tasks.close, grace=_LAST_ANSWERS)
                last_to_first.push_async_callback(self._switchboard.close)

    async def run_forever(self) -> None:
        self._require_connection()
        await self._ended.wait()

    def _require_connection(self) -> None:
        if self._state is not _State.CONNECTED:
            raise Disconnected(f"{self.name} is {self._state.value}", sent=False)

    # --- reading ---

    async def get_accounts(self) -> list[Account]:
        self._require_connection()
        return await self._fetch_accounts()

    async def search_contracts(self, text: str) -> list[Contract]:
        self._require_connection()
        return await self._search_contracts(text)

    async def get_contract(self, contract_id: str) -> Contract:
        self._require_connection()
        contract = await self._fetch_contract(contract_id)
        self._contracts[contract_id] = contract
        return contract

    async def get_contract_by_symbol(self, symbol: str) -> Contract:
        self._require_connection()
        return (await self.resolve_front_month(symbol)).contract

    async def resolve_front_month(self, root: str) -> FrontMonth:
        self._require_connection()
        found = await self._find_contract(root)
        self._contracts[found.contract.id] = found.contract
        return found

    async def get_historical_bars(
        self,
        contract_id: str,
        *,
        start: datetime,
        end: datetime | None = None,
        unit: BarUnit = BarUnit.MINUTE,
        size: int = 1,
        limit: int | None = None,
        include_partial: bool = False,
    ) -> list[Bar]:
        self._require_connection()
        if unit not in self.capabilities.bar_units:
            known = ", ".join(sorted(self.capabilities.bar_units))
            raise NotSupported(f"{self.name} has no bars of a {unit}; it has: {known}")
        query = BarQuery(
            contract_id=contract_id,
            period=self._period(start, end),
            unit=unit,
            size=size,
            limit=limit,
            include_partial=include_partial,
        )
        return await self._fetch_bars(query)

    async def get_order(self, account_id: str, order_id: str) -> Order:
        self._require_connection()
        return await self._fetch_order(account_id, order_id)

    async def find_order(self, account_id: str, client_order_id: str) -> Order:
        self._require_connection()
        return await self._find_by_client_id(account_id, client_order_id)

    async def get_open_orders(self, account_id: str) -> list[Order]:
        self._require_connection()
        return await self._fetch_open_orders(account_id)

    async def get_order_family(self, account_id: str, entry_id: str) -> OrderFamily:
        entry = await self.get_order(account_id, entry_id)
        exits = await self._fetch_exits(entry)
        return OrderFamily(
            entry=entry,
            stop_loss=_first(exits, {OrderType.STOP, OrderType.TRAILING_STOP}),
            take_profit=_first(exits, {OrderType.LIMIT}),
        )

    async def get_order_history(
        self, account_id: str, *, start: datetime, end: datetime | None = None
    ) -> list[Order]:
        self._require_connection()
        return await self._fetch_order_history(account_id, self._period(start, end))

    async def get_positions(self, account_id: str) -> list[Position]:
        self._require_connection()
        return await self._fetch_positions(account_id)

    async def get_trade_history(
        self, account_id: str, *, start: datetime, end: datetime | None = None
    ) -> list[Trade]:
        self._require_connection()
        return await self._fetch_trades(account_id, self._period(start, end))

    def _period(self, start: datetime, end: datetime | None) -> Period:
        return Period(start=start, end=end or self._clock.now())

    async def _known_contract(self, contract_id: str) -> Contract:
        """The contract, looked up at the venue the first time only."""
        known = self._contracts.get(contract_id)
        return known or await self.get_contract(contract_id)

    # --- orders ---

    async def place_order(self, request: OrderRequest) -> Order:
        return await self._desk.place(request)

    async def modify_order(
        self,
        account_id: str,
        order_id: str,
        *,
        size: Decimal | int | str | None = None,
        limit_price: Decimal | int | str | None = None,
        stop_price: Decimal | int | str | None = None,
        trail_distance: Decimal | int | str | None = None,
    ) -> None:
        change = OrderChange(
            account_id=account_id,
            order_id=order_id,
            size=size,
            limit_price=limit_price,
            stop_price=stop_price,
            trail_distance=trail_distance,
        )
        await self._desk.modify(change)

    async def cancel_order(self, account_id: str, order_id: str) -> None:
        await self._desk.cancel(account_id, order_id)

    async def close_position(
        self, account_id: str, contract_id: str, *, size: Decimal | int | str | None = None
    ) -> None:
        self._require_connection()
        await self._unwinding.close(account_id, contract_id, exact_or_none(size))

    async def cancel_all_orders(
        self, account_id: str, *, contract_id: str | None = None
    ) -> list[CancelResult]:
        self._require_connection()
        return await self._unwinding.cancel_all(account_id, contract_id)

    async def flatten(self, account_id: str) -> None:
        self._require_connection()
        await self._unwinding.flatten(account_id)

    # --- streams ---

    @property
    def status(self) -> StreamConnectionStatus:
        return self._switchboard.status

    def subscribe_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketDataType | Collection[MarketDataType],
    ) -> Subscription[MarketEvent]:
        topics = topics_of(contract_ids, data_types, self.capabilities.market_data)
        return Subscription(self._switchboard, topics, lambda: self._check_contracts(topics))

    async def unsubscribe_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketDataType | Collection[MarketDataType],
    ) -> None:
        topics = topics_of(contract_ids, data_types, self.capabilities.market_data)
        await self._switchboard.withdraw(topics)

    def subscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: UserDataType | Collection[UserDataType]
    ) -> Subscription[UserEvent]:
        topics = topics_of(account_ids, data_types, self.capabilities.user_data)
        return Subscription(self._switchboard, topics, lambda: self._check_accounts(topics))

    async def unsubscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: UserDataType | Collection[UserDataType]
    ) -> None:
        topics = topics_of(account_ids, data_types, self.capabilities.user_data)
        await self._switchboard.withdraw(topics)

    def on_event(self, handler: EventHandler) -> EventHandler:
        self._switchboard.on_event(handler)
        return handler

    def on_status_change(self, handler: StatusHandler) -> StatusHandler:
        self._switchboard.on_status_change(handler)
        return handler

    def on_error(self, handler: ErrorHandler) -> ErrorHandler:
        self._switchboard.on_error(handler)
        return handler

    async def _check_accounts(self, topics: Iterable[Topic]) -> None:
        """As for contracts: a venue may confirm an account that will never have any news."""
        self._require_connection()
        known = {account.id for account in await self._fetch_accounts()}
        if missing := sorted({topic.key for topic in topics} - known):
            raise NotFound(f"there is no active account {', '.join(map(repr, missing))}")

    async def _check_contracts(self, topics: Iterable[Topic]) -> None:
        """A venue may confirm a contract that it does not have, and then stay silent for ever."""
        self._require_connection()
        for contract_id in {topic.key for topic in topics}:
            await self._known_contract(contract_id)


def _first(orders: Iterable[Order], types: set[OrderType]) -> Order | None:
    return next((order for order in orders if order.type in types), None)


_LAST_ANSWERS = 5.0
"""Seconds that requests in flight have to be answered at `disconnect()`."""
