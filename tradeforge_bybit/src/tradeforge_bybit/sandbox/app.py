"""The ASGI application: which path leads where."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from tradeforge_bybit.sandbox import endpoints, rest
from tradeforge_bybit.sandbox.answers import envelope
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.limits import RateGuard
from tradeforge_bybit.sandbox.lines import Lines
from tradeforge_bybit.sandbox.venue import Venue


def build_app(venue: Venue, guard: RateGuard, others: Iterable[BaseRoute]) -> ASGIApp:
    """The REST API, and what else there is."""
    routes = [*others, *(_route(one, venue, guard) for one in endpoints.ALL), _nowhere(venue)]
    return _quiet(Starlette(routes=routes))


def socket_route(path: str, lines: Lines) -> WebSocketRoute:
    return WebSocketRoute(path, lines.serve)


def _route(endpoint: Endpoint, venue: Venue, guard: RateGuard) -> Route:
    async def call(request: Request) -> Response:
        if request.method != endpoint.method:
            return _not_found(venue)
        return await rest.answer(endpoint, venue, guard, request)

    return Route(endpoint.path, call, methods=["GET", "POST"])


def _nowhere(venue: Venue) -> Route:
    async def nowhere(request: Request) -> Response:
        return _not_found(venue)

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
