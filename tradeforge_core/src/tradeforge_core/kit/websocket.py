"""The one seam to a WebSocket library: connect, send, receive, close, and errors of our own.

`websockets` is behind it, or `picows` where that is installed (the extra `[fast]`). The same tests
run over both.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from tradeforge_core.errors import AuthenticationError, Disconnected, TransportError

quiet = logging.getLogger("tradeforge_core.websocket")
quiet.setLevel(logging.WARNING)  # below that, the libraries print headers, and so the token

MOST_BYTES = 16 * 1024 * 1024
"""Of one message; snapshots of a deep book are large."""
OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0
PING_AFTER = 20.0
"""Seconds of silence; as many again without an answer, and the connection is closed."""
USER_AGENT = "tradeforge-core"

Received = Callable[[list[bytes]], None]
"""Takes the messages that one reading of the socket brought: never none, and in their order."""


class WebSocket(ABC):
    """An open connection; text goes out, bytes come in, whatever kind of frame they came in."""

    @staticmethod
    async def open(
        url: str,
        headers: Mapping[str, str],
        *,
        received: Received,
        lost: Callable[[Disconnected], None],
        ping_after: float = PING_AFTER,
    ) -> "WebSocket":
        """Connect to a `ws://`, `wss://`, `http://` or `https://` URL.

        `received` gets the messages that one reading brought, in their order, from inside the event
        loop: it must neither wait nor raise. `lost` is called once, after the last message; both
        can be called before this returns. After `ping_after` seconds of silence the other side is
        asked for a sign of life, and has as many again to give it. Raises `AuthenticationError`
        for 401 and 403, `TransportError` for all else.
        """
        return await library().connect(_websocket_url(url), headers, received, lost, ping_after)

    @classmethod
    @abstractmethod
    async def connect(
        cls,
        url: str,
        headers: Mapping[str, str],
        received: Received,
        lost: Callable[[Disconnected], None],
        ping_after: float,
    ) -> "WebSocket":
        """What `open` does, in the words of one library."""

    @abstractmethod
    async def send(self, text: str) -> None:
        """Write one text frame. Raises `Disconnected`."""

    @abstractmethod
    async def close(self) -> None:
        """Say goodbye, within a bounded time."""


_needs_asyncio: ContextVar[bool] = ContextVar("tradeforge_needs_asyncio", default=False)


def library() -> type[WebSocket]:
    """The fast one where it is installed, except within `over_asyncio`."""
    return _plain() if _needs_asyncio.get() else _fastest()


@contextmanager
def over_asyncio() -> Iterator[None]:
    """Connections go through the transports of the event loop, not around them: for simulations."""
    token = _needs_asyncio.set(True)
    try:
        yield
    finally:
        _needs_asyncio.reset(token)


@cache
def _fastest() -> type[WebSocket]:
    try:
        from tradeforge_core.kit._picows import PicowsSocket
    except ImportError:
        return _plain()
    return PicowsSocket


def _plain() -> type[WebSocket]:
    from tradeforge_core.kit._websockets import WebsocketsSocket

    return WebsocketsSocket


def refused(status: int) -> AuthenticationError | TransportError:
    """The error for an HTTP answer that is no upgrade."""
    if status in (401, 403):
        return AuthenticationError(
            f"the venue refused the stream connection (HTTP {status})", code=status
        )
    return Disconnected(f"the venue refused the stream connection (HTTP {status})", sent=False)


def not_connected(error: Exception) -> Disconnected:
    """The error for no answer at all, or one that makes no sense."""
    return Disconnected(f"no WebSocket connection: {error}", sent=False)


def closed(code: int, reason: str) -> Disconnected:
    """The error for a connection that the venue has closed."""
    said = f": {reason}" if reason else ""
    return Disconnected(f"the venue closed the stream connection ({code}{said})")


def broken() -> Disconnected:
    """The error for a connection that ended without a word."""
    return Disconnected("the stream connection broke off")


def _websocket_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return {"http": "ws", "https": "wss"}.get(scheme, scheme) + separator + rest
