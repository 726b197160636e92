"""Below logins: the budget, the deadline and the largest answer, for all that leaves.

Here and not above, because a login that repeats a request asks for room each time.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Protocol

import httpx

from tradeforge_core.kit.budget import Lane, RateBudget

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, unpacked."""
_GZIP = 16 + zlib.MAX_WBITS
_CALL = "tradeforge_call"


class AnswerTooLarge(httpx.RequestError):
    """More than `LARGEST_ANSWER`; the rest of it was not read."""


Stamp = Callable[[httpx.Request], None]
"""Called when a request leaves, after it has waited for room: for what must be true by then."""


class Call:
    """One request on its way, and when its caller stops waiting for it."""

    def __init__(
        self,
        budget: RateBudget | None,
        lane: Lane,
        *,
        total: float,
        give_up: Callable[[], None],
        stamp: "Stamp | None" = None,
    ) -> None:
        self.budget = budget
        self.lane = lane
        self.stamp = stamp
        self.given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._total = total
        self._give_up = give_up

    def ride(self, request: httpx.Request) -> None:
        """Let the transport find this call."""
        request.extensions = {**request.extensions, _CALL: self}

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Give up if what is inside takes longer than `total` seconds; it is not interrupted."""
        timer = asyncio.get_running_loop().call_later(self._total, self._expire)
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        if not self.given_up.done():  # a request that is repeated has begun anew
            self.given_up.set_result(None)
            self._give_up()


class HttpTap(Protocol):
    """Hears every request that leaves, and what becomes of it; raises nothing."""

    def asked(self, method: str, path: str, body: bytes) -> int:
        """A request leaves; the number is for what follows. Without a body it is the query."""

    def answered(self, number: int, status: int, body: bytes, retry_after: str | None) -> None: ...

    def failed(self, number: int, error: str) -> None:
        """There is no answer; `error` is the name of what is raised."""


class CallTransport(httpx.AsyncBaseTransport):
    """Asks the budget of the call before every request that leaves, and reads whole answers."""

    def __init__(self, inner: httpx.AsyncBaseTransport, tap: HttpTap | None = None) -> None:
        self._inner = inner
        self._exchange = self._answer if tap is None else partial(self._heard, tap)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call: Call = request.extensions[_CALL]
        room = nullcontext() if call.budget is None else call.budget.slot(call.lane)
        async with room:
            if call.stamp is not None:
                call.stamp(request)
            with call.limited():
                return await self._exchange(request, call)

    async def _answer(self, request: httpx.Request, call: Call) -> httpx.Response:
        return await _whole(await self._inner.handle_async_request(request), call)

    async def _heard(self, tap: HttpTap, request: httpx.Request, call: Call) -> httpx.Response:
        asked = request.content or request.url.query
        number = tap.asked(request.method, request.url.path, asked)
        try:
            answer = await self._answer(request, call)
        except BaseException as error:
            tap.failed(number, type(error).__name__)
            raise
        retry_after = answer.headers.get("retry-after")
        tap.answered(number, answer.status_code, answer.content, retry_after)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _whole(response: httpx.Response, call: Call) -> httpx.Response:
    """The same answer with its body in memory, if it is small enough and in time."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    body = bytearray()
    try:
        unpacker = _Unpacker(response.headers.pop("Content-Encoding", "identity"))
        async for packed in response.stream:
            body += unpacker.unpack(packed, LARGEST_ANSWER + 1 - len(body))
            if len(body) > LARGEST_ANSWER:
                raise AnswerTooLarge("too large")
            if call.given_up.done():
                raise httpx.ReadTimeout("nobody waits any more")
        unpacker.finish()
        if _has_more(response):
            await response.extensions["network_stream"].aclose()
    finally:
        await response.stream.aclose()
    return httpx.Response(response.status_code, headers=response.headers, content=bytes(body))


def _has_more(response: httpx.Response) -> bool:
    """Whether bytes came behind the answer: they would pass for the answer to the next request.

    No public name leads to them; a test fails when these ones do not.
    """
    at: Any = response.stream
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state", "trailing_data"):
        at = getattr(at, name, None)
    return bool(at and at[0])


class _Unpacker:
    """Unpacks no more than is asked for: a little gzip can become a lot of memory."""

    def __init__(self, encoding: str) -> None:
        word = encoding.strip().lower()
        if word not in ("identity", "gzip"):
            raise httpx.DecodingError("an encoding that was not asked for")
        self._gzip = zlib.decompressobj(_GZIP) if word == "gzip" else None
        self._begun = False

    def unpack(self, packed: bytes, most: int) -> bytes:
        if self._gzip is None:
            return packed
        self._begun = True
        try:
            return self._gzip.decompress(packed, most)
        except zlib.error:
            raise httpx.DecodingError("no gzip") from None

    def finish(self) -> None:
        if self._gzip is not None and self._begun and not self._gzip.eof:
            raise httpx.DecodingError("half a gzip")
