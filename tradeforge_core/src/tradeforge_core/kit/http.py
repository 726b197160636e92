"""The one way to a venue's REST interface, and the one module of the core that imports httpx.

Every request runs in a task of its own, shielded from the caller's cancellation: one burst of
cancelled requests fills the connection pool of httpx 0.28 for good. Redirects are not followed,
and proxies of the environment are ignored: credentials go where the settings say, nowhere else.
"""

from collections.abc import Callable

import httpx
from attrs import frozen

from tradeforge_core.errors import Disconnected, RequestTimeout, TransportError
from tradeforge_core.kit.budget import Lane, RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.tasks import TaskOwner
from tradeforge_core.plugins import HttpRequestDetails

_BEFORE_ANY_BYTE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""What httpx raises while there is no connection to write to; all else may have been sent."""


@frozen(kw_only=True)
class HttpTimeouts:
    """In seconds: to connect, and to wait for the next bytes of an answer."""

    connect: float = 5.0
    answer: float = 15.0


@frozen
class HttpAnswer:
    """An answer of the venue, whatever its status."""

    status: int
    body: bytes
    retry_after: str | None
    """The header of that name, as it came."""


class _Budgeted(httpx.AsyncBaseTransport):
    """Asks the budget before every request that leaves, also for one that a login repeats."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        budget: RateBudget | None = request.extensions.get(_BUDGET)
        if budget is None:
            return await self._inner.handle_async_request(request)
        async with budget.slot(request.extensions[_LANE]):
            return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


_BUDGET, _LANE = "tradeforge_budget", "tradeforge_lane"


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
    ) -> None:
        self._provider = provider
        self._observe = observe
        self._clock = clock
        self._tasks = TaskOwner()
        self._closed = False
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(timeouts.answer, connect=timeouts.connect),
            transport=_Budgeted(httpx.AsyncHTTPTransport(trust_env=False)),
            follow_redirects=False,
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        auth: httpx.Auth | None = None,
        budget: RateBudget | None = None,
        lane: Lane = Lane.READ,
    ) -> HttpAnswer:
        """The answer to one request with a JSON body. Raises `TransportError`, `NotSent`.

        `sent` of the former is False only where the connection was never made; the latter is for a
        write that finds no room in the `budget`.
        """
        if self._closed:
            raise Disconnected(f"{path}: {self._provider} was disconnected", sent=False)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        request = self._client.build_request(method, path, content=content, headers=headers)
        request.extensions = {**request.extensions, _BUDGET: budget, _LANE: lane}
        return await self._tasks.run(self._send(request, path, auth), name=f"{method} {path}")

    async def close(self) -> None:
        """Close every connection; a request that is still waiting is ended."""
        self._closed = True
        await self._tasks.close()
        await self._client.aclose()

    async def _send(self, request: httpx.Request, path: str, auth: httpx.Auth | None) -> HttpAnswer:
        began = self._clock.monotonic()
        try:
            response = await self._client.send(request, auth=auth)
        except httpx.HTTPError as error:
            failure = _translated(error, path)
            self._tell(request.method, path, began, error=str(failure))
            # the text of httpx's own errors can hold URLs and headers: not chained
            raise failure from None
        self._tell(request.method, path, began, status=response.status_code)
        return HttpAnswer(
            response.status_code, response.content, response.headers.get("retry-after")
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


def _translated(error: httpx.HTTPError, path: str) -> TransportError:
    sent = not isinstance(error, _BEFORE_ANY_BYTE)
    if isinstance(error, httpx.TimeoutException):
        return RequestTimeout(f"{path}: no {'answer' if sent else 'connection'} in time", sent=sent)
    host = error.request.url.host if error._request is not None else "the venue"
    if not sent:
        return Disconnected(f"{path}: {host} cannot be reached ({error})", sent=False)
    return Disconnected(f"{path}: the connection to {host} was lost ({type(error).__name__})")
