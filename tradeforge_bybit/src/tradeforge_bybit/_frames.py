"""The messages of Bybit's sockets in their own shape and spelling.

The public and the private sockets write `ret_msg` and `req_id`, the one for orders `retMsg` and
`reqId`. Members come in any order.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tradeforge_bybit import _wire
from tradeforge_bybit._endpoints import decode_error


class Frame(Struct, frozen=True):
    """Whatever a socket can say: an answer has an `op`, data has a `topic`."""

    topic: str = ""
    type: str = ""
    ts: int | None = None
    cts: int | None = None
    """When the matching engine did it."""
    creationTime: int | None = None
    data: Raw = Raw(b"null")
    op: str = ""
    success: bool | None = None
    ret_msg: str | None = None
    req_id: str | None = None
    retCode: int | None = None
    retMsg: str | None = None
    reqId: str | None = None
    header: dict[str, Any] | None = None

    @property
    def number(self) -> str:
        """Of the request that it answers; empty where it does not say."""
        return self.req_id or self.reqId or ""

    @property
    def is_answer(self) -> bool:
        return self.success is not None or self.retCode is not None


class BookRow(_wire.Row, frozen=True):
    """The whole book or a change of it; `u` counts them."""

    s: str
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    u: int
    seq: int | None = None


class MarketTradeRow(_wire.Row, frozen=True):
    """`S` is the side of the taker."""

    T: int
    s: str
    S: str
    v: str
    p: str
    i: str
    seq: int | None = None


class CandleRow(_wire.Row, frozen=True):
    """`confirm` says that it is closed."""

    start: int
    interval: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    confirm: bool
    timestamp: int | None = None


def decoder(cls: Any) -> "msgspec.json.Decoder[Any]":
    # lenient: whole numbers have been seen as text
    return msgspec.json.Decoder(cls, strict=False)


_frame = decoder(Frame)


def read(message: bytes) -> Frame:
    """Raises `DecodeError`."""
    try:
        return _frame.decode(message)  # type: ignore[no-any-return]
    except _wire.UNREADABLE as error:
        raise decode_error("a message of the stream", error) from None


def decode(rows: "msgspec.json.Decoder[Any]", frame: Frame) -> Any:
    """What the data of a frame says. Raises `DecodeError`."""
    return decode_row(rows, frame.data, frame)


def decode_row(row: "msgspec.json.Decoder[Any]", raw: Raw, frame: Frame) -> Any:
    """What one of its rows says. Raises `DecodeError`."""
    try:
        return row.decode(raw)
    except _wire.UNREADABLE as error:
        raise decode_error(f"a message of {frame.topic}", error) from None
