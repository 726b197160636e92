"""The control API: the table of commands under `/_sandbox`, and the state as JSON."""

from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tradeforge_testing.exchange import Refused
from tradeforge_topstepx.sandbox.commands import COMMANDS, Command

if TYPE_CHECKING:
    from tradeforge_topstepx.sandbox.sandbox import TopStepXSandbox

ROOT = "/_sandbox"


def control_routes(sandbox: "TopStepXSandbox") -> list[BaseRoute]:
    """`GET` lists the commands, `GET state` tells the state, `POST` to a command runs it."""

    async def listing(request: Request) -> Response:
        return _json([_described(one) for one in COMMANDS])

    async def state(request: Request) -> Response:
        return _json(sandbox.state())

    return [
        Route(ROOT, listing, methods=["GET"]),
        Route(f"{ROOT}/state", state, methods=["GET"]),
        *(_route(sandbox, one) for one in COMMANDS),
    ]


def _route(sandbox: "TopStepXSandbox", command: Command) -> Route:
    async def run(request: Request) -> Response:
        try:
            return await _run(sandbox, command, await request.body())
        except Refused as refused:
            return _json({"error": refused.reason}, status=409)
        except ValueError as error:  # msgspec's are of this kind too
            return _json({"error": str(error)}, status=400)

    return Route(f"{ROOT}/{command.name}", run, methods=["POST"])


async def _run(sandbox: "TopStepXSandbox", command: Command, raw: bytes) -> Response:
    """The name of the command and, where something came of it that has one, its id."""
    arguments = msgspec.json.decode(raw or b"{}", type=command.arguments)
    result = command.run(sandbox, arguments)
    result = await result if isawaitable(result) else result
    made = {"id": result.id} if hasattr(result, "id") else {}
    return _json({"done": command.name, **made})


def _described(command: Command) -> dict[str, Any]:
    fields = msgspec.structs.fields(command.arguments)
    required = [one.name for one in fields if one.required]
    return {
        "command": f"POST {ROOT}/{command.name}",
        "does": command.does,
        "arguments": required,
        "optional": {one.name: one.default for one in fields if not one.required},
    }


def _json(payload: object, *, status: int = 200) -> Response:
    body = msgspec.json.encode(payload)
    return Response(body, status_code=status, media_type="application/json")
