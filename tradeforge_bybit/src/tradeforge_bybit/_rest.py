"""One method per operation of Bybit's REST interface; rows come back in the venue's own shape."""

from typing import Any, TypeVar

import httpx

from tradeforge_bybit import _endpoints
from tradeforge_bybit._endpoints import Endpoint, body_of, query_of
from tradeforge_bybit._server_time import ServerTime
from tradeforge_bybit._signing import Signer
from tradeforge_bybit._wire import KeyRow
from tradeforge_core.kit.budget import Lane, lane_of_reads
from tradeforge_core.kit.http import HttpClient

R = TypeVar("R")

_NANO = 1_000_000_000


class Rest:
    """The venue's REST interface with one key."""

    def __init__(self, http: HttpClient, signer: Signer, time: ServerTime) -> None:
        self._http = http
        self._signer = signer
        self._time = time

    # --- time and key ---

    async def measure_time(self) -> None:
        """Learn the venue's time. Raises `TransportError`, `VenueError`, `DecodeError`."""
        found = await self._ask(_endpoints.TIME, {}, lane_of_reads())
        try:
            self._time.measured(int(found.timeNano) / _NANO)
        except (ValueError, OverflowError) as error:
            raise _endpoints.decode_error(f"the answer of {_endpoints.TIME.path}", error) from None

    async def key(self) -> KeyRow:
        """What the venue knows about the key. Raises `AuthenticationError`."""
        return await self._read(_endpoints.KEY, {})

    # --- how ---

    async def _read(self, endpoint: Endpoint[R], params: dict[str, Any]) -> R:
        return await self._ask(endpoint, params, lane_of_reads())

    async def _ask(self, endpoint: Endpoint[R], params: dict[str, Any], lane: Lane) -> R:
        """One request."""
        answer = await self._http.request(
            endpoint.method,
            endpoint.path,
            query="" if endpoint.write else query_of(params),
            content=body_of(params) if endpoint.write else None,
            stamp=None if endpoint.public else self._sign,
            lane=lane,
        )
        return endpoint.read(answer)

    def _sign(self, request: httpx.Request) -> None:
        sent = request.content if request.method == "POST" else request.url.query
        request.headers.update(self._signer.headers(sent.decode()))
