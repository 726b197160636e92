"""What each code of Bybit says: which ones prove that nothing was done."""

import pytest

from tradeforge_bybit import _endpoints, _errors
from tradeforge_bybit._errors import Kind
from tradeforge_core import (
    AuthenticationError,
    DecodeError,
    DuplicateClientOrderId,
    MarketClosed,
    NotFound,
    OrderRejected,
    RateLimited,
    VenueError,
)
from tradeforge_core.kit.http import HttpAnswer

NO_PROOF = (429, 10000, 10014, 10016, 10019, 20006, 110030, 110079, 170001, 170007, 170310, 4242)
"""After these an order may be there."""


def answer(code: int, text: str = "said", status: int = 200) -> HttpAnswer:
    body = f'{{"retCode":{code},"retMsg":"{text}","result":{{}}}}'
    return HttpAnswer(status, body.encode(), None)


@pytest.mark.parametrize("code", NO_PROOF)
def test_what_proves_nothing_is_no_refusal(code: int) -> None:
    with pytest.raises(VenueError) as caught:
        _endpoints.CREATE.read(answer(code))
    assert type(caught.value) is VenueError
    assert caught.value.code == code


def test_everything_else_that_is_documented_says_what_became_of_the_request() -> None:
    unknown = {code for code, one in _errors.CODES.items() if one.kind is Kind.UNKNOWN}
    assert unknown == set(NO_PROOF) - {4242}


@pytest.mark.parametrize(
    ("code", "of_write", "of_read"),
    [
        (110007, OrderRejected, VenueError),
        (110016, OrderRejected, VenueError),
        (110040, OrderRejected, VenueError),
        (110090, OrderRejected, VenueError),
        (110063, MarketClosed, VenueError),
        (110066, MarketClosed, VenueError),
        (10003, OrderRejected, AuthenticationError),
        (10002, OrderRejected, AuthenticationError),
        (-1, OrderRejected, AuthenticationError),
        (-2015, OrderRejected, AuthenticationError),
        (10006, OrderRejected, RateLimited),
        (110001, NotFound, NotFound),
        (170213, NotFound, NotFound),
        (110072, DuplicateClientOrderId, VenueError),
        (170141, DuplicateClientOrderId, VenueError),
    ],
)
def test_a_code_of_a_write_and_of_a_read(
    code: int, of_write: type[VenueError], of_read: type[VenueError]
) -> None:
    for endpoint, kind in ((_endpoints.CREATE, of_write), (_endpoints.WALLET, of_read)):
        with pytest.raises(VenueError) as caught:
            endpoint.read(answer(code))
        assert type(caught.value) is kind
        assert caught.value.name == _errors.CODES[code].name
        assert "said" in str(caught.value)


@pytest.mark.parametrize("code", [0, 110025, 110026, 110027, 110043, 34040, 170190, 170212])
def test_what_was_so_already_is_success(code: int) -> None:
    for endpoint in (_endpoints.CANCEL, _endpoints.AMEND):
        endpoint.read(answer(code))


@pytest.mark.parametrize("text", ["OK", "success", "SUCCESS", ""])
def test_success_is_a_code_and_no_text(text: str) -> None:
    _endpoints.CANCEL.read(answer(0, text))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"", DecodeError),
        (200, b"[]", DecodeError),
        (200, b'{"retCode":"x"}', DecodeError),
        (200, b"<html>", DecodeError),
        (400, b"<html>", VenueError),
        (401, b"", AuthenticationError),
        (403, b"<html>", RateLimited),
        (429, b"", RateLimited),
        (500, b'{"retCode":110007,"retMsg":"","result":{}}', VenueError),
        (502, b"<html>", VenueError),
        (403, b'{"retCode":0,"retMsg":"OK","result":{}}', RateLimited),
    ],
    ids=str,
)
def test_what_is_no_answer_of_the_venue_proves_nothing(
    status: int, body: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        _endpoints.CREATE.read(HttpAnswer(status, body, None))
    assert type(caught.value) is error


def test_a_refusal_may_come_with_another_status() -> None:
    with pytest.raises(OrderRejected):
        _endpoints.CREATE.read(answer(10006, status=403))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (10001, "empty value: apiTimestamp[1] apiKey[k3y] apiSignature[abc]: sign params error!"),
        (10004, "error sign! origin_string[1700000000000k3y5000category=linear]"),
        (10004, "Error sign, please check your algorithm: origin_string[1700000000000k3y5000]"),
        (10004, "error sign! origin_string[api_key=k3y&symbol=BTCUSD] sign_string[abc]"),
    ],
    ids=str,
)
def test_the_venue_may_not_repeat_the_key(code: int, said: str) -> None:
    for endpoint in (_endpoints.WALLET, _endpoints.CREATE):
        with pytest.raises(VenueError) as caught:
            endpoint.read(answer(code, said))
        assert "k3y" not in str(caught.value)
        assert said[:8] in str(caught.value)


def test_a_wrong_answer_is_named_and_not_quoted() -> None:
    body = b'{"retCode":0,"result":{"orderId":5}}'
    with pytest.raises(DecodeError, match="/v5/order/create") as caught:
        _endpoints.CREATE.read(HttpAnswer(200, body, None))
    assert caught.value.path == "$.orderId"
