"""What the venue's codes mean, and which of them prove that nothing was done.

A refusal of a write is `OrderRejected` only where the code is documented to say so. Codes that say
"time-out", "server error" or "in progress" stay plain `VenueError`, which the order path takes for
an unknown outcome; so does every code that nobody has documented.
"""

import re
from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from tradeforge_core import (
    AuthenticationError,
    DuplicateClientOrderId,
    MarketClosed,
    NotFound,
    OrderRejected,
    RateLimited,
    VenueError,
)
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_core.kit.retry_after import seconds_of


class Kind(Enum):
    """What a code says of the request that it answers."""

    REFUSED = "it breaks a rule, and nothing was done"
    CLOSED = "the instrument does not trade now, and nothing was done"
    KEY = "the key is not accepted, or may not do that, and nothing was done"
    CLOCK = "it bears the wrong time, and nothing was done"
    TOO_MANY = "it came too soon, and nothing was done"
    NOT_FOUND = "there is no such order"
    DUPLICATE = "there is an order of this orderLinkId already"
    UNKNOWN = "nobody knows whether it was done"
    DONE = "it was so already"


@frozen
class Meaning:
    """A short name for a code, and what it says."""

    name: str
    kind: Kind


def _all(kind: Kind, names: Mapping[int, str]) -> dict[int, Meaning]:
    return {code: Meaning(name, kind) for code, name in names.items()}


_NO_FUNDS = (110004, 110006, 110007, 110012, 110044, 110045, 110051, 110052, 110053)
_OUTSIDE_LIMITS = (110003, 110120, 110121, 30208, 30209, 170193, 170194, 170371, 170372)

CODES: Mapping[int, Meaning] = {
    **dict.fromkeys(_NO_FUNDS, Meaning("insufficient balance", Kind.REFUSED)),
    **dict.fromkeys((170033, 170131), Meaning("insufficient balance", Kind.REFUSED)),
    **dict.fromkeys(_OUTSIDE_LIMITS, Meaning("price outside the limits", Kind.REFUSED)),
    **_all(
        Kind.REFUSED,
        {
            10001: "parameter error",
            10017: "no such route",
            10032: "not supported on the demo",
            10404: "no such operation",
            110005: "state of the position",
            110008: "order already ended",
            110009: "too many stop orders",
            110010: "order already cancelled",
            110011: "would liquidate at once",
            110013: "leverage may not be changed",
            110016: "quantity above the risk limit",
            110017: "reduce-only rule not met",
            110018: "no such user",
            110019: "no orderId",
            110020: "too many active orders",
            110021: "open interest limit",
            110022: "quantity restricted",
            110023: "symbol can only be reduced",
            110024: "mode cannot change with a position",
            110028: "mode cannot change with open orders",
            110029: "symbol has no hedge mode",
            110032: "illegal order",
            110034: "no position",
            110036: "leverage may not be changed",
            110038: "leverage may not be changed",
            110039: "maintenance margin too high",
            110040: "would liquidate at once",
            110042: "before its delivery it can only be reduced",
            110046: "would liquidate at once",
            110057: "take-profit and stop-loss do not go with it",
            110058: "take-profit and stop-loss exceed the position",
            110061: "too many take-profit and stop-loss orders",
            110064: "quantity below what has filled",
            110089: "above the highest risk limit",
            110090: "position would be too large for its leverage",
            110092: "trigger price on the wrong side",
            110093: "trigger price on the wrong side",
            110094: "order value too small",
            170105: "parameter empty",
            170115: "invalid time in force",
            170116: "invalid order type",
            170117: "invalid side",
            170121: "invalid symbol",
            170124: "order too large",
            170130: "parameter invalid",
            170132: "price too high",
            170133: "price too low",
            170134: "price has too many decimals",
            170136: "quantity too small",
            170137: "quantity has too many decimals",
            170139: "order already filled",
            170140: "order value too small",
            170142: "order already cancelled",
            170148: "amount has too many decimals",
            170201: "invalid orderFilter",
            170217: "only limit-maker orders are allowed",
            170218: "limit-maker order refused for its price",
            170311: "change failed",
            170312: "change not supported",
            170313: "quantity below what has filled",
            170381: "quantity too large",
            170382: "quantity too large",
            170810: "too many orders",
        },
    ),
    **_all(
        Kind.CLOSED,
        {
            110063: "being settled",
            110066: "trading not allowed now",
            110074: "not live",
            30228: "being delisted",
        },
    ),
    **_all(
        Kind.KEY,
        {
            10003: "key invalid",
            10004: "signature invalid",
            10005: "permission denied",
            10007: "user authentication failed",
            10008: "account banned",
            10009: "region restricted",
            10010: "address not in the key's list",
            10024: "compliance rules",
            10027: "trading banned",
            10028: "not a unified account",
            10029: "symbol not in the key's list",
            110067: "not for a unified account",
            110068: "leveraged trading not allowed",
            110069: "borrowers may not trade",
            110070: "leveraged tokens may not be traded",
            33004: "key expired",
            -2015: "key expired",
            170209: "pair not available in this region",
        },
    ),
    **_all(Kind.CLOCK, {10002: "time outside the window", -1: "request expired"}),
    **_all(
        Kind.TOO_MANY,
        {
            10006: "too many visits",
            10018: "too many visits of the address",
            10403: "too many requests of the address",
            10429: "system protection",
            20003: "too many requests of the session",
            170005: "too many new orders",
            170222: "too many requests",
        },
    ),
    **_all(
        Kind.NOT_FOUND,
        {110001: "no such order", 170143: "no such order", 170213: "no such order"},
    ),
    **_all(
        Kind.DUPLICATE, {110072: "orderLinkId is duplicate", 170141: "orderLinkId is duplicate"}
    ),
    **_all(
        Kind.UNKNOWN,
        {
            429: "trading service overloaded",
            10000: "server time-out",
            10014: "duplicate request",  # of which the first may have got in
            10016: "server error",
            10019: "service restarting",
            20006: "reqId duplicated",  # likewise
            110030: "duplicate orderId",
            110079: "order is being processed",
            170001: "internal error",
            170007: "time-out of the backend",
            170310: "change timed out",
        },
    ),
    **_all(
        Kind.DONE,
        {
            0: "ok",
            110025: "position mode not modified",
            110026: "margin mode not modified",
            110027: "margin not modified",
            110043: "leverage not modified",
            34040: "not modified",
            20001: "logged in already",
            170190: "cancelled already",
            170212: "cancel in progress",
        },
    ),
}

_OF_READS: Mapping[Kind, type[VenueError]] = {
    Kind.KEY: AuthenticationError,
    Kind.TOO_MANY: RateLimited,
    Kind.NOT_FOUND: NotFound,
    Kind.CLOCK: AuthenticationError,
}
_OF_WRITES: Mapping[Kind, type[VenueError]] = {
    Kind.REFUSED: OrderRejected,
    Kind.CLOSED: MarketClosed,
    Kind.NOT_FOUND: NotFound,
    Kind.DUPLICATE: DuplicateClientOrderId,
    Kind.KEY: OrderRejected,
    Kind.CLOCK: OrderRejected,
    Kind.TOO_MANY: OrderRejected,
}
_HINTS = {
    10003: "check BYBIT_API_KEY; a key works in one environment and at one site only",
    10004: "check BYBIT_API_SECRET, or that the private key belongs to the key",
    10005: "give the key the permission, on the venue's page of API keys",
    10010: "add this machine's address to the key, on the venue's page of API keys",
    110072: "a client order id names one order for ever",
    170141: "a client order id names one order for ever",
}
_BY_TEXT = {
    "position idx not match position mode": "the position mode was changed: try again",
}


def is_done(code: int, text: str | None = None) -> bool:
    """Whether what was asked for is so."""
    return kind_of(code) is Kind.DONE or (code == _WRONG and _UNCHANGED in (text or ""))


_WRONG, _UNCHANGED = 10001, "order remains unchanged"
"""What a change of an order is told that is so already: it has no code of its own."""


def kind_of(code: int) -> Kind:
    """What a code says; one that nobody documented says nothing."""
    return CODES[code].kind if code in CODES else Kind.UNKNOWN


def refusal(path: str, code: int, text: str | None, *, write: bool) -> VenueError:
    """The error for an answer that is no success; a code nobody documented stays visible."""
    known = CODES.get(code, Meaning(f"undocumented code {code}", Kind.UNKNOWN))
    error = (_OF_WRITES if write else _OF_READS).get(known.kind, VenueError)
    said = ": ".join(part for part in (known.name, short(text)) if part)
    hint = next((one for part, one in _BY_TEXT.items() if part in (text or "")), _HINTS.get(code))
    return error(f"{path}: {said}" + (f" ({hint})" if hint else ""), code=code, name=known.name)


def short(text: str | None) -> str:
    """What the venue says, as far as it can be repeated: it may quote the key."""
    said = _QUOTED.split(text or "", maxsplit=1)[0][:_MOST_WORDS]
    return said if said.isprintable() else ""


_QUOTED = re.compile(r"(?:api_?key|origin_string|sign_string)\[", re.IGNORECASE)
_MOST_WORDS = 300


def status_error(path: str, answer: HttpAnswer) -> VenueError:
    """The error for an answer that has a status and no envelope: it proves nothing."""
    status = answer.status
    message = f"{path}: HTTP {status}"
    if status == 401:
        return AuthenticationError(f"{message}: the key is not accepted", code=401)
    if status == 403:
        said = "too many requests of this address, or one in a country that may not trade"
        return RateLimited(f"{message}: {said}", code=403, retry_after=_BANNED)
    if status == 429:
        seconds = seconds_of(answer.retry_after)
        return RateLimited(f"{message}: too many requests", code=429, retry_after=seconds)
    return VenueError(message, code=status)


_BANNED = 600.0
"""Seconds that the venue asks to stay away for."""
