"""The base of every provider: what users call is here, what differs is in short methods below it.

A provider's author writes the protected methods; validation, add-ons, the order path and the
stream path exist once, in the core, so a new provider cannot forget them.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import ClassVar, Self

import attrs

from tradeforge_core.capabilities import Capabilities
from tradeforge_core.enums import BarUnit, MarketDataType, StreamConnectionStatus, UserDataType
from tradeforge_core.errors import Disconnected, NotSupported, OrderVetoed
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
    Order,
    OrderRequest,
    Position,
    Trade,
    exact,
)
from tradeforge_core.orders.checks import check_change, check_order, check_size, check_supported
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_core.orders.path import before_sending, send_once
from tradeforge_core.plugins import OrderContext, Plugins
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.subscription import Subscription
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_core.streams.switchboard import Switchboard
from tradeforge_core.streams.topics import topics_of


class _State(Enum):
    NEW = "not connected yet: `await broker.connect()`, or use `async with`"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected: `await broker.connect()` connects again"


class Provider(TradingPlatformAPI, RealTimeStream):
    """One broker. `async with` connects and disconnects."""

    name: ClassVar[str]
    """The word that `load_provider` knows it by."""
    capabilities: ClassVar[Capabilities]
    stream_of: ClassVar[Mapping[MarketDataType | UserDataType, str]]
    """Which of the provider's connections carries each kind of data."""

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

    # --- what a provider's author writes ---

    @abstractmethod
    async def _log_in(self) -> None:
        """Open what requests need, and log in."""

    @abstractmethod
    async def _log_out(self) -> None:
        """Close what `_log_in` opened; must not raise because the venue is gone."""

    @abstractmethod
    def _make_link(self, stream: str) -> StreamLink:
        """A new connection of the stream of this name; it publishes to `self._switchboard`."""

    @abstractmethod
    async def _fetch_accounts(self) -> list[Account]: ...

    @abstractmethod
    async def _search_contracts(self, text: str) -> list[Contract]: ...

    @abstractmethod
    async def _fetch_contract(self, contract_id: str) -> Contract: ...

    @abstractmethod
    async def _find_contract(self, symbol: str) -> Contract: ...

    @abstractmethod
    async def _fetch_bars(self, query: BarQuery) -> list[Bar]: ...

    @abstractmethod
    async def _submit_order(self, request: OrderRequest) -> Order: ...

    @abstractmethod
    async def _submit_change(self, change: OrderChange) -> None: ...

    @abstractmethod
    async def _submit_cancel(self, account_id: str, order_id: str) -> None: ...

    @abstractmethod
    async def _submit_close(
        self, account_id: str, contract_id: str, size: Decimal | None
    ) -> None: ...

    @abstractmethod
    async def _fetch_order(self, account_id: str, order_id: str) -> Order: ...

    @abstractmethod
    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> Order: ...

    @abstractmethod
    async def _fetch_open_orders(self, account_id: str) -> list[Order]: ...

    @abstractmethod
    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]: ...

    @abstractmethod
    async def _fetch_positions(self, account_id: str) -> list[Position]: ...

    @abstractmethod
    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]: ...

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
            async with (
                AsyncExitStack() as last_to_first
            ):  # each step, whatever became of the others
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
        contract = await self._find_contract(symbol)
        self._contracts[contract.id] = contract
        return contract

    async def get_historical_bars(
        self,
        contract_id: str,
        *,
        start: datetime,
        end: datetime | None = None,
        unit: BarUnit = BarUnit.MINUTE,
        size: int = 1,
        limit: int | None = None,
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
        self._require_connection()
        check_supported(request, self.capabilities, self.name)
        contract = await before_sending(self._known_contract(request.contract_id), "place")
        check_order(request, contract)
        named = self._named(request)
        context = OrderContext(provider=self.name, contract=contract)
        if reasons := await self._plugins.vetoes(named, context):
            raise OrderVetoed(reasons)
        self._require_connection()  # a check may have taken its time
        return await send_once(
            self._submit_order(named),
            tasks=self._tasks,
            operation="place",
            client_order_id=named.client_order_id,
        )

    async def modify_order(
        self,
        account_id: str,
        order_id: str,
        *,
        size: Decimal | int | str | None = None,
        limit_price: Decimal | int | str | None = None,
        stop_price: Decimal | int | str | None = None,
    ) -> None:
        self._require_connection()
        change = OrderChange(
            account_id=account_id,
            order_id=order_id,
            size=size,
            limit_price=limit_price,
            stop_price=stop_price,
        )
        order = await before_sending(self._fetch_order(account_id, order_id), "modify")
        check_change(
            await before_sending(self._known_contract(order.contract_id), "modify"),
            size=change.size,
            prices={"limit_price": change.limit_price, "stop_price": change.stop_price},
        )
        self._require_connection()
        await send_once(
            self._submit_change(change), tasks=self._tasks, operation="modify", order_id=order_id
        )

    async def cancel_order(self, account_id: str, order_id: str) -> None:
        self._require_connection()
        await send_once(
            self._submit_cancel(account_id, order_id),
            tasks=self._tasks,
            operation="cancel",
            order_id=order_id,
        )

    async def close_position(
        self, account_id: str, contract_id: str, *, size: Decimal | int | str | None = None
    ) -> None:
        self._require_connection()
        part = None if size is None else exact(size)
        if part is not None:
            check_size(part, await before_sending(self._known_contract(contract_id), "close"))
        self._require_connection()
        await send_once(
            self._submit_close(account_id, contract_id, part), tasks=self._tasks, operation="close"
        )

    def _named(self, request: OrderRequest) -> OrderRequest:
        if request.client_order_id:
            return request
        return attrs.evolve(request, client_order_id=new_client_order_id(self._clock.now()))

    # --- streams ---

    @property
    def status(self) -> StreamConnectionStatus:
        return self._switchboard.status

    def subscribe_market_data(
        self, contract_ids: str | Iterable[str], data_types: Sequence[MarketDataType]
    ) -> Subscription[MarketEvent]:
        topics = topics_of(contract_ids, data_types, self.capabilities.market_data)
        return Subscription(self._switchboard, topics, lambda: self._check_contracts(topics))

    async def unsubscribe_market_data(
        self, contract_ids: str | Iterable[str], data_types: Sequence[MarketDataType]
    ) -> None:
        topics = topics_of(contract_ids, data_types, self.capabilities.market_data)
        await self._switchboard.withdraw(topics)

    def subscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: Sequence[UserDataType]
    ) -> Subscription[UserEvent]:
        topics = topics_of(account_ids, data_types, self.capabilities.user_data)
        return Subscription(self._switchboard, topics, self._check_connection)

    async def unsubscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: Sequence[UserDataType]
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

    async def _check_connection(self) -> None:
        self._require_connection()

    async def _check_contracts(self, topics: Iterable[Topic]) -> None:
        """A venue may confirm a contract that it does not have, and then stay silent for ever."""
        self._require_connection()
        for contract_id in {topic.key for topic in topics}:
            await self._known_contract(contract_id)


_LAST_ANSWERS = 5.0
"""Seconds that requests in flight have to be answered at `disconnect()`."""
