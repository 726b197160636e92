"""The one way to a venue's REST interface, and the one module of the core that imports httpx.

Every request runs in a task of its own, shielded from the caller's cancellation: one burst of
cancelled requests fills the connection pool of httpx 0.28 for good. Redirects are not followed,
and proxies of the environment are ignored: credentials go where the settings say, nowhere else.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

import httpx
from attrs import field, frozen

from tradeforge_core.errors import Disconnected, RequestTimeout, TransportError
from tradeforge_core.kit._http_sender import Sender
from tradeforge_core.kit._http_transport import AnswerTooLarge, Call, CallTransport, HttpTap, Stamp
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.plugins import HttpRequestDetails
from tradeforge_core.secret import Secret

_BEFORE_ANY_BYTE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""What httpx raises while there is no connection to write to; all else may have been sent."""
_READS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
_WRITES = httpx.Limits(max_connections=None, max_keepalive_connections=10)
"""Writes have connections of their own, as many as they need: a cancel never queues behind what
hangs, and no order leaves late. How many there are at once is bounded by the venue's budget."""


@frozen(kw_only=True)
class HttpTimeouts:
    """In seconds: to connect, to wait for the next bytes of an answer, and for all of it.

    The last begins when the request leaves: what it waits for in its budget does not count.
    """

    connect: float = 5.0
    answer: float = 15.0
    total: float = 30.0


@frozen
class HttpAnswer:
    """An answer of the venue, whatever its status."""

    status: int
    body: bytes
    retry_after: str | None
    """The header of that name, as it came."""
    headers: Mapping[str, str] = field(factory=dict, repr=False, eq=False)
    """All of them, whatever the letters of their names."""


class HttpClient:
    """Requests to one base URL. Answers of every status are answers; only transport raises."""

    def __init__(
        self,
        base_url: str,
        *,
        provider: str,
        observe: Callable[[HttpRequestDetails], None],
        clock: Clock,
        timeouts: HttpTimeouts,
        tap: HttpTap | None = None,
    ) -> None:
        self._provider = provider
        self._observe = observe
        self._clock = clock
        self._timeouts = timeouts
        self._tasks = TaskOwner()
        self._closed = False
        reads, writes = (
            Sender(
                base_url,
                CallTransport(
                    httpx.AsyncHTTPTransport(verify=_tls(), limits=limits, trust_env=False), tap
                ),
                httpx.Timeout(timeouts.answer, connect=timeouts.connect),
            )
            for limits in (_READS, _WRITES)
        )
        self._senders = dict.fromkeys(Lane, writes) | {Lane.READ: reads}

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        content: bytes | None = None,
        auth: httpx.Auth | None = None,
        stamp: Stamp | None = None,
        budget: RateBudget | None = None,
        lane: Lane = Lane.READ,
    ) -> HttpAnswer:
        """The answer to one request with a JSON body. Raises `TransportError`, `NotSent`.

        The `query` is encoded already, and no observer sees it. `stamp` may change the request at
        the last moment, after it has waited for room: for a signature that has the time in it.

        `sent` of the former is False only where the connection was never made; the latter is for a
        write that finds no room in the `budget`.
        """
        if self._closed:
            raise Disconnected(f"{path}: {self._provider} was disconnected", sent=False)
        target = f"{path}?{query}" if query else path
        request = self._senders[lane].build(method, target, content)
        began = self._clock.monotonic()
        late = RequestTimeout(f"{path}: no whole answer within {self._timeouts.total:g} s")
        call = Call(
            budget,
            lane,
            total=self._timeouts.total,
            give_up=lambda: self._tell(method, path, began, error=str(late)),
            stamp=stamp,
        )
        call.ride(request)
        name = f"{method} {path}"
        task = self._tasks.start(self._send(request, path, auth, call, began), name=name)
        # given up on, the task is not cancelled: it ends at the next byte, or when all is closed
        awaited: list[asyncio.Future[Any]] = [task, call.given_up]
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise late
        if task.cancelled():
            raise Disconnected(f"{name} was ended by disconnect()")
        return task.result()

    async def close(self) -> None:
        """Close every connection; a request that is still waiting is ended."""
        self._closed = True
        async with AsyncExitStack() as last_to_first:
            for sender in dict.fromkeys(self._senders.values()):
                last_to_first.push_async_callback(sender.close)
            await self._tasks.close()

    async def _send(
        self, request: httpx.Request, path: str, auth: httpx.Auth | None, call: Call, began: float
    ) -> HttpAnswer:
        sender = self._senders[call.lane]
        try:
            response = await sender.send(request, auth)
        except httpx.HTTPError as error:
            failure = _translated(error, path, sender.host)
            if not call.given_up.done():
                self._tell(request.method, path, began, error=str(failure))
            # the text of httpx's own errors can hold URLs and headers: not chained
            raise failure from None
        if not call.given_up.done():
            self._tell(request.method, path, began, status=response.status_code)
        return HttpAnswer(
            response.status_code,
            response.content,
            response.headers.get("retry-after"),
            response.headers,
        )

    def _tell(
        self,
        method: str,
        path: str,
        began: float,
        *,
        status: int | None = None,
        error: str | None = None,
    ) -> None:
        self._observe(
            HttpRequestDetails(
                provider=self._provider,
                method=method,
                path=path,
                status=status,
                seconds=self._clock.monotonic() - began,
                error=error,
            )
        )


class _Bearer(httpx.Auth):
    def __init__(self, token: Secret) -> None:
        self._token = token

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


def bearer(token: Secret) -> httpx.Auth:
    """Sets this token on one request."""
    return _Bearer(token)


@cache
def _tls() -> ssl.SSLContext:
    """One for all: to read the certificates holds up the loop for tens of milliseconds."""
    return httpx.create_ssl_context(trust_env=False)


def _translated(error: httpx.HTTPError, path: str, host: str) -> TransportError:
    sent = not isinstance(error, _BEFORE_ANY_BYTE)
    if isinstance(error, httpx.TimeoutException):
        return RequestTimeout(f"{path}: no {'answer' if sent else 'connection'} in time", sent=sent)
    if isinstance(error, AnswerTooLarge):
        return Disconnected(f"{path}: the answer is too large")
    if not sent:
        return Disconnected(f"{path}: {host} cannot be reached ({error})", sent=False)
    return Disconnected(f"{path}: the connection to {host} was lost ({type(error).__name__})")
