"""Messages that the venue has really sent, or printed in its documentation, member by member."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec
import pytest

from tradeforge_bybit import _endpoints, _mapping, _orders, _wire
from tradeforge_bybit._endpoints import Endpoint
from tradeforge_core import (
    AssetClass,
    NotFound,
    OrderSide,
    OrderStatus,
    OrderType,
)
from tradeforge_core.kit.http import HttpAnswer

R = TypeVar("R")
FOLDER = Path(__file__).parents[3] / "shared" / "payloads" / "bybit"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the captured messages are not on this machine"
)


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())["payload"]
    return found


def result(endpoint: Endpoint[R], name: str) -> R:
    return endpoint.read(HttpAnswer(200, json.dumps(payload(name)).encode(), None))


def time(*parts: int, ms: int = 0) -> datetime:
    return datetime(*parts, microsecond=1000 * ms, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_the_time() -> None:
    assert result(_endpoints.TIME, "rest_market_time").timeNano == "1688639403423213947"


def test_the_key() -> None:
    key = result(_endpoints.KEY, "rest_user_query_api")
    assert (key.userID, key.readOnly, key.uta) == (1448939, 1, 1)


def test_a_linear_contract() -> None:
    (row,) = result(_endpoints.INSTRUMENTS, "rest_instruments_linear").list
    contract = _mapping.to_contract(row, "linear")
    assert (contract.id, contract.symbol, contract.root) == (
        "linear:BTCUSDT",
        "BTCUSDT",
        "BTCUSDT",
    )
    assert contract.description == "BTC/USDT perpetual, settled in USDT"
    assert (contract.tick_size, contract.tick_value, contract.point_value) == (
        Decimal("0.10"),
        Decimal("0.10"),
        1,
    )
    assert (contract.size_step, contract.min_size, contract.max_size) == (
        Decimal("0.001"),
        Decimal("0.001"),
        1190,
    )
    assert (contract.min_notional, contract.quote_step) == (5, None)
    assert (contract.base, contract.quote, contract.settle) == ("BTC", "USDT", "USDT")
    assert contract.asset_class is AssetClass.PERPETUAL
    assert contract.active and contract.raw is row


def test_a_spot_contract() -> None:
    (row,) = result(_endpoints.INSTRUMENTS, "rest_instruments_spot").list
    contract = _mapping.to_contract(row, "spot")
    assert (contract.id, contract.root) == ("spot:BTCUSDT", "BTCUSDT")
    assert (contract.tick_size, contract.tick_value) == (Decimal("0.1"), Decimal("0.1"))
    assert (contract.size_step, contract.quote_step) == (
        Decimal("0.000001"),
        Decimal("0.0000001"),
    )
    assert (contract.min_size, contract.max_size, contract.min_notional) == (None, 83, 5)
    assert (contract.base, contract.quote, contract.settle) == ("BTC", "USDT", "USDT")
    assert contract.asset_class is AssetClass.SPOT


def test_candles() -> None:
    rows = result(_endpoints.KLINE, "rest_kline_linear_1h").list
    newest, *_, oldest = [_mapping.to_bar("linear:BTCUSDT", row) for row in rows]
    assert newest.time == time(2024, 1, 30, 18)
    assert oldest.time == time(2024, 1, 30, 16)
    assert (newest.open, newest.high, newest.low, newest.close, newest.volume) == (
        Decimal("43376.1"),
        Decimal("43474.1"),
        Decimal("43264.8"),
        Decimal("43352.8"),
        Decimal("1575.305"),
    )


def test_an_order_book() -> None:
    book = result(_endpoints.ORDER_BOOK, "rest_orderbook_linear")
    assert (book.s, book.u, book.seq, book.cts) == ("BTCUSDT", 342690, 429272667, None)
    event = _mapping.to_depth("linear:BTCUSDT", book, time(2024, 2, 1))
    assert event.reset and event.sequence == 342690
    assert event.bids[0] == event.best_bid == (Decimal("42544.7"), Decimal("172.404"))
    assert event.asks[-1] == (Decimal("42548.2"), Decimal("75.008"))
    assert event.time == time(2024, 2, 1, 16, 12, 28, ms=569)


@pytest.mark.parametrize("category", ["linear", "spot"])
def test_tickers(category: str) -> None:
    (row,) = result(_endpoints.TICKERS, f"rest_tickers_{category}").list
    ticker = _mapping.to_ticker(f"{category}:BTCUSDT", row)
    told = {name for name in attrs.fields_dict(type(ticker)) if getattr(ticker, name) is None}
    only_derivatives = {"mark", "index", "funding_rate", "next_funding", "open_interest"}
    assert told == (only_derivatives if category == "spot" else set())


def test_a_ticker_member_by_member() -> None:
    (row,) = result(_endpoints.TICKERS, "rest_tickers_linear").list
    ticker = _mapping.to_ticker("linear:BTCUSDT", row)
    assert (ticker.last, ticker.mark, ticker.index) == (
        Decimal("51444.40"),
        Decimal("51444.40"),
        Decimal("51469.95"),
    )
    assert (ticker.bid, ticker.bid_size, ticker.ask, ticker.ask_size) == (
        Decimal("51444.30"),
        Decimal("55.841"),
        Decimal("51444.40"),
        Decimal("491.691"),
    )
    assert (ticker.change_24h, ticker.funding_rate) == (
        Decimal("0.025861"),
        Decimal("-0.00046295"),
    )
    assert ticker.next_funding == time(2024, 2, 14, 16)
    assert ticker.open_interest == Decimal("225766.793")


def test_a_wallet() -> None:
    (row,) = result(_endpoints.WALLET, "rest_wallet_balance_unified").list
    account = _mapping.to_account(row, "1448939", simulated=False, may_trade=True)
    assert (account.id, account.name, account.currency) == ("1448939", "UNIFIED", "USD")
    assert account.balance == Decimal("90060.46626531")
    (coin,) = account.balances
    assert (coin.currency, coin.total) == ("USDC", Decimal("5848.20013918"))
    assert coin.available == Decimal("5848.20013918") - Decimal("3.18541012")


def test_a_position() -> None:
    (row,) = result(_endpoints.POSITIONS, "rest_position_list_linear").list
    position = _mapping.to_position(row, "linear", "7")
    assert (position.account_id, position.contract_id) == ("7", "linear:BTCUSDT")
    assert (position.size, position.average_price) == (Decimal("0.01"), Decimal("177489.6"))
    assert position.hedge_side is None and position.opened_at is None


def test_an_order_that_was_cancelled() -> None:
    (row,) = result(_endpoints.HISTORY, "rest_order_history_linear_cancelled_by_user").list
    order = _orders.to_order(row, "linear", "7")
    assert (order.id, order.client_order_id) == ("03234de9-1332-41eb-b805-4a9f42c136a3", "test-001")
    assert (order.side, order.type, order.status) == (
        OrderSide.SELL,
        OrderType.LIMIT,
        OrderStatus.CANCELLED,
    )
    assert (order.size, order.filled_size, order.limit_price) == (Decimal("0.1"), 0, 18000)
    assert (order.stop_price, order.average_fill_price) == (None, None)
    assert order.created_at == time(2022, 12, 28, 9, 35, 9, ms=387)
    assert order.updated_at == time(2022, 12, 28, 9, 35, 14, ms=123)
    assert not (order.reduce_only or order.post_only or order.in_quote)


def test_a_market_order_that_filled() -> None:
    row = result(_endpoints.HISTORY, "rest_order_history_linear_market_filled").list[0]
    order = _orders.to_order(row, "linear", "7")
    assert (order.type, order.status) == (OrderType.MARKET, OrderStatus.FILLED)
    assert order.limit_price is None  # the venue's own protection is no limit of ours
    assert order.average_fill_price == Decimal("122529.9")
    assert order.size == order.filled_size == Decimal("0.001")
    assert order.reduce_only and order.client_order_id is None


def test_a_fill_of_a_linear_contract() -> None:
    (row,) = result(_endpoints.EXECUTIONS, "rest_execution_list_linear").list
    trade = _mapping.to_trade(row, "linear", "7")
    assert (trade.id, trade.order_id) == (
        "751c8dba-bdeb-5d0c-9dd3-dda6bf98cdaf",
        "c18b72e4-1bf7-4c30-9b99-ba3274066029",
    )
    assert (trade.side, trade.size, trade.price) == (
        OrderSide.BUY,
        Decimal("0.1"),
        Decimal("85.11"),
    )
    assert (trade.fees, trade.fee_currency, trade.realized_pnl) == (
        Decimal("0.00468105"),
        None,
        None,
    )
    assert trade.time == time(2024, 3, 18, 11, 55, 18, ms=390)


def test_a_fill_of_spot_pays_in_what_it_buys() -> None:
    (row,) = result(_endpoints.EXECUTIONS, "rest_execution_list_spot").list
    trade = _mapping.to_trade(row, "spot", "7")
    assert (trade.fees, trade.fee_currency) == (Decimal("0.000001"), "ETH")
    assert trade.contract_id == "spot:ETHUSDT"


def test_the_result_of_a_fill_follows_from_what_was_closed() -> None:
    rows = result(_endpoints.CLOSED, "rest_closed_pnl_linear").list
    entries = _mapping.entry_prices(rows)
    assert entries == {"bcb03fc1-6bfe-4464-954c-4b017aea5286": Decimal("55937.5")}
    fill = _wire.ExecutionRow(
        execId="1",
        orderId="bcb03fc1-6bfe-4464-954c-4b017aea5286",
        symbol="BTCUSDT",
        side="Sell",
        execPrice="55563",
        execQty="0.001",
        execType="Trade",
        closedSize="0.001",
    )
    gross = _mapping.to_trade(fill, "linear", "7", entries[fill.orderId]).realized_pnl
    assert gross == Decimal("-0.3745")
    fees = Decimal("0.03076563") + Decimal("0.03055965")  # 0.055 % of each way
    told = payload("rest_closed_pnl_linear")["result"]["list"][0]["closedPnl"]
    assert gross - fees == Decimal(told)


def test_fees() -> None:
    (row,) = result(_endpoints.FEES, "rest_fee_rate").list
    assert (row.symbol, row.takerFeeRate, row.makerFeeRate) == ("ETHUSDT", "0.0006", "0.0001")


def test_an_order_that_is_taken_in() -> None:
    ack = result(_endpoints.CREATE, "rest_order_create_spot_ack")
    assert (ack.orderId, ack.orderLinkId) == ("1609920528435648000", "1609920528444036608")


def test_orders_as_the_stream_shows_them() -> None:
    pushes = [one for one in _objects(payload("ws_order")) if "orderStatus" in one]
    assert pushes
    for data in pushes:
        row = msgspec.convert(data, _wire.OrderRow, strict=False)
        order = _orders.to_order(row, row.category or "linear", "7")
        assert order.status is not OrderStatus.UNKNOWN
        assert order.size >= order.filled_size


def test_a_fill_as_the_stream_shows_it() -> None:
    (data,) = [one for one in _objects(payload("ws_execution")) if "execId" in one]
    row = msgspec.convert(data, _wire.ExecutionRow, strict=False)
    trade = _mapping.to_trade(row, row.category, "7")
    assert (trade.side, trade.size, trade.price) == (
        OrderSide.SELL,
        Decimal("0.5"),
        Decimal("95900.1"),
    )
    assert (trade.fees, trade.commissions, trade.fee_currency) == (
        Decimal("26.3725275"),
        Decimal("0.006403779"),  # a tax
        "USDT",
    )
    assert trade.realized_pnl == Decimal("0.05")


def test_a_wallet_as_the_stream_shows_it() -> None:
    (data,) = [one for one in _objects(payload("ws_wallet")) if "totalEquity" in one]
    row = msgspec.convert(data, _wire.WalletRow, strict=False)
    account = _mapping.to_account(row, "7", simulated=False, may_trade=True)
    (coin,) = account.balances
    assert (account.balance, coin.total) == (Decimal("9684.46297164"), Decimal("0.00102964"))
    assert coin.available is None  # the venue does not say what orders and positions take


def _objects(found: Any) -> Iterator[dict[str, Any]]:
    """Every object in it, at any depth."""
    if isinstance(found, dict):
        yield found
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    for one in inner:
        yield from _objects(one)


def test_an_error_says_what_the_venue_said() -> None:
    answer = b'{"retCode":110001,"retMsg":"order not exists or too late to cancel","result":{}}'
    with pytest.raises(NotFound, match="too late to cancel") as caught:
        _endpoints.CANCEL.read(HttpAnswer(200, answer, None))
    assert (caught.value.code, caught.value.name) == (110001, "no such order")
