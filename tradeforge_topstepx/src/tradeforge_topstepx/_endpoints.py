"""The operations of the gateway: path, shape of the answer, meaning of the error codes."""

from typing import Any, Generic, TypeVar

import msgspec
from attrs import field, frozen

from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    OrderRejected,
    RateLimited,
    VenueError,
)
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_core.kit.retry_after import seconds_of
from tradeforge_topstepx import _errors, _wire

A = TypeVar("A", bound=_wire.Envelope)


@frozen
class Endpoint(Generic[A]):
    """One POST operation. A `write` is never sent twice, whatever happens."""

    path: str
    answer: type[A]
    codes: _errors.Codes = _errors.NO_CODES
    write: bool = False
    _decoder: "msgspec.json.Decoder[A]" = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # lenient: ids have been seen as text by other clients of the gateway
        object.__setattr__(self, "_decoder", msgspec.json.Decoder(self.answer, strict=False))

    def read(self, answer: HttpAnswer) -> A:
        """The successful answer. Raises `VenueError` by status or code, and `DecodeError`."""
        if answer.status != 200:
            raise _status_error(self.path, answer)
        try:
            decoded = self._decoder.decode(answer.body)
        except _wire.UNREADABLE as error:
            raise decode_error(f"the answer of {self.path}", error) from None
        if not decoded.success:
            raise self._refusal(decoded)
        return decoded

    def _refusal(self, decoded: A) -> VenueError:
        error = _errors.refusal_error(
            self.codes, self.path, decoded.errorCode, decoded.errorMessage
        )
        order_id = getattr(decoded, "orderId", None)
        if isinstance(error, OrderRejected) and order_id is not None:
            error.order_id = str(order_id)  # the gateway files a rejected order too
        return error


def _status_error(path: str, answer: HttpAnswer) -> VenueError:
    message = f"{path}: HTTP {answer.status}"
    if answer.status == 401:
        return AuthenticationError(f"{message}: the token is not accepted", code=401)
    if answer.status == 429:
        seconds = seconds_of(answer.retry_after)
        return RateLimited(f"{message}: too many requests", code=429, retry_after=seconds)
    if answer.status == 400 and path not in _WITH_SECRETS:
        message += _complaint(answer.body)
    return VenueError(message, code=answer.status)


class _Problem(msgspec.Struct):
    """What is in the body of a 400, as the members of RFC 7807."""

    title: str | None = None
    detail: str | None = None


def _complaint(body: bytes) -> str:
    """What the gateway finds wrong with a request, as far as it says so."""
    try:
        problem = _problem_decoder.decode(body)
    except _wire.UNREADABLE:
        return ""
    said = problem.detail or problem.title or ""
    return f": {said[:_MOST_WORDS]}" if said.isprintable() and said else ""


_problem_decoder = msgspec.json.Decoder(_Problem)
_MOST_WORDS = 300
"""Characters of a complaint that are worth repeating."""


def decode_error(what: str, error: Exception) -> DecodeError:
    """The error for a message that msgspec refused; its text names the field, not its value."""
    said, _, path = str(error).partition(" - at `")
    return DecodeError(f"{what} was not understood: {error}", path=path.rstrip("`") or "$")


PING = "/api/Status/ping"
LOGIN = Endpoint("/api/Auth/loginKey", _wire.LoginAnswer, _errors.LOGIN)
LOGIN_APP = Endpoint("/api/Auth/loginApp", _wire.LoginAnswer, _errors.LOGIN)
_WITH_SECRETS = frozenset({LOGIN.path, LOGIN_APP.path})
"""A complaint about these may quote the key."""
VALIDATE = Endpoint("/api/Auth/validate", _wire.ValidateAnswer, _errors.VALIDATE)
LOGOUT = Endpoint("/api/Auth/logout", _wire.Envelope, _errors.LOGOUT)
ACCOUNTS = Endpoint("/api/Account/search", _wire.AccountsAnswer)
SEARCH_CONTRACTS = Endpoint("/api/Contract/search", _wire.ContractsAnswer)
CONTRACT_BY_ID = Endpoint("/api/Contract/searchById", _wire.ContractAnswer, _errors.CONTRACT)
AVAILABLE = Endpoint("/api/Contract/available", _wire.ContractsAnswer)
BARS = Endpoint("/api/History/retrieveBars", _wire.BarsAnswer, _errors.BARS)
PLACE = Endpoint("/api/Order/place", _wire.PlaceAnswer, _errors.PLACE, write=True)
MODIFY = Endpoint("/api/Order/modify", _wire.Envelope, _errors.MODIFY, write=True)
CANCEL = Endpoint("/api/Order/cancel", _wire.Envelope, _errors.CANCEL, write=True)
ORDERS = Endpoint("/api/Order/search", _wire.OrdersAnswer, _errors.ACCOUNT)
OPEN_ORDERS = Endpoint("/api/Order/searchOpen", _wire.OrdersAnswer, _errors.ACCOUNT)
QUERY_ORDERS = Endpoint("/api/Order/v2/query", _wire.OrdersAnswer, _errors.ACCOUNT)
ORDER_BY_ID = Endpoint("/api/Order/searchById", _wire.OrderAnswer, _errors.ORDER)
POSITIONS = Endpoint("/api/Position/searchOpen", _wire.PositionsAnswer, _errors.ACCOUNT)
CLOSE = Endpoint("/api/Position/closeContract", _wire.Envelope, _errors.CLOSE, write=True)
PARTIAL_CLOSE = Endpoint(
    "/api/Position/partialCloseContract", _wire.Envelope, _errors.PARTIAL_CLOSE, write=True
)
TRADES = Endpoint("/api/Trade/search", _wire.TradesAnswer, _errors.ACCOUNT)

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(body: dict[str, Any]) -> bytes:
    """The JSON of a request; decimals are written with their own digits."""
    return _encoder.encode(body)
