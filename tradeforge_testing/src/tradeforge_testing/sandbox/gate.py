"""What every request passes first: it is counted, may be one too many, or meet a fault."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from tradeforge_core.kit.clock import Clock
from tradeforge_testing.sandbox.planned_faults import FaultPlan
from tradeforge_testing.sandbox.spoiling import (
    Address,
    Connections,
    Encounter,
    Manners,
    address,
    spoil,
    until_gone,
)

R = TypeVar("R", bound=Response | None)


class Gate:
    """`refusal` has the headers of a 429 for a request that is one too many by its limit."""

    def __init__(
        self,
        refusal: Callable[[str | None], Mapping[str, str] | None],
        clock: Clock,
        connections: Connections,
        manners: Manners,
    ) -> None:
        self.requests: Counter[str] = Counter()
        self.faults = FaultPlan()
        self.deaf: set[Address] = set()
        """Clients that are not answered any more, by the address of their connection."""
        self._refusal = refusal
        self._manners = manners
        self._clock = clock
        self._connections = connections

    def forget(self) -> None:
        """Count anew, and answer everybody."""
        self.requests.clear()
        self.faults.forget()
        self.deaf.clear()

    async def answer(
        self,
        request: Request | WebSocket,
        path: str,
        answer: Callable[[], Awaitable[R]],
        *,
        limit: str | None = None,
    ) -> R | Response:
        """The answer to this request of `path`, unless a fault is planned for it.

        A websocket is admitted by the answer None.
        """
        self.requests[path] += 1
        if address(request) in self.deaf:
            await until_gone(request)
            self.deaf.discard(address(request))
            return Response()  # to nobody
        if (headers := self._refusal(limit)) is not None:
            return Response(status_code=429, headers=dict(headers))
        planned = self.faults.take(path)
        if planned is None:
            return await answer()
        met = Encounter(
            planned=planned,
            path=path,
            request=request,
            answer=answer,
            clock=self._clock,
            connections=self._connections,
            manners=self._manners,
        )
        return await spoil(met)
