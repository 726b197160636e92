"""From an HTTP request to an endpoint and back: token, body, envelope."""

import re

import msgspec
from attrs import evolve
from starlette.requests import Request
from starlette.responses import Response

from tradeforge_topstepx.sandbox.bodies import Body, MalformedBody, parse_body
from tradeforge_topstepx.sandbox.endpoint import Endpoint
from tradeforge_topstepx.sandbox.tokens import challenge, header_token
from tradeforge_topstepx.sandbox.venue import Venue

_INVALID = "One or more validation errors occurred."
_MEANING = {
    400: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
    415: "https://tools.ietf.org/html/rfc9110#section-15.5.16",
}


async def answer(endpoint: Endpoint, venue: Venue, request: Request) -> Response:
    """What the endpoint says, as JSON; 401 without a token that counts, 400 or 415 for the body."""
    token = header_token(request)
    if endpoint.needs_token and not venue.tokens.accepts(token):
        return Response(status_code=401, headers=challenge(token))
    if endpoint.body is not None and not _is_json(request):
        return problem("The content type is not one of JSON.", 415, "Unsupported Media Type")
    try:
        given = await _given(endpoint, request, token or "")
        return json_response(endpoint.answer(_shown(venue, request), given))
    except MalformedBody as exc:
        return problem(str(exc))


def _is_json(request: Request) -> bool:
    """Whether the client says that its body is JSON, in one of the ways that the venue takes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/json", "text/json") or bool(_JSON_OF_A_KIND.fullmatch(kind))


_JSON_OF_A_KIND = re.compile(r"application/\S+\+json")


async def _given(endpoint: Endpoint, request: Request, token: str) -> Body | str:
    raw = await request.body()
    return token if endpoint.body is None else parse_body(raw, endpoint.body)


def _shown(venue: Venue, request: Request) -> Venue:
    """The venue, with the books that this request is to be answered from."""
    books = getattr(request.state, "books", None)
    return venue if books is None else evolve(venue, show=lambda: books)


def json_response(payload: object) -> Response:
    return Response(msgspec.json.encode(payload), media_type="application/json")


def problem(detail: str, status: int = 400, title: str = _INVALID) -> Response:
    """What ASP.NET says to a request that it does not understand."""
    problem = {"type": _MEANING[status], "title": title, "status": status, "detail": detail}
    return Response(
        msgspec.json.encode(problem), status_code=status, media_type="application/problem+json"
    )
