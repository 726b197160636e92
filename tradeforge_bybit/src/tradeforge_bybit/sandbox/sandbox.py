"""The sandbox: the venue, its market, its server, and what a test can do to them."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from starlette.routing import BaseRoute

from tradeforge_bybit.sandbox.app import build_app, socket_route
from tradeforge_bybit.sandbox.limits import RateGuard
from tradeforge_bybit.sandbox.lines import Address, Lines
from tradeforge_bybit.sandbox.market_feed import MarketFeed
from tradeforge_bybit.sandbox.private import PrivateSocket
from tradeforge_bybit.sandbox.public import PublicSocket
from tradeforge_bybit.sandbox.said import CATEGORIES
from tradeforge_bybit.sandbox.signing import Credentials
from tradeforge_bybit.sandbox.trade import TradeSocket
from tradeforge_bybit.sandbox.venue import Venue, open_venue
from tradeforge_core.interfaces import Sandbox
from tradeforge_core.kit.clock import Clock, current_clock
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.faults import FaultScript
from tradeforge_testing.sandbox.server import LoopbackServer

_BEAT, _SWEEP = 1.0, 30.0
_COINS = {"BTC": Decimal(2), "ETH": Decimal(20)}


class BybitSandbox(Sandbox):
    """A Bybit on loopback, for as long as the `async with` lasts.

    `seed` decides how the market moves, `tick_seconds` of `clock` how often. The account has
    `balance` of USDT, and `coins`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        clock: Clock | None = None,
        tick_seconds: float = 0.1,
        api_key: str = "sandbox-key",
        api_secret: str = "sandbox-secret",
        balance: Decimal = Decimal(100_000),
        coins: Mapping[str, Decimal] = _COINS,
        limits: bool = True,
    ) -> None:
        self._port = port
        self._clock = clock = clock or current_clock()
        self._tick_seconds = tick_seconds
        self._venue = open_venue(
            Credentials(api_key, api_secret), clock=clock, seed=seed, balance=balance, coins=coins
        )
        self._guard = RateGuard(clock, enforced=limits)
        self.faults = FaultScript()
        """What becomes of the next private messages."""
        self._open_sockets(seed)
        self._app = build_app(self._venue, self._guard, self._routes())

    def _open_sockets(self, seed: int) -> None:
        venue, clock = self._venue, self._clock
        self._feed = MarketFeed(venue, clock)
        self._public = {
            each: PublicSocket(each, venue, self._feed, clock, self._reset) for each in CATEGORIES
        }
        self._private = PrivateSocket(venue, clock, self._reset, self.faults, seed)
        self._trade = TradeSocket(venue, self._guard, clock, self._reset)
        self.exchange.listen(self._feed.take)
        self.exchange.listen(self._private.take)

    def _routes(self) -> list[BaseRoute]:
        public = [
            socket_route(f"/v5/public/{each}", one.lines) for each, one in self._public.items()
        ]
        return [
            *public,
            socket_route("/v5/private", self._private.lines),
            socket_route("/v5/trade", self._trade.lines),
        ]

    @property
    def sockets(self) -> Mapping[str, Lines]:
        """The open sockets by their name: `private`, `trade`, and each category."""
        public = {each: one.lines for each, one in self._public.items()}
        return {**public, "private": self._private.lines, "trade": self._trade.lines}

    # Where it is, and what is true there

    @property
    def venue(self) -> Venue:
        return self._venue

    @property
    def exchange(self) -> Exchange:
        """The venue's own books, to move the market and to compare with what a client believes."""
        return self._venue.exchange

    @property
    def port(self) -> int:
        if not self._port:
            raise RuntimeError("the sandbox has no port yet: enter it first, or give it a port")
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        socket = f"ws://127.0.0.1:{self.port}/v5"
        return {
            "BYBIT_API_KEY": self._venue.credentials.api_key,
            "BYBIT_API_SECRET": self._venue.credentials.api_secret,
            "BYBIT_ENVIRONMENT": "testnet",
            "BYBIT_REST_URL": self.url,
            "BYBIT_PUBLIC_URL": f"{socket}/public",
            "BYBIT_PRIVATE_URL": f"{socket}/private",
            "BYBIT_TRADE_URL": f"{socket}/trade",
        }

    # The market data

    def skip_book(self, instrument_id: str) -> None:
        """Lose the next change of the book, which leaves a gap in its numbers."""
        self._feed.skip_book(self._venue.listings[instrument_id])

    def restart_book(self, instrument_id: str) -> None:
        """Number the book from one again, as after a restart of the service."""
        self._feed.restart_book(self._venue.listings[instrument_id])

    # Being there

    async def __aenter__(self) -> Self:
        self._server = LoopbackServer(self._app, self._port)
        self._port = self._server.port
        await self._server.start()
        pacers = [self._feed.pacer, *self._private.pacers.values()]
        work = [self._tick(), self._beat(), self._sweep(), *(one.run() for one in pacers)]
        self._tasks = [asyncio.create_task(one, name="sandbox") for one in work]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._server.stop()
        await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()  # a market that broke must not go unnoticed

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._tick_seconds)
            self.exchange.advance()

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(_BEAT)
            self._feed.beat()

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(_SWEEP)
            for lines in self.sockets.values():
                lines.sweep()

    def _reset(self, client: Address) -> None:
        self._server.reset(client)


def create(*, port: int = 0, seed: int = 0, control: bool = False) -> BybitSandbox:
    """The sandbox as the command line starts it."""
    return BybitSandbox(port=port, seed=seed)
