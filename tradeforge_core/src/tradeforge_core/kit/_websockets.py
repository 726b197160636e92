"""The WebSocket of `websockets`, without its queue: each message goes where it is wanted."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import OPEN

from tradeforge_core.errors import Disconnected
from tradeforge_core.kit import websocket
from tradeforge_core.kit.websocket import WebSocket


class _Connect(connect):
    """Follows no redirect: credentials go where the settings say, nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


_WHOLE_MESSAGES = (0x81, 0x82)
"""The first byte of a frame that is a whole message, of text or of bytes."""
_END_OF_HEAD = b"\r\n\r\n"
_LONGEST_HEAD = 64 * 1024


class _Connection(ClientConnection):
    """Hands messages over as they are read; what it would do else is put them into a queue.

    A frame that is a whole message is taken from the data here, because the library takes several
    microseconds for that. Everything else, from the handshake to the close, is its own to read: it
    gets whole frames only, so what it has not read never begins in the middle of one.
    """

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
        self._waiting = b""
        """The beginning of a frame, or of the answer to the handshake."""

    def data_received(self, data: bytes) -> None:
        data = self._waiting + data
        self._waiting = b""
        if self.response is None:
            data = self._read_head(data)
        at = self._read_messages(data) if self.protocol.state is OPEN else 0
        if self.protocol.state is OPEN:
            self._waiting = data[at:]
        elif at < len(data):
            super().data_received(data[at:])

    def _read_head(self, data: bytes) -> bytes:
        """What comes after the answer to the handshake."""
        end = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        if end < len(_END_OF_HEAD):
            if len(data) > _LONGEST_HEAD:
                return data  # it is not HTTP, and the library says so
            self._waiting = data
            return b""
        super().data_received(data[:end])
        return data[end:]

    def _read_messages(self, data: bytes) -> int:
        """Where the first frame begins that is not complete, or is not read here any more."""
        at, size = 0, len(data)
        while size - at >= 2:
            length, begin = data[at + 1], at + 2
            if length == 126:
                length, begin = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, begin = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if size < begin:
                break
            if length > websocket.MOST_BYTES or data[at + 1] > 127:
                super().data_received(data[at:])  # the library ends the connection for it
                return size
            end = begin + length
            if size < end:
                break
            if data[at] in _WHOLE_MESSAGES and not self._pieces:
                self._received(data[begin:end])
            else:
                super().data_received(data[at:end])
                if self.protocol.state is not OPEN:
                    return end
            at = end
        return at

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
