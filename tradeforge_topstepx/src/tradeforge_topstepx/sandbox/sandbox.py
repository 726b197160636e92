"""The sandbox: the venue, its market, its server, and what a test can do to them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

from attrs import evolve

from tradeforge_core.interfaces import Sandbox
from tradeforge_core.kit.clock import Clock, current_clock
from tradeforge_testing.exchange import Exchange, ExchangeEvent, Instrument
from tradeforge_testing.sandbox.books import Lag, Replica
from tradeforge_testing.sandbox.control import control_routes
from tradeforge_testing.sandbox.gate import Gate
from tradeforge_testing.sandbox.planned_faults import Fault, FaultDetails, PlannedFault
from tradeforge_testing.sandbox.server import LoopbackServer
from tradeforge_testing.sandbox.signalr.connection import HubLimits
from tradeforge_testing.sandbox.signalr.event_faults import EventFault
from tradeforge_testing.sandbox.signalr.hub import Hub, Silence
from tradeforge_testing.sandbox.signalr.messages import Topic
from tradeforge_testing.sandbox.spoiling import Address, Connections
from tradeforge_topstepx.sandbox.app import build_app, served_paths
from tradeforge_topstepx.sandbox.channels import MARKET_CHANNELS, USER_CHANNELS
from tradeforge_topstepx.sandbox.commands import COMMANDS
from tradeforge_topstepx.sandbox.hubs import Hubs
from tradeforge_topstepx.sandbox.instruments import next_contract
from tradeforge_topstepx.sandbox.limits import RateGuard, RateLimits
from tradeforge_topstepx.sandbox.manners import MANNERS
from tradeforge_topstepx.sandbox.market_feed import MarketFeed
from tradeforge_topstepx.sandbox.state import describe
from tradeforge_topstepx.sandbox.timing import Timing
from tradeforge_topstepx.sandbox.user_feed import UserFeed
from tradeforge_topstepx.sandbox.venue import Credentials, open_exchange, open_venue

PATHS = {Hubs.USER: "/hubs/user", Hubs.MARKET: "/hubs/market"}

_SERVED = served_paths(PATHS.values())
_HUB_LIMITS = HubLimits()
_RATE_LIMITS = RateLimits()


class TopStepXSandbox(Sandbox):
    """A ProjectX gateway on loopback, for as long as the `async with` lasts.

    `seed` decides how the market moves, `tick_seconds` of `clock` how often. With `timing` the
    events of an order come as far apart as they do at the venue, by `clock`; without, at once.
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
        username: str = "sandbox",
        api_key: str = "sandbox-key",
        limits: RateLimits | None = _RATE_LIMITS,
        hub_limits: HubLimits = _HUB_LIMITS,
        timing: bool = False,
        control: bool = False,
    ) -> None:
        self._port = port
        self._seed = seed
        self._clock = clock = clock or current_clock()
        self._tick_seconds = tick_seconds
        self._has_timing = timing
        self._venue = open_venue(Credentials(username, api_key), clock=clock, seed=seed)
        self._guard = RateGuard(limits, clock)
        self._gate = Gate(
            self._guard.refusal, clock, Connections(self._reset, self._hang_up), MANNERS
        )
        self._lag: Lag | None = None
        self._hubs = {
            Hubs.USER: Hub(USER_CHANNELS, hub_limits, clock, self._reset),
            Hubs.MARKET: Hub(MARKET_CHANNELS, hub_limits, clock, self._reset, self._snapshot),
        }
        controls = control_routes(self, COMMANDS) if control else []
        hubs = {PATHS[name]: hub for name, hub in self._hubs.items()}
        self._app = build_app(self._venue, hubs, self._gate, controls)
        self._listen()

    def _listen(self) -> None:
        timing = Timing(self.exchange) if self._has_timing else None
        self._user_feed = UserFeed(self.exchange, timing)
        self._market_feed = MarketFeed(self.exchange)
        self._stop_listening = self.exchange.listen(self._tell)

    def _tell(self, event: ExchangeEvent) -> None:
        for outgoing in self._user_feed.take(event):
            self._hubs[Hubs.USER].publish(outgoing)
        for outgoing in self._market_feed.take(event):
            self._hubs[Hubs.MARKET].publish(outgoing)

    def _snapshot(self, topic: Topic) -> list[Any] | None:
        return self._market_feed.snapshot(topic)

    # Where it is, and what is true there

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
        return {
            "TS_USERNAME": self._venue.credentials.username,
            "TS_API_KEY": self._venue.credentials.api_key,
            "TS_ENVIRONMENT": "DEMO",
            "TS_REST_URL": self.url,
            "TS_USER_HUB_URL": self.url + PATHS[Hubs.USER],
            "TS_MARKET_HUB_URL": self.url + PATHS[Hubs.MARKET],
        }

    @property
    def symbol(self) -> str:
        return "MNQ"

    @property
    def requests(self) -> Counter[str]:
        """How often each path was asked for, such as `/api/Order/place` and `/hubs/user`."""
        return self._gate.requests

    @property
    def limits(self) -> RateLimits | None:
        """How often a client may ask before it gets a 429; None is as often as it likes."""
        return self._guard.limits

    @limits.setter
    def limits(self, limits: RateLimits | None) -> None:
        self._guard.set(limits)

    @property
    def worst_rates(self) -> Mapping[str, int]:
        """The most requests within the span of a limit, since it was set: `bars` and `others`.

        All that came are counted, refused or not, and also without limits.
        """
        return self._guard.worst

    def state(self) -> dict[str, Any]:
        """All of the exchange, who is connected, and what was asked, in values that JSON has."""
        return describe(self.exchange, self._gate, self._guard, self._hubs)

    # The venue

    async def reset(self, *, seed: int | None = None) -> None:
        """Begin anew: a new exchange, by default of the same seed, and no fault still to come.

        Hub connections are closed; tokens go on to count.
        """
        self._seed = self._seed if seed is None else seed
        self._stop_listening()
        await self.drop_hubs()
        for hub in self._hubs.values():
            hub.delivery.forget()
            hub.mute(None)
        self._gate.forget()
        self.lag_reads(0)
        self._guard.set(self._guard.limits)
        self._venue.exchange = open_exchange(self._clock, self._seed)
        self._listen()

    def roll(self, contract_id: str) -> Instrument:
        """Expire the contract and list the one of the month that follows, at its last price."""
        last = self.exchange.quote(contract_id).last
        following = next_contract(self.exchange.instruments[contract_id], last)
        self.exchange.roll(contract_id, following)
        return following

    def expire_tokens(self) -> None:
        """Refuse all tokens issued so far; open hub connections stay open, as at the venue."""
        self._venue.tokens.expire_all()

    # Requests

    def fail_next(
        self, path: str, fault: Fault | int, *, count: int = 1, **details: Unpack[FaultDetails]
    ) -> None:
        """Spoil the answers to the next `count` requests of `path` that have no fault yet.

        An integer is an HTTP status, if need be with a `retry_after`, or with a `location` for a
        redirect. A request that is `handled` takes effect all the same: an order is booked, and
        its client does not hear of it. Raises `ValueError` for an unknown path, and for a detail
        that does not go with the fault: see `PlannedFault`.
        """
        if path.lower() not in _SERVED:
            raise ValueError(f"the sandbox has no path {path!r}")
        planned = PlannedFault(fault=fault, **details)
        if fault is Fault.STALE:
            planned = evolve(planned, books=Replica(self.exchange))
        self._gate.faults.add(path, planned, count)

    @property
    def pending_faults(self) -> int:
        """How many requests and events will still be spoiled."""
        return self._gate.faults.left + sum(one.delivery.faults.left for one in self.hubs)

    def forget_faults(self) -> None:
        """Do everything right from now on; a connection that is half open stays so."""
        self._gate.faults.forget()
        self.lag_reads(0)
        for hub in self.hubs:
            hub.forget_faults()

    def lag_reads(self, seconds: float) -> None:
        """Show orders, trades and positions as they were so long ago; zero ends it.

        That is at most as they are now: what was told already stays told.
        """
        if self._lag is not None:
            self._lag.end()
        self._lag = Lag(self.exchange, self._clock, seconds) if seconds else None
        self._venue.show = self._lag.books if self._lag else None

    def half_open(self) -> None:
        """Never again answer on a connection that is open now; new ones are served."""
        self._gate.deaf |= self._server.clients()

    # Hubs

    @property
    def hubs(self) -> Sequence[Hub]:
        """That of the user, and that of the market."""
        return tuple(self._hubs.values())

    async def drop_hubs(self, hubs: Hubs = Hubs.BOTH, *, allow_reconnect: bool = True) -> None:
        """Close every connection with a close message; returns when they are closed."""
        chosen = self._chosen(hubs)
        await asyncio.gather(*(one.drop(allow_reconnect=allow_reconnect) for one in chosen))

    def reset_hubs(self, hubs: Hubs = Hubs.BOTH) -> None:
        """Cut every connection, without a word."""
        for hub in self._chosen(hubs):
            hub.reset()

    def mute_hubs(
        self, hubs: Hubs = Hubs.BOTH, *, silence: Silence | None = Silence.EVENTS
    ) -> None:
        """Lose every event or, with `EVERYTHING`, all that should be said; None ends it."""
        for hub in self._chosen(hubs):
            hub.mute(silence)

    def delay_events(self, seconds: float, hubs: Hubs = Hubs.BOTH) -> None:
        """Tell everything so much later, in its order; zero ends it."""
        for hub in self._chosen(hubs):
            hub.delivery.pacer.delay = seconds

    def fail_events(self, event: str, fault: EventFault, *, count: int = 1) -> None:
        """Spoil the next `count` events of that name, such as `GatewayDepth`, on their way."""
        hub = next((one for one in self._hubs.values() if event in one.events), None)
        if hub is None:
            raise ValueError(f"no hub has an event {event!r}")
        hub.delivery.faults.add(event, fault, count)

    def log_out(self, hubs: Hubs = Hubs.BOTH, *, reason: str | None = None) -> None:
        """Tell every connection that another session took over; it stays open."""
        for hub in self._chosen(hubs):
            hub.broadcast("GatewayLogout", *([] if reason is None else [reason]))

    def say(self, text: str, hubs: Hubs = Hubs.BOTH) -> None:
        """Send a frame of that text to every connection, whatever it means."""
        for hub in self._chosen(hubs):
            hub.say(text)

    def _chosen(self, hubs: Hubs) -> list[Hub]:
        return [hub for name, hub in self._hubs.items() if hubs.includes(name)]

    # Being there

    async def __aenter__(self) -> Self:
        self._server = LoopbackServer(self._app, self._port)
        self._port = self._server.port
        await self._server.start()
        hubs = [hub.run() for hub in self.hubs]
        self._tasks = [asyncio.create_task(one) for one in (self._tick(), *hubs)]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self.drop_hubs()
        await self._server.stop()
        await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()  # a market that broke must not go unnoticed

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._tick_seconds)
            self.exchange.advance()

    def _reset(self, client: Address) -> None:
        self._server.reset(client)

    def _hang_up(self, client: Address) -> None:
        self._server.hang_up(client)


def create(*, port: int = 0, seed: int = 0, control: bool = False) -> TopStepXSandbox:
    """The sandbox as the command line starts it."""
    return TopStepXSandbox(port=port, seed=seed, control=control)
