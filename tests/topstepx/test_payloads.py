"""Messages that were captured at the real gateway, or printed in its documentation."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradeforge_core import (
    AccountUpdateEvent,
    AuthenticationError,
    DepthEvent,
    DepthLevel,
    Event,
    MarketTradeEvent,
    OrderRejected,
    OrderSide,
    OrderStatus,
    OrderType,
    OrderUpdateEvent,
    PositionUpdateEvent,
    QuoteEvent,
    UserTradeEvent,
)
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_topstepx import _endpoints, _mapping, _wire
from tradeforge_topstepx._events import EventReader

FOLDER = Path(__file__).parents[3] / "shared" / "payloads" / "projectx"
NOW = datetime(2026, 11, 23, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the captured messages are not part of a checkout"
)


def text_of(name: str) -> bytes:
    """The payload as the gateway would send it, with the digits of the file."""
    whole = json.loads((FOLDER / f"{name}.json").read_text(), parse_float=Decimal)
    return msgspec.json.Encoder(decimal_format="number").encode(whole["payload"])


def rows_of(name: str, row: type[_wire.Row]) -> list[Any]:
    return msgspec.json.decode(text_of(name), type=list[row])  # type: ignore[valid-type]


def event_of(name: str) -> Event:
    message = msgspec.json.decode(text_of(name), type=dict[str, msgspec.Raw])
    target = msgspec.json.decode(message["target"], type=str)
    ((_, event),) = EventReader().read(target, message["arguments"], NOW)
    return event


def answer_of(name: str, endpoint: _endpoints.Endpoint[Any]) -> Any:
    return endpoint.read(HttpAnswer(200, text_of(name), None))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_accounts() -> None:
    first, second = map(
        _mapping.to_account, rows_of("rest_account_search_accounts", _wire.AccountRow)
    )
    assert (first.id, first.balance) == ("25775680", Decimal("49989.34"))
    assert second.name == "PRAC-V2-645601-47191819"
    assert first.can_trade and first.simulated


def test_every_available_contract() -> None:
    rows = rows_of("rest_contract_available_contracts", _wire.ContractRow)
    contracts = [_mapping.to_contract(row) for row in rows]
    assert len(contracts) == 51
    by_id = {contract.id: contract for contract in contracts}
    assert by_id["CON.F.US.CA6.U26"].tick_size == Decimal("0.00005")
    assert by_id["CON.F.US.MNQ.U26"].point_value == 2
    assert by_id["CON.F.US.CLE.V26"].root == "CL"
    assert all(contract.active for contract in contracts)


def test_bars() -> None:
    bars = [_mapping.to_bar("C", row) for row in rows_of("rest_retrieveBars_1m", _wire.BarRow)]
    assert bars[0].time == utc("2026-08-19T20:51:00+00:00")
    assert (bars[0].high, bars[0].volume) == (Decimal("29548.75"), 148)
    assert all(bar.low <= min(bar.open, bar.close) <= bar.high for bar in bars)


def test_a_failed_and_a_good_login() -> None:
    with pytest.raises(AuthenticationError) as caught:
        answer_of("rest_auth_loginKey_failure", _endpoints.LOGIN)
    assert (caught.value.code, caught.value.name) == (3, "InvalidCredentials")
    assert answer_of("rest_auth_loginKey_response", _endpoints.LOGIN).token == "REDACTED"
    assert answer_of("rest_auth_validate_response", _endpoints.VALIDATE).newToken == "REDACTED"


def test_an_accepted_and_a_rejected_order() -> None:
    assert answer_of("rest_place_order_ok_docs", _endpoints.PLACE).orderId == 9056
    with pytest.raises(OrderRejected, match="enable Auto OCO Brackets") as caught:
        answer_of("rest_place_order_rejected_bracket_mode", _endpoints.PLACE)
    assert (caught.value.code, caught.value.order_id) == (2, "9057")


def test_a_refused_cancel() -> None:
    with pytest.raises(OrderRejected, match="Follower accounts cannot cancel orders") as caught:
        answer_of("rest_cancel_order_account_rejected", _endpoints.CANCEL)
    assert caught.value.name == "AccountRejected"


@pytest.mark.parametrize("name", ["rest_order_bracket_sl_filled", "rest_order_bracket_tp_filled"])
def test_the_orders_of_a_bracket(name: str) -> None:
    orders = [_mapping.to_order(row) for row in rows_of(name, _wire.OrderRow)]
    assert orders[0].type is OrderType.MARKET
    assert {order.status for order in orders} == {OrderStatus.FILLED, OrderStatus.CANCELLED}
    assert all(order.account_id == "26282486" for order in orders)


def test_order_search_of_the_documentation() -> None:
    (row,) = answer_of("rest_order_search_docs", _endpoints.ORDERS).orders
    order = _mapping.to_order(row)
    assert (order.id, order.side, order.status) == ("36598", OrderSide.BUY, OrderStatus.FILLED)
    assert order.average_fill_price == Decimal("6335.25")


def test_positions() -> None:
    (row,) = answer_of("rest_position_searchOpen_docs", _endpoints.POSITIONS).positions
    assert _mapping.to_position(row).size == 2
    recent = msgspec.json.decode(text_of("rest_position_row_2026"), type=_wire.PositionRow)
    position = _mapping.to_position(recent)
    assert (position.size, position.average_price) == (1, Decimal("7788.5"))


def test_trade_search_of_the_documentation() -> None:
    rows = answer_of("rest_trade_search_docs", _endpoints.TRADES).trades
    closing, opening = (_mapping.to_trade(row) for row in rows)
    assert (closing.realized_pnl, opening.realized_pnl) == (50, None)
    assert closing.fees == Decimal("1.4")


def test_a_quote() -> None:
    event = event_of("stream_GatewayQuote_delta")
    assert isinstance(event, QuoteEvent)
    assert (event.contract_id, event.bid, event.ask) == (
        "CON.F.US.MNQ.U26",
        29547,
        Decimal("29547.5"),
    )
    assert (event.last, event.volume) == (None, None)
    assert event.time == utc("2026-08-19T20:51:31.434753+00:00")


def test_a_market_trade() -> None:
    event = event_of("stream_GatewayTrade")
    assert isinstance(event, MarketTradeEvent)
    assert (event.price, event.size, event.aggressor) == (Decimal("7730.5"), 1, OrderSide.SELL)


def test_depth() -> None:
    event = event_of("stream_GatewayDepth")
    assert isinstance(event, DepthEvent)
    assert event.best_bid == DepthLevel(Decimal(29547), Decimal(2))
    batch = event_of("stream_GatewayDepth_batch_best_levels")
    assert isinstance(batch, DepthEvent)
    assert batch.best_bid == DepthLevel(Decimal("28464.25"), Decimal(1))
    assert batch.best_ask == DepthLevel(Decimal("28464.75"), Decimal(8))


@pytest.mark.parametrize(
    ("name", "balance"),
    [
        ("stream_GatewayUserAccount", "149848.64"),
        ("stream_GatewayUserAccount_after_fill", "150175.38"),
    ],
)
def test_an_account_update(name: str, balance: str) -> None:
    event = event_of(name)
    assert isinstance(event, AccountUpdateEvent)
    assert event.account.balance == Decimal(balance)


def test_an_order_update() -> None:
    event = event_of("stream_GatewayUserOrder_pending")
    assert isinstance(event, OrderUpdateEvent)
    order = event.order
    assert (order.id, order.account_id) == ("2934939764", "20258288")
    assert (order.status, order.type, order.size) == (OrderStatus.PENDING, OrderType.MARKET, 15)
    assert order.created_at == event.time == utc("2026-05-06T13:36:03.496279+00:00")


def test_a_position_update() -> None:
    event = event_of("stream_GatewayUserPosition_open")
    assert isinstance(event, PositionUpdateEvent)
    assert (event.position.size, event.position.average_price) == (15, 49909)


def test_a_fill() -> None:
    event = event_of("stream_GatewayUserTrade_opening")
    assert isinstance(event, UserTradeEvent)
    trade = event.trade
    assert (trade.order_id, trade.price, trade.size) == ("2934939816", 49909, 15)
    assert (trade.fees, trade.commissions) == (Decimal("5.55"), Decimal("3.75"))
    assert trade.realized_pnl is None
