"""What each endpoint means by its error codes: the same number says different things.

Only a code that proves the refusal becomes `OrderRejected` or `NotFound`. Codes that say "pending"
or "unknown error" stay plain `VenueError`, which the order path takes for an unknown outcome.
"""

from collections.abc import Mapping

from attrs import frozen

from tradeforge_core import (
    AuthenticationError,
    DuplicateClientOrderId,
    MarketClosed,
    NotFound,
    OrderRejected,
    VenueError,
)


@frozen
class Refusal:
    """The name of a code in the gateway's documentation, and the error it is here."""

    name: str
    error: type[VenueError] = VenueError


Codes = Mapping[int, Refusal]

_UNKNOWN_ACCOUNT = Refusal("AccountNotFound", NotFound)

NO_CODES: Codes = {}
ACCOUNT: Codes = {1: _UNKNOWN_ACCOUNT}
LOGIN: Codes = {
    1: Refusal("UserNotFound", AuthenticationError),
    2: Refusal("PasswordVerificationFailed", AuthenticationError),
    3: Refusal("InvalidCredentials", AuthenticationError),
    4: Refusal("AppNotFound", AuthenticationError),
    5: Refusal("AppVerificationFailed", AuthenticationError),
    6: Refusal("InvalidDevice", AuthenticationError),
    7: Refusal("AgreementsNotSigned", AuthenticationError),
    8: Refusal("UnknownError"),
    9: Refusal("ApiSubscriptionNotFound", AuthenticationError),
    10: Refusal("ApiKeyAuthenticationDisabled", AuthenticationError),
}
VALIDATE: Codes = {
    1: Refusal("InvalidSession", AuthenticationError),
    2: Refusal("SessionNotFound", AuthenticationError),
    3: Refusal("ExpiredToken", AuthenticationError),
    4: Refusal("UnknownError"),
}
LOGOUT: Codes = {1: Refusal("InvalidSession", AuthenticationError), 2: Refusal("UnknownError")}
CONTRACT: Codes = {1: Refusal("ContractNotFound", NotFound)}
BARS: Codes = {
    1: Refusal("ContractNotFound", NotFound),
    2: Refusal("UnitInvalid"),
    3: Refusal("UnitNumberInvalid"),
    4: Refusal("LimitInvalid"),
}
ORDER: Codes = {1: Refusal("OrderNotFound", NotFound)}
PLACE: Codes = {
    1: Refusal("AccountNotFound", OrderRejected),
    2: Refusal("OrderRejected", OrderRejected),
    3: Refusal("InsufficientFunds", OrderRejected),
    4: Refusal("AccountViolation", OrderRejected),
    5: Refusal("OutsideTradingHours", MarketClosed),
    6: Refusal("OrderPending"),
    7: Refusal("UnknownError"),
    8: Refusal("ContractNotFound", OrderRejected),
    9: Refusal("ContractNotActive", OrderRejected),
    10: Refusal("AccountRejected", OrderRejected),
}
MODIFY: Codes = {
    1: _UNKNOWN_ACCOUNT,
    2: Refusal("OrderNotFound", NotFound),
    3: Refusal("Rejected", OrderRejected),
    4: Refusal("Pending"),
    5: Refusal("UnknownError"),
    6: Refusal("AccountRejected", OrderRejected),
    7: Refusal("ContractNotFound", NotFound),
}
CANCEL: Codes = {code: refusal for code, refusal in MODIFY.items() if code != 7}
CLOSE: Codes = {
    1: _UNKNOWN_ACCOUNT,
    2: Refusal("PositionNotFound", NotFound),
    3: Refusal("ContractNotFound", NotFound),
    4: Refusal("ContractNotActive", OrderRejected),
    5: Refusal("OrderRejected", OrderRejected),
    6: Refusal("OrderPending"),
    7: Refusal("UnknownError"),
    8: Refusal("AccountRejected", OrderRejected),
}
PARTIAL_CLOSE: Codes = {
    1: _UNKNOWN_ACCOUNT,
    2: Refusal("PositionNotFound", NotFound),
    3: Refusal("ContractNotFound", NotFound),
    4: Refusal("ContractNotActive", OrderRejected),
    5: Refusal("InvalidCloseSize", OrderRejected),
    6: Refusal("OrderRejected", OrderRejected),
    7: Refusal("OrderPending"),
    8: Refusal("UnknownError"),
    9: Refusal("AccountRejected", OrderRejected),
}

_TEXT_HINTS = {
    "You must enable Auto OCO Brackets": (
        "switch the account from Position Brackets to Auto OCO Brackets in the platform's settings"
    ),
    "custom tag is already in use": "a client order id names one order for ever, a refused one too",
    "Cannot trail without a last price": "nothing has traded yet: try again after the first trade",
}
_BY_TEXT: Mapping[str, type[OrderRejected]] = {
    "not in an active trading status": MarketClosed,
    "custom tag is already in use": DuplicateClientOrderId,
}
"""Refusals that share a code with others and differ by their text only."""
_HINTS = {
    "InvalidCredentials": "check TS_USERNAME (the login name, not the e-mail) and TS_API_KEY",
    "ApiSubscriptionNotFound": "the API subscription of this user is not active",
    "ApiKeyAuthenticationDisabled": "this API key is not enabled",
    "AgreementsNotSigned": "sign the agreements on the platform first",
    "ContractNotFound": "search for the contract by its symbol",
    "ContractNotActive": "the contract has rolled: get_contract_by_symbol finds the one in front",
}


def refusal_error(codes: Codes, path: str, code: int, text: str | None) -> VenueError:
    """The error for an answer that is not a success; a code nobody documented stays visible."""
    refusal = codes.get(code, Refusal(f"undocumented code {code}"))
    kind = refusal.error
    if kind is OrderRejected:
        kind = next((one for part, one in _BY_TEXT.items() if text and part in text), kind)
    hint = _text_hint(text) or _HINTS.get(refusal.name)
    said = ": ".join(part for part in (refusal.name, text) if part)
    message = f"{path}: {said}" + (f" ({hint})" if hint else "")
    return kind(message, code=code, name=refusal.name)


def _text_hint(text: str | None) -> str | None:
    return next((hint for part, hint in _TEXT_HINTS.items() if text and part in text), None)
