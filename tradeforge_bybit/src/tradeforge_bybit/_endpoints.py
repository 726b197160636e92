"""The operations of Bybit's REST interface: where each is, and what reads its answer."""

from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from attrs import field, frozen

from tradeforge_bybit import _errors, _wire
from tradeforge_core import DecodeError
from tradeforge_core.kit.http import HttpAnswer

R = TypeVar("R")


@frozen
class Endpoint(Generic[R]):
    """One operation: a GET with a query, or with `write` a POST, which is never sent twice.

    `limit` is how often in a second it may be asked, of each account, and `spot_limit` that for
    spot where it differs; None where only the limit of the address counts. A `public` one needs no
    key, and an `urgent` one is a way out.
    """

    path: str
    result: type[R]
    limit: int | None = None
    spot_limit: int | None = None
    write: bool = False
    public: bool = False
    urgent: bool = False
    _decoder: "msgspec.json.Decoder[R]" = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # lenient: whole numbers have been seen as text
        decoder = msgspec.json.Decoder(self.result, strict=False)
        object.__setattr__(self, "_decoder", decoder)

    @property
    def method(self) -> str:
        return "POST" if self.write else "GET"

    def limit_of(self, category: str | None) -> int | None:
        return self.spot_limit or self.limit if category == "spot" else self.limit

    def read(self, answer: HttpAnswer) -> R:
        """The result of a success. Raises `VenueError` by status or code, and `DecodeError`."""
        envelope = self._envelope(answer)
        if _errors.is_done(envelope.retCode, envelope.retMsg):
            return self._result(envelope.result)
        raise _errors.refusal(self.path, envelope.retCode, envelope.retMsg, write=self.write)

    def _envelope(self, answer: HttpAnswer) -> _wire.Envelope:
        try:
            envelope = _envelope.decode(answer.body)
        except _wire.UNREADABLE as error:
            if answer.status != 200:  # what comes with a status may be a page of anybody's
                raise _errors.status_error(self.path, answer) from None
            raise decode_error(f"the answer of {self.path}", error) from None
        if answer.status >= 500 or (answer.status != 200 and _errors.is_done(envelope.retCode)):
            raise _errors.status_error(self.path, answer)
        return envelope

    def _result(self, result: msgspec.Raw) -> R:
        try:
            return self._decoder.decode(result)
        except _wire.UNREADABLE as error:
            raise decode_error(f"the answer of {self.path}", error) from None


_envelope = msgspec.json.Decoder(_wire.Envelope, strict=False)


def decode_error(what: str, error: Exception) -> DecodeError:
    """The error for a message that msgspec refused; its text names the field, not its value."""
    said, _, path = str(error).partition(" - at `")
    return DecodeError(f"{what} was not understood: {said}", path=path.rstrip("`") or "$")


TIME = Endpoint("/v5/market/time", _wire.TimeResult, public=True)
INSTRUMENTS = Endpoint("/v5/market/instruments-info", _wire.Rows[_wire.InstrumentRow], public=True)
KLINE = Endpoint("/v5/market/kline", _wire.Rows[_wire.KlineRow], public=True)
ORDER_BOOK = Endpoint("/v5/market/orderbook", _wire.BookResult, public=True)
TICKERS = Endpoint("/v5/market/tickers", _wire.Rows[_wire.TickerRow], public=True)

CREATE = Endpoint("/v5/order/create", _wire.AckResult, limit=10, spot_limit=20, write=True)
AMEND = Endpoint("/v5/order/amend", _wire.Nothing, limit=10, write=True)
CANCEL = Endpoint(
    "/v5/order/cancel", _wire.Nothing, limit=10, spot_limit=20, write=True, urgent=True
)
REALTIME = Endpoint("/v5/order/realtime", _wire.Rows[_wire.OrderRow], limit=50)
HISTORY = Endpoint("/v5/order/history", _wire.Rows[_wire.OrderRow], limit=50)
EXECUTIONS = Endpoint("/v5/execution/list", _wire.Rows[_wire.ExecutionRow], limit=50)

POSITIONS = Endpoint("/v5/position/list", _wire.Rows[_wire.PositionRow], limit=50)
CLOSED = Endpoint("/v5/position/closed-pnl", _wire.Rows[_wire.ClosedRow], limit=50)

WALLET = Endpoint("/v5/account/wallet-balance", _wire.Rows[_wire.WalletRow], limit=50)
FEES = Endpoint("/v5/account/fee-rate", _wire.Rows[_wire.FeeRow], limit=5)
KEY = Endpoint("/v5/user/query-api", _wire.KeyRow, limit=10)


def query_of(params: dict[str, Any]) -> str:
    """The query of a GET, without what is None."""
    return urlencode({name: value for name, value in params.items() if value is not None})


def body_of(members: dict[str, Any]) -> bytes:
    """The JSON of a POST, without what is None."""
    return _encoder.encode({name: value for name, value in members.items() if value is not None})


_encoder = msgspec.json.Encoder()
