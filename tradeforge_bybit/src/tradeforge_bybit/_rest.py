"""One method per operation of Bybit's REST interface; rows come back in the venue's own shape."""

from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import httpx

from tradeforge_bybit import _endpoints, _wire
from tradeforge_bybit._budgets import budgets_of, heed, seconds_until_reset
from tradeforge_bybit._checks import to_milliseconds
from tradeforge_bybit._endpoints import Endpoint, body_of, query_of
from tradeforge_bybit._errors import Kind, kind_of
from tradeforge_bybit._names import Place
from tradeforge_bybit._server_time import ServerTime
from tradeforge_bybit._signing import Signer
from tradeforge_bybit._writes import Writes, is_of_clock
from tradeforge_bybit.config import BybitConfig
from tradeforge_core import DecodeError, RateLimited, VenueError
from tradeforge_core.kit.budget import Lane, RateBudget, lane_of_reads
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpAnswer, HttpClient
from tradeforge_core.requests import Period

R = TypeVar("R")
_Params = dict[str, Any]

_NANO = 1_000_000_000
_LONGEST_WINDOW = timedelta(days=7)
"""Of one search by time; a longer one is asked for window by window."""
_MOST_PAGES = 1_000
"""Of one list; more of them means that the cursor goes round in circles."""


class Rest:
    """The venue's REST interface with one key."""

    def __init__(
        self,
        http: HttpClient,
        config: BybitConfig,
        signer: Signer,
        time: ServerTime,
        clock: Clock,
    ) -> None:
        self._http = http
        self._signer = signer
        self._time = time
        self._clock = clock
        self._budgets = budgets_of(config, clock)
        self.writes = Writes(self._budgets, clock, self.measure_time)
        """How they leave, whatever carries them."""

    @property
    def budgets(self) -> dict[str, RateBudget]:
        return self._budgets.by_name

    # --- time, key, account ---

    async def measure_time(self) -> None:
        """Learn the venue's time. Raises `TransportError`, `VenueError`, `DecodeError`."""
        found = await self._once(_endpoints.TIME, {}, lane_of_reads())
        if not found.timeNano.isdecimal() or len(found.timeNano) > _MOST_DIGITS:
            raise DecodeError("the venue's time is no time", path="$.result.timeNano")
        self._time.measured(int(found.timeNano) / _NANO)

    async def key(self) -> _wire.KeyRow:
        """What the venue knows about the key. Raises `AuthenticationError`."""
        return await self._read(_endpoints.KEY, {})

    async def wallet(self) -> _wire.WalletRow:
        rows = (await self._read(_endpoints.WALLET, {"accountType": "UNIFIED"})).list
        if not rows:
            raise DecodeError("the venue named no account", path="$.result.list")
        return rows[0]

    async def fees(self, place: Place) -> list[_wire.FeeRow]:
        params = {"category": place.category, "symbol": place.symbol}
        return (await self._read(_endpoints.FEES, params)).list

    # --- the market ---

    async def instruments(self, category: str, **filters: str) -> list[_wire.InstrumentRow]:
        """Those that trade, unless the filters say something else."""
        params = {"category": category, "limit": 1000, **filters}
        return await self._all(_endpoints.INSTRUMENTS, params)

    async def klines(
        self, place: Place, period: Period, interval: str, limit: int
    ) -> list[_wire.KlineRow]:
        """At most `limit` candles of the period, newest first; the first may be forming."""
        params = {
            "category": place.category,
            "symbol": place.symbol,
            "interval": interval,
            "start": to_milliseconds(period.start),
            "end": to_milliseconds(period.end),
            "limit": limit,
        }
        return (await self._read(_endpoints.KLINE, params)).list

    async def order_book(self, place: Place, depth: int) -> _wire.BookResult:
        params = {"category": place.category, "symbol": place.symbol, "limit": depth}
        return await self._read(_endpoints.ORDER_BOOK, params)

    async def tickers(self, place: Place) -> list[_wire.TickerRow]:
        params = {"category": place.category, "symbol": place.symbol}
        return (await self._read(_endpoints.TICKERS, params)).list

    # --- orders ---

    async def create(self, body: _Params) -> _wire.AckResult:
        """Taken in, which is not taken yet. Raises `OrderRejected`."""
        return await self._write(_endpoints.CREATE, body)

    async def amend(self, body: _Params) -> None:
        """Taken in, which is not changed yet."""
        await self._write(_endpoints.AMEND, body)

    async def cancel(self, body: _Params) -> None:
        """Taken in, which is not cancelled yet."""
        await self._write(_endpoints.CANCEL, body)

    async def live_orders(self, category: str, **filters: str) -> list[_wire.OrderRow]:
        """The open ones; by an id those too that have ended a short while ago."""
        return await self._all(_endpoints.REALTIME, {"category": category, "limit": 50, **filters})

    async def past_orders(
        self, category: str, period: Period | None = None, **filters: str
    ) -> list[_wire.OrderRow]:
        """Those that have ended, of any time; without a period those of the last week."""
        params = {"category": category, "limit": 50, **filters}
        return await self._in_windows(_endpoints.HISTORY, params, period)

    async def executions(
        self, category: str, period: Period | None, **filters: str
    ) -> list[_wire.ExecutionRow]:
        params = {"category": category, "limit": 100, **filters}
        return await self._in_windows(_endpoints.EXECUTIONS, params, period)

    # --- positions ---

    async def positions(self, category: str, **filters: str) -> list[_wire.PositionRow]:
        """Those that are not flat; of one symbol the flat ones too."""
        return await self._all(
            _endpoints.POSITIONS, {"category": category, "limit": 200, **filters}
        )

    async def closed(self, category: str, period: Period) -> list[_wire.ClosedRow]:
        """What was closed by each order in the period."""
        params = {"category": category, "limit": 100}
        return await self._in_windows(_endpoints.CLOSED, params, period)

    # --- pages ---

    async def _in_windows(
        self, endpoint: Endpoint[_wire.Rows[R]], params: _Params, period: Period | None
    ) -> list[R]:
        if period is None:
            return await self._all(endpoint, params)
        rows: list[R] = []
        for window in period.pages(_LONGEST_WINDOW):
            span = {
                "startTime": to_milliseconds(window.start),
                "endTime": to_milliseconds(window.end),
            }
            rows += await self._all(endpoint, params | span)
        return rows

    async def _all(self, endpoint: Endpoint[_wire.Rows[R]], params: _Params) -> list[R]:
        """Every row of every page."""
        rows: list[R] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._read(endpoint, params | {"cursor": cursor})
            rows += page.list
            if not page.nextPageCursor or not page.list or page.nextPageCursor == cursor:
                return rows
            cursor = page.nextPageCursor
        raise DecodeError(f"{endpoint.path}: the pages have no end", path="$.result.nextPageCursor")

    # --- how ---

    async def _read(self, endpoint: Endpoint[R], params: _Params) -> R:
        """With a clock that was wrong it is asked again, once."""
        try:
            return await self._once(endpoint, params, lane_of_reads())
        except VenueError as error:
            if not is_of_clock(error):
                raise
        await self.measure_time()
        return await self._once(endpoint, params, lane_of_reads())

    async def _write(self, endpoint: Endpoint[R], body: _Params) -> R:
        return await self.writes.send(endpoint, body, partial(self._once, endpoint, body))

    async def _once(self, endpoint: Endpoint[R], params: _Params, lane: Lane) -> R:
        budget = self._budgets.of(endpoint, params.get("category"))
        answer = await self._http.request(
            endpoint.method,
            endpoint.path,
            query="" if endpoint.write else query_of(params),
            content=body_of(params) if endpoint.write else None,
            stamp=None if endpoint.public else self._sign,
            budget=budget,
            lane=lane,
        )
        self._heed(budget, answer)
        try:
            return endpoint.read(answer)
        except VenueError as error:
            self._cool_down(budget, answer, error)
            raise

    def _sign(self, request: httpx.Request) -> None:
        sent = request.content if request.method == "POST" else request.url.query
        request.headers.update(self._signer.headers(sent.decode()))

    # --- what the venue says of its limits ---

    def _heed(self, budget: RateBudget, answer: HttpAnswer) -> None:
        if budget is not self._budgets.address:
            heed(budget, answer.headers)

    def _cool_down(self, budget: RateBudget, answer: HttpAnswer, error: VenueError) -> None:
        if isinstance(error, RateLimited) and error.code in (403, 429):
            self._budgets.address.cool_down(error.retry_after)
        elif isinstance(error.code, int) and kind_of(error.code) is Kind.TOO_MANY:
            seconds = seconds_until_reset(answer.headers, self._time.milliseconds())
            budget.cool_down(seconds)
            if isinstance(error, RateLimited):
                error.retry_after = seconds


_MOST_DIGITS = 19
