"""What of httpx's client a venue needs: one base URL, logins, cookies.

The client itself costs an order more than all of this: it joins URLs and merges headers, cookies,
redirects and hooks anew for each request, none of which changes here.
"""

from functools import lru_cache

import httpx

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
    "User-Agent": f"python-httpx/{httpx.__version__}",
}
_BARE = httpx.Headers(_HEADERS)
_WITH_JSON = httpx.Headers(_HEADERS | {"Content-Type": "application/json"})


class Sender:
    """Requests over one transport, which it closes."""

    def __init__(
        self, base_url: str, transport: httpx.AsyncBaseTransport, timeout: httpx.Timeout
    ) -> None:
        self.host = httpx.URL(base_url).host
        self._base_url = base_url.rstrip("/")
        self._transport = transport
        self._extensions = {"timeout": timeout.as_dict()}
        self._cookies = httpx.Cookies()

    def build(self, method: str, path: str, content: bytes | None) -> httpx.Request:
        """A request of this path; its content is JSON."""
        request = httpx.Request(
            method,
            _url(f"{self._base_url}/{path.lstrip('/')}"),
            headers=_BARE if content is None else _WITH_JSON,
            content=content,
            extensions=self._extensions,
        )
        if self._cookies:
            self._cookies.set_cookie_header(request)
        return request

    async def send(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        """The last answer that the login asks for. Raises `httpx.HTTPError`."""
        if auth is None:
            return await self._exchange(request)
        flow = auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._exchange(request)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
        finally:
            await flow.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        if "set-cookie" in response.headers:
            self._cookies.extract_cookies(response)
        return response

    async def close(self) -> None:
        await self._transport.aclose()


@lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    """Read once: a provider asks for the same few over and over."""
    return httpx.URL(text)
