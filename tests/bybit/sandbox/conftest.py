"""A sandbox whose market only moves when a test moves it, and a bare client that signs."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.plain_http import plain_http

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock
from tradeforge_testing.exchange.rows import EPOCH

KEY, SECRET = "sandbox-key", "sandbox-secret"
LINEAR, SPOT = "linear:BTCUSDT", "spot:BTCUSDT"
Row = dict[str, Any]


def signature(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


class Client:
    """Says what it is told to, signed as the venue wants it unless a test says otherwise."""

    def __init__(self, http: httpx.AsyncClient, clock: ManualClock) -> None:
        self.http = http
        self.clock = clock

    @property
    def now(self) -> int:
        return int((self.clock.now() - EPOCH).total_seconds() * 1000)

    def headers(self, payload: str, *, time: int | None = None, window: int = 5000) -> Row:
        stamp = self.now if time is None else time
        return {
            "X-BAPI-API-KEY": KEY,
            "X-BAPI-TIMESTAMP": str(stamp),
            "X-BAPI-RECV-WINDOW": str(window),
            "X-BAPI-SIGN": signature(f"{stamp}{KEY}{window}{payload}"),
        }

    async def get(self, path: str, **params: object) -> Row:
        query = urlencode(params)
        answer = await self.http.get(f"{path}?{query}", headers=self.headers(query))
        assert answer.status_code == 200
        return dict(answer.json())

    async def post(self, path: str, **body: object) -> Row:
        text = json.dumps(body)
        headers = self.headers(text) | {"Content-Type": "application/json"}
        answer = await self.http.post(path, content=text, headers=headers)
        assert answer.status_code == 200
        return dict(answer.json())

    async def done(self, path: str, **body: object) -> Row:
        """The result, which has to be there."""
        answer = await self.post(path, **body)
        assert answer["retCode"] == 0, answer
        return dict(answer["result"])

    async def rows(self, path: str, **params: object) -> list[Any]:
        answer = await self.get(path, **params)
        assert answer["retCode"] == 0, answer
        return list(answer["result"]["list"])

    async def place(self, side: str = "Buy", qty: str = "0.01", **more: object) -> Row:
        """A market order for the linear contract, unless more is said."""
        asked: Mapping[str, object] = {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": side,
            "orderType": "Limit" if "price" in more else "Market",
            "qty": qty,
            **more,
        }
        return await self.post("/v5/order/create", **asked)

    async def order(self, order_id: str, category: str = "linear") -> Row:
        path = "/v5/order/realtime"
        (row,) = await self.rows(path, category=category, orderId=order_id)
        return dict(row)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sandbox(clock: ManualClock) -> AsyncIterator[BybitSandbox]:
    async with BybitSandbox(clock=clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
async def client(sandbox: BybitSandbox, clock: ManualClock) -> AsyncIterator[Client]:
    async with plain_http(sandbox.url) as http:
        yield Client(http, clock)


def last(sandbox: BybitSandbox, instrument: str = LINEAR) -> Decimal:
    return sandbox.exchange.quote(instrument).last


def away(sandbox: BybitSandbox, percent: str, instrument: str = LINEAR) -> str:
    """A price so many percent from the last one, on the grid."""
    tick = sandbox.exchange.instruments[instrument].tick_size
    price = last(sandbox, instrument) * (1 + Decimal(percent) / 100)
    return str(int(price / tick) * tick)
