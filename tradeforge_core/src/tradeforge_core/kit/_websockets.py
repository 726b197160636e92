"""The WebSocket of `websockets`, without its queue: each message goes where it is wanted."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from struct import Struct
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import OPEN

from tradeforge_core.errors import Disconnected
from tradeforge_core.kit import websocket
from tradeforge_core.kit.websocket import Received, WebSocket


class _Connect(connect):
    """Follows no redirect: credentials go where the settings say, nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


_WHOLE_MESSAGES = (0x81, 0x82)
"""The first byte of a frame that is a whole message, of text or of bytes."""
_HEAD = Struct("!BBH")
"""The first byte, the length, and what is the length where that is `_LONGER`."""
_LONGER, _LONGEST = 126, 127
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
        received: Received,
        lost: Callable[[Disconnected], None],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._received = received
        self._lost = lost
        self._messages: list[bytes] = []
        """What this reading has brought."""
        self._pieces: list[bytes] = []
        self._waiting = b""
        """The beginning of a frame, or of the answer to the handshake."""

    def data_received(self, data: bytes) -> None:
        data = self._waiting + data
        self._waiting = b""
        if self.response is None:
            data = self._read_head(data)
        at = self._read_frames(data) if self.protocol.state is OPEN else 0
        if self.protocol.state is OPEN:
            self._waiting = data[at:]
        elif at < len(data):
            super().data_received(data[at:])
        if self._messages:
            messages, self._messages = self._messages, []
            self._received(messages)

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

    def _read_frames(self, data: bytes) -> int:
        """Where the first frame begins that is not complete, or is not read here any more."""
        at = self._cut_messages(data, 0)
        while end := _end_of_frame(data, at):
            super().data_received(data[at:end])
            if self.protocol.state is not OPEN:
                return end
            at = self._cut_messages(data, end)
        return at

    def _cut_messages(self, data: bytes, at: int) -> int:
        """Where the first frame begins, from `at` on, that is more than a whole message."""
        if self._pieces:
            return at
        size, take = len(data), self._messages.append
        while size - at >= _HEAD.size:
            kind, length, longer = _HEAD.unpack_from(data, at)
            begin = at + 2
            if length == _LONGER:
                length, begin = longer, at + 4
            elif length > _LONGER:
                break
            end = begin + length
            if end > size or kind not in _WHOLE_MESSAGES:
                break
            take(data[begin:end])
            at = end
        return at

    def process_event(self, event: Any) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        else:
            self._collect(event)

    def _collect(self, piece: Frame) -> None:
        self._pieces.append(bytes(piece.data))
        if piece.fin:
            self._messages.append(b"".join(self._pieces))
            self._pieces.clear()

    def start_keepalive(self) -> None:
        if not self.connection_lost_waiter.done():  # else nobody would ever end it
            super().start_keepalive()

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
        received: Received,
        lost: Callable[[Disconnected], None],
        ping_after: float,
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
                ping_interval=ping_after,
                ping_timeout=ping_after,
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
        try:
            await self._connection.close()
        except asyncio.CancelledError:
            self._connection.transport.abort()  # nobody waits for the goodbye of the other side
            raise


def _end_of_frame(data: bytes, at: int) -> int:
    """Where the frame ends that begins at `at`; 0 where that has not come yet.

    One that is masked or too long reaches to the end: the library ends the connection for it.
    """
    if len(data) - at < 2:
        return 0
    length, begin = data[at + 1], at + 2
    if length in _LENGTH_BYTES:
        begin += _LENGTH_BYTES[length]
        length = int.from_bytes(data[at + 2 : begin], "big")
    elif length > _LONGEST:
        return len(data)
    if len(data) < begin:
        return 0
    if length > websocket.MOST_BYTES:
        return len(data)
    return begin + length if begin + length <= len(data) else 0


_LENGTH_BYTES = {_LONGER: 2, _LONGEST: 8}


def _why(error: ConnectionClosed) -> Disconnected:
    if error.rcvd is None:
        return websocket.broken()
    return websocket.closed(error.rcvd.code, error.rcvd.reason)
