"""A request of the REST API from its bytes to the answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from attrs import evolve
from starlette.requests import Request
from starlette.responses import Response

from tradeforge_bybit.sandbox.answers import Failure, envelope
from tradeforge_bybit.sandbox.endpoint import Done, Endpoint
from tradeforge_bybit.sandbox.limits import RateGuard, TooMany
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.signing import check_request
from tradeforge_bybit.sandbox.venue import Venue


async def answer(endpoint: Endpoint, venue: Venue, guard: RateGuard, request: Request) -> Response:
    """200 and an envelope, whatever is wrong; 403 for a GET with a body."""
    body = await request.body()
    if endpoint.method == "GET" and body:
        return Response(status_code=403)
    query: bytes = request.scope["query_string"]
    payload = query if endpoint.method == "GET" else body
    headers: Mapping[str, str] = {}
    try:
        if endpoint.is_private:
            check_request(venue.credentials, request.headers, payload, venue.now)
        said = _said(endpoint, payload)
        if endpoint.is_private:
            headers = guard.headers(endpoint, said, venue.now)
        content = _done(endpoint.handle(_shown(venue, request), said), venue.now)
    except Failure as failure:
        headers = failure.headers if isinstance(failure, TooMany) else headers
        content = envelope({}, venue.now, code=failure.code, text=failure.text)
    return json_response(content, {**headers, **_traces(venue, content)})


def _traces(venue: Venue, content: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        "Traceid": f"{venue.serial():032x}",
        "Timenow": str(venue.now),
        "Ret_code": str(content["retCode"]),
    }


def _said(endpoint: Endpoint, payload: bytes) -> Said:
    if endpoint.method == "GET":
        return dict(parse_qsl(payload.decode("ascii", "replace"), keep_blank_values=True))
    try:
        said = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Failure(10001, "The requested body is not a JSON object.")
    return said


def _done(done: dict[str, Any] | Done, now: int) -> dict[str, Any]:
    if isinstance(done, Done):
        return envelope(done.result, now, extra=done.extra)
    return envelope(done, now)


def _shown(venue: Venue, request: Request) -> Venue:
    """The venue, with the books that this request is to be answered from."""
    books = getattr(request.state, "books", None)
    return venue if books is None else evolve(venue, show=lambda: books)


def json_response(content: object, headers: Mapping[str, str] = {}) -> Response:
    return Response(
        msgspec.json.encode(content), media_type="application/json", headers=dict(headers)
    )
