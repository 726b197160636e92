"""A provider whose market hub can be spoiled, in virtual time: minutes of outages in no time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, TypeVar

import msgspec
import pytest
from attrs import define, field
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tradeforge_core import (
    MarketDataType,
    MarketEvent,
    Settings,
    StatusChanged,
    StreamConnectionStatus,
    Subscription,
    TradeForgeError,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.proxy import FaultProxy
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx._signalr import HubLimits
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

T = TypeVar("T")
MNQ = "CON.F.US.MNQ.H26"
MARKET = "/hubs/market"
RS = "\x1e"
_SCRIPTED = 9000


class CountingNetwork(MemoryNetwork):
    """Knows when which port was dialled, also in vain."""

    def __init__(self, seed: int) -> None:
        super().__init__(latency=0.001, jitter=0.01, seed=seed)
        self.dialled: list[tuple[float, int]] = []

    async def connect(
        self, factory: Callable[[], asyncio.BaseProtocol], host: str | None, port: int | None
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        self.dialled.append((asyncio.get_running_loop().time(), port or 0))
        return await super().connect(factory, host, port)


@define
class ScriptedHub:
    """A market hub that does what `script` says with each of its connections, and keeps it all."""

    script: "Script"
    upgrades: list[tuple[str, str]] = field(factory=list)
    """The path and the authorization of each."""
    said: list[list[dict[str, Any]]] = field(factory=list)
    """What each connection heard after the handshake."""
    open: list[ServerConnection] = field(factory=list)
    codes: list[int | None] = field(factory=list)
    """How the client closed them, in the order of their ends."""

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = connection.request.headers
        self.upgrades.append((connection.request.path, headers["Authorization"]))
        self.said.append([])
        self.open.append(connection)
        try:
            await self.script(self, connection, len(self.upgrades))
        finally:
            await connection.wait_closed()
            self.open.remove(connection)
            self.codes.append(connection.close_code)

    async def behave(self, connection: ServerConnection, *first: str) -> None:
        """Shake hands, confirm every call, and say `first` after the first one."""
        await connection.recv()
        await connection.send("{}" + RS)
        pings = asyncio.create_task(_ping(connection))
        try:
            await self._answer(connection, *first)
        finally:
            pings.cancel()

    async def _answer(self, connection: ServerConnection, *first: str) -> None:
        number = len(self.said) - 1
        left = list(first)
        async for frame in connection:
            message = msgspec.json.decode(str(frame).removesuffix(RS))
            self.said[number].append(message)
            if message["type"] == 1:
                await connection.send(
                    f'{{"type":3,"invocationId":"{message["invocationId"]}"}}{RS}'
                )
                while left:
                    await connection.send(left.pop(0))


async def _ping(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            await asyncio.sleep(10)
            await connection.send('{"type":6}' + RS)


Script = Callable[[ScriptedHub, ServerConnection, int], Awaitable[None]]


@define
class Lab:
    """The market hub is behind the proxy, or is a scripted one; all else is reached directly."""

    sandbox: TopStepXSandbox
    proxy: FaultProxy
    hub: ScriptedHub | None
    network: CountingNetwork
    broker: TopStepXProvider
    random: Random
    changes: list[StatusChanged] = field(factory=list)
    errors: list[TradeForgeError] = field(factory=list)
    changed: asyncio.Event = field(factory=asyncio.Event)

    def note(self, change: StatusChanged) -> None:
        self.changes.append(change)
        self.changed.set()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def scripted(self) -> ScriptedHub:
        assert self.hub is not None
        return self.hub

    def quotes(self) -> Subscription[MarketEvent]:
        return self.broker.subscribe_market_data(MNQ, [MarketDataType.QUOTE])

    async def become(self, *wanted: StreamConnectionStatus) -> float:
        """How many seconds it takes until the status is one of these."""
        began = self.now
        async with asyncio.timeout(600):
            while self.broker.status not in wanted:
                self.changed.clear()
                await self.changed.wait()
        return self.now - began

    async def lose(self) -> float:
        """How many seconds it takes until the stream is known not to be live."""
        wanted = set(StreamConnectionStatus) - {StreamConnectionStatus.LIVE}
        return await self.become(*wanted)

    async def recover(self) -> float:
        return await self.become(StreamConnectionStatus.LIVE)

    def connections(self) -> list[ServerConnection]:
        return list(self.scripted.open)

    def dials(self) -> list[float]:
        """When the market hub was dialled."""
        port = _SCRIPTED if self.hub else self.proxy.port
        return [at for at, dialled in self.network.dialled if dialled == port]

    def worst_minute(self) -> int:
        """The most attempts to connect the market hub within any 60 s."""
        dials = self.dials()
        return max(sum(at <= one < at + 60 for one in dials) for at in dials)


InTheLab = Callable[..., Any]


@pytest.fixture
def in_the_lab() -> InTheLab:
    """Runs a program with a live stream of quotes, and returns its result."""
    return _in_the_lab


def _in_the_lab(
    program: Callable[[Lab], Awaitable[T]],
    *,
    seed: int = 7,
    limits: HubLimits | None = None,
    script: Script | None = None,
) -> T:
    network = CountingNetwork(seed)

    async def run() -> T:
        async with _lab(network, seed, limits, script) as lab:
            async with lab.quotes():
                return await program(lab)

    return simulate(run, seed=seed, network=network)


@asynccontextmanager
async def _lab(
    network: CountingNetwork, seed: int, limits: HubLimits | None, script: Script | None
) -> AsyncIterator[Lab]:
    sandbox = TopStepXSandbox(seed=seed, tick_seconds=60.0)
    hub = ScriptedHub(script) if script else None
    async with sandbox, FaultProxy(sandbox.port, clock=current_clock()) as proxy:
        async with _serving(hub):
            port = _SCRIPTED if hub else proxy.port
            settings = sandbox.settings | {"TS_MARKET_HUB_URL": f"http://127.0.0.1:{port}{MARKET}"}
            config = TopStepXConfig.from_settings(Settings("topstepx", settings))
            broker = TopStepXProvider(config, hub_limits=limits)
            lab = Lab(sandbox, proxy, hub, network, broker, Random(seed))
            broker.on_status_change(lab.note)
            broker.on_error(lab.errors.append)
            async with broker:
                yield lab


@asynccontextmanager
async def _serving(hub: ScriptedHub | None) -> AsyncIterator[None]:
    if hub is None:
        yield
        return
    async with serve(hub.serve, "127.0.0.1", _SCRIPTED, compression=None, ping_interval=None):
        yield
