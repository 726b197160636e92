"""The sandbox: the venue, its market, its server, and what a test can do to them."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Self

from tradeforge_core.interfaces import Sandbox
from tradeforge_core.kit.clock import Clock, SystemClock
from tradeforge_testing.exchange import Exchange, ExchangeEvent
from tradeforge_topstepx.sandbox.app import build_app
from tradeforge_topstepx.sandbox.faults import Fault, FaultPlan, PlannedFault
from tradeforge_topstepx.sandbox.gate import Gate
from tradeforge_topstepx.sandbox.hub import MARKET_CHANNELS, USER_CHANNELS, Hub
from tradeforge_topstepx.sandbox.hub_connection import HubLimits
from tradeforge_topstepx.sandbox.limits import RateGuard, RateLimits
from tradeforge_topstepx.sandbox.market_feed import MarketFeed
from tradeforge_topstepx.sandbox.server import LoopbackServer
from tradeforge_topstepx.sandbox.user_feed import UserFeed
from tradeforge_topstepx.sandbox.venue import Credentials, open_venue

USER_HUB, MARKET_HUB = "/hubs/user", "/hubs/market"

_SYSTEM_CLOCK = SystemClock()
_HUB_LIMITS = HubLimits()
_RATE_LIMITS = RateLimits()


class TopStepXSandbox(Sandbox):
    """A ProjectX gateway on loopback, for as long as the `async with` lasts.

    `seed` decides how the market moves, `tick_seconds` of `clock` how often. It can be entered
    again: orders, positions and the port are as they were, so leaving and entering is a venue
    that goes down and comes back.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        clock: Clock = _SYSTEM_CLOCK,
        tick_seconds: float = 0.1,
        username: str = "sandbox",
        api_key: str = "sandbox-key",
        limits: RateLimits | None = _RATE_LIMITS,
        hub_limits: HubLimits = _HUB_LIMITS,
    ) -> None:
        self._port = port
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._venue = open_venue(Credentials(username, api_key), clock=clock, seed=seed)
        self._faults = FaultPlan()
        self._guard = RateGuard(limits, clock)
        self._gate = Gate(self._guard, self._faults, self._reset)
        self._user_feed = UserFeed(self.exchange)
        self._market_feed = MarketFeed(self.exchange)
        self._user_hub = Hub(USER_CHANNELS, hub_limits, self._reset)
        self._market_hub = Hub(MARKET_CHANNELS, hub_limits, self._reset, self._market_feed.snapshot)
        hubs = {USER_HUB: self._user_hub, MARKET_HUB: self._market_hub}
        self._app = build_app(self._venue, hubs, self._gate)
        self.exchange.listen(self._tell)

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
            "TS_USER_HUB_URL": self.url + USER_HUB,
            "TS_MARKET_HUB_URL": self.url + MARKET_HUB,
        }

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

    def fail_next(self, path: str, fault: Fault | int, *, handled: bool = True) -> None:
        """Spoil the answer to the next request of `path` that has no fault yet.

        An integer is an HTTP status. A request that is `handled` takes effect all the same: an
        order is booked, and its client does not hear of it.
        """
        self._faults.add(path, PlannedFault(fault, handled))

    async def drop_hubs(self, *, allow_reconnect: bool = True) -> None:
        """Close every hub connection with a close message; returns when they are closed."""
        await asyncio.gather(
            self._user_hub.drop(allow_reconnect=allow_reconnect),
            self._market_hub.drop(allow_reconnect=allow_reconnect),
        )

    def expire_tokens(self) -> None:
        """Refuse all tokens issued so far; open hub connections stay open, as at the venue."""
        self._venue.tokens.expire_all()

    async def __aenter__(self) -> Self:
        self._server = LoopbackServer(self._app, self._port)
        self._port = self._server.port
        await self._server.start()
        self._ticker = asyncio.create_task(self._tick(), name="sandbox ticker")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._ticker.cancel()
        await self.drop_hubs()
        await self._server.stop()
        await asyncio.wait([self._ticker])
        if not self._ticker.cancelled():
            self._ticker.result()  # a market that broke must not go unnoticed

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._tick_seconds)
            self.exchange.advance()

    def _tell(self, event: ExchangeEvent) -> None:
        for outgoing in self._user_feed.take(event):
            self._user_hub.publish(outgoing)
        for outgoing in self._market_feed.take(event):
            self._market_hub.publish(outgoing)

    def _reset(self, client: tuple[str, int]) -> None:
        self._server.reset(client)


def create(*, port: int = 0, seed: int = 0) -> TopStepXSandbox:
    """The sandbox as the command line starts it."""
    return TopStepXSandbox(port=port, seed=seed)
