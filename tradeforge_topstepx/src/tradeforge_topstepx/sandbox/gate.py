"""What every request passes first: it is counted, may be one too many, or meet a fault."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocket

from tradeforge_topstepx.sandbox.faults import Fault, FaultPlan
from tradeforge_topstepx.sandbox.limits import RateGuard

R = TypeVar("R", bound=Response | None)

_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body></body></html>"


class Gate:
    def __init__(
        self, guard: RateGuard, faults: FaultPlan, reset: Callable[[tuple[str, int]], None]
    ) -> None:
        self._guard = guard
        self._faults = faults
        self._reset = reset
        self.requests: Counter[str] = Counter()

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
        if (headers := self._guard.refusal(limit)) is not None:
            return Response(status_code=429, headers=headers)
        planned = self._faults.take(path)
        if planned is None:
            return await answer()
        response: Response | None = await answer() if planned.handled else None
        return await self._spoil(planned.fault, request, response or Response())

    async def _spoil(
        self, fault: Fault | int, request: Request | WebSocket, response: Response
    ) -> Response:
        match fault:
            case Fault.HTML:
                return HTMLResponse(_PAGE)
            case Fault.TRUNCATED:
                body = bytes(response.body)
                return Response(body[: len(body) // 2], media_type="application/json")
            case Fault.HANG:
                await _until_gone(request)
            case Fault.RESET:
                self._drop(request)
                await _until_gone(request)
            case status:
                return Response(status_code=int(status))
        return response  # to nobody

    def _drop(self, request: HTTPConnection) -> None:
        assert request.client is not None
        self._reset(request.client)


async def _until_gone(request: Request | WebSocket) -> None:
    while not (await request.receive())["type"].endswith(".disconnect"):
        pass
