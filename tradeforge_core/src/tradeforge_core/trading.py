"""The trading half of every provider: what users call to look and to act.

Checks, the order path and the state that is merged from all that was seen exist once, in the core;
a provider's author writes the methods of `VenueAdapter`.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradeforge_core.adapter import VenueAdapter
from tradeforge_core.enums import BarUnit
from tradeforge_core.errors import NotFound, NotSupported, TradeForgeError
from tradeforge_core.events import OrderOutcomeEvent
from tradeforge_core.interfaces import TradingPlatformAPI
from tradeforge_core.kit.clock import Clock, current_clock
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
from tradeforge_core.orders._journal_entry import JournalEntry
from tradeforge_core.orders.client_ids import of_name
from tradeforge_core.orders.kill_switch import Halt
from tradeforge_core.orders.safety import OrderSafety
from tradeforge_core.outcomes import Accepted, CancelResult, OrderOutcome, Unknown
from tradeforge_core.plugins import Plugins
from tradeforge_core.requests import BarQuery, OrderChange, Period, earliest, latest, span_of
from tradeforge_core.state.digest import canonical

if TYPE_CHECKING:
    from tradeforge_core.kit.recording import FlightRecorder
    from tradeforge_core.orders.office import OrderOffice
    from tradeforge_core.orders.recent import Recent
    from tradeforge_core.state import KnownOrders, KnownPositions


class TradingProvider(VenueAdapter, TradingPlatformAPI):
    """Reading and trading. `Provider` adds the connection and the streams."""

    def __init__(
        self, *, plugins: Plugins | None, clock: Clock | None, safety: OrderSafety | None
    ) -> None:
        self._plugins = plugins or Plugins()
        self._clock = clock or current_clock()
        self._safety = safety or OrderSafety()
        self._contracts: dict[str, Contract] = {}
        self.recorder: FlightRecorder | None = None
        """What records, or has recorded, the latest connection."""
        from tradeforge_core.state.ledger import Ledger  # only here: importing is cheap
        from tradeforge_core.state.told import Told

        self._ledger = Ledger()
        self._told = Told(self._ledger)
        self._office: OrderOffice | None = None
        self._recent_writes: Recent | None = None

    @abstractmethod
    def _require_connection(self) -> None:
        """Raises `Disconnected` while there is no connection."""

    @abstractmethod
    def _tell_outcome(self, event: OrderOutcomeEvent) -> None:
        """Hand it to whoever listens."""

    @abstractmethod
    def _report(self, error: TradeForgeError) -> None:
        """Hand an error that no caller is there to catch to the handlers."""

    # --- what is known ---

    @property
    def safety(self) -> OrderSafety:
        """How carefully it trades; to be set before it is used."""
        return self._safety

    @safety.setter
    def safety(self, safety: OrderSafety) -> None:
        if self._office is not None:
            raise RuntimeError("the safety of a provider is set before it is connected")
        self._safety = safety

    @property
    def orders(self) -> "KnownOrders":
        """The orders that were seen so far, by answers and by stream, as they are now."""
        return self._ledger.orders

    @property
    def positions(self) -> "KnownPositions":
        """The positions that were seen so far, as they are now."""
        return self._ledger.positions

    def everything_known(self, redact: Callable[[Any], Any] = lambda model: model) -> list[str]:
        """Each account, order, fill and position that is known as one line of text, sorted.

        Equal states have equal lines, also in another process; `redact` changes what is shown.
        """
        return sorted(canonical(redact(one)) for one in self._ledger.everything())

    def saw_order(self, order: Order, as_of: datetime) -> None:
        """Take in what was true of an order as of then, from wherever it is known."""
        self._ledger.saw_order(order, as_of)

    def _note_call(self, name: str, account_id: str, **arguments: str) -> None:
        if self.recorder is not None:
            self.recorder.called(name, account_id, **arguments)

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

    async def iter_bars(
        self,
        contract_id: str,
        *,
        start: datetime,
        end: datetime | None = None,
        unit: BarUnit = BarUnit.MINUTE,
        size: int = 1,
    ) -> AsyncIterator[Bar]:
        newest: datetime | None = None
        for page in self._period(start, end).pages(_BARS_AT_ONCE * span_of(unit, size)):
            bars = await self.get_historical_bars(
                contract_id, start=page.start, end=page.end, unit=unit, size=size
            )
            for bar in bars:
                if newest is None or bar.time > newest:  # pages meet in a bar
                    newest = bar.time
                    yield bar

    async def get_order(self, account_id: str, order_id: str) -> Order:
        self._require_connection()
        self._note_call("get_order", account_id, order_id=order_id)
        began = self._clock.now()
        order = await self._fetch_order(account_id, order_id)
        self._ledger.saw_order(order, began)
        return order

    async def find_order(self, account_id: str, client_order_id: str) -> Order:
        self._require_connection()
        self._note_call("find_order", account_id, client_order_id=client_order_id)
        began = self._clock.now()
        found = await self._find_by_client_id(account_id, client_order_id)
        if not (orders := of_name(found, account_id, client_order_id)):
            raise NotFound(f"account {account_id} has no order {client_order_id!r}")
        self._ledger.saw_order(orders[0], began)
        return orders[0]

    async def get_open_orders(self, account_id: str) -> list[Order]:
        self._require_connection()
        self._note_call("get_open_orders", account_id)
        began = self._clock.now()
        orders = await self._fetch_open_orders(account_id)
        self._ledger.saw_open_orders(account_id, orders, began)
        return orders

    async def get_order_family(self, account_id: str, entry_id: str) -> OrderFamily:
        entry = await self.get_order(account_id, entry_id)
        exits = await self._fetch_exits(entry)
        return OrderFamily.of(entry, exits)

    async def get_order_history(
        self, account_id: str, *, start: datetime, end: datetime | None = None
    ) -> list[Order]:
        self._require_connection()
        began, period = self._clock.now(), self._period(start, end)
        self._note_call("get_order_history", account_id, **_named(period))
        orders = await self._fetch_order_history(account_id, period)
        for order in orders:
            self._ledger.saw_order(order, began)
        return orders

    async def get_positions(self, account_id: str) -> list[Position]:
        self._require_connection()
        self._note_call("get_positions", account_id)
        began = self._clock.now()
        positions = await self._fetch_positions(account_id)
        self._ledger.saw_positions(account_id, positions, began)
        return positions

    async def get_trade_history(
        self, account_id: str, *, start: datetime, end: datetime | None = None
    ) -> list[Trade]:
        self._require_connection()
        period = self._period(start, end)
        self._note_call("get_trade_history", account_id, **_named(period))
        trades = await self._fetch_trades(account_id, period)
        for trade in trades:
            self._ledger.saw_trade(trade)
        return trades

    def _period(self, start: datetime, end: datetime | None) -> Period:
        return Period(start=start, end=end or latest(self._clock.now(), self._clock_ahead()))

    async def _known_contract(self, contract_id: str) -> Contract:
        """The contract, looked up at the venue the first time only."""
        known = self._contracts.get(contract_id)
        return known or await self.get_contract(contract_id)

    # --- orders ---

    @property
    def _orders(self) -> "OrderOffice":
        """Made when it is first needed, and anew after `disconnect()`."""
        if self._office is None:
            from tradeforge_core.orders.office import OrderOffice  # only here: importing is cheap

            self._office = OrderOffice(
                self,
                self._safety,
                known_contract=self._known_contract,
                known_orders=self._ledger.orders,
                recent=self._recent,
                require_connection=self._require_connection,
                announce=self._announce,
                report=self._report,
                plugins=self._plugins,
                clock=self._clock,
            )
        return self._office

    @property
    def _recent(self) -> "Recent":
        """Kept for life: what was accepted before a `disconnect()` counts after it."""
        if self._recent_writes is None:
            from tradeforge_core.orders.recent import Recent  # only here: importing is cheap

            self._recent_writes = Recent(
                known_orders=self._ledger.orders,
                look_at_order=self.get_order,
                look_back=lambda account_id, start: self.get_order_history(
                    account_id, start=earliest(start, self._clock_ahead())
                ),
                clock=self._clock,
                settle=lambda: self._safety.look_ups.settle,
            )
        return self._recent_writes

    def _unknown_outcomes(self) -> list[Unknown]:
        """Of every request that was sent and of which nobody knows what became."""
        cases = self._office.path.cases() if self._office is not None else ()
        return [case.outcome for case in cases if isinstance(case.outcome, Unknown)]

    async def _close_office(self, grace: float) -> None:
        office, self._office = self._office, None
        if office is not None:
            await office.close(grace=grace)

    def _announce(self, outcome: OrderOutcome) -> None:
        now = self._clock.now()
        if isinstance(outcome, Accepted) and outcome.order is not None:
            self.saw_order(outcome.order, outcome.time)
            if self.recorder is not None:
                self.recorder.learned(outcome.order, outcome.time)
        self._plugins.saw_outcome(self.name, outcome)
        self._tell_outcome(OrderOutcomeEvent(outcome=outcome, received=now))

    async def place_order(self, request: OrderRequest) -> Order:
        order = await self._orders.desk.place(request)
        await self._orders.guards.confirm(order)
        return order

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
        await self._orders.desk.modify(change)

    async def cancel_order(self, account_id: str, order_id: str) -> None:
        await self._orders.desk.cancel(account_id, order_id)

    async def close_position(
        self, account_id: str, contract_id: str, *, size: Decimal | int | str | None = None
    ) -> None:
        self._require_connection()
        await self._orders.unwinding.close(account_id, contract_id, exact_or_none(size))

    async def cancel_all_orders(
        self, account_id: str, *, contract_id: str | None = None
    ) -> list[CancelResult]:
        self._require_connection()
        return await self._orders.unwinding.cancel_all(account_id, contract_id)

    async def flatten(self, account_id: str) -> None:
        self._require_connection()
        await self._orders.unwinding.flatten(account_id)

    async def outcome(self, client_order_id: str) -> OrderOutcome:
        return await self._orders.settlement.outcome(client_order_id)

    async def resolve(self, client_order_id: str, *, timeout: float | None = None) -> OrderOutcome:
        self._require_connection()
        return await self._orders.settlement.resolve(client_order_id, timeout)

    async def resubmit(self, client_order_id: str, *, accept_duplicate_risk: bool = False) -> Order:
        self._require_connection()
        order = await self._orders.settlement.resubmit(
            client_order_id, accept_duplicate_risk=accept_duplicate_risk
        )
        await self._orders.guards.confirm(order)
        return order

    async def acknowledge(self, client_order_id: str) -> None:
        await self._orders.settlement.acknowledge(client_order_id)

    def unsettled_outcomes(self) -> list[OrderOutcome]:
        return self._orders.settlement.unsettled()

    async def get_journal(self, *, limit: int = 100) -> list[JournalEntry]:
        return await self._orders.journals.entries(limit=limit)

    @property
    def halted(self) -> Halt | None:
        return self._orders.switch.halt

    def halt(self, reason: str) -> None:
        self._orders.switch.throw(reason, self._clock.now())

    def resume(self) -> None:
        self._orders.switch.release()


def _named(period: Period) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


_BARS_AT_ONCE = 10_000
"""How many bars `iter_bars` holds in memory, at the most."""
