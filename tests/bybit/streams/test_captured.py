"""Messages of the sockets that the venue has really sent, or printed in its documentation."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradeforge_bybit import _frames, _mapping
from tradeforge_bybit._account_events import AccountReader
from tradeforge_bybit._market_events import MarketReader
from tradeforge_core import (
    AccountUpdateEvent,
    BarEvent,
    BarSpan,
    BarUnit,
    Event,
    MarketDataType,
    MarketTradeEvent,
    OrderSide,
    Topic,
    UserDataType,
    UserTradeEvent,
)

FOLDER = Path(__file__).parents[4] / "shared" / "payloads" / "bybit"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the captured messages are not on this machine"
)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def payload(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())["payload"]


def frame(message: Any) -> _frames.Frame:
    return _frames.read(json.dumps(message).encode())


def private_events(name: str, kind: UserDataType) -> Iterable[Event]:
    reader = AccountReader(
        "7", lambda row: _mapping.to_account(row, "7", simulated=True, may_trade=True)
    )
    return reader.read(Topic(kind, "7"), frame(payload(name)), NOW)


def market_event(name: str, topic: Topic) -> Any:
    (event,) = MarketReader().read(topic, frame(payload(name)), NOW)
    return event


def test_a_fill() -> None:
    (event,) = private_events("ws_execution", UserDataType.USER_TRADE)
    assert isinstance(event, UserTradeEvent)
    trade = event.trade
    assert (trade.id, trade.side) == ("0ab1bdf7-4219-438b-b30a-32ec863018f7", OrderSide.SELL)
    assert (trade.price, trade.size) == (Decimal("95900.1"), Decimal("0.5"))
    assert trade.realized_pnl == Decimal("0.05")
    assert event.time == datetime(2025, 5, 3, 11, 6, 40, 353_000, tzinfo=UTC)


def test_an_order_of_an_option_is_left_out() -> None:
    assert list(private_events("ws_order", UserDataType.ORDER_UPDATE)) == []


def test_a_wallet() -> None:
    (event,) = private_events("ws_wallet", UserDataType.ACCOUNT_UPDATE)
    assert isinstance(event, AccountUpdateEvent)
    assert event.account.balance == Decimal("9684.46297164")
    assert event.time == datetime(2023, 11, 15, 7, 52, 2, 104_000, tzinfo=UTC)


def test_a_trade_of_the_market() -> None:
    event = market_event("ws_public_trade", Topic(MarketDataType.TRADE, "linear:BTCUSDT"))
    assert isinstance(event, MarketTradeEvent)
    assert (event.price, event.size, event.aggressor) == (
        Decimal("16578.50"),
        Decimal("0.001"),
        OrderSide.BUY,
    )


def test_a_candle() -> None:
    span = BarSpan(BarUnit.MINUTE, 5)
    event = market_event("ws_kline", Topic(MarketDataType.BAR, "linear:BTCUSDT", span))
    assert isinstance(event, BarEvent)
    assert (event.bar.close, event.bar.partial, event.span) == (Decimal(16677), True, span)


@pytest.mark.parametrize("name", ["pong_public_spot", "pong_public_linear", "pong_trade"])
def test_a_pong_that_looks_like_an_answer_names_what_it_is(name: str) -> None:
    said = frame(payload("ws_control_frames")[name])
    assert (said.is_answer, said.number) == (True, "")
    assert said.op in ("ping", "pong")


@pytest.mark.parametrize("name", ["pong_option", "pong_private"])
def test_a_pong_is_no_answer(name: str) -> None:
    assert not frame(payload("ws_control_frames")[name]).is_answer


def test_confirmations_and_refusals_are_told_apart() -> None:
    said = {name: frame(one) for name, one in payload("ws_control_frames").items()}
    taken = {name for name, one in said.items() if one.success or one.retCode == 0}
    assert {name for name, one in said.items() if one.success is False} == {
        "private_auth_error_old",
        "bad_op_error",
    }
    assert {"private_auth_ok", "trade_auth_ok", "subscribe_ack_private"} <= taken
    assert said["subscribe_ack_public_spot"].number == "10001"
