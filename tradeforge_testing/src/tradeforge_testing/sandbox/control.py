"""The control API: the table of commands under `/_sandbox`, and the state as JSON."""

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Annotated, Any, Protocol

import msgspec
from attrs import frozen
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradeforge_testing.exchange import Refused

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
ROOT = "/_sandbox"


class Arguments(Struct, forbid_unknown_fields=True):
    """The body of a command; one it does not know is a mistake."""


@frozen
class Command:
    name: str
    does: str
    arguments: type[Arguments]
    run: Callable[[Any, Any], object]
    """Called with the sandbox and the arguments; what it returns may have to be awaited."""


class HasState(Protocol):
    """A sandbox, as far as the control API knows one."""

    def state(self) -> dict[str, Any]:
        """The truth that a client is compared with, in values that JSON has."""


def control_routes(sandbox: HasState, commands: Sequence[Command]) -> list[Route]:
    """`GET` lists the commands, `GET state` tells the state, `POST` to a command runs it."""

    async def listing(request: Request) -> Response:
        return _json([_described(one) for one in commands])

    async def state(request: Request) -> Response:
        return _json(sandbox.state())

    return [
        Route(ROOT, listing, methods=["GET"]),
        Route(f"{ROOT}/state", state, methods=["GET"]),
        *(_route(sandbox, one) for one in commands),
    ]


def _route(sandbox: HasState, command: Command) -> Route:
    async def run(request: Request) -> Response:
        try:
            return await _run(sandbox, command, await request.body())
        except Refused as refused:
            return _json({"error": refused.reason}, status=409)
        except ValueError as error:  # msgspec's are of this kind too
            return _json({"error": str(error)}, status=400)

    return Route(f"{ROOT}/{command.name}", run, methods=["POST"])


async def _run(sandbox: HasState, command: Command, raw: bytes) -> Response:
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
