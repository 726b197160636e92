"""The account of a Bybit key as its private socket tells it."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from tests.bybit.small_venue import ACCOUNT, SECRET, SmallVenue
from tests.bybit.streams.socket_venue import SocketVenue, eventually, private

from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    AccountUpdateEvent,
    AuthenticationError,
    Event,
    Gap,
    GapCause,
    OrderRequest,
    OrderSide,
    OrderStatus,
    OrderUpdateEvent,
    PositionUpdateEvent,
    StreamConnectionStatus,
    UserDataType,
    UserTradeEvent,
)

Row = dict[str, Any]
E = TypeVar("E")


def of(kind: type[E], events: Iterable[object]) -> list[E]:
    return [one for one in events if isinstance(one, kind)]


def order_row(status: str, **members: Any) -> Row:
    row = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": "o-1",
        "orderLinkId": "mine",
        "side": "Buy",
        "orderType": "Limit",
        "orderStatus": status,
        "qty": "2",
        "price": "100",
        "cumExecQty": "0",
        "leavesQty": "",
        "avgPrice": "",
        "stopOrderType": "UNKNOWN",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "triggerPrice": "",
        "positionIdx": 0,
        "createdTime": "1700000000000",
        "updatedTime": "1700000000001",
    }
    return row | members


def fill_row(exec_id: str = "e-1", **members: Any) -> Row:
    row = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "execId": exec_id,
        "orderId": "o-1",
        "side": "Buy",
        "execPrice": "100",
        "execQty": "1",
        "execType": "Trade",
        "execFee": "0.05",
        "execPnl": "0",
        "closedSize": "0",
        "execTime": "1700000000002",
        "seq": 5,
    }
    return row | members


def position_row(size: str, number: int, **members: Any) -> Row:
    row = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "size": size,
        "side": "" if size == "0" else "Buy",
        "positionIdx": 0,
        "entryPrice": "100" if size != "0" else "",
        "updatedTime": "1700000000003",
        "seq": number,
    }
    return row | members


@pytest.fixture
async def follows(broker: BybitProvider, heard: list[Event]) -> BybitProvider:
    await broker.subscribe_user_data(ACCOUNT, list(UserDataType))
    return broker


async def test_one_connection_is_the_account_s_and_logs_in_at_the_venue_s_time(
    venue: SmallVenue, broker: BybitProvider, sockets: SocketVenue
) -> None:
    venue.ahead = -40.0
    await broker.disconnect()
    await broker.connect()
    await broker.subscribe_user_data(ACCOUNT, list(UserDataType))
    assert [path for path, _ in sockets.lines] == ["/private"]
    assert sockets.channels == {"order", "execution", "position", "wallet"}
    expires = int(sockets.asked("auth")[0][1])
    assert 0 < expires - venue.milliseconds <= 10_500
    assert not [one for one in sockets.requests if SECRET in str(one)]


async def test_a_refused_login_is_tried_once_more_at_a_time_measured_anew(
    venue: SmallVenue, broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.refused_logins = 1
    venue.ahead = 3600.0  # the venue's clock has moved, and what was signed has long expired
    await broker.subscribe_user_data(ACCOUNT, UserDataType.ORDER_UPDATE)
    assert len(sockets.asked("auth")) == 2
    assert int(sockets.asked("auth")[1][1]) > venue.milliseconds


async def test_a_login_that_is_refused_again_is_told(
    broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.refused_logins = 2
    with pytest.raises(AuthenticationError, match="refused the login: Params Error"):
        await broker.subscribe_user_data(ACCOUNT, UserDataType.ORDER_UPDATE)
    assert broker.status is StreamConnectionStatus.IDLE


async def test_every_connection_logs_in_anew(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    sockets.cut("/private")
    await eventually(lambda: len(of(Gap, heard)) == 4)
    first, second = sockets.asked("auth")
    assert second[1] > first[1]
    assert sockets.channels == {"order", "execution", "position", "wallet"}


async def test_the_life_of_an_order_is_told(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    for row in (
        order_row("New"),
        order_row("PartiallyFilled", cumExecQty="1", avgPrice="100"),
        order_row("Filled", cumExecQty="2", avgPrice="100"),
    ):
        await sockets.tell(private("order", row))
    await eventually(lambda: len(of(OrderUpdateEvent, heard)) == 3)
    orders = [one.order for one in of(OrderUpdateEvent, heard)]
    assert [one.status for one in orders] == [
        OrderStatus.WORKING,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    ]
    assert {one.client_order_id for one in orders} == {"mine"}
    assert {one.account_id for one in orders} == {ACCOUNT}


async def test_a_fill_that_wins_against_a_cancel_is_told_once(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    filled = order_row("Filled", cumExecQty="2", avgPrice="100")
    again = filled | {
        "cancelType": "CancelByUser",
        "rejectReason": "EC_OrigClOrdIDDoesNotExist",
        "updatedTime": "1700000000009",
    }
    await sockets.tell(private("order", filled), private("order", again), private("order", filled))
    await sockets.tell(private("order", order_row("New", orderId="o-2")))
    await eventually(lambda: [one for one in of(OrderUpdateEvent, heard) if one.order.id == "o-2"])
    told = [one.order for one in of(OrderUpdateEvent, heard) if one.order.id == "o-1"]
    assert {one.status for one in told} == {OrderStatus.FILLED}
    assert follows.orders.get("o-1").status is OrderStatus.FILLED


async def test_fills_are_told_once_and_funding_is_none(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    funding = fill_row("f-1", execType="Funding", orderType="UNKNOWN", execFee="-0.1")
    message = private("execution", fill_row("e-1"), funding, fill_row("e-2", execPrice="101"))
    await sockets.tell(message, message, private("execution", fill_row("e-3")))
    await eventually(lambda: len(of(UserTradeEvent, heard)) == 3)
    assert [one.trade.id for one in of(UserTradeEvent, heard)] == ["e-1", "e-2", "e-3"]
    assert of(UserTradeEvent, heard)[1].trade.price == 101


async def test_a_position_that_did_not_change_is_no_news_and_an_older_one_goes_nowhere(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    for row in (
        position_row("2", 10),
        position_row("2", 10),
        position_row("2", 11),
        position_row("1", 9),
        position_row("0", 12),
    ):
        await sockets.tell(private("position", row))
    await eventually(lambda: len(of(PositionUpdateEvent, heard)) == 2)
    first, last = (one.position for one in of(PositionUpdateEvent, heard))
    assert (first.size, first.average_price) == (2, 100)
    assert last.is_flat


async def test_two_positions_of_a_symbol_are_told_apart(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    rows = (
        position_row("2", 10, positionIdx=1),
        position_row("0", 10, positionIdx=2),
        position_row("3", 11, positionIdx=2, side="Sell"),
    )
    await sockets.tell(private("position", *rows))
    await eventually(
        lambda: [one for one in of(PositionUpdateEvent, heard) if one.position.size < 0]
    )
    held = {one.position.hedge_side: one.position.size for one in of(PositionUpdateEvent, heard)}
    assert held == {OrderSide.BUY: 2, OrderSide.SELL: -3}


async def test_the_wallet_is_the_account(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    coin = {"coin": "USDT", "walletBalance": "900.5", "availableToWithdraw": ""}
    row = {"accountType": "UNIFIED", "totalWalletBalance": "1000.25", "coin": [coin]}
    await sockets.tell(private("wallet", row))
    await eventually(lambda: of(AccountUpdateEvent, heard))
    account = of(AccountUpdateEvent, heard)[0].account
    assert (account.id, account.balance) == (ACCOUNT, Decimal("1000.25"))
    assert account.balances[0].total == Decimal("900.5")


async def test_another_wallet_of_the_same_key_is_nobody_s_news_here(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    """An older kind of unified account has its inverse contracts in a wallet of their own."""
    ours = {"accountType": "UNIFIED", "totalWalletBalance": "1000.25", "coin": []}
    other = {"accountType": "CONTRACT", "totalWalletBalance": "", "coin": []}
    await sockets.tell(private("wallet", other), private("wallet", other, ours))
    await eventually(lambda: of(AccountUpdateEvent, heard))
    assert [one.account.balance for one in of(AccountUpdateEvent, heard)] == [Decimal("1000.25")]
    assert of(Gap, heard) == []


async def test_a_fill_beside_one_that_is_not_understood_is_told(
    venue: SmallVenue, follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    await sockets.tell(private("execution", fill_row("e-1"), fill_row("e-2", execPrice="much")))
    await eventually(lambda: of(UserTradeEvent, heard), within=5.0)
    assert [one.trade.id for one in of(UserTradeEvent, heard)] == ["e-1"]


@pytest.mark.parametrize("ahead", [0.0, 300.0, -300.0])
async def test_a_fill_that_was_missed_is_told_whatever_the_machines_clock_says(
    venue: SmallVenue,
    follows: BybitProvider,
    sockets: SocketVenue,
    heard: list[Event],
    ahead: float,
) -> None:
    venue.ahead = ahead
    await follows.get_accounts()  # the time is measured anew by that
    sockets.cut("/private")
    venue.executions = [fill_row("e-1", execTime=str(venue.milliseconds))]
    await eventually(lambda: of(UserTradeEvent, heard))
    assert [one.trade.id for one in of(UserTradeEvent, heard)] == ["e-1"]


async def test_options_of_the_same_account_are_nobody_s_news_here(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event]
) -> None:
    option = order_row("Filled", category="option", orderId="x", symbol="BTC-30DEC26-1400-C")
    await sockets.tell(private("order", option, order_row("New")))
    await eventually(lambda: of(OrderUpdateEvent, heard))
    assert [one.order.id for one in of(OrderUpdateEvent, heard)] == ["o-1"]


@pytest.mark.parametrize(
    "row",
    [
        order_row("New", side="Both"),
        order_row("New", category=""),
        order_row("New", qty="many"),
        {"orderId": "o-9"},
    ],
)
async def test_an_order_that_is_not_understood_is_a_gap_and_no_end(
    follows: BybitProvider, sockets: SocketVenue, heard: list[Event], row: Row
) -> None:
    await sockets.tell(private("order", row), private("order", order_row("New")))
    await eventually(lambda: of(OrderUpdateEvent, heard))
    assert [one.cause for one in of(Gap, heard)] == [GapCause.DECODE_ERROR]
    assert follows.status is StreamConnectionStatus.LIVE


async def test_the_stream_proves_an_order_before_the_venue_shows_it(
    venue: SmallVenue, follows: BybitProvider, sockets: SocketVenue
) -> None:
    venue.hidden = 1_000
    placing = asyncio.ensure_future(
        follows.place_order(
            OrderRequest.limit(ACCOUNT, "linear:BTCUSDT", OrderSide.BUY, "0.01", "100")
        )
    )
    await eventually(lambda: venue.orders)
    ((order_id, row),) = venue.orders.items()
    await sockets.tell(
        private("order", order_row("New", orderId=order_id, orderLinkId=row["orderLinkId"]))
    )
    assert (await placing).id == order_id
