"""One method per REST operation of the gateway; rows come back in the gateway's own shape."""

import re
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    InvalidOrder,
    NotFound,
    NotSent,
    RateLimited,
    Secret,
    TradeForgeError,
    VenueError,
)
from tradeforge_core.kit.budget import Lane, RateBudget, lane_of_reads
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpAnswer, HttpClient, bearer
from tradeforge_core.requests import OrderChange, Period
from tradeforge_topstepx import _endpoints, _wire
from tradeforge_topstepx._budgets import budgets_of
from tradeforge_topstepx._checks import to_utc
from tradeforge_topstepx._endpoints import Endpoint, encode
from tradeforge_topstepx._session import Session
from tradeforge_topstepx.config import TopStepXConfig

A = TypeVar("A", bound=_wire.Envelope)

_PAGE = 500
"""Orders in one answer of the query; a page that is full is followed by another."""
_OVERLAP = timedelta(seconds=1)
_URGENT = frozenset({_endpoints.CANCEL.path, _endpoints.CLOSE.path, _endpoints.PARTIAL_CLOSE.path})


class _Bearer(httpx.Auth):
    """Sets the token; after a 401 a read is asked again with a new one, a write never is."""

    def __init__(self, session: Session, *, repeat: bool) -> None:
        self._session = session
        self._repeat = repeat

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._session.token()
        _set_token(request, token.text)
        response = yield request
        if response.status_code == 401 and self._repeat:
            _set_token(request, (await self._session.replace(token)).text)
            yield request
        elif response.status_code == 401:
            self._session.forget(token)


def _set_token(request: httpx.Request, token: Secret) -> None:
    request.headers["Authorization"] = f"Bearer {token.reveal()}"


class Rest:
    """The gateway's REST interface with one login."""

    def __init__(self, http: HttpClient, config: TopStepXConfig, clock: Clock) -> None:
        self._http = http
        self._config = config
        self._budgets = budgets_of(config, clock)
        self.budgets = {"bars": self._budgets.bars, "rest": self._budgets.rest}
        self._live_data: bool | None = None
        self.session = Session(log_in=self.log_in, extend=self.validate, clock=clock)
        self._reads = _Bearer(self.session, repeat=True)
        self._writes = _Bearer(self.session, repeat=False)

    # --- the session ---

    async def log_in(self) -> str:
        """A new token. Raises `AuthenticationError` with what to check."""
        endpoint = _endpoints.LOGIN if self._config.app is None else _endpoints.LOGIN_APP
        # in no local variable: what collects the locals of a traceback must not find the key
        response = await self._http.request(
            "POST",
            endpoint.path,
            content=encode(_login_body(self._config)),
            budget=self._budgets.rest,
            lane=Lane.URGENT,
        )
        answer = self._read(endpoint, response, self._budgets.rest)
        return _token_of(answer.token, endpoint)

    async def validate(self, token: Secret) -> str:
        """A token that lives on from now, in exchange for one that is still good."""
        fixed = bearer(token)
        answer = await self._post(_endpoints.VALIDATE, None, auth=fixed, lane=Lane.URGENT)
        return _token_of(answer.newToken, _endpoints.VALIDATE)

    async def log_out(self) -> None:
        """End the session at the venue."""
        token = await self.session.token()
        self.session.forget(token)
        await self._post(_endpoints.LOGOUT, None, auth=bearer(token.text))

    async def ping(self) -> None:
        """Return once the gateway has answered; any answer of status 200 will do."""
        budget = self._budgets.rest  # whether it counts there is disputed: then it counts here
        answer = await self._http.request("GET", _endpoints.PING, budget=budget)
        if answer.status != 200:
            raise VenueError(f"{_endpoints.PING}: HTTP {answer.status}", code=answer.status)

    # --- accounts, contracts, bars ---

    async def accounts(self) -> list[_wire.AccountRow]:
        accounts = await self._accounts(only_active=True)
        self._live_data = any(account.simulated is False for account in accounts)
        return accounts

    async def all_accounts(self) -> list[_wire.AccountRow]:
        """Those too that may not trade any more."""
        return await self._accounts(only_active=False)

    async def _accounts(self, *, only_active: bool) -> list[_wire.AccountRow]:
        answer = await self._call(_endpoints.ACCOUNTS, {"onlyActiveAccounts": only_active})
        return answer.accounts or []

    async def _live(self) -> bool:
        """Which data the login is subscribed to: simulated accounts of all kinds have their own.

        Asked for with the wrong word the gateway finds nothing, and says nothing.
        """
        if self._live_data is None:
            await self.accounts()
        return bool(self._live_data)

    async def search_contracts(self, text: str) -> list[_wire.ContractRow]:
        body = {"searchText": text, "live": await self._live()}
        answer = await self._call(_endpoints.SEARCH_CONTRACTS, body)
        return answer.contracts or []

    async def available_contracts(self) -> list[_wire.ContractRow]:
        answer = await self._call(_endpoints.AVAILABLE, {"live": await self._live()})
        return answer.contracts or []

    async def contract(self, contract_id: str) -> _wire.ContractRow:
        missing = f"there is no contract {contract_id!r}: search for it by its symbol"
        try:
            answer = await self._call(_endpoints.CONTRACT_BY_ID, {"contractId": contract_id})
        except NotFound as error:
            raise NotFound(missing, code=error.code, name=error.name) from None
        if answer.contract is None:
            raise NotFound(missing)
        return answer.contract

    async def bars(
        self,
        contract_id: str,
        period: Period,
        *,
        unit: int,
        size: int,
        limit: int,
        partial: bool = False,
    ) -> list[_wire.BarRow]:
        """At most `limit` bars of the period, newest first; `partial` adds the forming one."""
        body = {
            "contractId": contract_id,
            "live": await self._live(),
            "startTime": _text(period.start),
            "endTime": _text(period.end),
            "unit": unit,
            "unitNumber": size,
            "limit": limit,
            "includePartialBar": partial,
        }
        return (await self._call(_endpoints.BARS, body)).bars or []

    # --- orders ---

    async def place(self, body: dict[str, Any]) -> int:
        """The id of the accepted order; raises `OrderRejected` with the id of a refused one."""
        order_id = (await self._write(_endpoints.PLACE, body)).orderId
        if order_id is None:
            raise DecodeError("the venue accepted an order and did not name it", path="$.orderId")
        return order_id

    async def modify(self, change: OrderChange, trail_price: Decimal | None) -> None:
        """Change what is named; a trailing stop is moved by naming its level."""
        body: dict[str, Any] = _order_key(change.account_id, change.order_id)
        wanted = {
            "size": None if change.size is None else int(change.size),
            "limitPrice": change.limit_price,
            "stopPrice": change.stop_price,
            "trailPrice": trail_price,
        }
        body |= {member: value for member, value in wanted.items() if value is not None}
        await self._write(_endpoints.MODIFY, body)

    async def cancel(self, account_id: str, order_id: str) -> None:
        await self._write(_endpoints.CANCEL, _order_key(account_id, order_id))

    async def orders(self, account_id: str, period: Period) -> list[_wire.OrderRow]:
        answer = await self._call(_endpoints.ORDERS, _in_period(account_id, period))
        return answer.orders or []

    async def open_orders(self, account_id: str) -> list[_wire.OrderRow]:
        answer = await self._call(_endpoints.OPEN_ORDERS, _account(account_id))
        return answer.orders or []

    async def query_orders(self, account_id: str, **filters: object) -> list[_wire.OrderRow]:
        """Every order that fits the filters, of any status, suspended ones too, oldest first.

        Pages go on from the time of the last order: what the offset of the gateway counts is not
        documented. Raises `EndpointMissing` where the gateway is too old to have the query.
        """
        rows: dict[int, _wire.OrderRow] = {}
        while True:
            page = await self._query_page({**_account(account_id), **filters})
            fresh = [row for row in page if row.id not in rows]
            rows |= {row.id: row for row in fresh}
            if len(page) < _PAGE or not fresh or fresh[-1].creationTimestamp is None:
                return sorted(rows.values(), key=lambda row: row.id)
            filters["createdAfter"] = _text(_shortly_before(fresh[-1].creationTimestamp))

    async def _query_page(self, wanted: dict[str, object]) -> list[_wire.OrderRow]:
        body = {
            "filter": wanted,
            "pageSize": _PAGE,
            "pageOffset": 0,
            "sortBy": 0,
            "sortDirection": 0,
        }
        return (await self._call_new(_endpoints.QUERY_ORDERS, body)).orders or []

    async def order(self, account_id: str, order_id: str) -> _wire.OrderRow:
        """Raises `NotFound`, and `EndpointMissing` where the gateway is too old to have it."""
        answer = await self._call_new(_endpoints.ORDER_BY_ID, _order_key(account_id, order_id))
        if answer.order is None:
            raise NotFound(f"there is no order {order_id} in account {account_id}")
        return answer.order

    # --- positions and fills ---

    async def positions(self, account_id: str) -> list[_wire.PositionRow]:
        answer = await self._call(_endpoints.POSITIONS, _account(account_id))
        return answer.positions or []

    async def close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        body: dict[str, Any] = {**_account(account_id), "contractId": contract_id}
        if size is None:
            await self._write(_endpoints.CLOSE, body)
        else:
            await self._write(_endpoints.PARTIAL_CLOSE, {**body, "size": _closing_size(size)})

    async def trades(self, account_id: str, period: Period) -> list[_wire.TradeRow]:
        answer = await self._call(_endpoints.TRADES, _in_period(account_id, period))
        return answer.trades or []

    # --- how ---

    async def _call(self, endpoint: Endpoint[A], body: dict[str, Any]) -> A:
        return await self._post(endpoint, body, auth=self._reads, lane=lane_of_reads())

    async def _call_new(self, endpoint: Endpoint[A], body: dict[str, Any]) -> A:
        """For what not every gateway has yet. Raises `EndpointMissing`."""
        try:
            return await self._call(endpoint, body)
        except VenueError as error:
            if error.code == 404:
                raise EndpointMissing(endpoint.path) from None
            raise

    async def _write(self, endpoint: Endpoint[A], body: dict[str, Any]) -> A:
        try:
            await self.session.token()  # a login that fails must fail before anything is handed off
        except TradeForgeError as error:
            raise NotSent(f"{endpoint.path}: there is no session ({error})") from error
        urgent = endpoint.path in _URGENT or lane_of_reads() is Lane.URGENT
        lane = Lane.URGENT if urgent else Lane.WRITE
        return await self._post(endpoint, body, auth=self._writes, lane=lane)

    async def _post(
        self,
        endpoint: Endpoint[A],
        body: dict[str, Any] | None,
        *,
        auth: httpx.Auth | None,
        lane: Lane = Lane.READ,
    ) -> A:
        content = b"" if body is None else encode(body)
        budget = self._budgets.bars if endpoint is _endpoints.BARS else self._budgets.rest
        answer = await self._http.request(
            "POST", endpoint.path, content=content, auth=auth, budget=budget, lane=lane
        )
        return self._read(endpoint, answer, budget)

    def _read(self, endpoint: Endpoint[A], answer: HttpAnswer, budget: RateBudget) -> A:
        try:
            return endpoint.read(answer)
        except RateLimited as error:
            budget.cool_down(error.retry_after)
            raise


class EndpointMissing(VenueError):
    """This gateway does not have the operation."""


def whole_id(text: object, what: str) -> int:
    """The gateway's number for an id of ours. Raises `NotFound` for what can be none of its ids."""
    number = int(text) if isinstance(text, str) and _DIGITS.fullmatch(text) else None
    if number is None or number > _LARGEST_ID.get(what, _INT64):
        raise NotFound(f"there is no {what} {text!r}: ids here are whole numbers, written as text")
    return number


_DIGITS = re.compile("0|[1-9][0-9]{0,18}")
_INT64 = 2**63 - 1
_INT32 = 2**31 - 1
_LARGEST_ID = {"account": _INT32}
"""Orders are counted in more digits than accounts (gateway reference, section 2)."""


def whole_size(size: Decimal) -> int:
    """The size as the gateway counts. Raises `InvalidOrder` for one that is too large for it."""
    if size > _INT32:
        raise InvalidOrder([f"size {size:f} is more than the gateway can express"])
    return int(size)


def _closing_size(size: Decimal) -> int:
    try:
        return whole_size(size)
    except InvalidOrder as error:  # on the way out only this proves that nothing left
        raise NotSent(f"{_endpoints.PARTIAL_CLOSE.path}: {error}") from error


def _login_body(config: TopStepXConfig) -> dict[str, str]:
    app = config.app
    if app is None:
        return {"userName": config.username, "apiKey": config.api_key.reveal()}
    return {
        "userName": config.username,
        "password": app.password.reveal(),
        "deviceId": app.device_id,
        "appId": app.app_id,
        "verifyKey": app.verify_key.reveal(),
    }


def _account(account_id: str) -> dict[str, int]:
    return {"accountId": whole_id(account_id, "account")}


def _order_key(account_id: str, order_id: str) -> dict[str, int]:
    return {**_account(account_id), "orderId": whole_id(order_id, "order")}


def _in_period(account_id: str, period: Period) -> dict[str, Any]:
    return {
        **_account(account_id),
        "startTimestamp": _text(period.start),
        "endTimestamp": _text(period.end),
    }


def _shortly_before(time: datetime) -> datetime:
    try:
        return to_utc(time, "creationTimestamp") - _OVERLAP
    except OverflowError:
        raise DecodeError(f"{time} is out of range", path="$.creationTimestamp") from None


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _token_of(token: str | None, endpoint: Endpoint[Any]) -> str:
    if not token:
        raise AuthenticationError(f"{endpoint.path}: the venue sent no token")
    if not token.isascii() or not token.isprintable():
        raise DecodeError(f"{endpoint.path}: the token is no text for a header", path="$.token")
    return token
