"""No cassette tells who recorded it, and planted secrets do not get through the scrubber."""

import json
import os
import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from vcr.serializers import yamlserializer

from tradeforge_core import NotFound, Settings
from tradeforge_core.kit.hiding import HIDDEN
from tradeforge_testing import ManualClock
from tradeforge_topstepx._redaction import FAKE_IDS, Redaction
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

FOLDER = Path(__file__).parent
CASSETTES = sorted(FOLDER.glob("*.yaml"))
USER, KEY, TOKEN = "canary-user", "cAnArY/kEy=", "eyJhbGciOi.eyJ1bmlxdWVf.c2lnbmF0dXJl"
ACCOUNT, OTHER, NAME = 25775680, 26282486, "PRAC-V2-645601-47191819"
CANARIES = (USER, KEY, TOKEN, "eyJ", str(ACCOUNT), str(OTHER), NAME, "645601", "cookie", "my words")
Record = Any  # the fixture of conftest.py that records into a file


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: str(path.stem))
def test_a_cassette_holds_no_secret(path: Path) -> None:
    text = path.read_text()
    sandbox = TopStepXSandbox(port=1).settings
    for secret in ("eyJ", "Bearer", "ookie", sandbox["TS_API_KEY"], "PRAC-", "KTC-", "127.0.0.1"):
        assert secret not in text, secret
    assert not re.search(rf"\b{re.escape(sandbox['TS_USERNAME'])}\b", text)
    for account_id in re.findall(r'"accountId":\s*"?(\d+)', text):
        assert int(account_id) in FAKE_IDS
    for tag in re.findall(r'"customTag":\s*"([^"]*)"', text):
        assert re.fullmatch(r"(TAG-\d+|tf1[0-9A-Z]{26})(-SL|-TP)?", tag)


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: str(path.stem))
def test_a_cassette_keeps_little_more_than_bodies(path: Path) -> None:
    for interaction in yamlserializer.deserialize(path.read_text())["interactions"]:
        assert interaction["request"]["headers"] == {}
        assert interaction["response"]["headers"].keys() <= {"content-type", "retry-after"}
        assert interaction["request"]["uri"].startswith("https://gateway.test/api/")


def test_every_recorded_test_has_its_cassette() -> None:
    tests = re.findall(r"async def test_(\w+)", (FOLDER / "test_recorded.py").read_text())
    assert {path.stem for path in CASSETTES} == set(tests)


def _answer(request: httpx.Request) -> httpx.Response:
    """Says everything that must not be kept, in every place."""
    account = {"id": ACCOUNT, "name": NAME, "balance": 100.50, "canTrade": True}
    body = {
        "note": f"{NAME} of {USER}, account {ACCOUNT}",
        "accounts": [account, {**account, "id": str(OTHER), "name": "50KTC-1"}],
        "token": TOKEN,
        "newToken": TOKEN,
        "nested": [{"deep": {"accountId": OTHER, "text": f"Bearer {TOKEN}", "key": KEY}}],
        "orders": [{"id": 1, "accountId": str(ACCOUNT), "customTag": "my words"}],
        "numbers": [ACCOUNT, float(ACCOUNT), f"{ACCOUNT}"],
        f"name-{USER}": 1,
        "errorMessage": f"login {USER} {KEY} failed",
    }
    headers = {"set-cookie": f"cookie={TOKEN}", "x-user": USER, "www-authenticate": TOKEN}
    return httpx.Response(200, json=body, headers=headers)


async def test_canaries_in_every_place_are_scrubbed(tmp_path: Path, cassette_of: Record) -> None:
    path = tmp_path / "canaries.yaml"
    with cassette_of(path, Redaction([USER, KEY]), record=True):
        async with httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as client:
            await client.post(
                f"https://{USER}:x@api.example/api/Auth/loginKey?access_token={TOKEN}",
                json={"userName": USER, "apiKey": KEY, "accountId": ACCOUNT, "x": [ACCOUNT]},
                headers={"Authorization": f"Bearer {TOKEN}", "Cookie": f"cookie={TOKEN}"},
            )
            await client.post("https://api.example/api/x", content=f"no json: {TOKEN}")
    text = path.read_text()
    assert [canary for canary in CANARIES if canary in text] == []
    assert "100.50" in text or "100.5" in text
    first, second = (FAKE_IDS[0], FAKE_IDS[1])
    assert f'"accountId":{first}' in text and f'"accountId":{second}' in text


async def test_the_same_account_has_the_same_name_everywhere() -> None:
    redaction = Redaction()
    asked = redaction.message(b'{"accountId":25775680}')
    told = redaction.message(
        b'{"text":"of 25775680","accounts":[{"id":26282486,"name":"A","balance":1},'
        b'{"id":25775680,"name":"B","balance":2.50}],"last":"A and B"}'
    )
    assert asked == '{"accountId":1001}'
    assert told == (
        '{"text":"of 1001","accounts":[{"id":1002,"name":"ACCOUNT-1002","balance":1},'
        '{"id":1001,"name":"ACCOUNT-1001","balance":2.50}],"last":"ACCOUNT-1002 and ACCOUNT-1001"}'
    )
    assert redaction.message(told.encode()) == told, "what is redacted stays as it is"


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ("tf101KJQ0N5G00000000000000001", "tf101KJQ0N5G00000000000000001"),
        ("tf101KJQ0N5G00000000000000001-SL", "tf101KJQ0N5G00000000000000001-SL"),
        ("my strategy", "TAG-1"),
        ("tf1-my strategy", "TAG-1"),
    ],
)
def test_only_tags_of_ours_are_kept(tag: str, kept: str) -> None:
    assert Redaction().message(f'{{"customTag":"{tag}"}}'.encode()) == f'{{"customTag":"{kept}"}}'


@pytest.mark.parametrize("message", [b"\xff", b"<html>", b"{", b"[" * 100_000, b'"\\ud800"'])
def test_what_is_not_understood_is_not_kept(message: bytes) -> None:
    assert Redaction().message(message) == f"<{len(message)} bytes that are no JSON>"


def test_a_short_secret_does_not_eat_words() -> None:
    redacted = Redaction(["wi"]).message(b'{"id":1,"wide":"my wi is wi"}')
    assert redacted == '{"id":1,"wide":"my REDACTED is REDACTED"}'


@pytest.mark.parametrize(
    ("target", "redacted"),
    [("SubscribeOrders", "1001"), ("UnsubscribeTrades", "1001"), ("SubscribeContractTrades", "7")],
)
def test_the_account_of_a_subscription(target: str, redacted: str) -> None:
    call = f'{{"type":1,"target":"{target}","arguments":[7]}}'
    assert Redaction().message(call.encode()) == call.replace("[7]", f"[{redacted}]")


async def test_a_request_is_recorded_once_and_a_failed_recording_not_at_all(
    tmp_path: Path, cassette_of: Record
) -> None:
    path = tmp_path / "session.yaml"
    path.write_text("as it was")
    async with TopStepXSandbox(seed=7, clock=ManualClock()) as sandbox:
        config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings))
        with pytest.raises(NotFound), cassette_of(path, Redaction(), record=True):
            async with TopStepXProvider(config, clock=ManualClock()) as broker:
                await broker.get_contract("CON.NOPE")
        assert path.read_text() == "as it was"
        assert os.listdir(tmp_path) == [path.name]
        before = sandbox.requests.total()
        with cassette_of(path, Redaction(), record=True) as cassette:
            async with TopStepXProvider(config, clock=ManualClock()) as broker:
                await broker.get_accounts()
        assert len(cassette) == sandbox.requests.total() - before == 2


# --- in whatever spelling ---

ODD = 's3cr3t+key/with=odd&"chars\\'


@pytest.mark.parametrize(
    "spelled",
    [
        ODD,
        ODD.upper(),
        quote(ODD, safe=""),
        quote_plus(ODD).lower(),
        b64encode(ODD.encode()).decode(),
        urlsafe_b64encode(ODD.encode()).decode(),
        json.dumps({"inner": ODD}),
        json.dumps({"body": json.dumps({"inner": ODD})}),
    ],
)
def test_a_secret_is_taken_out_in_whatever_spelling(spelled: str) -> None:
    message = json.dumps({"errorMessage": f"refused: {spelled}."}).encode()
    redacted = Redaction([ODD]).message(message)
    assert HIDDEN in redacted
    assert "s3cr3t" not in redacted.casefold()
    assert b64encode(ODD.encode()).decode()[:12] not in redacted


def test_a_token_is_taken_out_of_what_comes_later_too() -> None:
    redaction = Redaction()
    redaction.message(b'{"token":"opaque-0123456789","userName":"me"}')
    later = redaction.message(b'{"errorMessage":"opaque-0123456789 is no token of me"}')
    assert later == '{"errorMessage":"REDACTED is no token of me"}'


def test_a_message_with_more_accounts_than_anybody_has_is_not_kept() -> None:
    redaction = Redaction()
    message = json.dumps([{"accountId": 10**6 + number} for number in range(1200)]).encode()
    assert redaction.message(message) == f"<{len(message)} bytes that are no JSON>"
    assert redaction.message(b'{"id":1000000}') == '{"id":1001}'
