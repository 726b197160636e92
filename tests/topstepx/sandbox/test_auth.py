"""Who gets a token, and what a token is good for."""

import json
from base64 import urlsafe_b64decode

import httpx
import pytest

from tradeforge_testing import ManualClock
from tradeforge_topstepx.sandbox import TopStepXSandbox

KEY = {"userName": "sandbox", "apiKey": "sandbox-key"}
APP = {
    "userName": "sandbox",
    "password": "sandbox-key",
    "deviceId": "device",
    "appId": "app",
    "verifyKey": "key",
}
ACCOUNTS = "/api/Account/search"
ALL = {"onlyActiveAccounts": False}


@pytest.mark.parametrize("name", ["sandbox", "SandBox"])
async def test_the_key_login_gives_a_token_whatever_the_case_of_the_name(
    anonymous: httpx.AsyncClient, name: str
) -> None:
    response = await anonymous.post("/api/Auth/loginKey", json=KEY | {"userName": name})
    body = response.json()
    assert list(body) == ["token", "success", "errorCode", "errorMessage"]
    assert (body["success"], body["errorCode"], body["errorMessage"]) == (True, 0, None)


async def test_a_token_is_a_json_web_token_that_expires_in_a_day(
    token: str, clock: ManualClock
) -> None:
    header, claims, signature = token.split(".")
    assert json.loads(_plain(header)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(_plain(claims))["exp"] == clock.now().timestamp() + 86_400
    assert len(_plain(signature)) == 32


def _plain(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize("wrong", [{"apiKey": "other"}, {"userName": "nobody"}, {"apiKey": ""}])
async def test_a_wrong_key_or_name_is_code_3_and_no_token(
    anonymous: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    response = await anonymous.post("/api/Auth/loginKey", json=KEY | wrong)
    expected = {"token": None, "success": False, "errorCode": 3, "errorMessage": None}
    assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.parametrize(
    ("change", "code"), [({}, 0), ({"userName": "nobody"}, 1), ({"password": "other"}, 2)]
)
async def test_the_application_login_tells_name_and_password_apart(
    anonymous: httpx.AsyncClient, change: dict[str, str], code: int
) -> None:
    response = await anonymous.post("/api/Auth/loginApp", json=APP | change)
    assert response.json()["errorCode"] == code
    assert bool(response.json()["token"]) is (code == 0)


@pytest.mark.parametrize("missing", ["userName", "apiKey"])
async def test_a_login_without_a_member_is_a_400(
    anonymous: httpx.AsyncClient, missing: str
) -> None:
    body = {name: value for name, value in KEY.items() if name != missing}
    response = await anonymous.post("/api/Auth/loginKey", json=body)
    assert response.status_code == 400


async def test_validate_gives_another_token_and_the_old_one_still_counts(
    http: httpx.AsyncClient, token: str
) -> None:
    renewed = (await http.post("/api/Auth/validate")).json()["newToken"]
    assert renewed != token
    for one in (token, renewed):
        headers = {"Authorization": f"Bearer {one}"}
        assert (await http.post(ACCOUNTS, json=ALL, headers=headers)).status_code == 200


async def test_validate_accepts_an_empty_object_for_a_body(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/Auth/validate", json={})).json()["success"]


async def test_logging_in_again_leaves_the_first_token_alone(http: httpx.AsyncClient) -> None:
    await http.post("/api/Auth/loginKey", json=KEY)
    assert (await http.post(ACCOUNTS, json=ALL)).status_code == 200


async def test_a_token_ends_with_logout(http: httpx.AsyncClient) -> None:
    body = (await http.post("/api/Auth/logout")).json()
    assert body == {"success": True, "errorCode": 0, "errorMessage": None}
    assert (await http.post(ACCOUNTS, json=ALL)).status_code == 401


async def test_without_a_token_the_answer_is_an_empty_401(anonymous: httpx.AsyncClient) -> None:
    response = await anonymous.post(ACCOUNTS, json=ALL)
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("bad", ["a", "a.b", "a.b.c", "ä.ö.ü", "." * 50])
async def test_nonsense_for_a_token_is_a_401(anonymous: httpx.AsyncClient, bad: str) -> None:
    headers = {b"Authorization": f"Bearer {bad}".encode()}
    response = await anonymous.post(ACCOUNTS, json=ALL, headers=headers)
    assert response.status_code == 401


async def test_a_changed_token_is_a_401_that_calls_it_invalid(
    anonymous: httpx.AsyncClient, token: str
) -> None:
    header, claims, signature = token.split(".")
    forged = f"{header}.{claims[:-2]}xx.{signature}"
    response = await anonymous.post(
        ACCOUNTS, json=ALL, headers={"Authorization": f"Bearer {forged}"}
    )
    assert response.status_code == 401
    said = response.headers["WWW-Authenticate"]
    assert said.startswith('Bearer error="invalid_token", error_description="')


async def test_a_token_in_the_query_does_not_count_for_rest(
    anonymous: httpx.AsyncClient, token: str
) -> None:
    response = await anonymous.post(f"{ACCOUNTS}?access_token={token}", json=ALL)
    assert response.status_code == 401


async def test_a_token_is_refused_once_its_day_is_over(
    http: httpx.AsyncClient, clock: ManualClock
) -> None:
    clock.advance(86_399)
    assert (await http.post(ACCOUNTS, json=ALL)).status_code == 200
    clock.advance(1)
    assert (await http.post(ACCOUNTS, json=ALL)).status_code == 401


async def test_expire_tokens_refuses_those_there_are_and_not_the_next(
    http: httpx.AsyncClient, sandbox: TopStepXSandbox
) -> None:
    sandbox.expire_tokens()
    assert (await http.post(ACCOUNTS, json=ALL)).status_code == 401
    token = (await http.post("/api/Auth/loginKey", json=KEY)).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await http.post(ACCOUNTS, json=ALL, headers=headers)).status_code == 200
