"""The base of every provider: what users call.

A provider's author writes the methods of `VenueAdapter`; validation, add-ons, the order path and
the stream path exist once, in the core, so a new provider cannot forget them.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import AsyncExitStack
from enum import Enum
from typing import TYPE_CHECKING, Self

from attrs import asdict

from tradeforge_core.books import LiveOrderBook
from tradeforge_core.enums import (
    MarketDataType,
    StreamConnectionStatus,
    UserDataType,
)
from tradeforge_core.errors import Disconnected, NotFound, TradeForgeError
from tradeforge_core.events import (
    Event,
    HealthEvent,
    MarketEvent,
    OrderOutcomeEvent,
    OrderUpdateEvent,
    Topic,
    UserEvent,
)
from tradeforge_core.interfaces import (
    ErrorHandler,
    EventHandler,
    MarketData,
    RealTimeStream,
    StatusHandler,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import to_the_end
from tradeforge_core.orders.safety import OrderSafety
from tradeforge_core.plugins import Plugins
from tradeforge_core.state.digest import digest_of
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.openings import Openings
from tradeforge_core.streams.subscription import Subscription
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_core.streams.switchboard import Switchboard
from tradeforge_core.streams.topics import market_topics, topics_of
from tradeforge_core.trading import TradingProvider

if TYPE_CHECKING:
    from tradeforge_core.health import Health
    from tradeforge_core.hours import MarketHours
    from tradeforge_core.kit.record_to import RecordTo
    from tradeforge_core.kit.recording import FlightRecorder
    from tradeforge_core.streams.audit import Audit


_log = logging.getLogger("tradeforge_core")


class _State(Enum):
    NEW = "not connected yet: `await broker.connect()`, or use `async with`"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected: `await broker.connect()` connects again"


class Provider(TradingProvider, RealTimeStream):
    """One broker. `async with` connects and disconnects."""

    def __init__(
        self,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        timeouts: StreamTimeouts | None = None,
        safety: OrderSafety | None = None,
        audit: AuditTimes | None = None,
        record_to: "RecordTo | None" = None,
    ) -> None:
        super().__init__(plugins=plugins, clock=clock, safety=safety)
        self.record_to = record_to
        """Where to record from the next `connect()` on."""
        self._state = _State.NEW
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connecting = asyncio.Lock()
        self._ended = asyncio.Event()
        self._switchboard = Switchboard(
            self.name,
            self._make_link,
            self._stream_for,
            watch=self._saw,
            noticed=self._noticed,
            plugins=self._plugins,
            clock=self._clock,
            backoff=backoff or Backoff(),
            timeouts=timeouts or StreamTimeouts(),
        )
        self._audit_times = audit or AuditTimes()
        self._checks: Audit | None = None
        self._openings = Openings(self._hours_of, self._clock, self._report)

    # --- life ---

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.disconnect()

    async def connect(self) -> None:
        async with self._one_at_a_time():
            if self._state is _State.CONNECTED:
                return
            self.recorder = self._new_recorder()
            try:
                await self._log_in()
            except BaseException:
                await self._leave()
                raise
            self._state = _State.CONNECTED
            self._ended = asyncio.Event()
            self._switchboard.start()
            try:
                await self._orders.settlement.recover()
            except BaseException:
                await self._end()
                raise

    async def disconnect(self) -> None:
        async with self._one_at_a_time():
            if self._state is _State.CONNECTED:
                await self._end()

    async def _end(self) -> None:
        """Take each step, whatever became of the others; a cancellation cuts the waits short."""
        self._state = _State.DISCONNECTED
        async with AsyncExitStack() as last_to_first:
            last_to_first.callback(self._ended.set)
            last_to_first.push_async_callback(self._leave)
            last_to_first.push_async_callback(self._close_office, _LAST_ANSWERS)
            last_to_first.push_async_callback(self._switchboard.close)
            last_to_first.push_async_callback(self._close_audit)
            if self.recorder is not None:
                last_to_first.push_async_callback(self._record_leaving, self.recorder)

    async def _close_audit(self) -> None:
        checks, self._checks = self._checks, None
        if checks is not None:
            await checks.close()

    async def _leave(self) -> None:
        async with AsyncExitStack() as last_to_first:
            if self.recorder is not None:
                last_to_first.push_async_callback(self._end_recording, self.recorder)
            await to_the_end(self._log_out(), name="logging out")

    # --- the recording ---

    def _new_recorder(self) -> "FlightRecorder | None":
        if self.record_to is None:
            return None
        known = len(self._ledger.everything())
        about = {"provider": self.name, "audit": asdict(self._audit_times), "known": known}
        return self.record_to.begin(self.name, self._clock, self._redactor, about)

    async def _record_leaving(self, recorder: "FlightRecorder") -> None:
        for _ in range(_TURNS):  # what is recorded as answered is taken in, as in a replay
            await asyncio.sleep(0)
        recorder.left()

    async def _end_recording(self, recorder: "FlightRecorder") -> None:
        """Everything is known by now: it is what a replay is to end with."""
        try:
            known = self.everything_known(recorder.redactor.model)
            closing = asyncio.to_thread(recorder.close, known, digest_of(known))
            await to_the_end(closing, name="closing the recording")
        except Exception:  # noqa: BLE001  # an observer: whatever is wrong, the provider leaves
            _log.exception("the recording %s was not completed", recorder.path)

    def _note_wish(self, topics: Iterable[Topic]) -> None:
        if self.recorder is not None:
            self.recorder.wanted(topics)

    def _one_at_a_time(self) -> asyncio.Lock:
        """To connect and to disconnect, in this event loop: there may be one after the other."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._connecting = asyncio.Lock()
        return self._connecting

    async def run_forever(self) -> None:
        self._require_connection()
        await self._ended.wait()

    def _require_connection(self) -> None:
        if self._state is not _State.CONNECTED:
            raise Disconnected(f"{self.name} is {self._state.value}", sent=False)

    # --- streams ---

    def _saw(self, event: Event) -> Event | None:
        """What to pass on of a private message: what is known now, and was not told yet."""
        self._ledger.take(event)
        if isinstance(event, OrderUpdateEvent):
            self._orders.saw(event.order)
        return self._told.take(event)

    def _noticed(self, event: HealthEvent) -> None:
        if self._checks is not None:
            self._checks.lost(event)

    @property
    def _audit(self) -> "Audit":
        """Made when private data is first subscribed."""
        if self._checks is None:
            from tradeforge_core.streams.audit import Audit  # only here: importing is cheap

            self._checks = Audit(
                self,
                self._ledger,
                self._told,
                wants=self._switchboard.wants,
                disclose=self._switchboard.disclose,
                publish=self._switchboard.repeat,
                publish_health=self._switchboard.publish_health,
                report=self._report,
                clock=self._clock,
                times=self._audit_times,
            )
        return self._checks

    def _tell_outcome(self, event: OrderOutcomeEvent) -> None:
        self._switchboard.publish_outcome(event)

    def _report(self, error: TradeForgeError) -> None:
        self._switchboard.report(error)

    @property
    def status(self) -> StreamConnectionStatus:
        return self._switchboard.status

    @property
    def health(self) -> "Health":
        """How it is at this moment, in numbers, without a request to the venue; at any time.

        Times are UTC, ages and spans are in seconds.
        """
        from tradeforge_core.health import Health, budgets_health  # only here: importing is cheap

        now, watch = self._clock.now(), self._switchboard.watch
        ages = [(now - one.since).total_seconds() for one in self._unknown_outcomes()]
        return Health(
            provider=self.name,
            time=now,
            status=self.status,
            streams=self._switchboard.streams_health(),
            subscribers=self._switchboard.subscribers_health(),
            unknown_outcomes=len(ages),
            oldest_unknown=max(ages, default=0.0),
            halted=self.halted is not None,
            loop_lag=watch.loop_lag,
            longest_loop_lag=watch.longest_loop_lag,
            stalls=watch.stalls,
            stale=self._switchboard.silence.stale,
            budgets=budgets_health(self._budgets()),
        )

    def subscribe_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketData,
    ) -> Subscription[MarketEvent]:
        topics = market_topics(contract_ids, data_types, self.capabilities)
        return Subscription(self._switchboard, topics, lambda: self._check_contracts(topics))

    async def unsubscribe_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketData,
    ) -> None:
        topics = market_topics(contract_ids, data_types, self.capabilities)
        await self._switchboard.withdraw(topics)

    def order_book(self, contract_id: str) -> LiveOrderBook:
        (topic,) = topics_of(contract_id, MarketDataType.DEPTH, self.capabilities.market_data)
        return LiveOrderBook(self._switchboard, topic, lambda: self._check_contracts((topic,)))

    def subscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: UserDataType | Collection[UserDataType]
    ) -> Subscription[UserEvent]:
        topics = topics_of(account_ids, data_types, self.capabilities.user_data)
        return Subscription(self._switchboard, topics, lambda: self._begin_with(topics))

    async def unsubscribe_user_data(
        self, account_ids: str | Iterable[str], data_types: UserDataType | Collection[UserDataType]
    ) -> None:
        topics = topics_of(account_ids, data_types, self.capabilities.user_data)
        await self._switchboard.withdraw(topics)

    def expect_market_data(
        self,
        contract_ids: str | Iterable[str],
        data_types: MarketData,
        *,
        within: float | None,
    ) -> None:
        if within is not None and not within > 0:
            raise ValueError(f"data cannot be expected within {within} seconds")
        topics = market_topics(contract_ids, data_types, self.capabilities)
        self._switchboard.silence.expect(topics, within, self._openings.is_open)

    def on_event(self, handler: EventHandler) -> EventHandler:
        self._switchboard.on_event(handler)
        return handler

    def on_status_change(self, handler: StatusHandler) -> StatusHandler:
        self._switchboard.on_status_change(handler)
        return handler

    def on_error(self, handler: ErrorHandler) -> ErrorHandler:
        self._switchboard.on_error(handler)
        return handler

    def _hours_of(self, contract_id: str) -> "MarketHours | None":
        contract = self._contracts.get(contract_id)
        return None if contract is None else self.market_hours(contract)

    async def _begin_with(self, topics: Iterable[Topic]) -> None:
        """Look at the accounts, and take what is so now for what the subscribers know.

        As with contracts, a venue may confirm an account that will never have any news.
        """
        self._require_connection()
        self._note_wish(topics)
        known = {account.id for account in await self._fetch_all_accounts()}
        if missing := sorted({topic.key for topic in topics} - known):
            raise NotFound(f"there is no account {', '.join(map(repr, missing))}")
        self._require_connection()  # an audit that begins now would outlive it
        await self._audit.begin(topics)

    async def _check_contracts(self, topics: Iterable[Topic]) -> None:
        """A venue may confirm a contract that it does not have, and then stay silent for ever."""
        self._require_connection()
        self._note_wish(topics)
        for contract_id in {topic.key for topic in topics}:
            await self._known_contract(contract_id)


_TURNS = 20
"""Of the loop: more than an answer takes to whoever has asked."""
_LAST_ANSWERS = 5.0
"""Seconds that requests in flight have to be answered at `disconnect()`."""
