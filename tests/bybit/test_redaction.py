"""Nothing that a recording of Bybit keeps says who you are."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.bybit.small_venue import ACCOUNT, KEY, SECRET, SETTINGS, SmallVenue

from tradeforge_bybit._redaction import Redaction
from tradeforge_core import (
    Account,
    Balance,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    load_provider,
)
from tradeforge_core.kit.record_to import RecordTo
from tradeforge_core.orders.client_ids import new_client_order_id
from tradeforge_testing import ManualClock

SECRETS = ("my-api-key", "my-api-secret")


@pytest.fixture
def redaction() -> Redaction:
    return Redaction(SECRETS)


def test_the_key_and_the_account_are_hidden(redaction: Redaction) -> None:
    said = {
        "result": {
            "userID": 1448939,
            "apiKey": "XX",
            "note": "my bot",
            "ips": ["1.2.3.4"],
            "secret": "",
            "uta": 1,
            "about": "user 1448939 with my-api-key",
        }
    }
    kept = json.loads(redaction.message(json.dumps(said).encode()))["result"]
    assert kept == {
        "userID": 1001,
        "apiKey": "REDACTED",
        "note": "REDACTED",
        "ips": "REDACTED",
        "secret": "",
        "uta": 1,
        "about": "user 1001 with REDACTED",
    }


def test_a_login_of_a_socket_is_hidden(redaction: Redaction) -> None:
    said = b'{"op":"auth","args":["other-key",1700000000000,"abcdef"]}'
    assert redaction.message(said) == '{"op":"auth","args":["REDACTED"]}'


def test_the_number_of_a_push_is_hidden(redaction: Redaction) -> None:
    said = b'{"id":"1448939_order_1","topic":"order","data":[{"orderId":"x"}]}'
    assert json.loads(redaction.message(said)) == {
        "id": "REDACTED",
        "topic": "order",
        "data": [{"orderId": "x"}],
    }


def test_names_that_are_not_ours_are_replaced_and_stay_together(redaction: Redaction) -> None:
    ours = new_client_order_id(ManualClock().now())
    said = [{"orderLinkId": one} for one in ("plan-b", ours, "plan-b", "", "TAG-7")]
    kept = json.loads(redaction.message(json.dumps(said).encode()))
    assert [one["orderLinkId"] for one in kept] == ["TAG-1", ours, "TAG-1", "", "TAG-7"]


def test_a_query_is_redacted_like_an_answer(redaction: Redaction) -> None:
    said = b"category=linear&orderLinkId=plan-b&cursor=a%253A1"
    assert redaction.message(said) == "category=linear&orderLinkId=TAG-1&cursor=a%253A1"


@pytest.mark.parametrize(
    "message", [b"\xff\xfe", b'{"a":', b"my-api-key", b'{"a":NaN}', b'{"a":1e999}', b"[" * 9999]
)
def test_what_is_not_understood_is_not_kept(redaction: Redaction, message: bytes) -> None:
    assert redaction.message(message) == f"<{len(message)} bytes that are no JSON>"
    assert redaction.message(b"") == ""


def test_models_are_as_redacted_messages_would_have_made_them(redaction: Redaction) -> None:
    account = Account(
        id="1448939",
        name="UNIFIED",
        balance=Decimal(5),
        can_trade=True,
        balances=(Balance(currency="BTC", total=Decimal(1)),),
    )
    order = Order(
        id="x",
        account_id="1448939",
        contract_id="linear:BTCUSDT",
        client_order_id="plan-b",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        status=OrderStatus.WORKING,
        size=Decimal(1),
    )
    assert redaction.model(account).id == "1001"
    assert redaction.model(account).balances == account.balances
    hidden = redaction.model(order)
    assert (hidden.account_id, hidden.client_order_id) == ("1001", "TAG-1")
    assert (hidden.id, hidden.side, hidden.size) == ("x", OrderSide.BUY, 1)


async def test_a_recording_has_what_was_asked_and_nothing_of_the_key(
    venue: SmallVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path / "state"))
    settings = SETTINGS | {"BYBIT_REST_URL": venue.url}
    broker = load_provider("bybit", settings=settings)
    broker.record_to = RecordTo(path=tmp_path / "day.jsonl")
    async with broker:
        (account,) = await broker.get_accounts()
        await broker.get_open_orders(account.id)
    assert broker.recorder is not None
    text = broker.recorder.path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    asked = {(one["path"], one["text"]) for one in lines if one["direction"] == "ask"}
    assert ("/v5/account/wallet-balance", "accountType=UNIFIED") in asked
    for hidden in (KEY, SECRET, ACCOUNT, "X-BAPI"):
        assert hidden not in text
