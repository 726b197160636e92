"""Bybit's sockets on loopback, which say and keep back what a test wants."""

import asyncio
import hmac
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self

from attrs import define, field
from tests.bybit.small_venue import KEY, SECRET, SmallVenue
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Message = dict[str, Any]


@define
class SocketVenue:
    """Paths are `/public/linear` and so on, `/private` and `/trade`."""

    rest: SmallVenue
    url: str = ""
    requests: list[tuple[str, Message]] = field(factory=list)
    """What was asked, with the path."""
    snapshots: dict[str, list[Message]] = field(factory=dict)
    """What is said at once to who subscribes to a channel."""
    refused: set[str] = field(factory=set)
    """Channels that are not taken."""
    refused_logins: int = 0
    login_answer: Message | None = None
    is_early: bool = False
    """Whether the first data comes before the confirmation."""
    is_mute: bool = False
    orders: dict[str, Callable[[Message], Message | None]] = field(factory=dict)
    """What is answered to each operation of the order socket; None is a line that is cut."""
    lines: list[tuple[str, ServerConnection]] = field(factory=list)
    _subscribed: dict[ServerConnection, set[str]] = field(factory=dict)
    _server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._talk, "127.0.0.1", 0, ping_interval=None)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "BYBIT_REST_URL": self.rest.url,
            "BYBIT_PUBLIC_URL": f"{self.url}/public",
            "BYBIT_PRIVATE_URL": f"{self.url}/private",
            "BYBIT_TRADE_URL": f"{self.url}/trade",
        }

    def asked(self, op: str) -> list[list[str]]:
        """What was named in the requests of an operation."""
        return [said.get("args", []) for _, said in self.requests if said["op"] == op]

    @property
    def channels(self) -> set[str]:
        return {name for names in self._subscribed.values() for name in names}

    async def tell(self, *messages: Message | str) -> None:
        """Say it to whoever has subscribed to its topic; a text goes to everybody."""
        for message in messages:
            for line, names in tuple(self._subscribed.items()):
                if isinstance(message, str):
                    await line.send(message)
                elif message["topic"] in names:
                    await line.send(json.dumps(message))

    def cut(self, path: str = "") -> None:
        for at, line in self.lines:
            if at.startswith(path):
                line.transport.abort()

    # --- the talk ---

    async def _talk(self, line: ServerConnection) -> None:
        assert line.request is not None
        path = line.request.path
        self.lines.append((path, line))
        self._subscribed[line] = set()
        try:
            with suppress(ConnectionClosed):
                async for text in line:
                    await self._hear(line, path, json.loads(text))
        finally:
            self.lines.remove((path, line))
            del self._subscribed[line]

    async def _hear(self, line: ServerConnection, path: str, said: Message) -> None:
        self.requests.append((path, said))
        if self.is_mute:
            return
        if said["op"] == "ping":
            await _send(line, _pong(path, said))
        elif said["op"] == "auth":
            await _send(line, self._auth(path, said))
        elif said["op"].startswith("order."):
            await self._order(line, said)
        else:
            await self._subscribe(line, said)

    async def _subscribe(self, line: ServerConnection, said: Message) -> None:
        names = said["args"]
        if self.refused.intersection(names):
            text = f"error:handler not found,topic:{names[0]}"
            await _send(line, {"success": False, "ret_msg": text, **_of(said)})
            return
        first = [one for name in names for one in self.snapshots.get(name, [])]
        ack = {"success": True, "ret_msg": "", "conn_id": "c", **_of(said)}
        if said["op"] == "unsubscribe":
            self._subscribed[line].difference_update(names)
            await _send(line, ack)
            return
        self._subscribed[line].update(names)
        for message in [*first, ack] if self.is_early else [ack, *first]:
            await _send(line, message)

    def _auth(self, path: str, said: Message) -> Message:
        is_right = self._is_signed(said["args"]) and not self.refused_logins
        self.refused_logins -= bool(self.refused_logins)
        if self.login_answer is not None:
            return self.login_answer | _of(said)
        if path == "/trade":
            code = 0 if is_right else 10004
            return {"retCode": code, "retMsg": "", "op": "auth", "connId": "c", **_of(said)}
        text = "" if is_right else "Params Error"
        return {"success": is_right, "ret_msg": text, "op": "auth", "conn_id": "c", **_of(said)}

    def _is_signed(self, args: list[Any]) -> bool:
        key, expires, signature = args
        made = hmac.new(SECRET.encode(), f"GET/realtime{expires}".encode(), "sha256").hexdigest()
        return key == KEY and made == signature and int(expires) > self.rest.milliseconds

    async def _order(self, line: ServerConnection, said: Message) -> None:
        answer = self.orders[said["op"]](said)
        if answer is None:
            line.transport.abort()
            return
        await _send(line, {"op": said["op"], "connId": "c", **_of(said), **answer})


def _of(said: Message) -> Message:
    return {name: said[name] for name in ("op", "req_id", "reqId") if name in said}


def _pong(path: str, said: Message) -> Message:
    if path == "/trade":
        return {"retCode": 0, "retMsg": "OK", "op": "pong", "data": ["1711002002529"]}
    if path == "/private":
        return {"op": "pong", "args": ["1675418560633"], "conn_id": "c"}
    return {"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "", "op": "ping"}


async def _send(line: ServerConnection, message: Message) -> None:
    await line.send(json.dumps(message))


# --- messages ---


def book(
    number: int,
    bids: Iterable[tuple[str, str]] = (),
    asks: Iterable[tuple[str, str]] = (),
    *,
    kind: str = "delta",
    channel: str = "orderbook.50.BTCUSDT",
) -> Message:
    rows = {"b": [list(one) for one in bids], "a": [list(one) for one in asks]}
    data = {"s": channel.rpartition(".")[2], **rows, "u": number, "seq": number}
    return {"topic": channel, "type": kind, "ts": 1700000000000, "data": data, "cts": 1700000000001}


def top(number: int, bid: str, ask: str, symbol: str = "BTCUSDT") -> Message:
    """The book of one level, which is always whole."""
    channel = f"orderbook.1.{symbol}"
    return book(number, [(bid, "1")], [(ask, "2")], kind="snapshot", channel=channel)


def ticker(kind: str = "delta", symbol: str = "BTCUSDT", **members: str) -> Message:
    data = {"symbol": symbol, **members}
    return {"topic": f"tickers.{symbol}", "type": kind, "data": data, "cs": 1, "ts": 1700000000000}


def trades(*rows: tuple[str, str, str], symbol: str = "BTCUSDT") -> Message:
    """Each by its id, price and size."""
    data = [
        {"T": 1700000000000 + at, "s": symbol, "S": "Buy", "v": size, "p": price, "i": name}
        | {"L": "PlusTick", "BT": False, "seq": 7}
        for at, (name, price, size) in enumerate(rows)
    ]
    return {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": 1700000000009, "data": data}


def candle(minute: int, close: str, *, confirm: bool = False, interval: str = "1") -> Message:
    start = 1700000040000 + 60_000 * minute
    return {
        "start": start,
        "end": start + 59_999,
        "interval": interval,
        "open": "100",
        "high": "120",
        "low": "90",
        "close": close,
        "volume": "3.5",
        "turnover": "350",
        "confirm": confirm,
        "timestamp": start + 1000,
    }


def candles(*rows: Message, interval: str = "1") -> Message:
    topic = f"kline.{interval}.BTCUSDT"
    return {"topic": topic, "type": "snapshot", "ts": 1700000000000, "data": list(rows)}


def private(topic: str, *rows: Message) -> Message:
    return {"id": "7", "topic": topic, "creationTime": 1700000000000, "data": list(rows)}


async def eventually(condition: Callable[[], object], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110  # it is not the test that makes it true
            await asyncio.sleep(0.005)
