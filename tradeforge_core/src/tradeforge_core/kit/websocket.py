"""The one seam to a WebSocket library: connect, send, receive, close, and errors of our own."""

import logging
from collections.abc import Mapping
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tradeforge_core.errors import AuthenticationError, Disconnected, TransportError

_quiet = logging.getLogger("tradeforge_core.websocket")
_quiet.setLevel(logging.WARNING)  # below that, websockets prints headers, and so the token

_MOST_BYTES = 16 * 1024 * 1024
"""Of one message; snapshots of a deep book are large."""
_CLOSE_TIMEOUT = 2.0


class _Connect(connect):
    """Follows no redirect: credentials go where the settings say, nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class WebSocket:
    """An open connection; text goes out, bytes come in, whatever kind of frame they came in."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> Self:
        """Connect to a `ws://`, `wss://`, `http://` or `https://` URL.

        Raises `AuthenticationError` for 401 and 403, `TransportError` for all else.
        """
        try:
            connection = await _Connect(
                _websocket_url(url),
                additional_headers=headers,
                compression=None,
                max_size=_MOST_BYTES,
                proxy=None,
                close_timeout=_CLOSE_TIMEOUT,
                logger=_quiet,
            ).__aenter__()
        except InvalidStatus as error:
            raise _refused(error.response.status_code) from None
        except (OSError, InvalidHandshake, EOFError) as error:
            raise Disconnected(f"no WebSocket connection: {error}", sent=False) from None
        return cls(connection)

    async def send(self, text: str) -> None:
        """Write one text frame. Raises `Disconnected`."""
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise _lost(error) from None

    async def receive(self) -> bytes:
        """The payload of the next frame. Raises `Disconnected`."""
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise _lost(error) from None

    async def close(self) -> None:
        """Say goodbye, within a bounded time."""
        await self._connection.close()


def _websocket_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return {"http": "ws", "https": "wss"}.get(scheme, scheme) + separator + rest


def _refused(status: int) -> AuthenticationError | TransportError:
    if status in (401, 403):
        return AuthenticationError(
            f"the venue refused the stream connection (HTTP {status})", code=status
        )
    return Disconnected(f"the venue refused the stream connection (HTTP {status})", sent=False)


def _lost(error: ConnectionClosed) -> Disconnected:
    closed = error.rcvd
    if closed is None:
        return Disconnected("the stream connection broke off")
    reason = f": {closed.reason}" if closed.reason else ""
    return Disconnected(f"the venue closed the stream connection ({closed.code}{reason})")
