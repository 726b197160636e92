"""The ASGI application: which path leads where."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tradeforge_topstepx.sandbox import endpoints, rest
from tradeforge_topstepx.sandbox.endpoint import Endpoint, envelope
from tradeforge_topstepx.sandbox.faults import ELSEWHERE
from tradeforge_topstepx.sandbox.gate import Gate
from tradeforge_topstepx.sandbox.hub import Hub
from tradeforge_topstepx.sandbox.tokens import TokenIssuer, challenge, hub_token
from tradeforge_topstepx.sandbox.venue import Venue

PING = "/api/Status/ping"


def build_app(
    venue: Venue, hubs: Mapping[str, Hub], gate: Gate, controls: Iterable[BaseRoute]
) -> ASGIApp:
    """The REST API, every hub at its path, and the controls; paths match in any case."""
    routes: list[BaseRoute] = [_ping_route(gate), _elsewhere_route(gate), *controls]
    routes += [_rest_route(one, venue, gate) for one in endpoints.ALL]
    for path, hub in hubs.items():
        routes += _hub_routes(path, hub, venue.tokens, gate)
    return _quiet(_in_any_case(Starlette(routes=routes)))


def served_paths(hubs: Iterable[str]) -> frozenset[str]:
    """All that a request can ask for, in small letters, with the hubs at these paths."""
    paths = [PING, ELSEWHERE, *(one.path for one in endpoints.ALL)]
    for path in hubs:
        paths += [path, f"{path}/negotiate"]
    return frozenset(one.lower() for one in paths)


def _ping_route(gate: Gate) -> Route:
    async def pong() -> Response:
        return PlainTextResponse("pong")

    async def ping(request: Request) -> Response:
        return await gate.answer(request, PING, pong)

    return Route(PING.lower(), ping, methods=["GET"])


def _elsewhere_route(gate: Gate) -> Route:
    """Who follows a redirect is told that all went well."""

    async def success() -> Response:
        return rest.json_response(envelope(0, None))

    async def elsewhere(request: Request) -> Response:
        return await gate.answer(request, ELSEWHERE, success)

    return Route(ELSEWHERE, elsewhere, methods=["GET", "POST", "PUT", "DELETE"])


def _rest_route(endpoint: Endpoint, venue: Venue, gate: Gate) -> Route:
    async def call(request: Request) -> Response:
        answer = partial(rest.answer, endpoint, venue, request)
        return await gate.answer(request, endpoint.path, answer, limit=endpoint.limit)

    return Route(endpoint.path.lower(), call, methods=["POST"])


def _hub_routes(path: str, hub: Hub, tokens: TokenIssuer, gate: Gate) -> list[BaseRoute]:
    async def negotiate(request: Request) -> Response:
        async def answer() -> Response:
            return _unauthorized(request, tokens) or hub.negotiate(request)

        return await gate.answer(request, f"{path}/negotiate", answer)

    async def connect(socket: WebSocket) -> None:
        async def refusal() -> Response | None:
            return _unauthorized(socket, tokens) or hub.refusal(socket)

        denial = await gate.answer(socket, path, refusal)
        if denial is None:
            await hub.serve(socket)
        else:
            await socket.send_denial_response(denial)

    return [
        Route(f"{path}/negotiate", negotiate, methods=["POST"]),
        WebSocketRoute(path, connect),
    ]


def _unauthorized(connection: HTTPConnection, tokens: TokenIssuer) -> Response | None:
    token = hub_token(connection)
    if tokens.accepts(token):
        return None
    return Response(status_code=401, headers=challenge(token))


def _in_any_case(app: ASGIApp) -> ASGIApp:
    async def lowered(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": scope["path"].lower()}, receive, send)

    return lowered


def _quiet(app: ASGIApp) -> ASGIApp:
    """A client that goes away, or the end of the loop, is nothing to print a traceback for."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        # nothing comes after this in the task of a request, so that a cancellation ends here
        with suppress(ClientDisconnect, asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet
