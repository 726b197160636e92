"""The ASGI application: which path leads where."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tradeforge_bybit.sandbox import endpoints, rest
from tradeforge_bybit.sandbox.answers import envelope
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.limits import RateGuard
from tradeforge_bybit.sandbox.lines import Lines
from tradeforge_bybit.sandbox.venue import Venue
from tradeforge_testing.sandbox.gate import Gate
from tradeforge_testing.sandbox.planned_faults import ELSEWHERE


def build_app(
    venue: Venue,
    guard: RateGuard,
    gate: Gate,
    sockets: Mapping[str, Lines],
    controls: Iterable[BaseRoute],
) -> ASGIApp:
    """The REST API, the sockets at their paths, and the controls."""
    routes = [
        *controls,
        *(_socket_route(path, lines, gate) for path, lines in sockets.items()),
        *(_route(one, venue, guard, gate) for one in endpoints.ALL),
        _nowhere(venue, gate),
    ]
    return _quiet(Starlette(routes=routes))


def served_paths(sockets: Iterable[str]) -> frozenset[str]:
    """All that a fault can be planned for."""
    return frozenset({ELSEWHERE, *sockets, *(one.path for one in endpoints.ALL)})


def _socket_route(path: str, lines: Lines, gate: Gate) -> WebSocketRoute:
    async def connect(socket: WebSocket) -> None:
        async def admission() -> Response | None:
            return None

        denial = await gate.answer(socket, path, admission)
        if denial is None:
            await lines.serve(socket)
        else:
            await socket.send_denial_response(denial)

    return WebSocketRoute(path, connect)


def _route(endpoint: Endpoint, venue: Venue, guard: RateGuard, gate: Gate) -> Route:
    async def call(request: Request) -> Response:
        if request.method != endpoint.method:
            return _not_found(venue)
        answer = partial(rest.answer, endpoint, venue, guard, request)
        return await gate.answer(request, endpoint.path, answer)

    return Route(endpoint.path, call, methods=["GET", "POST"])


def _nowhere(venue: Venue, gate: Gate) -> Route:
    async def nowhere(request: Request) -> Response:
        async def answer() -> Response:
            return _not_found(venue)

        return await gate.answer(request, request.url.path, answer)

    return Route("/{path:path}", nowhere, methods=["GET", "POST", "PUT", "DELETE"])


def _not_found(venue: Venue) -> Response:
    content = envelope({}, venue.now, code=10017, text="Route not found.")
    response = rest.json_response(content)
    response.status_code = 404
    return response


def _quiet(app: ASGIApp) -> ASGIApp:
    """A client that goes away, or the end of the loop, is nothing to print a traceback for."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        # nothing comes after this in the task of a request, so that a cancellation ends here
        with suppress(ClientDisconnect, asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet
