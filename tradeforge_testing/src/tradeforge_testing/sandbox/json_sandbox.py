"""The skeleton of a venue that speaks JSON over HTTP, and over one WebSocket: a skin adds words.

Every request is a POST with a JSON object. The login gives a token, and all else needs it as a
bearer token. A refusal is HTTP 422 with `{"error": WORD}`.
"""

import asyncio
import json
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from secrets import compare_digest
from typing import Any, ClassVar, Self

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tradeforge_core import DecodeError, to_json
from tradeforge_core.interfaces import Sandbox
from tradeforge_core.kit.chance import random_bits
from tradeforge_core.kit.clock import Clock, current_clock
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.exchange import (
    DepthChanged,
    Exchange,
    ExchangeEvent,
    Instrument,
    MarketTrade,
    QuoteChanged,
    Refused,
)
from tradeforge_testing.sandbox.books import Books, Lag
from tradeforge_testing.sandbox.control import control_routes
from tradeforge_testing.sandbox.desk import Desk, told
from tradeforge_testing.sandbox.faults import FaultScript
from tradeforge_testing.sandbox.json_commands import JSON_COMMANDS
from tradeforge_testing.sandbox.listeners import Listeners
from tradeforge_testing.sandbox.server import LoopbackServer

Handler = Callable[[dict[str, Any]], object]
"""Makes the answer to one request: anything that JSON can say, also records of the exchange."""
TOKEN_HEAD = "sandbox-token-"
"""What every token begins with: nobody may ever print one."""


class JsonSandbox(Sandbox):
    """A venue on loopback, for as long as the `async with` lasts; it can be entered again.

    `seed` decides how the market moves, `tick_seconds` of `clock` how often. With `control`, it can
    be told over HTTP what to do next: `GET /_sandbox` lists the commands.
    """

    prefix: ClassVar[str]
    """What the names of its settings begin with: `HELLO` makes `HELLO_URL` and `HELLO_KEY`."""
    login: ClassVar[str] = "/login"
    """The path that takes `{"key": ...}` and gives `{"token": ...}`."""
    stream: ClassVar[str] = "/stream"
    """The path of the WebSocket."""
    requests_a_minute: ClassVar[int] = 200
    most_bars: ClassVar[int] = 5_000
    """In one answer."""
    paths: ClassVar[Mapping[Action, tuple[str, ...]]]
    """What a trader asks for when it does this."""

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        control: bool = False,
        clock: Clock | None = None,
        tick_seconds: float = 0.1,
        key: str = "sandbox-key",
    ) -> None:
        self._clock = clock or current_clock()
        self._port = port
        self._tick_seconds = tick_seconds
        self._key = key
        self._has_control = control
        self.exchange = self.open_exchange(self._clock, seed)
        self.faults = FaultScript()
        self.worst_minute = 0
        """The most requests that came within one."""
        self._asked: deque[float] = deque()
        self._tokens: set[str] = set()
        self._lag: Lag | None = None
        self.desk = Desk(self.exchange, self._clock, lambda: self.books, most_bars=self.most_bars)
        self._handlers = self.handlers()
        self.listeners = Listeners(self.check_topic, lambda client: self._server.reset(client))
        self.exchange.listen(self._tell)

    # What a skin says

    def open_exchange(self, clock: Clock, seed: int) -> Exchange:
        """What is traded: by default two months of one future, and one account.

        The kit needs two contracts, to tell what is said of one from what is said of another.
        """
        months = (_future(self.prefix, "Z", 2026), _future(self.prefix, "H", 2027))
        exchange = Exchange(months, clock=clock, seed=seed)
        exchange.open_account("PRACTICE", Decimal(50_000))
        return exchange

    @abstractmethod
    def handlers(self) -> Mapping[str, Handler]:
        """What answers at each path. A handler may raise `Refused` and `DecodeError`."""

    def check_topic(self, topic: str) -> None:
        """Raises `Refused` for a topic that there is not."""
        self.desk.check_topic(topic)

    def told(self, event: ExchangeEvent) -> Iterator[tuple[str, object]]:
        """The messages that an event of the exchange makes: topics, and what is said there."""
        return told(event)

    # What a test does

    @property
    def port(self) -> int:
        if not self._port:
            raise RuntimeError("the sandbox has no port yet: enter it first, or give it a port")
        return self._port

    @property
    def symbol(self) -> str:
        return next(one.symbol for one in self.exchange.instruments.values() if one.active)

    @property
    def settings(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}"
        return {f"{self.prefix}_URL": url, f"{self.prefix}_KEY": self._key}

    @property
    def books(self) -> Books:
        """Where reads of orders, fills and positions look."""
        return self.exchange if self._lag is None else self._lag.books()

    def paths_of(self, action: Action) -> tuple[str, ...]:
        """What is asked for when a trader does this; nobody connects without a login."""
        return (self.login,) if action is Action.CONNECT else self.paths.get(action, ())

    def lag_reads(self, seconds: float) -> None:
        """Show orders, fills and positions as they were so long ago; zero ends it."""
        if self._lag is not None:
            self._lag.end()
        self._lag = Lag(self.exchange, self._clock, seconds) if seconds else None

    @property
    def served_paths(self) -> frozenset[str]:
        """All that a request can ask for."""
        return frozenset({self.login, *self._handlers})

    def state(self) -> dict[str, Any]:
        """All of the exchange, who listens to what, and what was asked; values that JSON has."""
        return {
            "exchange": self.exchange.snapshot(),
            "streams": self.listeners.state(),
            "worst_minute": self.worst_minute,
            "pending_faults": self.faults.pending,
        }

    def forget_faults(self) -> None:
        """Do everything right from now on."""
        self.faults.forget()
        self.lag_reads(0)

    def expire_tokens(self) -> None:
        """Refuse every token issued so far; open streams stay open."""
        self._tokens.clear()

    # How it is served

    async def __aenter__(self) -> Self:
        routes = [
            *(control_routes(self, JSON_COMMANDS) if self._has_control else ()),
            Route("/{path:path}", self._answer, methods=["POST"]),
            WebSocketRoute(self.stream, self._stream),
        ]
        self._server = LoopbackServer(Starlette(routes=routes), self._port)
        self._port = self._server.port
        await self._server.start()
        self._ticking = asyncio.create_task(self._tick(), name="sandbox market")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._ticking.cancel()
        await self._server.stop()
        await asyncio.wait([self._ticking])
        if not self._ticking.cancelled():
            self._ticking.result()  # a market that broke must not go unnoticed

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._tick_seconds)
            self.exchange.advance()

    def _tell(self, event: ExchangeEvent) -> None:
        is_public = isinstance(event, QuoteChanged | MarketTrade | DepthChanged)
        spoil = _as_it_is if is_public else self.faults.messages_of
        for topic, data in self.told(event):
            self.listeners.publish(topic, data, spoil)

    async def _stream(self, socket: WebSocket) -> None:
        if self._knows(socket):
            await self.listeners.serve(socket)
        else:
            await socket.send_denial_response(Response(status_code=401))

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        path = request.url.path
        spoiled = self.faults.answer_of(path)
        if spoiled is None:
            return self._right_answer(request, path, body)
        right = self._right_answer(request, path, body) if spoiled.handled else Response()
        content = right.body if spoiled.body is None else spoiled.body
        return Response(content, status_code=spoiled.status, headers=dict(spoiled.headers))

    def _right_answer(self, request: Request, path: str, body: bytes) -> Response:
        if self._is_too_much():
            return _json({"error": "too_many_requests"}, 429)
        try:
            said = json.loads(body)
            if path == self.login:
                return self._log_in(said)
            if not self._knows(request):
                return _json({"error": "unknown_token"}, 401)
            if path not in self._handlers:
                return _json({"error": "unknown_path"}, 404)
            return _json(self._handlers[path](said))
        except Refused as refused:
            return _json({"error": refused.reason.value}, 422)
        except (DecodeError, LookupError, TypeError, ValueError) as error:
            return _json({"error": "malformed", "text": str(error)}, 400)

    def _log_in(self, said: dict[str, Any]) -> Response:
        if not compare_digest(str(said["key"]), self._key):
            return _json({"error": "unknown_key"}, 401)
        token = TOKEN_HEAD + f"{random_bits(128):032x}"
        self._tokens.add(token)
        return _json({"token": token})

    def _knows(self, connection: HTTPConnection) -> bool:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        return token in self._tokens

    def _is_too_much(self) -> bool:
        now = self._clock.monotonic()
        while self._asked and self._asked[0] <= now - 60:
            self._asked.popleft()
        self._asked.append(now)
        self.worst_minute = max(self.worst_minute, len(self._asked))
        return len(self._asked) > self.requests_a_minute


def _as_it_is(text: str) -> list[str]:
    return [text]


def _future(name: str, month: str, year: int) -> Instrument:
    root = name[:3].upper()
    return Instrument(
        id=f"{root}.{month}{year % 100}",
        symbol=f"{root}{month}{year % 10}",
        root=root,
        description=f"{name.title()} future, {month}{year}",
        tick_size=Decimal("0.25"),
        tick_value=Decimal("0.50"),
        start_price=Decimal(20_000),
        fee=Decimal("0.25"),
        commission=Decimal("0.10"),
    )


def _json(content: object, status: int = 200) -> Response:
    return Response(to_json(content), status_code=status, media_type="application/json")
