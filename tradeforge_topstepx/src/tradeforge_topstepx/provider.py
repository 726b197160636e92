"""TopStepX: each thing that the contract asks for, as one short method."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tradeforge_core import (
    Account,
    Bar,
    BarUnit,
    Capabilities,
    Contract,
    MarketDataType,
    NotFound,
    Order,
    OrderRequest,
    OrderType,
    Plugins,
    Position,
    Provider,
    Trade,
    UserDataType,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpClient
from tradeforge_core.orders.client_ids import made_at
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_topstepx import _mapping, _wire
from tradeforge_topstepx._hubs import MARKET_HUB, USER_HUB, HubLink
from tradeforge_topstepx._rest import Rest, whole_id
from tradeforge_topstepx.config import TopStepXConfig

_MOST_BARS = 20_000
"""In one answer of the gateway."""
_CLOCKS_APART = timedelta(minutes=10)
"""How far this machine's clock and the venue's may differ in a search by time."""
_LOOK_BACK = timedelta(days=30)
"""How far back to look for an order whose client id does not tell when it was made."""


class TopStepXProvider(Provider):
    """The ProjectX Gateway as run by TopStepX."""

    name = "topstepx"
    capabilities = Capabilities(
        order_types=frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP}),
        market_data=frozenset(MarketDataType),
        user_data=frozenset(UserDataType),
        bar_units=frozenset(BarUnit),
    )
    stream_of = {
        **dict.fromkeys(MarketDataType, MARKET_HUB),
        **dict.fromkeys(UserDataType, USER_HUB),
    }

    def __init__(
        self,
        config: TopStepXConfig,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        timeouts: StreamTimeouts | None = None,
    ) -> None:
        super().__init__(plugins=plugins, clock=clock, backoff=backoff, timeouts=timeouts)
        self.config = config
        self._http = self._new_http()
        self._rest = Rest(self._http, config, self._clock)

    def _new_http(self) -> HttpClient:
        return HttpClient(
            self.config.rest_url,
            provider=self.name,
            observe=self._plugins.saw_http_request,
            clock=self._clock,
            timeouts=self.config.timeouts,
        )

    async def _log_in(self) -> None:
        self._http = self._new_http()
        self._rest = Rest(self._http, self.config, self._clock)
        await self._rest.session.token()

    async def _log_out(self) -> None:
        await self._http.close()

    async def ping(self) -> None:
        """Return once the gateway has answered; needs no login. Raises `TransportError`."""
        await self._rest.ping()

    async def end_session(self) -> None:
        """Have the gateway forget the token of this login, at once.

        `disconnect()` leaves the token to run out: what else a log-out ends at the gateway is not
        documented, and another program of yours may use the same login.
        """
        self._require_connection()
        await self._rest.log_out()

    def _make_link(self, stream: str) -> StreamLink:
        urls = {MARKET_HUB: self.config.market_hub_url, USER_HUB: self.config.user_hub_url}
        return HubLink(stream, urls[stream], self._rest.session, self._switchboard, self._clock)

    # --- accounts, contracts, bars ---

    async def _fetch_accounts(self) -> list[Account]:
        return [_mapping.to_account(row) for row in await self._rest.accounts()]

    async def _search_contracts(self, text: str) -> list[Contract]:
        return _contracts(await self._rest.search_contracts(text))

    async def _fetch_contract(self, contract_id: str) -> Contract:
        return _mapping.to_contract(await self._rest.contract(contract_id))

    async def _find_contract(self, symbol: str) -> Contract:
        wanted = symbol.strip().upper()
        found = _contracts(await self._rest.search_contracts(wanted))
        # a search gives twenty rows at most; the list of front contracts is complete
        for candidates in (found, _contracts(await self._rest.available_contracts())):
            if exact := [one for one in candidates if one.active and _is(one, wanted)]:
                return min(exact, key=self._expiry)
        near = ", ".join(one.symbol for one in found[:5]) or "nothing"
        raise NotFound(f"there is no active contract {symbol!r}; the search found {near}")

    def _expiry(self, contract: Contract) -> tuple[int, int]:
        return _mapping.expiry_key(contract.symbol, self._clock.now())

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        """Pages backwards, because the gateway keeps the newest bars of a span."""
        rows: dict[datetime, _wire.BarRow] = {}
        period, missing = query.period, query.limit
        while True:
            page_size = min(_MOST_BARS, missing or _MOST_BARS)
            page = await self._bar_page(query, period, page_size)
            fresh = [row for row in page if row.t not in rows]
            rows |= {row.t: row for row in fresh}
            missing = None if query.limit is None else query.limit - len(rows)
            if len(page) < page_size or not fresh or missing == 0:
                break
            period = attrs.evolve(period, end=min(row.t for row in fresh))
        return [_mapping.to_bar(query.contract_id, rows[time]) for time in sorted(rows)]

    async def _bar_page(self, query: BarQuery, period: Period, limit: int) -> list[_wire.BarRow]:
        unit = _mapping.BAR_UNITS[query.unit]
        return await self._rest.bars(
            query.contract_id, period, unit=unit, size=query.size, limit=limit
        )

    # --- orders ---

    async def _submit_order(self, request: OrderRequest) -> Order:
        return _mapping.accepted_order(request, await self._rest.place(_place_body(request)))

    async def _submit_change(self, change: OrderChange) -> None:
        await self._rest.modify(change)

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        await self._rest.cancel(account_id, order_id)

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        await self._rest.close(account_id, contract_id, size)

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        return _mapping.to_order(await self._rest.order(account_id, order_id))

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> Order:
        now = self._clock.now()
        made = made_at(client_order_id)
        start = now - _LOOK_BACK if made is None else made - _CLOCKS_APART
        period = Period(start=start, end=now + _CLOCKS_APART)
        for row in await self._rest.orders(account_id, period):
            if row.customTag == client_order_id:
                return _mapping.to_order(row)
        raise NotFound(f"account {account_id} has no order {client_order_id!r}")

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        return _by_id(map(_mapping.to_order, await self._rest.open_orders(account_id)))

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


def _is(contract: Contract, wanted: str) -> bool:
    return wanted in (contract.symbol.upper(), contract.root.upper())


def _by_id(orders: Iterable[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: int(order.id))


def _place_body(request: OrderRequest) -> dict[str, Any]:
    members = {
        "accountId": whole_id(request.account_id, "account"),
        "contractId": request.contract_id,
        "type": _mapping.TYPE_CODES[request.type],
        "side": _mapping.SIDE_CODES[request.side],
        "size": int(request.size),
        "limitPrice": request.limit_price,
        "stopPrice": request.stop_price,
        "customTag": request.client_order_id,
    }
    return {member: value for member, value in members.items() if value is not None}
