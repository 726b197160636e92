"""A very small Bybit on a real socket: it checks signatures, keeps orders, and does as told."""

import asyncio
import hmac
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self
from urllib.parse import parse_qsl

from attrs import define, field, frozen

KEY, SECRET, ACCOUNT = "testkey", "testsecret", "1448939"
SETTINGS = {"BYBIT_API_KEY": KEY, "BYBIT_API_SECRET": SECRET, "BYBIT_ENVIRONMENT": "testnet"}

Row = dict[str, Any]


@frozen
class Request:
    method: str
    path: str
    params: Row
    """Of the query, or of the body."""
    signed: str
    headers: dict[str, str]


@frozen
class Answer:
    """What comes back. A `lost` one is worked out, and never sent.

    With `done` the venue does what it was asked, and says this all the same.
    """

    code: int = 0
    text: str = "OK"
    result: Any = None
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(factory=dict)
    lost: bool = False
    done: bool = False


@define
class SmallVenue:
    """`next[path]` are the answers to the next requests; what is not told there is as usual."""

    url: str = ""
    requests: list[Request] = field(factory=list)
    next: dict[str, deque[Answer]] = field(factory=lambda: defaultdict(deque))
    orders: dict[str, Row] = field(factory=dict)
    history: list[Row] = field(factory=list)
    executions: list[Row] = field(factory=list)
    positions: list[Row] = field(factory=list)
    closed: list[Row] = field(factory=list)
    candles: list[list[str]] = field(factory=list)
    hidden: int = 0
    """How many looks do not show a new order yet."""
    late: int = 0
    """Milliseconds for which none does."""
    on_create: Callable[[Row], None] = lambda order: None
    """What the venue does with an order after it has said yes."""
    largest: float = 1_000.0
    """Of a market order; a limit order may be larger."""
    ahead: float = 0.0
    """Seconds by which its clock is ahead of ours."""
    _ids: "itertools.count[int]" = field(factory=lambda: itertools.count(1))
    _writers: list[asyncio.StreamWriter] = field(factory=list)
    _listening: Any = None

    def asked(self, path: str) -> list[Row]:
        return [one.params for one in self.requests if one.path == path]

    def tell(self, path: str, *answers: Answer) -> None:
        self.next[path] += answers

    # --- the socket ---

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        host, port = self._listening.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._listening.close()
        for writer in self._writers:
            writer.close()
        await self._listening.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                request = await _read(reader)
                self.requests.append(request)
                answer = self._answer(request)
                if answer.lost:
                    return
                writer.write(_raw(answer, self.milliseconds))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def milliseconds(self) -> int:
        return int((datetime.now(UTC).timestamp() + self.ahead) * 1000)

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/v5/market") is False and (refusal := self._refusal(request)):
            return refusal
        told = self.next[request.path]
        answer = told.popleft() if told else Answer()
        if answer.done:
            _HANDLERS[request.path](self, request.params)
        if answer.code or answer.body is not None or answer.status != 200:
            return answer
        if answer.result is not None:
            return answer
        try:
            result = _HANDLERS[request.path](self, request.params)
        except Refused as refused:
            return Answer(code=refused.code, text=str(refused))
        return Answer(result=result, headers=answer.headers, lost=answer.lost)

    def _refusal(self, request: Request) -> Answer | None:
        said = request.headers
        stamp = int(said["x-bapi-timestamp"])
        text = f"{stamp}{KEY}{said['x-bapi-recv-window']}{request.signed}"
        if said["x-bapi-api-key"] != KEY:
            return Answer(code=10003, text="API key is invalid.")
        if hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest() != said["x-bapi-sign"]:
            return Answer(code=10004, text="error sign!")
        if (
            not self.milliseconds - int(said["x-bapi-recv-window"])
            <= stamp
            < self.milliseconds + 1000
        ):
            return Answer(code=10002, text="invalid request, please check your server timestamp")
        return None

    # --- what it does ---

    def create(self, body: Row) -> Row:
        link = body.get("orderLinkId", "")
        if any(one["orderLinkId"] == link for one in [*self.orders.values(), *self.history]):
            raise Refused(110072, "OrderLinkedID is duplicate")
        if body["orderType"] == "Market" and float(body["qty"]) > self.largest:
            raise Refused(10001, "The number of contracts exceeds maximum limit allowed: too large")
        order = new_order(f"id-{next(self._ids)}", self.milliseconds, **body)
        order |= {"looks": self.hidden, "shown": self.milliseconds + self.late}
        self.orders[order["orderId"]] = order
        self.on_create(order)
        self._take_off(order)
        return {"orderId": order["orderId"], "orderLinkId": link}

    def amend(self, body: Row) -> Row:
        order = self._find(body)
        order |= {name: body[name] for name in ("qty", "price", "triggerPrice") if name in body}
        return {"orderId": order["orderId"], "orderLinkId": order["orderLinkId"]}

    def cancel(self, body: Row) -> Row:
        order = self._find(body)
        if not _is_of_filter(order, body.get("orderFilter", "Order")):
            raise Refused(170213, "Order does not exist.")
        if order["orderStatus"] in ("Filled", "Cancelled"):
            raise Refused(110001, "order not exists or too late to cancel")
        order |= {"orderStatus": "Cancelled", "cancelType": "CancelByUser"}
        return {"orderId": order["orderId"], "orderLinkId": order["orderLinkId"]}

    def _find(self, body: Row) -> Row:
        if body["orderId"] not in self.orders:
            raise Refused(110001, "order not exists or too late to cancel")
        return self.orders[body["orderId"]]

    def live(self, query: Row) -> Row:
        by_id = "orderId" in query or "orderLinkId" in query
        rows = [one for one in self._listed(self.orders.values(), query) if self._is_shown(one)]
        opened = [
            one for one in rows if one["orderStatus"] in ("New", "PartiallyFilled", "Untriggered")
        ]
        return _page(rows if by_id else opened, query)

    def _take_off(self, order: Row) -> None:
        """A position is what an order that reduces has left of it; no other fill moves one here."""
        if not order.get("reduceOnly") or order["orderStatus"] != "Filled":
            return
        of, filled = (order["symbol"], order["positionIdx"]), Decimal(order["cumExecQty"])
        self.positions = [
            _less(one, filled) if (one["symbol"], one["positionIdx"]) == of else one
            for one in self.positions
        ]

    def _is_shown(self, order: Row) -> bool:
        order["looks"] -= 1
        return bool(order["looks"] < 0 and order["shown"] <= self.milliseconds)

    def past(self, query: Row) -> Row:
        return _page(self._listed(self.history, query), query)

    def fills(self, query: Row) -> Row:
        rows = self._listed(self.executions, query)
        return _page([one for one in rows if _is_within(one.get("execTime"), query)], query)

    def held(self, query: Row) -> Row:
        rows = self._listed(self.positions, query)
        return _page(
            rows if "symbol" in query else [one for one in rows if one["size"] != "0"], query
        )

    def _listed(self, rows: Any, query: Row) -> list[Row]:
        wanted = {
            name: query[name]
            for name in ("category", "symbol", "settleCoin", "orderId", "orderLinkId")
            if name in query
        }
        return [one for one in rows if all(one.get(name) == said for name, said in wanted.items())]

    def kline(self, query: Row) -> Row:
        start, end = int(query["start"]), int(query["end"])
        rows = [one for one in self.candles if start <= int(one[0]) <= end]
        return {"list": sorted(rows, key=lambda one: -int(one[0]))[: int(query["limit"])]}

    def instruments(self, query: Row) -> Row:
        rows = [one for one in INSTRUMENTS if one["category"] == query["category"]]
        largest = {"maxMktOrderQty": f"{self.largest:g}"}
        rows = [one | {"lotSizeFilter": one["lotSizeFilter"] | largest} for one in rows]
        wanted, status = query.get("symbol"), query.get("status", "Trading")
        return {
            "list": [
                one for one in rows if wanted in (None, one["symbol"]) and one["status"] == status
            ]
        }


class Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def _is_of_filter(order: Row, wanted: str) -> bool:
    """Spot looks among the orders of one kind only; once it has triggered it is a plain one."""
    if order["category"] != "spot":
        return True
    if order["orderStatus"] != "Untriggered":
        return wanted == "Order"
    return wanted == {"Stop": "StopOrder"}.get(order["stopOrderType"], order["stopOrderType"])


def _is_within(time: str | None, query: Row) -> bool:
    if not time or "startTime" not in query:
        return True
    return int(query["startTime"]) <= int(time) <= int(query["endTime"])


def _page(rows: list[Row], query: Row) -> Row:
    """Two rows at a time, whatever was asked for, by a cursor that has to come back as it was."""
    begin = int(query.get("cursor", "at%3A0").removeprefix("at%3A"))
    more = begin + 2 < len(rows)
    return {
        "category": query["category"],
        "list": rows[begin : begin + 2],
        "nextPageCursor": f"at%3A{begin + 2}" if more else "",
    }


def new_order(order_id: str, milliseconds: int, **body: Any) -> Row:
    coin = "" if body["category"] == "spot" else "USDT"
    return {
        "price": "0",
        "timeInForce": "GTC",
        "orderLinkId": "",
        "reduceOnly": False,
        "positionIdx": 0,
        "triggerPrice": "",
        "stopOrderType": "Stop" if "triggerPrice" in body else "",
        **body,
        "settleCoin": coin,
        "orderId": order_id,
        "orderStatus": "Untriggered" if "triggerPrice" in body else "New",
        "cumExecQty": "0",
        "avgPrice": "",
        "rejectReason": "EC_NoError",
        "createdTime": str(milliseconds),
        "updatedTime": str(milliseconds),
        "looks": 0,
        "shown": 0,
    }


def fill(order: Row, price: str = "100") -> None:
    order |= {"orderStatus": "Filled", "cumExecQty": order["qty"], "avgPrice": price}


def reject(order: Row) -> None:
    order |= {"orderStatus": "Cancelled", "rejectReason": "EC_PostOnlyWillTakeLiquidity"}


def position(size: str, side: str = "Buy", index: int = 0, symbol: str = "BTCUSDT") -> Row:
    return {
        "category": "linear",
        "settleCoin": "USDT",
        "symbol": symbol,
        "size": size,
        "side": side if size != "0" else "",
        "positionIdx": index,
        "avgPrice": "100" if size != "0" else "",
    }


def _less(held: Row, filled: Decimal) -> Row:
    left = max(Decimal(held["size"]) - filled, Decimal(0))
    return held | {"size": f"{left:f}", "side": held["side"] if left else ""}


def _instrument(category: str, symbol: str, status: str = "Trading", **more: Any) -> Row:
    base, quote = (symbol.removesuffix("USDT"), "USDT") if "USDT" in symbol else (symbol[:3], "USD")
    lot = {"basePrecision": "0.001", "quotePrecision": "0.01", "minOrderAmt": "5"}
    if category != "spot":
        lot = {"qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "100"}
    return {
        "category": category,
        "symbol": symbol,
        "status": status,
        "baseCoin": base,
        "quoteCoin": quote,
        "settleCoin": base if category == "inverse" else quote,
        "contractType": {"linear": "LinearPerpetual", "inverse": "InversePerpetual"}.get(
            category, ""
        ),
        "deliveryTime": "0",
        "priceFilter": {"tickSize": "0.1"},
        "lotSizeFilter": lot,
        **more,
    }


INSTRUMENTS = [
    _instrument("linear", "BTCUSDT"),
    _instrument("linear", "ETHUSDT"),
    _instrument("linear", "NEWUSDT", "PreLaunch"),
    _instrument(
        "linear",
        "BTC-26MAR27",
        contractType="LinearFutures",
        deliveryTime="1806048000000",
        baseCoin="BTC",
    ),
    _instrument(
        "linear",
        "BTC-25DEC26",
        contractType="LinearFutures",
        deliveryTime="1798185600000",
        baseCoin="BTC",
    ),
    _instrument("inverse", "BTCUSD"),
    _instrument("spot", "BTCUSDT"),
]

_HANDLERS: dict[str, Callable[[SmallVenue, Row], Any]] = {
    "/v5/market/time": lambda venue, _: {
        "timeSecond": str(venue.milliseconds // 1000),
        "timeNano": str(venue.milliseconds * 1_000_000),
    },
    "/v5/user/query-api": lambda venue, _: {"userID": int(ACCOUNT), "readOnly": 0, "uta": 1},
    "/v5/account/wallet-balance": lambda venue, _: {
        "list": [{"accountType": "UNIFIED", "totalWalletBalance": "1000.5", "coin": []}]
    },
    "/v5/account/fee-rate": lambda venue, query: {
        "list": [{"symbol": query["symbol"], "takerFeeRate": "0.0006", "makerFeeRate": "0.0001"}]
    },
    "/v5/market/instruments-info": SmallVenue.instruments,
    "/v5/market/kline": SmallVenue.kline,
    "/v5/order/create": SmallVenue.create,
    "/v5/order/amend": SmallVenue.amend,
    "/v5/order/cancel": SmallVenue.cancel,
    "/v5/order/realtime": SmallVenue.live,
    "/v5/order/history": SmallVenue.past,
    "/v5/execution/list": SmallVenue.fills,
    "/v5/position/list": SmallVenue.held,
    "/v5/position/closed-pnl": lambda venue, query: _page(venue.closed, query),
}


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    params = json.loads(body) if body else dict(parse_qsl(query))
    return Request(method, path, params, body or query, headers)


def _raw(answer: Answer, now: int) -> bytes:
    envelope = {
        "retCode": answer.code,
        "retMsg": answer.text,
        "result": answer.result if answer.result is not None else {},
        "retExtInfo": {},
        "time": now,
    }
    body = json.dumps(envelope).encode() if answer.body is None else answer.body
    lines = {"Content-Length": str(len(body)), **answer.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode() + body
