"""The ASGI application: which path leads where."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tradeforge_testing.sandbox.gate import Gate
from tradeforge_testing.sandbox.planned_faults import ELSEWHERE
from tradeforge_testing.sandbox.signalr.hub import Hub
from tradeforge_testing.sandbox.signalr.routes import Answer, Door, hub_routes
from tradeforge_topstepx.sandbox import endpoints, rest
from tradeforge_topstepx.sandbox.endpoint import Endpoint, envelope
from tradeforge_topstepx.sandbox.tokens import TokenIssuer, challenge, hub_token
from tradeforge_topstepx.sandbox.venue import Venue

PING = "/api/Status/ping"


def build_app(
    venue: Venue, hubs: Mapping[str, Hub], gate: Gate, controls: Iterable[Route]
) -> ASGIApp:
    """The REST API, every hub at its path, and the controls; paths match in any case."""
    routes: list[Route | WebSocketRoute] = [_ping_route(gate), _elsewhere_route(gate), *controls]
    routes += [_rest_route(one, venue, gate) for one in endpoints.ALL]
    door = _door(venue.tokens, gate)
    for path, hub in hubs.items():
        routes += hub_routes(path, hub, door)
    return _in_any_case(_by_path(routes))


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


def _door(tokens: TokenIssuer, gate: Gate) -> Door:
    """Nobody gets to a hub without a token, and what is planned to go wrong does."""

    async def door(connection: Request | WebSocket, path: str, answer: Answer) -> Response | None:
        async def with_token() -> Response | None:
            return _unauthorized(connection, tokens) or await answer()

        return await gate.answer(connection, path, with_token)

    return door


def _unauthorized(connection: HTTPConnection, tokens: TokenIssuer) -> Response | None:
    token = hub_token(connection)
    if tokens.accepts(token):
        return None
    return Response(status_code=401, headers=challenge(token))


def _by_path(routes: Sequence[Route | WebSocketRoute]) -> ASGIApp:
    """Ask the routes of a path alone, not one after the other whether the path is theirs."""
    routers: dict[str, Router] = {}
    for one in routes:
        routers.setdefault(one.path, Router()).routes.append(one)  # none has a variable path
    anything_else = Router([*routes])

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await routers.get(scope["path"], anything_else)(scope, receive, send)

    return dispatch


def _in_any_case(app: ASGIApp) -> ASGIApp:
    async def lowered(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": scope["path"].lower()}, receive, send)

    return lowered
