"""What a provider leaves behind: tasks, connections, timers. Simulated runs alone can tell."""

import asyncio
from collections.abc import Collection, Iterator
from typing import Any

from tradeforge_testing.chaos.stage import Stage
from tradeforge_testing.sim import VirtualLoop


def open_connections(stage: Stage) -> Iterator[str]:
    """Connections that the provider has after its `disconnect()`."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop) and (left := loop.network.clients(stage.proxy.port)):
        yield f"I10 {left} connections are left"


def left_behind(before: Collection["asyncio.Task[Any]"]) -> Iterator[str]:
    """What is there after all has ended, and was not before."""
    if left := asyncio.all_tasks() - set(before):
        yield f"I10 tasks are left: {sorted(str(one.get_coro()) for one in left)}"
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop) and (timers := loop.timers()):
        yield f"I10 timers are left: {timers}"
