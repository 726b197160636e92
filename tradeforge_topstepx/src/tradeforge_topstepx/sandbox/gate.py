"""What every request passes first: it is counted, may be one too many, or meet a fault."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocket

from tradeforge_core.kit.clock import Clock
from tradeforge_topstepx.sandbox.faults import Fault, FaultPlan, PlannedFault
from tradeforge_topstepx.sandbox.limits import RateGuard

R = TypeVar("R", bound=Response | None)
Address = tuple[str, int]

_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body></body></html>"


class Gate:
    def __init__(self, guard: RateGuard, clock: Clock, reset: Callable[[Address], None]) -> None:
        self.requests: Counter[str] = Counter()
        self.faults = FaultPlan()
        self.deaf: set[Address] = set()
        """Clients that are not answered any more, by the address of their connection."""
        self._guard = guard
        self._clock = clock
        self._reset = reset

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
        if _address(request) in self.deaf:
            await _until_gone(request)
            self.deaf.discard(_address(request))
            return Response()  # to nobody
        if (headers := self._guard.refusal(limit)) is not None:
            return Response(status_code=429, headers=headers)
        planned = self.faults.take(path)
        if planned is None:
            return await answer()
        if planned.fault is Fault.DELAY:
            return await self._late(planned, answer)
        response: Response | None = await answer() if planned.handled else None
        return await self._spoil(planned, request, response or Response())

    async def _late(self, planned: PlannedFault, answer: Callable[[], Awaitable[R]]) -> R:
        if planned.handled:
            response = await answer()
            await self._clock.sleep(planned.seconds)
            return response
        await self._clock.sleep(planned.seconds)
        return await answer()

    async def _spoil(
        self, planned: PlannedFault, request: Request | WebSocket, response: Response
    ) -> Response:
        match planned.fault:
            case Fault.HTML:
                return HTMLResponse(_PAGE)
            case Fault.TRUNCATED:
                body = bytes(response.body)
                return Response(body[: len(body) // 2], media_type="application/json")
            case Fault.HANG:
                await _until_gone(request)
            case Fault.RESET:
                self._reset(_address(request))
                await _until_gone(request)
            case status:
                return _failure(int(status), planned.retry_after)
        return response  # to nobody


def _failure(status: int, retry_after: int | None) -> Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(status_code=status, headers=headers)


def _address(request: HTTPConnection) -> Address:
    assert request.client is not None
    return request.client.host, request.client.port


async def _until_gone(request: Request | WebSocket) -> None:
    while not (await request.receive())["type"].endswith(".disconnect"):
        pass
