"""Where a hub is served: at its path the WebSocket, and below it the negotiation."""

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tradeforge_testing.sandbox.signalr.hub import Hub

Answer = Callable[[], Awaitable[Response | None]]
"""What the hub says; None admits a WebSocket."""
Door = Callable[[Request | WebSocket, str, Answer], Awaitable[Response | None]]
"""Gets who comes, at which path, and the answer of the hub; it may give another one."""


async def open_door(connection: HTTPConnection, path: str, answer: Answer) -> Response | None:
    """Everybody comes in."""
    return await answer()


def hub_routes(path: str, hub: Hub, door: Door = open_door) -> list[Route | WebSocketRoute]:
    """The routes of one hub, behind a door that may ask for a token or spoil the answer."""

    async def negotiate(request: Request) -> Response:
        async def answer() -> Response:
            return hub.negotiate(request)

        said = await door(request, f"{path}/negotiate", answer)
        assert said is not None, "a negotiation has to be answered"
        return said

    async def connect(socket: WebSocket) -> None:
        async def refusal() -> Response | None:
            return hub.refusal(socket)

        denial = await door(socket, path, refusal)
        if denial is None:
            await hub.serve(socket)
        else:
            await socket.send_denial_response(denial)

    return [
        Route(f"{path}/negotiate", negotiate, methods=["POST"]),
        WebSocketRoute(path, connect),
    ]
