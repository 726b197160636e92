"""Orders and fills of Bybit, open and past, whatever the category."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.bybit.small_venue import ACCOUNT, Answer, Row, SmallVenue, fill, new_order

from tradeforge_bybit import _endpoints, _wire
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import DecodeError, NotFound, OrderStatus, VenueError

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def ms(time: datetime) -> str:
    return str(int(time.timestamp() * 1000))


# --- orders ---


def order(number: int, category: str = "linear", **more: Any) -> Row:
    body = {
        "category": category,
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "1",
        "price": "100",
        "orderLinkId": f"link-{number}",
    }
    when = int(ms(NOW)) - 10_000 + number
    return new_order(f"id-{number}", when, **body) | more


async def test_open_orders_of_every_category_oldest_first(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    rows = [order(7), order(5, "spot"), *(order(number) for number in (1, 4, 2)), order(3)]
    fill(rows[-1])
    venue.orders = {row["orderId"]: row for row in rows}
    found = await broker.get_open_orders(ACCOUNT)
    assert [one.id for one in found] == ["id-1", "id-2", "id-4", "id-5", "id-7"]


async def test_orders_and_fills_that_do_not_say_their_time_come_first(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.orders = {
        "id-1": order(1),
        "id-2": order(2, createdTime=""),
        "id-3": order(3, createdTime=""),
    }
    assert [one.id for one in await broker.get_open_orders(ACCOUNT)] == ["id-2", "id-3", "id-1"]
    venue.executions = [execution(1), execution(2, execTime=""), execution(3, execTime="")]
    trades = await broker.get_trade_history(ACCOUNT, start=NOW - HOUR)
    assert [one.id for one in trades] == ["e-2", "e-3", "e-1"]


async def test_an_order_that_ends_while_it_is_read_has_ended(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.orders = {"id-1": order(1)}
    venue.history = [order(1, orderStatus="Filled", cumExecQty="1")]
    (found,) = await broker.get_order_history(ACCOUNT, start=NOW - HOUR)
    assert found.status is OrderStatus.FILLED


async def test_the_history_goes_by_weeks(venue: SmallVenue, broker: BybitProvider) -> None:
    venue.history = [
        order(1, orderStatus="Filled", cumExecQty="1"),
        order(2, orderStatus="Cancelled"),
    ]
    venue.orders = {"id-3": order(3)}
    start = NOW - timedelta(days=20)
    found = await broker.get_order_history(ACCOUNT, start=start)
    assert [(one.id, one.status) for one in found] == [
        ("id-1", OrderStatus.FILLED),
        ("id-2", OrderStatus.CANCELLED),
        ("id-3", OrderStatus.WORKING),
    ]
    asked = [one for one in venue.asked("/v5/order/history") if one["category"] == "linear"]
    windows = [(int(one["startTime"]), int(one["endTime"])) for one in asked]
    week = 7 * 24 * 3600 * 1000
    assert len(windows) == 3 and all(0 < end - start <= week for start, end in windows)
    assert all(one[1] == other[0] for one, other in zip(windows, windows[1:], strict=False))


async def test_an_order_is_found_wherever_it_is(venue: SmallVenue, broker: BybitProvider) -> None:
    venue.orders = {"id-1": order(1, "inverse")}
    venue.history = [order(2, "spot", orderStatus="Filled", cumExecQty="1")]
    assert (await broker.get_order(ACCOUNT, "id-1")).contract_id == "inverse:BTCUSDT"
    assert (await broker.get_order(ACCOUNT, "id-2")).contract_id == "spot:BTCUSDT"
    assert (await broker.find_order(ACCOUNT, "link-2")).id == "id-2"
    with pytest.raises(NotFound):
        await broker.get_order(ACCOUNT, "id-3")
    with pytest.raises(NotFound):
        await broker.find_order(ACCOUNT, "link-3")


@pytest.mark.parametrize("left", [("0", "0.4"), ("0.4", "0")])
async def test_fills_of_one_moment_come_in_any_order(
    venue: SmallVenue, broker: BybitProvider, left: tuple[str, str]
) -> None:
    fills = [("e-1", "0.6", left[0]), ("e-2", "0.4", left[1])]
    venue.executions = [
        execution(1, execId=name, execQty=size, leavesQty=rest, orderQty="1", orderType="Limit")
        for name, size, rest in fills
    ]
    found = await broker.get_order(ACCOUNT, "id-1")
    assert (found.status, found.filled_size) == (OrderStatus.FILLED, 1)


async def test_a_failure_in_one_category_is_no_absence(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.tell("/v5/order/realtime", Answer(code=10016, text="Server error"))
    with pytest.raises(VenueError, match="server error"):
        await broker.find_order(ACCOUNT, "link-1")


async def test_words_that_are_new_are_kept(venue: SmallVenue, broker: BybitProvider) -> None:
    venue.orders = {"id-1": order(1, orderStatus="Sleeping", orderType="Iceberg")}
    found = await broker.get_order(ACCOUNT, "id-1")
    assert (found.status.value, found.type.value) == ("unknown", "unknown")
    assert getattr(found.raw, "orderStatus", None) == "Sleeping"


@pytest.mark.parametrize(
    ("side", "unit", "in_quote", "status"),
    [
        ("Buy", "", True, OrderStatus.FILLED),
        ("Buy", "quoteCoin", True, OrderStatus.FILLED),
        ("Buy", "baseCoin", False, OrderStatus.CANCELLED),
        ("Sell", "", False, OrderStatus.CANCELLED),
        ("Sell", "quoteCoin", True, OrderStatus.FILLED),
    ],
)
async def test_what_the_size_of_a_market_order_of_spot_counts(
    venue: SmallVenue,
    broker: BybitProvider,
    side: str,
    unit: str,
    in_quote: bool,
    status: OrderStatus,
) -> None:
    row = order(1, "spot", side=side, orderType="Market", marketUnit=unit, qty="50", price="0")
    row |= {"orderStatus": "PartiallyFilledCanceled", "cumExecQty": "0.4"}
    venue.history = [row]
    found = await broker.get_order(ACCOUNT, "id-1")
    assert (found.in_quote, found.status, found.filled_size) == (in_quote, status, Decimal("0.4"))


# --- fills ---


def execution(number: int, **more: Any) -> Row:
    return {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": f"id-{number}",
        "orderLinkId": "",
        "side": "Sell",
        "execId": f"e-{number}",
        "execPrice": "110",
        "execQty": "1",
        "execType": "Trade",
        "execFee": "0.03",
        "feeCurrency": "USDT",
        "execTime": str(int(ms(NOW)) - 1000 + number),
        **more,
    }


async def test_fills_come_oldest_first_and_funding_is_none(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.executions = [
        execution(3),
        execution(2, category="spot", feeCurrency="BTC"),
        execution(1, execType="Funding", orderType="UNKNOWN", execFee="-0.5"),
        execution(0, execType="AdlTrade"),
    ]
    trades = await broker.get_trade_history(ACCOUNT, start=NOW - HOUR)
    assert [(one.id, one.fee_currency) for one in trades] == [
        ("e-0", "USDT"),
        ("e-2", "BTC"),
        ("e-3", "USDT"),
    ]


@pytest.mark.parametrize("kind", ["BustTrade", "Delivery", "Settle", "MovePosition"])
async def test_what_changes_a_position_is_a_fill_whoever_did_it(
    venue: SmallVenue, broker: BybitProvider, kind: str
) -> None:
    """A contract that expires closes its position, and so does one that is moved away."""
    venue.executions = [execution(1, execType=kind, category="inverse", symbol="BTCUSDZ26")]
    trades = await broker.get_trade_history(ACCOUNT, start=NOW - HOUR)
    assert [(one.id, one.contract_id) for one in trades] == [("e-1", "inverse:BTCUSDZ26")]


async def test_the_result_of_what_was_closed_is_told(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    venue.executions = [execution(1), execution(2, closedSize="0.4")]
    venue.closed = [
        {
            "orderId": "id-2",
            "side": "Sell",
            "avgEntryPrice": "100",
            "closedSize": "0.4",
            "closedPnl": "3.9",
        }
    ]
    trades = await broker.get_trade_history(ACCOUNT, start=NOW - HOUR)
    assert [one.realized_pnl for one in trades] == [None, Decimal(4)]


async def test_a_list_whose_pages_have_no_end_is_refused(
    venue: SmallVenue, broker: BybitProvider
) -> None:
    rows = [execution(1)]
    for number in range(1001):
        page = {"list": rows, "nextPageCursor": f"c{number}"}
        venue.tell("/v5/execution/list", Answer(result=page))
    # three categories ask at once, each for pages of its own
    with pytest.raises(DecodeError, match="the pages have no end"):
        await broker._rest._all(_executions(), {"category": "linear"})


def _executions() -> Any:
    return _endpoints.Endpoint("/v5/execution/list", _wire.Rows[_wire.ExecutionRow])


async def test_another_account_is_not_there(venue: SmallVenue, broker: BybitProvider) -> None:
    for ask in (broker.get_positions, broker.get_open_orders):
        with pytest.raises(NotFound, match="no account '1'"):
            await ask("1")
