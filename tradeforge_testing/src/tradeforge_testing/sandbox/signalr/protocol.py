"""The JSON hub protocol of SignalR, without any I/O: texts in, messages out, and back."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import msgspec

SEPARATOR = "\x1e"
NEWEST_VERSION = 2
"""Older ones are served as well: 1 is what most clients ask for, and some ask for 0."""
LONGEST_REQUEST = 32 * 1024
"""ASP.NET Core's limit of one message of a client."""

Message = dict[str, Any]


class MessageType(IntEnum):
    INVOCATION = 1
    COMPLETION = 3
    PING = 6
    CLOSE = 7


class ProtocolViolation(Exception):
    """The client sent something that is no message of the protocol."""


class MessageBuffer:
    """Cuts what arrives into messages; frames and messages need not have the same borders."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: str | bytes) -> Iterator[Message]:
        """The messages that `data` completes. Raises `ProtocolViolation`."""
        self._rest += data.encode() if isinstance(data, str) else data
        *complete, self._rest = self._rest.split(SEPARATOR.encode())
        if len(self._rest) > LONGEST_REQUEST:
            raise ProtocolViolation("the message is too long")
        return map(_parse, complete)


def check_invocation(message: Message) -> None:
    """Raises `ProtocolViolation` for what is no call at all: the framework ends such a connection.

    Which method and how many arguments is for the hub to say.
    """
    call_id = message.get("invocationId")
    if call_id is not None and not isinstance(call_id, str):
        raise ProtocolViolation("Expected 'invocationId' to be of type String.")
    if not isinstance(message.get("target"), str) or not message["target"]:
        raise ProtocolViolation("Missing required property 'target'.")
    if not isinstance(message.get("arguments"), list):
        raise ProtocolViolation("Missing required property 'arguments'.")


def handshake_error(request: Message) -> str | None:
    """Why the handshake is refused, or None: it is not."""
    protocol, version = request.get("protocol"), request.get("version")
    if protocol != "json":
        return f"The protocol '{protocol}' is not supported."
    if type(version) is not int or version > NEWEST_VERSION:
        return f"The server does not support version {version} of the 'json' protocol."
    return None


def handshake_reply(error: str | None) -> str:
    return _text({} if error is None else {"error": error})


def invocation(target: str, arguments: list[Any]) -> str:
    return _text({"type": MessageType.INVOCATION, "target": target, "arguments": arguments})


def completion(invocation_id: str, *, error: str | None = None) -> str:
    outcome = {"result": 0} if error is None else {"error": error}
    return _text({"type": MessageType.COMPLETION, "invocationId": invocation_id} | outcome)


def ping() -> str:
    return _text({"type": MessageType.PING})


def close(*, allow_reconnect: bool) -> str:
    message: Message = {"type": MessageType.CLOSE, "error": "Connection closed with an error."}
    return _text(message | ({"allowReconnect": True} if allow_reconnect else {}))


def _text(message: Message) -> str:
    return msgspec.json.encode(message).decode() + SEPARATOR


def _parse(raw: bytes) -> Message:
    try:
        return msgspec.json.decode(raw, type=Message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ProtocolViolation(str(exc)) from exc
