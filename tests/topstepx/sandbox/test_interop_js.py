"""The official JavaScript client, as it comes from its registry, in a process of its own."""

import asyncio
import json
import shutil
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import TopStepXSandbox

PACKAGE, VERSION = "@microsoft/signalr", "10.0.11"
SCRIPT = Path(__file__).with_name("signalr_client.mjs")
PATIENCE = 20
MNQ = "CON.F.US.MNQ.H26"

WAYS = pytest.mark.parametrize("way", ["negotiated", "direct"])
CARRIERS = pytest.mark.parametrize("carrier", ["header", "query"])


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client is installed: in the cache of pytest, so that this happens once."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    cache = getattr(request.config, "cache", None)
    name = f"signalr-{VERSION}"
    folder: Path = cache.mkdir(name) if cache else tmp_path_factory.mktemp(name)
    if _installed(folder) != VERSION:
        _install(folder)
    return folder


def _installed(folder: Path) -> str | None:
    manifest = folder / "node_modules" / PACKAGE / "package.json"
    if not manifest.exists():
        return None
    version: str = json.loads(manifest.read_text())["version"]
    return version


def _install(folder: Path) -> None:
    options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=0"]
    command = ["npm", "install", *options, "--prefix", str(folder), f"{PACKAGE}@{VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{PACKAGE} {VERSION} could not be installed in time")
    if done.returncode:
        pytest.skip(f"{PACKAGE} {VERSION} could not be installed: {done.stderr[-300:]}")


class JavaScript:
    """The client in its process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._events: deque[list[Any]] = deque()

    async def hear(self) -> list[Any]:
        """What it says next that is no event."""
        while (words := await self._read())[0] == "event":
            self._events.append(words)
        return words

    async def _read(self) -> list[Any]:
        async with asyncio.timeout(PATIENCE):
            line = await self._out.readline()
        assert line, "the client ended"
        words: list[Any] = json.loads(line)
        return words

    def say(self, *words: object) -> None:
        self._in.write(json.dumps(words).encode() + b"\n")

    async def invoke(self, method: str, *arguments: object) -> list[Any]:
        """Its result or error; a snapshot may overtake it on the way through the client."""
        self.say("invoke", method, *arguments)
        return await self.hear()

    async def event(self, name: str) -> list[Any]:
        """The arguments of the next event, which must have that name."""
        kind, heard, *arguments = self._events.popleft() if self._events else await self._read()
        assert (kind, heard) == ("event", name)
        return arguments


Connect = Callable[..., Any]


@pytest.fixture
def client(node_modules: Path, sandbox: TopStepXSandbox, token: str) -> Connect:
    """Runs the client until the block is left; it says first whether it is connected."""

    @asynccontextmanager
    async def client(
        hub: str, *events: str, way: str = "direct", carrier: str = "header"
    ) -> AsyncIterator[JavaScript]:
        in_query = f"?access_token={token}" if carrier == "query" else ""
        url = f"{sandbox.url}/hubs/{hub}{in_query}"
        options = {
            "token": token if carrier == "header" else None,
            "skipNegotiation": way == "direct",
            "events": events,
        }
        arguments = [str(SCRIPT), str(node_modules), url, json.dumps(options)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec("node", *arguments, stdin=pipe, stdout=pipe)
        try:
            yield JavaScript(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return client


@WAYS
@CARRIERS
async def test_it_hears_quotes(
    client: Connect, exchange: Exchange, sandbox: TopStepXSandbox, way: str, carrier: str
) -> None:
    async with client("market", "GatewayQuote", way=way, carrier=carrier) as javascript:
        assert await javascript.hear() == ["connected"]
        assert await javascript.invoke("SubscribeContractQuotes", MNQ) == ["result", 0]
        contract, quote = await javascript.event("GatewayQuote")
        assert (contract, quote["symbol"]) == (MNQ, "F.US.MNQ")
        exchange.move_to(MNQ, Decimal(29600))
        while quote.get("lastPrice") != 29600:
            _, quote = await javascript.event("GatewayQuote")
    assert sandbox.requests["/hubs/market/negotiate"] == (1 if way == "negotiated" else 0)


@WAYS
@CARRIERS
async def test_it_hears_of_an_order(
    client: Connect, place: Callable[..., Awaitable[object]], way: str, carrier: str
) -> None:
    async with client("user", "GatewayUserOrder", way=way, carrier=carrier) as javascript:
        assert await javascript.hear() == ["connected"]
        assert await javascript.invoke("SubscribeOrders", 1001) == ["result", 0]
        await place()
        (pending,), (filled,) = [await javascript.event("GatewayUserOrder") for _ in range(2)]
        assert [one["data"]["status"] for one in (pending, filled)] == [6, 2]


async def test_a_wrong_name_is_an_error_when_invoked_and_silent_when_sent(client: Connect) -> None:
    async with client("market") as javascript:
        assert await javascript.hear() == ["connected"]
        javascript.say("send", "SubscribeContractDepth", MNQ)
        error = await javascript.invoke("SubscribeContractDepth", MNQ)
        assert error[0] == "error"
        assert "Method does not exist" in error[1]
        javascript.say("send", "SubscribeContractQuotes", MNQ)
        assert await javascript.invoke("SubscribeContractTrades", MNQ) == ["result", 0]


@WAYS
async def test_it_comes_back_by_itself_after_a_drop(
    client: Connect, exchange: Exchange, sandbox: TopStepXSandbox, way: str
) -> None:
    async with client("market", "GatewayQuote", way=way) as javascript:
        assert await javascript.hear() == ["connected"]
        for drop in (sandbox.drop_hubs, _reset(sandbox)):
            await drop()
            assert await javascript.hear() == ["reconnecting"]
            assert await javascript.hear() == ["reconnected"]
            assert await javascript.invoke("SubscribeContractQuotes", MNQ) == ["result", 0]
            await javascript.event("GatewayQuote")
        await sandbox.drop_hubs(allow_reconnect=False)
        assert await javascript.hear() == ["closed"]


def _reset(sandbox: TopStepXSandbox) -> Callable[[], Awaitable[None]]:
    async def reset() -> None:
        sandbox.reset_hubs()

    return reset


async def test_it_is_refused_without_a_good_token(
    client: Connect, sandbox: TopStepXSandbox
) -> None:
    sandbox.expire_tokens()
    async with client("user", way="negotiated") as javascript:
        error = await javascript.hear()
        assert error[0] == "error"
        assert "401" in error[1]


async def test_it_hears_of_a_log_out_and_says_goodbye(
    client: Connect, sandbox: TopStepXSandbox
) -> None:
    async with client("user", "GatewayLogout") as javascript:
        assert await javascript.hear() == ["connected"]
        sandbox.log_out()
        assert await javascript.event("GatewayLogout") == []
        javascript.say("stop")
        assert await javascript.hear() == ["closed"]
