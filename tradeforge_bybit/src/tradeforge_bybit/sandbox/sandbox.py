"""The sandbox: the venue, its market, its server, and what a test can do to them."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self, Unpack

from attrs import evolve

from tradeforge_bybit.sandbox.app import build_app, served_paths
from tradeforge_bybit.sandbox.control_commands import COMMANDS
from tradeforge_bybit.sandbox.exits import Exits
from tradeforge_bybit.sandbox.instruments import listings, whole_listings
from tradeforge_bybit.sandbox.limits import RateGuard
from tradeforge_bybit.sandbox.lines import Address, Lines
from tradeforge_bybit.sandbox.manners import manners
from tradeforge_bybit.sandbox.market_feed import MarketFeed
from tradeforge_bybit.sandbox.partial_exits import PartialExits
from tradeforge_bybit.sandbox.private import PrivateSocket
from tradeforge_bybit.sandbox.public import PublicSocket
from tradeforge_bybit.sandbox.said import CATEGORIES
from tradeforge_bybit.sandbox.signing import Credentials
from tradeforge_bybit.sandbox.trade import TradeSocket
from tradeforge_bybit.sandbox.venue import Venue, open_venue
from tradeforge_core.interfaces import Sandbox
from tradeforge_core.kit.clock import Clock, current_clock
from tradeforge_testing.exchange import Exchange
from tradeforge_testing.sandbox.books import Lag, Replica
from tradeforge_testing.sandbox.control import control_routes
from tradeforge_testing.sandbox.faults import FaultScript
from tradeforge_testing.sandbox.gate import Gate
from tradeforge_testing.sandbox.planned_faults import Fault, FaultDetails, PlannedFault
from tradeforge_testing.sandbox.server import LoopbackServer
from tradeforge_testing.sandbox.spoiling import Connections

_BEAT, _SWEEP = 1.0, 30.0
_COINS = {"BTC": Decimal(2), "ETH": Decimal(20)}


class BybitSandbox(Sandbox):
    """A Bybit on loopback, for as long as the `async with` lasts.

    `seed` decides how the market moves, `tick_seconds` of `clock` how often. The account has
    `balance` of USDT, and `coins`. With `whole` there are only contracts in lots of one, and orders
    and fills go by the numbers of the exchange, so that a toolkit can compare them as they are.
    With `control` everything that a test can do here can be done under `/_sandbox` as well.

    It can be entered again: orders, positions and the port are as they were, so leaving and
    entering is a venue that goes down and comes back.
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
        whole: bool = False,
        control: bool = False,
    ) -> None:
        self._port = port
        self._clock = clock = clock or current_clock()
        self._tick_seconds = tick_seconds
        self._venue = open_venue(
            Credentials(api_key, api_secret),
            clock=clock,
            seed=seed,
            balance=balance,
            coins=coins,
            listed=whole_listings() if whole else listings(),
            plain_ids=whole,
        )
        self._guard = RateGuard(clock, enforced=limits)
        self._lag: Lag | None = None
        self.faults = FaultScript()
        """What becomes of the next private messages."""
        connections = Connections(self._reset, self._hang_up)
        self._gate = Gate(lambda limit: None, clock, connections, manners(self._venue))
        self._open_sockets(seed)
        controls = control_routes(self, COMMANDS) if control else []
        paths = {_path(name): lines for name, lines in self.sockets.items()}
        self._served = served_paths(paths)
        self._app = build_app(self._venue, self._guard, self._gate, paths, controls)

    def _open_sockets(self, seed: int) -> None:
        venue, clock = self._venue, self._clock
        self._feed = MarketFeed(venue, clock)
        self._public = {
            each: PublicSocket(each, venue, self._feed, clock, self._reset) for each in CATEGORIES
        }
        self._private = PrivateSocket(venue, clock, self._reset, self.faults, seed)
        self._trade = TradeSocket(venue, self._guard, clock, self._reset)
        exits = Exits(venue)
        venue.protect, venue.unprotect = exits.protect, exits.clear
        self.exchange.listen(exits.take)
        self.exchange.listen(PartialExits(venue).take)
        self.exchange.listen(self._feed.take)
        self.exchange.listen(self._private.take)

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
    def symbol(self) -> str:
        return "BTCUSDT"

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

    @property
    def requests(self) -> Counter[str]:
        """How often each path was asked for, such as `/v5/order/create` and `/v5/private`."""
        return self._gate.requests

    @property
    def overruns(self) -> Mapping[str, int]:
        """How often each path was asked for more than is allowed, refused or not."""
        return self._guard.overruns

    def state(self) -> dict[str, Any]:
        """All of the exchange, who is connected, and what was asked, in values that JSON has."""
        return {
            "exchange": self.exchange.snapshot(),
            "sockets": {name: len(lines) for name, lines in self.sockets.items()},
            "requests": dict(self.requests),
            "overruns": dict(self.overruns),
        }

    # Requests

    def fail_next(
        self, path: str, fault: Fault | int, *, count: int = 1, **details: Unpack[FaultDetails]
    ) -> None:
        """Spoil the answers to the next `count` requests of `path` that have no fault yet.

        An integer is an HTTP status; `Fault.ENVELOPE` has a `code` of the venue's own, such as
        10006 or 10016. A request that is `handled` takes effect all the same: an order is booked,
        and its client does not hear of it. Raises `ValueError` for an unknown path, and for a
        detail that does not go with the fault: see `PlannedFault`.
        """
        if path not in self._served:
            raise ValueError(f"the sandbox has no path {path!r}")
        planned = PlannedFault(fault=fault, **details)
        if fault is Fault.STALE:
            planned = evolve(planned, books=Replica(self.exchange))
        self._gate.faults.add(path, planned, count)

    @property
    def pending_faults(self) -> int:
        """How many requests and private messages will still be spoiled."""
        return self._gate.faults.left + self.faults.pending + self._trade.lost

    def forget_faults(self) -> None:
        """Do everything right from now on; a connection that is half open stays so."""
        self._gate.faults.forget()
        self.faults.forget()
        self.lag_reads(0)
        self.drift(0)
        self._trade.lost = 0
        self._private.delay = 0.0
        for lines in self.sockets.values():
            lines.is_mute = False

    def lag_reads(self, seconds: float) -> None:
        """Show orders, executions and positions as they were so long ago; zero ends it."""
        if self._lag is not None:
            self._lag.end()
        self._lag = Lag(self.exchange, self._clock, seconds) if seconds else None
        self._venue.show = self._lag.books if self._lag else None

    def trust(self, pem: str) -> None:
        """Take requests that are signed by this RSA key, too: the public one, as PEM.

        Raises `ValueError` for anything else. Needs the extra `tradeforge-bybit[rsa]`.
        """
        self._venue.credentials.trust(pem)

    def drift(self, seconds: float) -> None:
        """Have the venue's clock be ahead by so many seconds, or behind."""
        self._venue.ahead = seconds

    def half_open(self) -> None:
        """Never again answer on a connection that is open now; new ones are served."""
        self._gate.deaf |= self._server.clients()

    # Sockets

    def cut_sockets(self, *names: str) -> None:
        """Cut every connection, or those of these sockets, without a word."""
        for name, lines in self.sockets.items():
            if not names or name in names:
                lines.cut()

    def mute_sockets(self, *names: str, mute: bool = True) -> None:
        """Lose all that should be said on every socket, or on these."""
        for name, lines in self.sockets.items():
            if not names or name in names:
                lines.is_mute = mute

    def delay_private(self, seconds: float) -> None:
        """Tell everything private so much later; zero ends it."""
        self._private.delay = seconds

    def lose_trade_answers(self, count: int = 1) -> None:
        """Do what the next requests of the trade socket ask, and do not answer."""
        self._trade.lost += count

    def say(self, text: str) -> None:
        """Send this on every connection, whatever it means."""
        for lines in self.sockets.values():
            for line in lines.everybody():
                lines.send(line, text)

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

    def _hang_up(self, client: Address) -> None:
        self._server.hang_up(client)


def create(*, port: int = 0, seed: int = 0, control: bool = False) -> BybitSandbox:
    """The sandbox as the command line starts it."""
    return BybitSandbox(port=port, seed=seed, control=control)


def _path(name: str) -> str:
    return f"/v5/public/{name}" if name in CATEGORIES else f"/v5/{name}"
