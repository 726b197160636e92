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

    `limit` is how often in a second it may be asked, of each account; None where only the limit of
    the address counts. `public` ones need no key.
    """

    path: str
    result: type[R]
    limit: int | None = None
    write: bool = False
    public: bool = False
    _decoder: "msgspec.json.Decoder[R]" = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # lenient: whole numbers have been seen as text
        decoder = msgspec.json.Decoder(self.result, strict=False)
        object.__setattr__(self, "_decoder", decoder)

    @property
    def method(self) -> str:
        return "POST" if self.write else "GET"

    def read(self, answer: HttpAnswer) -> R:
        """The result of a success. Raises `VenueError` by status or code, and `DecodeError`."""
        envelope = self._envelope(answer)
        if envelope.retCode in _errors.SUCCESS:
            return self._result(envelope.result)
        raise _errors.refusal(self.path, envelope.retCode, envelope.retMsg)

    def _envelope(self, answer: HttpAnswer) -> _wire.Envelope:
        try:
            return _envelope.decode(answer.body)
        except _wire.UNREADABLE as error:
            if answer.status != 200:  # what comes with a status may be a page of anybody's
                raise _errors.status_error(self.path, answer) from None
            raise decode_error(f"the answer of {self.path}", error) from None

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
KEY = Endpoint("/v5/user/query-api", _wire.KeyRow, limit=10)


def query_of(params: dict[str, str | int | None]) -> str:
    """The query of a GET, without what is None."""
    return urlencode({name: value for name, value in params.items() if value is not None})


def body_of(members: dict[str, Any]) -> bytes:
    """The JSON of a POST, without what is None; decimals are text, with their own digits."""
    return _encoder.encode({name: value for name, value in members.items() if value is not None})


_encoder = msgspec.json.Encoder(decimal_format="string")
