"""What the gateway says no with: every code of every operation, its texts, and its problems."""

import json
from typing import Any

import pytest

from tradeforge_core import (
    AuthenticationError,
    DuplicateClientOrderId,
    MarketClosed,
    NotFound,
    OrderRejected,
    TradeForgeError,
    VenueError,
)
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_topstepx import _endpoints
from tradeforge_topstepx._endpoints import Endpoint

# In the order of their codes, from 1 on, as the gateway's documentation names them.
NAMES: list[tuple[Endpoint[Any], str]] = [
    (
        _endpoints.LOGIN,
        "UserNotFound PasswordVerificationFailed InvalidCredentials AppNotFound"
        " AppVerificationFailed InvalidDevice AgreementsNotSigned UnknownError"
        " ApiSubscriptionNotFound ApiKeyAuthenticationDisabled",
    ),
    (_endpoints.VALIDATE, "InvalidSession SessionNotFound ExpiredToken UnknownError"),
    (_endpoints.LOGOUT, "InvalidSession UnknownError"),
    (_endpoints.CONTRACT_BY_ID, "ContractNotFound"),
    (_endpoints.BARS, "ContractNotFound UnitInvalid UnitNumberInvalid LimitInvalid"),
    (
        _endpoints.PLACE,
        "AccountNotFound OrderRejected InsufficientFunds AccountViolation"
        " OutsideTradingHours OrderPending UnknownError ContractNotFound ContractNotActive"
        " AccountRejected",
    ),
    (
        _endpoints.MODIFY,
        "AccountNotFound OrderNotFound Rejected Pending UnknownError"
        " AccountRejected ContractNotFound",
    ),
    (
        _endpoints.CANCEL,
        "AccountNotFound OrderNotFound Rejected Pending UnknownError AccountRejected",
    ),
    (_endpoints.ORDERS, "AccountNotFound"),
    (_endpoints.OPEN_ORDERS, "AccountNotFound"),
    (_endpoints.QUERY_ORDERS, "AccountNotFound"),
    (_endpoints.ORDER_BY_ID, "OrderNotFound"),
    (_endpoints.POSITIONS, "AccountNotFound"),
    (
        _endpoints.CLOSE,
        "AccountNotFound PositionNotFound ContractNotFound ContractNotActive"
        " OrderRejected OrderPending UnknownError AccountRejected",
    ),
    (
        _endpoints.PARTIAL_CLOSE,
        "AccountNotFound PositionNotFound ContractNotFound"
        " ContractNotActive InvalidCloseSize OrderRejected OrderPending UnknownError"
        " AccountRejected",
    ),
    (_endpoints.TRADES, "AccountNotFound"),
]
CODES = [
    pytest.param(endpoint, code, name, id=f"{endpoint.path}-{code}")
    for endpoint, names in NAMES
    for code, name in enumerate(names.split(), 1)
]
PENDING = {"OrderPending", "Pending", "UnknownError"}


def refusal(endpoint: Endpoint[Any], code: int, text: str | None = None) -> TradeForgeError:
    answer = {"success": False, "errorCode": code, "errorMessage": text}
    return failure(endpoint, 200, json.dumps(answer).encode())


def failure(endpoint: Endpoint[Any], status: int, body: bytes) -> TradeForgeError:
    with pytest.raises(TradeForgeError) as caught:
        endpoint.read(HttpAnswer(status, body, None))
    return caught.value


@pytest.mark.parametrize(("endpoint", "code", "name"), CODES)
def test_every_code_has_the_name_that_it_has_there(
    endpoint: Endpoint[Any], code: int, name: str
) -> None:
    error = refusal(endpoint, code)
    assert isinstance(error, VenueError)
    assert (error.code, error.name) == (code, name)
    assert name in str(error)


@pytest.mark.parametrize(("endpoint", "code", "name"), CODES)
def test_only_a_code_that_proves_a_refusal_is_one(
    endpoint: Endpoint[Any], code: int, name: str
) -> None:
    proof = isinstance(refusal(endpoint, code), (OrderRejected, NotFound))
    if endpoint.write:
        assert proof == (name not in PENDING)
    else:
        assert proof == name.endswith("NotFound") or "Auth" in endpoint.path


@pytest.mark.parametrize("endpoint", [one for one, _ in NAMES], ids=lambda one: str(one.path))
def test_a_code_that_nobody_documented_stays_visible_and_proves_nothing(
    endpoint: Endpoint[Any],
) -> None:
    error = refusal(endpoint, 77, "something new")
    assert type(error) is VenueError
    assert error.code == 77
    assert "undocumented code 77: something new" in str(error)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 9, 10])
def test_a_login_that_is_refused_for_good_says_so(code: int) -> None:
    assert isinstance(refusal(_endpoints.LOGIN, code), AuthenticationError)


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        (
            "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets.",
            OrderRejected,
            "switch the account",
        ),
        (
            "Specified custom tag is already in use",
            DuplicateClientOrderId,
            "names one order for ever",
        ),
        ("Cannot trail without a last price", OrderRejected, "after the first trade"),
        (
            "Trading is currently unavailable. The instrument is not in an active trading status.",
            MarketClosed,
            "",
        ),
        ("Invalid stop loss type (Limit)", OrderRejected, ""),
    ],
)
def test_a_text_that_is_known_says_what_to_do(
    text: str, kind: type[OrderRejected], hint: str
) -> None:
    error = refusal(_endpoints.PLACE, 2, text)
    assert type(error) is kind
    assert text in str(error)
    assert hint in str(error)


def test_the_complaint_about_a_request_is_passed_on() -> None:
    body = b'{"type":"x","title":"Bad Request","status":400,"detail":"pageSize is too large"}'
    error = failure(_endpoints.QUERY_ORDERS, 400, body)
    assert str(error) == "/api/Order/v2/query: HTTP 400: pageSize is too large"
    without = failure(_endpoints.QUERY_ORDERS, 400, b'{"title":"Bad Request","detail":null}')
    assert str(without) == "/api/Order/v2/query: HTTP 400: Bad Request"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"detail":7}', b'{"detail":"a\\nb"}', b"\xff"]
)
def test_a_400_that_says_nothing_readable_is_just_that(body: bytes) -> None:
    assert str(failure(_endpoints.ORDERS, 400, body)) == "/api/Order/search: HTTP 400"


def test_an_endless_complaint_is_cut() -> None:
    body = json.dumps({"detail": "x" * 10_000}).encode()
    assert len(str(failure(_endpoints.ORDERS, 400, body))) < 400


@pytest.mark.parametrize("endpoint", [_endpoints.LOGIN, _endpoints.LOGIN_APP])
def test_a_complaint_about_a_login_may_quote_the_key(endpoint: Endpoint[Any]) -> None:
    error = failure(endpoint, 400, b'{"detail":"\'my-key\' is not a string"}')
    assert "my-key" not in str(error)
