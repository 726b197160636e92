"""How an answer is spoiled: a function for each fault."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from attrs import frozen
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from tradeforge_core.kit.clock import Clock
from tradeforge_testing.sandbox.planned_faults import Fault, PlannedFault

Address = tuple[str, int]
R = TypeVar("R", bound=Response | None)

_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body></body></html>"


@frozen
class Connections:
    """What can be done to the connection of a client, by its address."""

    reset: Callable[[Address], None]
    hang_up: Callable[[Address], None]
    """Close it when all that was sent has left."""


@frozen(kw_only=True)
class Manners:
    """How a venue answers, where a fault has to look like it."""

    success: Callable[[str], Response]
    """What a request of the path is told that was not handled, or has no answer."""
    envelope: Callable[[Response, PlannedFault], Response]
    """A right answer with the `code`, the `message` and the members of the fault."""
    problem: Callable[[], Response]
    """What a body is told that it does not understand."""


@frozen(kw_only=True)
class Encounter(Generic[R]):
    """A request that meets a fault."""

    planned: PlannedFault
    path: str
    request: Request | WebSocket
    answer: Callable[[], Awaitable[R]]
    clock: Clock
    connections: Connections
    manners: Manners

    async def handled(self) -> Response:
        """The answer; one that looks like it if the request is not handled or has none."""
        answer: Response | None = await self.answer() if self.planned.handled else None
        return answer or self.manners.success(self.path)


async def spoil(met: Encounter[R]) -> R | Response:
    """What the client gets."""
    fault = met.planned.fault
    spoiled: R | Response = await (_SPOIL[fault] if isinstance(fault, Fault) else _status)(met)
    return spoiled


def address(request: HTTPConnection) -> Address:
    assert request.client is not None
    return request.client.host, request.client.port


async def until_gone(request: Request | WebSocket) -> None:
    while not (await request.receive())["type"].endswith(".disconnect"):
        pass


async def _status(met: Encounter[Any]) -> Response:
    await met.handled()
    assert not isinstance(met.planned.fault, Fault)
    return Response(status_code=met.planned.fault, headers=met.planned.headers)


async def _hang(met: Encounter[Any]) -> Response:
    await met.handled()
    await until_gone(met.request)
    return Response()  # to nobody


async def _reset(met: Encounter[Any]) -> Response:
    await met.handled()
    met.connections.reset(address(met.request))
    await until_gone(met.request)
    return Response()  # to nobody


async def _truncated(met: Encounter[Any]) -> Response:
    body = bytes((await met.handled()).body)
    return Response(body[: len(body) // 2], media_type="application/json")


async def _broken_off(met: Encounter[Any]) -> Response:
    return _BrokenOff(await met.handled(), lambda: met.connections.hang_up(address(met.request)))


class _BrokenOff(Response):
    """Says how long it is and sends the first half."""

    def __init__(self, whole: Response, hang_up: Callable[[], None]) -> None:
        super().__init__(whole.body, media_type="application/json")
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = bytes(self.body)[: len(self.body) // 2]
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._hang_up()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _html(met: Encounter[Any]) -> Response:
    await met.handled()
    return HTMLResponse(_PAGE)


async def _empty(met: Encounter[Any]) -> Response:
    await met.handled()
    return Response(media_type="application/json")


async def _problem(met: Encounter[Any]) -> Response:
    await met.handled()
    return met.manners.problem()


async def _envelope(met: Encounter[Any]) -> Response:
    """All of the answer but its envelope stays, such as the id of an order that was booked."""
    planned, answer = met.planned, await met.handled()
    assert planned.code is not None
    if answer.status_code != 200:
        return answer
    return met.manners.envelope(answer, planned)


async def _json(met: Encounter[Any]) -> Response:
    await met.handled()
    return Response(msgspec.json.encode(met.planned.body), media_type="application/json")


async def _mistyped(met: Encounter[Any]) -> Response:
    answer = await met.handled()
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    return answer


async def _delay(met: Encounter[R]) -> R:
    if not met.planned.handled:
        await met.clock.sleep(met.planned.seconds)
        return await met.answer()
    response = await met.answer()
    await met.clock.sleep(met.planned.seconds)
    return response


async def _drip(met: Encounter[Any]) -> Response:
    answer = await met.handled()
    return StreamingResponse(
        _drops(bytes(answer.body), met), status_code=answer.status_code, headers=answer.headers
    )


async def _drops(body: bytes, met: Encounter[Any]) -> AsyncIterator[bytes]:
    for position, byte in enumerate(body):
        if position:
            await met.clock.sleep(met.planned.seconds)
        yield bytes([byte])


async def _stale(met: Encounter[Any]) -> Response:
    met.request.state.books = met.planned.books
    return await met.handled()


_SPOIL: Mapping[Fault, Callable[[Encounter[Any]], Awaitable[Any]]] = {
    Fault.HANG: _hang,
    Fault.RESET: _reset,
    Fault.TRUNCATED: _truncated,
    Fault.BROKEN_OFF: _broken_off,
    Fault.HTML: _html,
    Fault.EMPTY: _empty,
    Fault.PROBLEM: _problem,
    Fault.ENVELOPE: _envelope,
    Fault.JSON: _json,
    Fault.MISTYPED: _mistyped,
    Fault.DELAY: _delay,
    Fault.DRIP: _drip,
    Fault.STALE: _stale,
}
