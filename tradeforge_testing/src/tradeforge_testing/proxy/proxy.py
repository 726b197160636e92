"""The proxy itself: a port of its own in front of a server."""

import asyncio
import socket
from collections import Counter
from functools import partial
from random import Random
from typing import Self

from tradeforge_core.kit.clock import Clock, current_clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_testing.proxy.faults import Direction, Fault, NextConnection, Now, When
from tradeforge_testing.proxy.link import Link, Stream
from tradeforge_testing.proxy.plan import Faults, ProxyPlan
from tradeforge_testing.proxy.way import Way, reset

_HOST = "127.0.0.1"
_NEXT = NextConnection()


class FaultProxy:
    """Passes connections on from a port of its own to `target_port`, both on loopback.

    What is planned happens to the next connections or requests; everything else passes as it is,
    ends and resets included. Waiting is done by `clock`; `seed` decides the jitter. A client is
    reset if nobody listens at the target.

    Leaving it closes every connection. It can be entered again, on the same port.
    """

    def __init__(
        self, target_port: int, *, port: int = 0, clock: Clock | None = None, seed: int = 0
    ) -> None:
        self._target_port = target_port
        self._port = port
        self._plan = ProxyPlan()
        self._tasks = TaskOwner()
        self._links: dict[Link, None] = {}  # in the order in which they came
        self._server: asyncio.Server | None = None
        self._reserved: socket.socket | None = None
        """The port while nobody listens there."""
        self._is_entered = False
        self.connections = 0
        """How many it has accepted; a refused one is none."""
        self.received: Counter[Direction] = Counter()
        """How many bytes have come to it, upstream and downstream."""
        self.passed: Counter[Direction] = Counter()
        """How many of them it has sent on."""
        self._way_of = partial(
            Way,
            clock=clock or current_clock(),
            random=Random(seed),
            received=self.received,
            passed=self.passed,
        )

    @property
    def port(self) -> int:
        if not self._port:
            raise RuntimeError("the proxy has no port yet: enter it first, or give it a port")
        return self._port

    @property
    def open_connections(self) -> int:
        """Those that it passes on now; one that is half open is among them."""
        return len(self._links)

    @property
    def pending(self) -> int:
        """How many connections and requests the plan is still waiting for."""
        return self._plan.left

    # What happens to connections

    def plan(self, *faults: Fault, when: When = _NEXT, count: int = 1) -> None:
        """Do this to the next `count` connections or requests, all of it to each.

        Each of them takes the first plan that fits it. `Now` does it to what is open, at once.
        """
        if not faults or count < 1:
            raise ValueError("a plan needs a fault, and has to happen once at least")
        if not isinstance(when, Now):
            return self._plan.add(faults, when, count)
        if count != 1:
            raise ValueError("now is once: a count goes with the next connections or requests")
        for link in list(self._links):
            link.start(faults)

    def forget(self) -> None:
        """Plan nothing any more; what has begun goes on."""
        self._plan.forget()

    def refuse(self) -> None:
        """Close the port: who connects is refused. What is open stays open."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._reserved = _bound(self.port)  # so that nobody else takes it meanwhile

    async def accept(self) -> None:
        """Open the port again, which is the same one."""
        if self._reserved is not None:
            reserved, self._reserved = self._reserved, None
            self._server = await asyncio.start_server(self._accepted, sock=reserved)

    # Being there

    async def __aenter__(self) -> Self:
        self._reserved = _bound(self._port)
        self._port = self._reserved.getsockname()[1]
        self._is_entered = True
        await self.accept()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._is_entered = False
        self.refuse()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        await asyncio.sleep(0)  # a task has to begin before it can close what it was given
        await self._tasks.close()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_entered:  # it was on its way in when the port was closed
            return writer.transport.abort()
        self.connections += 1
        work = self._serve((reader, writer), self._plan.for_connection())
        self._tasks.start(work, name="fault proxy connection")

    async def _serve(self, client: Stream, faults: Faults) -> None:
        try:
            server = await asyncio.open_connection(_HOST, self._target_port)
        except OSError:
            return reset(client[1])
        except asyncio.CancelledError:
            client[1].transport.abort()
            raise
        await self._pass_on(Link(client, server, self._way_of, self._plan.for_request), faults)

    async def _pass_on(self, link: Link, faults: Faults) -> None:
        self._links[link] = None
        link.start(faults)
        try:
            await link.run()
        finally:
            self._links.pop(link, None)


def _bound(port: int) -> socket.socket:
    """A socket that has the port and does not listen, so that a connection is refused."""
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # The connections of the last listener must not keep the port busy.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_HOST, port))
    except OSError:
        bound.close()
        raise
    return bound
