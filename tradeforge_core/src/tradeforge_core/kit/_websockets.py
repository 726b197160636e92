"""The WebSocket of `websockets`, without its queue: each message goes where it is wanted."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import DATA_OPCODES, Frame

from tradeforge_core.errors import Disconnected
from tradeforge_core.kit import websocket
from tradeforge_core.kit.websocket import WebSocket


class _Connect(connect):
    """Follows no redirect: credentials go where the settings say, nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class _Connection(ClientConnection):
    """Hands messages over as they are read; what it would do else is put them into a queue."""

    def __init__(
        self,
        *args: Any,
        received: Callable[[bytes], None],
        lost: Callable[[Disconnected], None],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._received = received
        self._lost = lost
        self._pieces: list[bytes] = []

    def process_event(self, event: Any) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        elif event.fin and not self._pieces:
            self._received(bytes(event.data))
        else:
            self._collect(event)

    def _collect(self, piece: Frame) -> None:
        self._pieces.append(bytes(piece.data))
        if piece.fin:
            whole = b"".join(self._pieces)
            self._pieces.clear()
            self._received(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.response is not None and self.protocol.handshake_exc is None:
            self._lost(_why(self.protocol.close_exc))


class WebsocketsSocket(WebSocket):
    """Runs on `websockets`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def connect(
        cls,
        url: str,
        headers: Mapping[str, str],
        received: Callable[[bytes], None],
        lost: Callable[[Disconnected], None],
    ) -> "WebsocketsSocket":
        connection: Any = partial(_Connection, received=received, lost=lost)
        try:
            opened = await _Connect(
                url,
                additional_headers=headers,
                user_agent_header=websocket.USER_AGENT,
                compression=None,
                max_size=websocket.MOST_BYTES,
                proxy=None,
                open_timeout=websocket.OPEN_TIMEOUT,
                ping_interval=websocket.PING_AFTER,
                ping_timeout=websocket.PING_AFTER,
                close_timeout=websocket.CLOSE_TIMEOUT,
                logger=websocket.quiet,
                create_connection=connection,
            )
        except InvalidStatus as error:
            raise websocket.refused(error.response.status_code) from None
        except (OSError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise websocket.not_connected(error) from None
        return cls(opened)

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise _why(error) from None

    async def close(self) -> None:
        await self._connection.close()


def _why(error: ConnectionClosed) -> Disconnected:
    if error.rcvd is None:
        return websocket.broken()
    return websocket.closed(error.rcvd.code, error.rcvd.reason)
