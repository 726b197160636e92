"""The WebSocket of `picows`, for the extra `[fast]`."""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress

import picows
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSProtocolError, WSTransport

from tradeforge_core.errors import Disconnected
from tradeforge_core.kit import websocket
from tradeforge_core.kit.websocket import Received, WebSocket

_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
_NO_CODE = 1005
_MOST_AT_ONCE = 256 * 1024
"""Of what has come, in one go: after it the tasks have a turn that take the events."""


class _Listener(WSListener):
    """Hands messages over as they are read, and remembers how the connection ended."""

    def __init__(self, received: Received, lost: Callable[[Disconnected], None]) -> None:
        self._received = received
        self._lost = lost
        self._messages: list[bytes] = []
        """What this reading has brought."""
        self._pieces: list[bytes] = []
        self._said: Disconnected | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if frame.payload_size > websocket.MOST_BYTES:
            pass  # the connection is closed for it; it may still arrive whole
        elif kind in _DATA and frame.fin and not self._pieces:
            self._messages.append(frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            self._hand_over()
            self._answer_close(transport, frame.get_payload_as_bytes())
        elif kind in _DATA or kind is WSMsgType.CONTINUATION:
            self._collect(frame)
        if frame.last_in_buffer:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._messages:
            messages, self._messages = self._messages, []
            self._received(messages)

    def _collect(self, frame: WSFrame) -> None:
        if bool(self._pieces) is not (frame.msg_type is WSMsgType.CONTINUATION):
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "a piece of no message")
        self._pieces.append(frame.get_payload_as_bytes())
        if sum(map(len, self._pieces)) > websocket.MOST_BYTES:
            raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "a message without an end")
        if frame.fin:
            self._messages.append(b"".join(self._pieces))
            self._pieces.clear()

    def _answer_close(self, transport: WSTransport, payload: bytes) -> None:
        code = struct.unpack("!H", payload[:2])[0] if payload else _NO_CODE
        self._said = websocket.closed(code, payload[2:].decode())
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._hand_over()  # of a reading that ended in nonsense
        self._writable.set()
        self._lost(self.why)

    @property
    def why(self) -> Disconnected:
        """The error for the connection that has ended, or is about to."""
        return self._said or websocket.broken()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def until_writable(self) -> None:
        """Return once there is room to write, or nobody to write to."""
        if not self._writable.is_set():
            await self._writable.wait()


class PicowsSocket(WebSocket):
    """Runs on `picows`."""

    def __init__(self, transport: WSTransport, listener: _Listener) -> None:
        self._transport = transport
        self._listener = listener

    @classmethod
    async def connect(
        cls,
        url: str,
        headers: Mapping[str, str],
        received: Received,
        lost: Callable[[Disconnected], None],
        ping_after: float,
    ) -> "PicowsSocket":
        listener = _Listener(received, lost)
        line = _Line()
        try:
            transport, found = await picows.ws_connect(
                lambda request, response: listener,
                url,
                extra_headers={"User-Agent": websocket.USER_AGENT, **headers},
                max_frame_size=websocket.MOST_BYTES,
                max_redirects=0,
                websocket_handshake_timeout=websocket.OPEN_TIMEOUT,
                enable_auto_ping=True,
                auto_ping_idle_timeout=ping_after,
                auto_ping_reply_timeout=ping_after,
                logger_name=websocket.quiet,
                socket_factory=line.dial,
            )
        except picows.WSInvalidStatusError as error:
            assert error.response is not None
            raise websocket.refused(error.response.status) from None
        except (OSError, picows.WSError) as error:
            raise websocket.not_connected(error) from None
        except asyncio.CancelledError:
            line.cut()  # the library would wait on for an answer to the handshake
            raise
        if found is None:
            raise websocket.not_connected(EOFError("it was closed before an answer came"))
        return cls(transport, listener)

    async def send(self, text: str) -> None:
        await self._listener.until_writable()
        if self._transport.is_close_frame_sent or self._transport.is_disconnected:
            raise self._listener.why
        self._transport.send(WSMsgType.TEXT, text)

    async def close(self) -> None:
        self._transport.send_close(WSCloseCode.OK)
        try:
            async with asyncio.timeout(websocket.CLOSE_TIMEOUT):
                await self._transport.wait_disconnected()
        except (TimeoutError, picows.WSError):
            pass  # why it ended was told to `lost`
        finally:
            self._transport.disconnect(graceful=False)


class _Line:
    """The socket under a connection; at hand, so that a cancelled handshake can be ended."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    async def dial(self, url: picows.WSParsedURL) -> socket.socket:
        """Raises `OSError`."""
        loop = asyncio.get_running_loop()
        errors: list[OSError] = []
        found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            one = socket.socket(family, kind, protocol)
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _MOST_AT_ONCE)
            try:
                await loop.sock_connect(one, address)
            except OSError as error:
                one.close()
                errors.append(error)
            except BaseException:
                one.close()
                raise
            else:
                self._socket = one
                return one
        raise errors[0]

    def cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it may be closed already
                self._socket.shutdown(socket.SHUT_RDWR)
