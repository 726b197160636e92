"""Damaged answers of Bybit, read and mapped as the provider does it: a model, or a named error."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bybit.small_venue import INSTRUMENTS, Row, new_order, position

from tradeforge_bybit import _checks, _endpoints, _mapping, _orders, _wire
from tradeforge_bybit._endpoints import Endpoint
from tradeforge_core import DecodeError, OrderStatus, OrderType, VenueError
from tradeforge_core.kit.http import HttpAnswer
from tradeforge_testing.fuzzing import fuzz

CASES = 2_000

EXECUTION = {
    "symbol": "BTCUSDT",
    "orderId": "id-8",
    "orderLinkId": "mine",
    "side": "Sell",
    "orderType": "Market",
    "orderQty": "0.5",
    "leavesQty": "0",
    "execId": "e-1",
    "execPrice": "100.5",
    "execQty": "0.5",
    "execType": "Trade",
    "execFee": "-0.03",
    "feeCurrency": "USDT",
    "closedSize": "0.5",
    "execTime": "1700000000000",
}
WALLET = {
    "accountType": "UNIFIED",
    "totalWalletBalance": "1000.5",
    "coin": [
        {
            "coin": "BTC",
            "walletBalance": "1.5",
            "locked": "0",
            "bonus": "0",
            "totalOrderIM": "0",
            "totalPositionIM": "0.5",
        }
    ],
}
ORDER = new_order(
    "id-1",
    1_700_000_000_000,
    category="linear",
    symbol="BTCUSDT",
    side="Buy",
    orderType="Limit",
    qty="1.5",
    price="100.5",
    triggerPrice="110",
    triggerDirection=1,
)

Map = Callable[[Any], Iterable[object]]


def _in_every_category(make: Callable[[Any, str], object]) -> Map:
    return lambda found: [make(row, one) for row in found.list for one in ("linear", "spot")]


SHAPES: dict[str, tuple[Endpoint[Any], list[Row], Map]] = {
    "instruments": (
        _endpoints.INSTRUMENTS,
        [
            INSTRUMENTS[0],
            INSTRUMENTS[-1]
            | {"lotSizeFilter": {**INSTRUMENTS[-1]["lotSizeFilter"], "qtyStep": "1"}},
        ],
        _in_every_category(_mapping.to_contract),
    ),
    "orders": (
        _endpoints.REALTIME,
        [ORDER, ORDER | {"orderStatus": "PartiallyFilledCanceled", "orderType": "Market"}],
        _in_every_category(lambda row, category: _orders.to_order(row, category, "7")),
    ),
    "positions": (
        _endpoints.POSITIONS,
        [position("1.5"), position("2", "Sell", 2)],
        lambda found: [_mapping.to_position(row, "linear", "7") for row in found.list],
    ),
    "fills": (
        _endpoints.EXECUTIONS,
        [EXECUTION],
        lambda found: [
            *(
                _mapping.to_trade(row, "linear", "7", _checks.number("99", "x"))
                for row in found.list
            ),
            *_orders.of_fills(found.list, "spot", "7"),
        ],
    ),
    "wallet": (
        _endpoints.WALLET,
        [WALLET],
        lambda found: [
            _mapping.to_account(row, "7", simulated=True, may_trade=True) for row in found.list
        ],
    ),
    "candles": (
        _endpoints.KLINE,
        [["1700000000000", "1", "4", "0.5", "2", "7.5", "9"]],  # type: ignore[list-item]
        lambda found: [_mapping.to_bar("linear:X", row) for row in found.list],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_damaged_answer_is_understood_or_named(name: str) -> None:
    endpoint, rows, make = SHAPES[name]
    body = {"retCode": 0, "retMsg": "OK", "result": {"list": rows, "nextPageCursor": "x"}}

    def read(message: bytes) -> Iterable[object]:
        return make(endpoint.read(HttpAnswer(200, message, None)))

    survey = fuzz(
        read, [json.dumps(body).encode()], cases=CASES, seed=1, may_raise=(DecodeError, VenueError)
    )
    assert survey.understood > CASES / 100


WORDS = st.sampled_from(["", "0", "0.00", "1.5", "-1", "UNKNOWN", "NaN", "1e5", " 1", "١", "1_0"])


@given(st.text() | WORDS | st.none())
def test_a_text_is_a_number_or_named(text: str | None) -> None:
    for check in (_checks.number, _checks.number_or_none, _checks.size, _checks.positive_or_none):
        try:
            found = check(text, "member")
        except DecodeError as error:
            assert error.path == "$.member"
        else:
            assert found is None or found.is_finite()


@given(st.text() | st.integers().map(str) | st.none())
def test_a_text_is_a_time_or_named(text: str | None) -> None:
    try:
        found = _checks.time_or_none(text, "member")
    except DecodeError:
        return
    if found is not None:
        assert _checks.to_milliseconds(found) == int(text or "")


@given(
    kind=st.sampled_from(["Market", "Limit", "UNKNOWN"]) | st.text(),
    status=st.sampled_from(sorted(_orders.STATUSES)) | st.text(),
    side=st.sampled_from(["Buy", "Sell"]),
    category=st.sampled_from(["linear", "inverse", "spot"]),
    trigger=st.sampled_from(["", "0", "0.00", "110", None]),
    direction=st.sampled_from([0, 1, 2, None, 7]),
    stop=st.sampled_from(["", "UNKNOWN", "Stop", "TakeProfit", "TrailingStop", None]),
    filled=st.sampled_from(["", "0", "0.5", "1"]),
    unit=st.sampled_from(["", "baseCoin", "quoteCoin", None]),
)
def test_whatever_an_order_says_it_is_one(
    kind: str,
    status: str,
    side: str,
    category: str,
    trigger: str | None,
    direction: int | None,
    stop: str | None,
    filled: str,
    unit: str | None,
) -> None:
    row = _wire.OrderRow(
        orderId="1",
        symbol="BTCUSDT",
        side=side,
        orderType=kind,
        orderStatus=status,
        qty="1",
        price="100",
        triggerPrice=trigger,
        triggerDirection=direction,
        stopOrderType=stop,
        cumExecQty=filled,
        marketUnit=unit,
    )
    order = _orders.to_order(row, category, "7")
    assert (order.limit_price is None) is (
        order.type not in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)
    )
    if status not in _orders.STATUSES:
        assert order.status is OrderStatus.UNKNOWN
    if order.in_quote:
        assert (category, kind) == ("spot", "Market")
        assert side == "Buy" or unit == "quoteCoin"
    if order.type is OrderType.STOP and direction in (1, 2):
        assert (side == "Buy") is (direction == 1)
