"""Orders at Bybit over the socket for them: sent once, answered by number, and sometimes lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.bybit.small_venue import ACCOUNT, SETTINGS, SmallVenue, fill
from tests.bybit.streams.socket_venue import SocketVenue, eventually

from tradeforge_bybit._socket import SocketLimits
from tradeforge_bybit.config import BybitConfig
from tradeforge_bybit.provider import BybitProvider
from tradeforge_core import (
    AuthenticationError,
    Disconnected,
    NotSent,
    Order,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderRequest,
    OrderSafety,
    OrderSide,
    OrderStatus,
    Plugins,
    Settings,
    StatusChanged,
    StreamConnectionStatus,
)
from tradeforge_core.orders.safety import LookUps
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts

Message = dict[str, Any]
BTC = "linear:BTCUSDT"
HEADER = {
    "X-Bapi-Limit": "10",
    "X-Bapi-Limit-Reset-Timestamp": "1711001595208",
    "Traceid": "t",
    "Timenow": "1711001595209",
}


def limit_order(size: str = "0.01") -> OrderRequest:
    return OrderRequest.limit(ACCOUNT, BTC, OrderSide.BUY, size, "100")


def answer(data: Message, code: int = 0, text: str = "OK", left: str = "9") -> Message:
    header = HEADER | {"X-Bapi-Limit-Status": left}
    return {"retCode": code, "retMsg": text, "data": data, "header": header}


@pytest.fixture
async def socket_broker(
    venue: SmallVenue, sockets: SocketVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BybitProvider]:
    monkeypatch.setenv("TRADEFORGE_STATE_DIR", str(tmp_path))
    sockets.orders = {
        "order.create": lambda said: answer(venue.create(said["args"][0])),
        "order.amend": lambda said: answer(venue.amend(said["args"][0])),
        "order.cancel": lambda said: answer(venue.cancel(said["args"][0])),
    }
    settings = SETTINGS | sockets.settings | {"BYBIT_ORDER_ENTRY": "socket"}
    broker = BybitProvider(
        BybitConfig.from_settings(Settings("bybit", settings)),
        plugins=Plugins(installed=False),
        backoff=Backoff(base=0.1, attempts_a_minute=100),
        timeouts=StreamTimeouts(linger=0.1),
        safety=OrderSafety(look_ups=LookUps(deadline=2.0, settle=0.2)),
        socket_limits=SocketLimits(ping_every=0.2, silence=2.0, look_every=0.05, answer=1.0),
    )
    async with broker:
        yield broker


async def placed(broker: BybitProvider, request: OrderRequest) -> Order:
    """As soon as there is a connection."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await broker.place_order(request)
            except NotSent:
                await asyncio.sleep(0.01)


def sent(sockets: SocketVenue, op: str = "order.create") -> list[Message]:
    return [said for path, said in sockets.requests if path == "/trade" and said["op"] == op]


async def test_orders_changes_and_cancels_go_over_one_socket(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    order = await socket_broker.place_order(limit_order())
    await socket_broker.modify_order(ACCOUNT, order.id, limit_price="101")
    await socket_broker.cancel_order(ACCOUNT, order.id)
    assert venue.orders[order.id]["orderStatus"] == "Cancelled"
    assert venue.orders[order.id]["price"] == "101"
    assert len([path for path, _ in sockets.lines if path == "/trade"]) == 1
    assert len(sockets.asked("auth")) == 1
    assert not [one for one in venue.requests if one.method == "POST"]
    ops = ("order.create", "order.amend", "order.cancel")
    said = [one for op in ops for one in sent(sockets, op)]
    assert len({one["reqId"] for one in said}) == 3
    assert "/v5/order/create" in {one.name for one in socket_broker.health.budgets}
    assert all(len(one["reqId"]) <= 36 and len(one["args"]) == 1 for one in said)
    for one in said:
        stamp = int(one["header"]["X-BAPI-TIMESTAMP"])
        assert 0 <= venue.milliseconds - stamp < 20_000
        assert None not in one["args"][0].values()


async def test_a_refusal_says_what_the_venue_says(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.orders["order.create"] = lambda said: answer({}, 170131, "Insufficient balance.")
    with pytest.raises(OrderRejected, match="insufficient balance: Insufficient balance") as told:
        await socket_broker.place_order(limit_order())
    assert told.value.code == 170131
    assert len(sent(sockets)) == 1


async def test_the_header_of_an_answer_feeds_the_budget(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.orders["order.create"] = lambda said: answer(venue.create(said["args"][0]), left="0")
    await socket_broker.place_order(limit_order())
    await socket_broker.place_order(limit_order())
    first, second = (int(one["header"]["X-BAPI-TIMESTAMP"]) for one in sent(sockets))
    assert second - first >= 900, "the venue said that the second is used up"


async def test_an_answer_that_is_lost_leaves_nothing_sent_twice_and_the_order_is_found(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    def lost(said: Message) -> None:
        venue.create(said["args"][0])

    sockets.orders["order.create"] = lost
    order = await socket_broker.place_order(limit_order())
    assert list(venue.orders) == [order.id]
    assert len(sent(sockets)) == 1


async def test_what_is_lost_on_the_way_is_unknown_and_not_sent_again(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.orders["order.create"] = lambda said: None
    with pytest.raises(OrderOutcomeUnknown):
        await socket_broker.place_order(limit_order())
    await eventually(lambda: len(sockets.asked("auth")) == 2)
    assert len(sent(sockets)) == 1
    assert venue.orders == {}


async def test_a_venue_that_restarts_is_connected_to_anew_for_what_is_new(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    usual = sockets.orders["order.create"]

    def restarting(said: Message) -> Message:
        venue.create(said["args"][0])
        return answer({}, 10019, "service restarting")

    sockets.orders["order.create"] = restarting
    first = await socket_broker.place_order(limit_order())
    assert list(venue.orders) == [first.id], "it was looked for, and found"
    sockets.orders["order.create"] = usual
    await eventually(lambda: len(sockets.asked("auth")) == 2)
    await placed(socket_broker, limit_order())
    assert len(venue.orders) == 2


async def test_a_socket_that_is_not_there_is_proof_that_nothing_left(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.refused_logins = 1000
    sockets.cut("/trade")
    await eventually(lambda: len(sockets.asked("auth")) == 2)
    with pytest.raises(NotSent) as told:
        await socket_broker.place_order(limit_order())
    assert sent(sockets) == []
    assert told.value.client_order_id is not None
    assert type(await socket_broker.outcome(told.value.client_order_id)).__name__ == "NotSent"
    sockets.refused_logins = 0
    await placed(socket_broker, limit_order())
    assert len(sent(sockets)) == 1


async def test_what_finds_the_line_just_lost_waits_for_the_next_one(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    order = await socket_broker.place_order(limit_order())
    _lose_line(socket_broker)
    await socket_broker.cancel_order(ACCOUNT, order.id)
    _lose_line(socket_broker)
    await socket_broker.place_order(limit_order("0.02"))
    assert [one["orderStatus"] for one in venue.orders.values()] == ["Cancelled", "New"]
    assert len(sockets.asked("auth")) == 3


def _lose_line(broker: BybitProvider) -> None:
    """The supervisor has not heard of it yet."""
    assert broker._order_socket is not None and broker._order_socket._link is not None
    broker._order_socket._link.socket._lose(Disconnected("the line is gone"))


async def test_a_login_that_is_refused_is_told_by_connect(
    socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    await socket_broker.disconnect()
    sockets.refused_logins = 1
    with pytest.raises(AuthenticationError, match="login of the order socket: signature invalid"):
        await socket_broker.connect()
    await socket_broker.connect()


async def test_a_login_with_the_wrong_time_is_followed_by_one_with_the_venues(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    """As after a sleep of the machine, when nothing but orders goes to the venue."""
    first = await socket_broker.place_order(limit_order())
    venue.ahead = 60.0
    sockets.cut("/trade")
    await eventually(lambda: len(sockets.asked("auth")) == 2)
    second = await placed(socket_broker, limit_order())
    assert list(venue.orders) == [first.id, second.id]


async def test_a_second_login_that_is_not_needed_harms_nothing(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    sockets.login_answer = {"retCode": 20001, "retMsg": "repeat auth", "connId": "c"}
    await socket_broker.disconnect()
    await socket_broker.connect()
    assert (await socket_broker.place_order(limit_order())).status is OrderStatus.WORKING


async def test_answers_come_in_any_order(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    sizes = [f"0.00{size}" for size in range(1, 6)]
    orders = await asyncio.gather(*(socket_broker.place_order(limit_order(one)) for one in sizes))
    assert [str(one.size) for one in orders] == sizes


async def test_the_connection_is_kept_alive_and_how_it_is_is_told(
    venue: SmallVenue, socket_broker: BybitProvider, sockets: SocketVenue
) -> None:
    told: list[StatusChanged] = []
    socket_broker.on_status_change(told.append)
    venue.on_create = fill
    await socket_broker.place_order(OrderRequest.market(ACCOUNT, BTC, OrderSide.BUY, "0.01"))
    sockets.cut("/trade")
    await eventually(lambda: [one.status for one in told].count(StreamConnectionStatus.LIVE) == 1)
    assert {one.stream for one in told} == {"orders"}
    await eventually(lambda: len(sockets.asked("ping")) > 2)
    await placed(socket_broker, OrderRequest.market(ACCOUNT, BTC, OrderSide.BUY, "0.01"))
    assert len(sent(sockets)) == 2
