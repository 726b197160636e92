"""A bare client of the sockets, and how time passes for the sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.bybit.sandbox.conftest import KEY, signature
from websockets.asyncio.client import ClientConnection, connect

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock

Row = dict[str, Any]
PATIENCE = 5


class Socket:
    """`heard` waits for the next message; with a topic, for the next one of it."""

    def __init__(self, connection: ClientConnection, clock: ManualClock) -> None:
        self.connection = connection
        self.clock = clock

    async def say(self, **message: object) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self, topic: str | None = None) -> Row:
        while True:
            async with asyncio.timeout(PATIENCE):
                message: Row = json.loads(await self.connection.recv())
            if topic is None or message.get("topic") == topic:
                return message

    async def ask(self, **message: object) -> Row:
        """The answer, before which nothing else comes."""
        await self.say(**message)
        return await self.hear()

    async def subscribe(self, *topics: str) -> None:
        assert (await self.ask(op="subscribe", args=list(topics)))["success"]

    async def log_in(self, expires: object = None) -> Row:
        at = int(self.clock.now().timestamp() * 1000) + 1000 if expires is None else expires
        return await self.ask(op="auth", args=[KEY, at, signature(f"GET/realtime{at}")])


@asynccontextmanager
async def open_socket(
    sandbox: BybitSandbox, clock: ManualClock, path: str
) -> AsyncIterator[Socket]:
    async with connect(f"ws://127.0.0.1:{sandbox.port}/v5/{path}", ping_interval=None) as open_one:
        yield Socket(open_one, clock)


async def pass_time(clock: ManualClock, seconds: float) -> None:
    """Move the clock in small steps, so that each task has its turn."""
    for _ in range(round(seconds / 0.01)):
        clock.advance(0.01)
        for _ in range(3):
            await asyncio.sleep(0)
