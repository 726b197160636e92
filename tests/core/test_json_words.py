"""What a venue says in JSON becomes a model whole, or an error that says what was wrong."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tradeforge_core import DecodeError, Order, OrderSide, OrderStatus, OrderType, Trade
from tradeforge_core.kit.json_words import model_of, object_of, understanding

NAMES = {"contract_id": "instrument", "client_order_id": "tag"}
ROW: dict[str, Any] = {
    "id": 7,
    "account_id": "1",
    "instrument": "XYZ",
    "tag": None,
    "side": "buy",
    "type": "limit",
    "status": "working",
    "size": 2,
    "filled_size": "0",
    "limit_price": "20000.250",
    "created_at": "2026-01-02T03:04:05+01:00",
}


def test_a_row_becomes_a_model_with_all_its_digits() -> None:
    order = model_of(Order, ROW, NAMES)
    assert order == Order(
        id="7",
        account_id="1",
        contract_id="XYZ",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        status=OrderStatus.WORKING,
        size=Decimal(2),
        limit_price=Decimal("20000.250"),
        created_at=datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
    )
    assert str(order.limit_price) == "20000.250"
    assert order.raw == ROW


def test_a_newer_word_is_unknown_where_there_is_such_a_member() -> None:
    order = model_of(Order, {**ROW, "status": "dreaming", "type": "iceberg"}, NAMES)
    assert (order.status, order.type) == (OrderStatus.UNKNOWN, OrderType.UNKNOWN)


@pytest.mark.parametrize("missing", ["id", "size", "filled_size", "side", "tag"])
def test_what_is_not_said_is_not_invented(missing: str) -> None:
    row = {name: value for name, value in ROW.items() if name != missing}
    with pytest.raises(DecodeError, match=missing), understanding("an order"):
        model_of(Order, row, NAMES)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", True),
        ("id", 1.5),
        ("id", None),
        ("size", 0.1),
        ("size", "NaN"),
        ("size", True),
        ("size", None),
        ("side", "hold"),
        ("side", 1),
        ("limit_price", "1e999999999"),
        ("limit_price", []),
        ("created_at", "2026-01-02T03:04:05"),
        ("created_at", 5),
    ],
)
def test_what_does_not_fit_is_not_understood(member: str, value: object) -> None:
    with pytest.raises(DecodeError), understanding("an order"):
        model_of(Order, {**ROW, member: value}, NAMES)


def test_a_truth_is_no_number() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        model_of(Trade, {**ROW, "order_id": 1, "price": 1, "voided": 0}, NAMES)


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"[1]", b"7", b'{"a": NaN}', b"{", b"\xff", b"[" * 9999]
)
def test_what_is_no_object_is_not_understood(text: bytes) -> None:
    with pytest.raises(DecodeError), understanding("an answer"):
        object_of(text)


def test_numbers_keep_their_digits() -> None:
    assert str(object_of(b'{"price": 0.10}')["price"]) == "0.10"
