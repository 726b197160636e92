"""A connection of a client through a `FaultProxy`: two ways, and where its requests begin."""

import asyncio
from collections.abc import Callable, Iterable

from tradeforge_testing.proxy.faults import Direction, Drop, Fault
from tradeforge_testing.proxy.way import Way

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_UPGRADED = b"HTTP/1.1 101"


class Link:
    """Passes bytes both ways until both have ended, or until the connection is cut.

    `way_of` makes a way; `for_request` says what happens to a request with these first bytes, and
    None if they are too few to say.
    """

    def __init__(
        self,
        client: Stream,
        server: Stream,
        way_of: Callable[..., Way],
        for_request: Callable[[bytes], Iterable[Fault] | None],
    ) -> None:
        self._for_request = for_request
        self._up = way_of(Direction.UPSTREAM, client[0], server[1], cut=self.cut)
        self._down = way_of(Direction.DOWNSTREAM, server[0], client[1], cut=self.cut)
        self._opening = b""
        self._may_begin = True
        """Whether the next bytes of the client are a new request."""
        self._is_upgraded = False

    def start(self, faults: Iterable[Fault], *, ends_with_request: bool = False) -> None:
        for fault in faults:
            if isinstance(fault, Drop):
                self.cut(fault.rst)
                return
            for way in (self._up, self._down):
                way.start(fault, ends_with_request=ends_with_request)

    async def run(self) -> None:
        """Return once the connection is over on both sides."""
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._up.take_in, self._down.take_in, self._ask, self._answer):
                    group.create_task(work(), name=f"fault proxy {work.__name__}")
        except* OSError:
            self.cut(True)  # one side went without a word, and so does the other
        finally:
            for way in (self._up, self._down):  # both at once: waiting for one may be cancelled
                way.close()
            await asyncio.gather(self._up.closed(), self._down.closed())

    def cut(self, rst: bool) -> None:
        for way in (self._up, self._down):
            if rst:
                way.reset()
            else:
                way.finish()

    async def _ask(self) -> None:
        data = b"-"
        while data:
            came, data = await self._up.next()
            if (asked := self._recognized(data)) is not None:
                await self._up.let_pass(came, asked)
                if asked and not data:
                    await self._up.let_pass(came, b"")

    def _recognized(self, data: bytes) -> bytes | None:
        """What can pass now; None while nobody can say yet which request it is."""
        self._opening += data
        if self._may_begin and self._opening:
            faults = self._for_request(self._opening) if data else ()
            if faults is None:
                return None
            self._begin(faults)
        opening, self._opening = self._opening, b""
        return opening

    def _begin(self, faults: Iterable[Fault]) -> None:
        self._may_begin = False
        for way in (self._up, self._down):
            way.end_request()
        self.start(faults, ends_with_request=True)

    async def _answer(self) -> None:
        data = b"-"
        while data:
            came, data = await self._down.next()
            self._is_upgraded |= data.startswith(_UPGRADED)
            self._may_begin |= bool(data) and not self._is_upgraded
            await self._down.let_pass(came, data)
