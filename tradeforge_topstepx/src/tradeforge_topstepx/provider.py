"""TopStepX: each thing that the contract asks for, as one short method."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from tradeforge_core import (
    Account,
    Bar,
    BarUnit,
    Capabilities,
    Contract,
    FrontMonth,
    InvalidOrder,
    MarketDataType,
    MarketHours,
    NotFound,
    Order,
    OrderRequest,
    OrderSafety,
    OrderType,
    Plugins,
    Position,
    Provider,
    Secret,
    Trade,
    TradingDay,
    UserDataType,
    VenueClass,
)
from tradeforge_core.adapter import Write
from tradeforge_core.kit.budget import RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpClient
from tradeforge_core.kit.record_to import RecordTo
from tradeforge_core.kit.tasks import TaskOwner, to_the_end
from tradeforge_core.orders.client_ids import made_at
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_topstepx import _mapping, _wire
from tradeforge_topstepx._bars import fetch_bars
from tradeforge_topstepx._contracts import choose
from tradeforge_topstepx._events import Memory
from tradeforge_topstepx._families import adopted, entry_tag, is_name_of_exit
from tradeforge_topstepx._hours import hours_of
from tradeforge_topstepx._hubs import CHANNELS, MARKET_HUB, USER_HUB, HubLink
from tradeforge_topstepx._redaction import Redaction
from tradeforge_topstepx._rest import EndpointMissing, Rest, whole_id, whole_size
from tradeforge_topstepx._signalr import HubLimits
from tradeforge_topstepx.config import TopStepXConfig

_CLOCKS_APART = timedelta(hours=1)
"""How far this machine's clock and the venue's may differ in a search by time."""
_LOOK_BACK = timedelta(days=30)
"""How far back to look for an order whose client id does not tell when it was made."""
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No order is from before."""
_FRESH = timedelta(seconds=5)
"""How old a streamed price may be to be taken for the last one."""
_LAST_SESSIONS = timedelta(days=4)
"""Long enough to reach back over a weekend with a holiday."""
_MINUTES = _mapping.BAR_UNITS[BarUnit.MINUTE]
_MARKET_DATA = [one for one in CHANNELS if isinstance(one, MarketDataType)]
_LIMITS = {"default": HubLimits(), "fast": HubLimits.fast()}
_OPEN = [code for code, status in _mapping.STATUSES.items() if not status.is_final]


class TopStepXProvider(Provider):
    """The ProjectX Gateway as run by TopStepX."""

    name = "topstepx"
    capabilities = Capabilities(
        # a tag is unique per account for ever, and the query of orders finds it in any status
        venue_class=VenueClass.A,
        # a stop-limit order has a code at the gateway, and nobody has seen it accepted
        order_types=frozenset(_mapping.TYPES.values()) - {OrderType.STOP_LIMIT},
        brackets=True,
        bracket_min_ticks=4,
        market_data=frozenset(_MARKET_DATA),
        user_data=frozenset(UserDataType),
        bar_units=frozenset(BarUnit),
    )
    stream_of = {
        **dict.fromkeys(_MARKET_DATA, MARKET_HUB),
        **dict.fromkeys(UserDataType, USER_HUB),
    }

    trading_day = TradingDay(starts=time(17), zone="America/Chicago")

    def __init__(
        self,
        config: TopStepXConfig,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        timeouts: StreamTimeouts | None = None,
        safety: OrderSafety | None = None,
        audit: AuditTimes | None = None,
        hub_limits: HubLimits | None = None,
        record_to: RecordTo | None = None,
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
        self._hub_limits = hub_limits or _LIMITS[config.loss_detection]
        self._memory = Memory()
        self._refresher = TaskOwner()
        self._http = self._new_http()
        self._rest = Rest(self._http, config, self._clock)

    @property
    def realm(self) -> str:
        address = urlsplit(self.config.rest_url)
        return address.netloc.rpartition("@")[2]

    def _budgets(self) -> Mapping[str, RateBudget]:
        return self._rest.budgets

    def _new_http(self) -> HttpClient:
        return HttpClient(
            self.config.rest_url,
            provider=self.name,
            observe=self._plugins.saw_http_request,
            clock=self._clock,
            timeouts=self.config.timeouts,
            tap=self.recorder,
        )

    async def _log_in(self) -> None:
        self._http = self._new_http()
        self._rest = Rest(self._http, self.config, self._clock)
        session = self._rest.session
        await session.token()
        self._refresher.start(session.keep_fresh(self._switchboard.report), name="token refresher")

    async def _log_out(self) -> None:
        # each is closed, also when whoever waits for it is cancelled
        async with AsyncExitStack() as last_to_first:
            last_to_first.push_async_callback(self._http.close)
            last_to_first.push_async_callback(self._refresher.close)

    def _redactor(self) -> Redaction:
        app = self.config.app
        more = (
            (app.password, app.verify_key, Secret(app.device_id), Secret(app.app_id)) if app else ()
        )
        hidden = (Secret(self.config.username), self.config.api_key, *more)
        return Redaction(secret.reveal() for secret in hidden)

    async def ping(self) -> None:
        """Return once the gateway has answered; needs no login. Raises `TransportError`."""
        http = self._new_http()  # nobody may ever connect, and then nobody would close it
        try:
            await Rest(http, self.config, self._clock).ping()
        finally:
            await to_the_end(http.close(), name="closing after a ping")

    async def end_session(self) -> None:
        """Have the gateway forget the token of this login, at once.

        `disconnect()` leaves the token to run out: what else a log-out ends at the gateway is not
        documented, and another program of yours may use the same login.
        """
        self._require_connection()
        await self._rest.log_out()

    def _make_link(self, stream: str) -> StreamLink:
        urls = {MARKET_HUB: self.config.market_hub_url, USER_HUB: self.config.user_hub_url}
        return HubLink(
            stream,
            urls[stream],
            self._rest.session,
            self._switchboard,
            self._clock,
            memory=self._memory,
            limits=self._hub_limits,
            tap=None if self.recorder is None else partial(self.recorder.record, stream),
        )

    # --- accounts, contracts, bars ---

    def market_hours(self, contract: Contract) -> MarketHours | None:
        return hours_of(contract)

    async def _fetch_accounts(self) -> list[Account]:
        return [_mapping.to_account(row) for row in await self._rest.accounts()]

    async def _search_contracts(self, text: str) -> list[Contract]:
        return _contracts(await self._rest.search_contracts(text))

    async def _fetch_contract(self, contract_id: str) -> Contract:
        return _mapping.to_contract(await self._rest.contract(contract_id))

    async def all_accounts(self) -> list[Account]:
        """The accounts of the login; those too that were locked and may hold a position still."""
        self._require_connection()
        return await self._fetch_all_accounts()

    async def _fetch_all_accounts(self) -> list[Account]:
        return [_mapping.to_account(row) for row in await self._rest.all_accounts()]

    async def available_contracts(self) -> list[Contract]:
        """The contracts that the gateway has in front: one for each product, by id."""
        self._require_connection()
        return _contracts(await self._rest.available_contracts())

    async def _find_contract(self, symbol: str) -> FrontMonth:
        wanted = symbol.strip().upper()
        now = self._clock.now()
        found = _contracts(await self._rest.search_contracts(wanted))
        if chosen := choose(found, wanted, "search", now):
            return chosen
        # a search gives twenty rows at most, and this list is complete
        available = _contracts(await self._rest.available_contracts())
        if chosen := choose(available, wanted, "list of available contracts", now):
            return chosen
        near = ", ".join(one.symbol for one in found[:5]) or "nothing"
        raise NotFound(f"there is no active contract {symbol!r}; the search found {near}")

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        return await fetch_bars(self._rest, query, self._clock)

    # --- orders ---

    async def _submit_order(self, request: OrderRequest) -> Order:
        return await (await self._prepare_order(request))()

    async def _prepare_order(self, request: OrderRequest) -> Callable[[], Write[Order]]:
        body = _plain_body(request)
        contract = await self._known_contract(request.contract_id)
        if request.trail_distance is not None:
            last = await self._last_price(contract)
            body["trailPrice"] = _mapping.trail_level(request.side, last, request.trail_distance)
        if request.bracket is not None:
            body |= _mapping.to_legs(request.bracket, request.side, contract.tick_size)
        return partial(self._send_order, request, body)

    async def _send_order(self, request: OrderRequest, body: dict[str, Any]) -> Order:
        return _mapping.accepted_order(request, await self._rest.place(body))

    async def _submit_change(self, change: OrderChange) -> None:
        await (await self._prepare_change(change))()

    async def _prepare_change(self, change: OrderChange) -> Callable[[], Write[None]]:
        level = None
        if change.size is not None:
            whole_size(change.size)
        if change.trail_distance is not None:
            order = await self._fetch_order(change.account_id, change.order_id)
            last = await self._last_price(await self._known_contract(order.contract_id))
            level = _mapping.trail_level(order.side, last, change.trail_distance)
        return partial(self._rest.modify, change, level)

    async def _last_price(self, contract: Contract) -> Decimal:
        """The price that the gateway will measure a trailing stop from, as near as can be known."""
        now = self._clock.now()
        quote = self._memory.quotes.get(contract.id)
        if quote is not None and quote.last is not None and now - quote.received < _FRESH:
            return quote.last
        period = Period(start=now - _LAST_SESSIONS, end=now)
        rows = await self._rest.bars(
            contract.id, period, unit=_MINUTES, size=1, limit=1, partial=True
        )
        if not rows:
            raise NotFound(f"nothing has traded in {contract.symbol}: it has no price to trail")
        return _mapping.to_bar(contract.id, rows[0]).close

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        await self._rest.cancel(account_id, order_id)

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        await self._rest.close(account_id, contract_id, size)

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        try:
            return _mapping.to_order(await self._rest.order(account_id, order_id))
        except EndpointMissing:
            recent = await self._search_orders(account_id, self._clock.now() - _LOOK_BACK)
        for order in recent:
            if order.id == order_id:
                return order
        raise NotFound(f"there is no order {order_id} of the last days in account {account_id}")

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        now = self._clock.now()
        made = made_at(client_order_id)
        start = now - _LOOK_BACK if made is None else made - _CLOCKS_APART
        rows = await self._orders_since(account_id, start)
        return _by_id(_mapping.to_order(row) for row in rows if row.customTag == client_order_id)

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        try:
            rows = await self._rest.query_orders(account_id, statuses=_OPEN)
        except EndpointMissing:  # an older gateway, which does not show the exits that wait
            return await self._open_orders_by_search(account_id)
        return _by_id(map(_mapping.to_order, rows))

    async def _open_orders_by_search(self, account_id: str) -> list[Order]:
        orders = _by_id(map(_mapping.to_order, await self._rest.open_orders(account_id)))
        orphans = [order for order in orders if entry_tag(order)]
        if not orphans:
            return orders
        first = min(order.created_at or _OLDEST for order in orphans)
        start = self._believable(first) - _CLOCKS_APART
        return adopted(orders, await self._search_orders(account_id, start))

    async def _fetch_exits(self, entry: Order) -> list[Order]:
        created = self._believable(entry.created_at or self._clock.now() - _LOOK_BACK)
        rows = await self._orders_since(entry.account_id, created - _CLOCKS_APART)
        orders = adopted(_by_id(map(_mapping.to_order, rows)), [entry])
        return [order for order in orders if order.parent_order_id == entry.id]

    def _believable(self, time: datetime) -> datetime:
        """A time of the venue's that a search can begin with: not the year 1, not the future."""
        return min(max(time, _OLDEST), self._clock.now())

    async def _orders_since(self, account_id: str, start: datetime) -> list[_wire.OrderRow]:
        """Orders of every status, suspended ones too where the gateway can show them."""
        try:
            rows = await self._rest.query_orders(account_id, createdAfter=start.isoformat())
            self.shows_waiting_exits = True
            return rows
        except EndpointMissing:
            self.shows_waiting_exits = False
            return await self._rest.orders(account_id, self._from(start))

    async def _search_orders(self, account_id: str, start: datetime) -> list[Order]:
        return _by_id(
            map(_mapping.to_order, await self._rest.orders(account_id, self._from(start)))
        )

    def _from(self, start: datetime) -> Period:
        return Period(start=start, end=self._clock.now() + _CLOCKS_APART)

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        return _by_id(map(_mapping.to_order, await self._rest.orders(account_id, period)))

    # --- positions and fills ---

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        positions = map(_mapping.to_position, await self._rest.positions(account_id))
        return [position for position in positions if not position.is_flat]

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        rows = sorted(await self._rest.trades(account_id, period), key=lambda row: row.id)
        return [_mapping.to_trade(row) for row in rows]


def _contracts(rows: Iterable[_wire.ContractRow]) -> list[Contract]:
    return [_mapping.to_contract(row) for row in rows]


def _by_id(orders: Iterable[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: int(order.id))


def _plain_body(request: OrderRequest) -> dict[str, Any]:
    if is_name_of_exit(request.client_order_id):
        raise InvalidOrder(["a client_order_id that ends in -SL or -TP is that of an exit here"])
    members = {
        "accountId": whole_id(request.account_id, "account"),
        "contractId": request.contract_id,
        "type": _mapping.TYPE_CODES[request.type],
        "side": _mapping.SIDE_CODES[request.side],
        "size": whole_size(request.size),
        "limitPrice": request.limit_price,
        "stopPrice": request.stop_price,
        "customTag": request.client_order_id,
    }
    return {member: value for member, value in members.items() if value is not None}
