"""Bybit: each thing that the contract asks for, as one short method."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve

from tradeforge_bybit import _contracts, _mapping, _order_entry, _orders, _proofs
from tradeforge_bybit._account_events import AccountReader
from tradeforge_bybit._bars import fetch_bars
from tradeforge_bybit._brackets import exit_words
from tradeforge_bybit._capabilities import CAPABILITIES
from tradeforge_bybit._connections import Connections
from tradeforge_bybit._links import PRIVATE
from tradeforge_bybit._modes import Modes
from tradeforge_bybit._names import Place
from tradeforge_bybit._order_entry import OrderEntry
from tradeforge_bybit._order_socket import STREAM as ORDERS
from tradeforge_bybit._pacing import paced
from tradeforge_bybit._pieces import close_all_of
from tradeforge_bybit._places import OrderPlace, Places
from tradeforge_bybit._proofs import Proofs
from tradeforge_bybit._redaction import Redaction
from tradeforge_bybit._rest import Rest
from tradeforge_bybit._search import Search
from tradeforge_bybit._server_time import ServerTime
from tradeforge_bybit._signing import Signer
from tradeforge_bybit._socket import SocketLimits, Tap
from tradeforge_bybit._wire import WalletRow
from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.fees import FeeRates
from tradeforge_core import (
    Account,
    Bar,
    Contract,
    DepthEvent,
    Event,
    FrontMonth,
    InvalidOrder,
    NotFound,
    NotSent,
    Order,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderUpdateEvent,
    Plugins,
    Position,
    Provider,
    Ticker,
    Topic,
    Trade,
    UserDataType,
    VenueError,
)
from tradeforge_core.adapter import Write
from tradeforge_core.kit.budget import Lane, RateBudget, reads_go
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpClient
from tradeforge_core.kit.record_to import RecordTo
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_core.orders.path import before_sending
from tradeforge_core.requests import BarQuery, OrderChange, Period, latest
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts


class BybitProvider(Provider):
    """Bybit's v5 API with the key of a unified account."""

    name = "bybit"
    capabilities = CAPABILITIES
    shows_waiting_exits = False
    stream_of = dict.fromkeys(UserDataType, PRIVATE)

    def __init__(
        self,
        config: BybitConfig,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        timeouts: StreamTimeouts | None = None,
        safety: OrderSafety | None = None,
        audit: AuditTimes | None = None,
        record_to: RecordTo | None = None,
        socket_limits: SocketLimits | None = None,
    ) -> None:
        super().__init__(
            plugins=plugins,
            clock=clock,
            backoff=backoff,
            timeouts=timeouts,
            safety=safety,
            audit=audit,
            record_to=record_to,
        )
        self.config = config
        self._time = ServerTime(self._clock)
        self._signer = Signer.of(config, self._time)
        self._places = Places()
        self._proofs = Proofs(self.orders, self._clock)
        self._connections = Connections(
            config=config,
            switchboard=self._switchboard,
            clock=self._clock,
            signer=self._signer,
            limits=socket_limits or SocketLimits(),
            backoff=backoff or Backoff(),
            timeouts=timeouts or StreamTimeouts(),
        )
        self._may_trade = True
        self._account_id = ""
        self._begin_anew()

    @property
    def realm(self) -> str:
        return urlsplit(self.config.rest_url).netloc

    def _budgets(self) -> Mapping[str, RateBudget]:
        return self._rest.budgets

    def _clock_ahead(self) -> timedelta:
        return self._time.ahead()

    def _begin_anew(self) -> None:
        self._http = HttpClient(
            self.config.rest_url,
            provider=self.name,
            observe=self._plugins.saw_http_request,
            clock=self._clock,
            timeouts=self.config.timeouts,
            tap=self.recorder,
        )
        self._rest = Rest(self._http, self.config, self._signer, self._time, self._clock)
        self._order_socket = self._connections.orders(self._rest.writes, self._tap(ORDERS))
        self._entry: OrderEntry = self._rest if self._order_socket is None else self._order_socket
        """What orders, changes and cancels leave by."""
        self._search = Search(self._rest, self._places, self._account_id)
        self._modes = Modes(self._search)

    def _tap(self, stream: str) -> Tap | None:
        return None if self.recorder is None else partial(self.recorder.record, stream)

    async def _log_in(self) -> None:
        self._begin_anew()
        await self._rest.measure_time()
        key = await self._rest.key()
        if self._order_socket is not None:
            await self._order_socket.open()
        self._account_id, self._may_trade = str(key.userID), not key.readOnly
        self._search = Search(self._rest, self._places, self._account_id)
        self._modes = Modes(self._search)

    async def _log_out(self) -> None:
        if self._order_socket is not None:
            await self._order_socket.close()
        await self._http.close()

    def _redactor(self) -> Redaction:
        config = self.config
        hidden = (config.api_key, config.api_secret, config.private_key)
        return Redaction(secret.reveal() for secret in hidden)

    def _stream_for(self, topic: Topic) -> str:
        """The market is told over one connection for each category."""
        is_private = topic.kind in _PRIVATE
        return PRIVATE if is_private else Place.of(topic.key).category

    def _make_link(self, stream: str) -> StreamLink:
        if stream != PRIVATE:
            return self._connections.market(stream, self._tap(stream))
        reader = AccountReader(self._account_id, self._to_account)
        return self._connections.account(reader, self._rest.measure_time, self._tap(stream))

    def _saw(self, event: Event) -> Event | None:
        if isinstance(event, OrderUpdateEvent):
            event = evolve(event, order=self._places.note(event.order))
        told = super()._saw(event)
        if isinstance(event, OrderUpdateEvent):
            self._proofs.saw(event.order)
        return told

    # --- accounts, contracts, bars ---

    async def _fetch_accounts(self) -> list[Account]:
        self._may_trade = not (await self._rest.key()).readOnly
        return [self._to_account(await self._rest.wallet())]

    def _to_account(self, row: WalletRow) -> Account:
        return _mapping.to_account(
            row,
            self._account_id,
            simulated=self.config.environment != "mainnet",
            may_trade=self._may_trade,
        )

    async def fees_of(self, contract_id: str) -> FeeRates:
        """What a fill in the contract costs at this moment. Raises `NotFound`."""
        self._require_connection()
        for row in await self._rest.fees(Place.of(contract_id)):
            return _mapping.to_fees(row)
        raise NotFound(f"the venue names no fees for {contract_id!r}")

    async def ticker_of(self, contract_id: str) -> Ticker:
        """The market of a contract at a glance. Raises `NotFound`."""
        self._require_connection()
        for row in await self._rest.tickers(Place.of(contract_id)):
            return _mapping.to_ticker(contract_id, row)
        raise NotFound(f"the venue has no ticker of {contract_id!r}")

    async def order_book_of(self, contract_id: str, *, depth: int = 50) -> DepthEvent:
        """The book at this moment, `depth` levels of each side, as an `OrderBook` begins with it.

        Raises `NotFound`, and `VenueError` for a depth that the venue does not have (1 to 1000).
        """
        self._require_connection()
        book = await self._rest.order_book(Place.of(contract_id), depth)
        return _mapping.to_depth(contract_id, book, self._clock.now())

    async def _search_contracts(self, text: str) -> list[Contract]:
        return await _contracts.search(self._rest, text)

    async def _fetch_contract(self, contract_id: str) -> Contract:
        contract = await _contracts.contract_of(self._rest, contract_id)
        await self._modes.learn(Place.of(contract_id))
        return contract

    async def _find_contract(self, symbol: str) -> FrontMonth:
        found = await _contracts.find(self._rest, symbol, self.config.category)
        await self._modes.learn(Place.of(found.contract.id))
        return found

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        return await fetch_bars(self._rest, query, self._clock)

    # --- orders ---

    async def _submit_order(self, request: OrderRequest) -> Order:
        return await (await self._prepare_order(request))()

    async def _prepare_order(self, request: OrderRequest) -> Callable[[], Write[Order]]:
        self._check_account(request.account_id)
        place = Place.of(request.contract_id)
        _orders.check_expressible(request, place)
        if self.safety.limits.max_daily_loss is not None:
            _orders.check_loss_is_told(request, place)
        index = await self._modes.index(place, request.side, reduces=request.reduce_only)
        body = _orders.to_body(request, place, index)
        body |= await exit_words(self._rest, request, place)
        self._places.expect(request.client_order_id, place)
        return partial(self._send_order, place, body)

    async def _send_order(self, place: Place, body: dict[str, Any]) -> Order:
        create = partial(self._create, place, body)
        order_id = await paced(create, self._clock, may_leave=self._check_not_halted)
        return await self._proven(place, order_id, _proofs.is_taken)

    def _check_not_halted(self) -> None:
        """What was so when the order was checked may be so no more. Raises `NotSent`."""
        if self.halted is not None:
            raise NotSent(f"trading was halted while the order waited: {self.halted.reason}")

    async def _create(self, place: Place, body: dict[str, Any]) -> str:
        try:
            return (await self._entry.create(body)).orderId
        except VenueError:
            self._modes.forget(place)  # it may have been another one than was known
            raise

    async def _proven(self, place: Place, order_id: str, says: _proofs.Says) -> Order:
        """The order, once that is proven which the venue has only taken in."""
        return await self._proofs.of(order_id, partial(self._search.shown, place, order_id), says)

    async def _submit_change(self, change: OrderChange) -> None:
        await (await self._prepare_change(change))()

    async def _prepare_change(self, change: OrderChange) -> Callable[[], Write[None]]:
        if change.trail_distance is not None:
            raise InvalidOrder(["a trailing stop of bybit cannot be changed here"])
        where = await self._where(change.account_id, change.order_id)
        return partial(self._send_change, change, where.place)

    async def _send_change(self, change: OrderChange, place: Place) -> None:
        amend = partial(self._entry.amend, _orders.to_change(change, place))
        await paced(amend, self._clock, may_leave=self._check_not_halted)
        await self._proven(place, change.order_id, _proofs.has(change))

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        with reads_go(Lane.URGENT):
            where = await before_sending(self._where(account_id, order_id), "cancel")
        await _order_entry.cancel(self._entry, where, order_id)
        await self._proven(where.place, order_id, _proofs.is_cancelled)

    async def _where(self, account_id: str, order_id: str) -> OrderPlace:
        """Where an order is; it is looked for only if it was never seen. Raises `NotFound`."""
        self._check_account(account_id)
        if (known := self._places.find(order_id)) is not None:
            return known
        await self._search.order(order_id)
        found = self._places.find(order_id)
        assert found is not None
        return found

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        await self._close(account_id, contract_id, size, None)

    async def _submit_close_side(
        self, account_id: str, contract_id: str, size: Decimal | None, side: OrderSide
    ) -> None:
        await self._close(account_id, contract_id, size, side)

    async def _close(
        self, account_id: str, contract_id: str, size: Decimal | None, side: OrderSide | None
    ) -> None:
        """By market orders that can only reduce: one, if that is not too large."""
        self._check_account(account_id)
        place = Place.of(contract_id)
        held = await before_sending(self._search.held(place, side), "close")
        size = min(abs(held.size), size or abs(held.size))
        send = partial(self._reduce, place, held)
        await close_all_of(size, send, partial(_contracts.largest_at_market, self._rest, place))

    async def _reduce(self, place: Place, held: Position, size: Decimal) -> None:
        request = _orders.to_reduce(held, size, new_client_order_id(self._clock.now()))
        hedged = held.hedge_side is not None
        index = _orders.position_index(request.side, hedged=hedged, reduces=True)
        order_id = await self._create(place, _orders.to_body(request, place, index))
        await self._proven(place, order_id, _proofs.is_filled)

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        self._check_account(account_id)
        return await self._search.order(order_id)

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        self._check_account(account_id)
        return await self._search.of_name(client_order_id)

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        self._check_account(account_id)
        return await self._search.open_orders()

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        self._check_account(entry.account_id)
        now = latest(self._clock.now(), self._clock_ahead())
        return await self._search.exits(entry, now)

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        self._check_account(account_id)
        return await self._search.history(period)

    # --- positions and fills ---

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        self._check_account(account_id)
        return await self._search.positions()

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        self._check_account(account_id)
        return await self._search.trades(period)

    async def _fetch_result(self, account_id: str, period: Period) -> Decimal:
        self._check_account(account_id)
        return await self._search.result(period)

    def _check_account(self, account_id: str) -> None:
        """A key has one account. Raises `NotFound` for any other."""
        if account_id != self._account_id:
            raise NotFound(f"there is no account {account_id!r}: this key has its own only")


_PRIVATE = frozenset(UserDataType)
