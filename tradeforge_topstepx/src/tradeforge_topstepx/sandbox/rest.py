"""From an HTTP request to an endpoint and back: token, body, envelope."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradeforge_topstepx.sandbox.bodies import Body, MalformedBody, parse_body
from tradeforge_topstepx.sandbox.endpoint import Endpoint
from tradeforge_topstepx.sandbox.tokens import challenge, header_token
from tradeforge_topstepx.sandbox.venue import Venue


async def answer(endpoint: Endpoint, venue: Venue, request: Request) -> Response:
    """What the endpoint says, as JSON; 401 without a token that counts, 400 for a bad body."""
    token = header_token(request)
    if endpoint.needs_token and not venue.tokens.accepts(token):
        return Response(status_code=401, headers=challenge(token))
    try:
        given = await _given(endpoint, request, token or "")
        return _json(endpoint.answer(venue, given))
    except MalformedBody as exc:
        return _problem(str(exc))


async def _given(endpoint: Endpoint, request: Request, token: str) -> Body | str:
    raw = await request.body()
    return token if endpoint.body is None else parse_body(raw, endpoint.body)


def _json(payload: object) -> Response:
    return Response(msgspec.json.encode(payload), media_type="application/json")


def _problem(detail: str) -> Response:
    problem = {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "detail": detail,
    }
    return Response(
        msgspec.json.encode(problem), status_code=400, media_type="application/problem+json"
    )
