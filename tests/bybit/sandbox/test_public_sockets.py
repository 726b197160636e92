"""The public sockets: acknowledgements, and what is told of the market."""

from decimal import Decimal

import pytest
from tests.bybit.sandbox.conftest import LINEAR, SPOT, Client, away, last
from tests.bybit.sandbox.sockets import Row, Socket, open_socket, pass_time
from websockets.exceptions import ConnectionClosed

from tradeforge_bybit.sandbox import BybitSandbox
from tradeforge_testing import ManualClock

BTC = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.fixture
def tick() -> Decimal:
    return Decimal("0.1")


async def test_acknowledgements_and_pongs(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        pong = await socket.ask(op="ping", req_id="7")
        assert (pong["op"], pong["ret_msg"], pong["req_id"]) == ("ping", "pong", "7")
        ack = await socket.ask(op="subscribe", args=["publicTrade.BTCUSDT"])
        assert (ack["success"], ack["ret_msg"], ack["req_id"]) == (True, "", "")
        ack = await socket.ask(op="unsubscribe", args=["publicTrade.BTCUSDT"], req_id="3")
        assert (ack["op"], ack["req_id"]) == ("unsubscribe", "3")
    async with open_socket(sandbox, clock, "public/spot") as socket:
        assert "req_id" not in await socket.ask(op="ping")
        ack = await socket.ask(op="subscribe", args=["publicTrade.BTCUSDT"], req_id="1")
        assert (ack["ret_msg"], ack["req_id"]) == ("subscribe", "1")
        ack = await socket.ask(op="subscribe", args=["publicTrade.BTCUSDT"] * 11)
        assert not ack["success"]


@pytest.mark.parametrize(
    "topic", ["orderbook.2.BTCUSDT", "orderbook.50.XYZ", "kline.2.BTCUSDT", "order", "tickers"]
)
async def test_a_topic_that_there_is_not(
    sandbox: BybitSandbox, clock: ManualClock, topic: str
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        ack = await socket.ask(op="subscribe", args=["tickers.BTCUSDT", topic], req_id="1")
        assert not ack["success"] and ack["op"] == "subscribe"
        assert sandbox.sockets["linear"].topics() == set()
        bad = await socket.ask(op="noop")
        assert (bad["ret_msg"], bad["request"]) == (
            "error:invalid op",
            {"op": "noop", "args": None},
        )


@pytest.mark.parametrize("category", ["linear", "spot"])
async def test_a_topic_that_is_heard_already_spoils_the_request(
    sandbox: BybitSandbox, clock: ManualClock, category: str
) -> None:
    async with open_socket(sandbox, clock, f"public/{category}") as socket:
        await socket.subscribe("publicTrade.BTCUSDT")
        both = ["publicTrade.ETHUSDT", "publicTrade.BTCUSDT"]
        ack = await socket.ask(op="subscribe", args=both, req_id="2")
        assert (ack["success"], ack["req_id"]) == (False, "2")
        assert ack["ret_msg"] == "error:already subscribed,topic:publicTrade.BTCUSDT"
        assert sandbox.sockets[category].topics() == {"publicTrade.BTCUSDT"}
        assert (await socket.ask(op="unsubscribe", args=both))["success"]
        await socket.subscribe(*both)


async def test_only_contracts_tell_liquidations(sandbox: BybitSandbox, clock: ManualClock) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("allLiquidation.BTCUSDT")
    async with open_socket(sandbox, clock, "public/spot") as socket:
        assert not (await socket.ask(op="subscribe", args=["allLiquidation.BTCUSDT"]))["success"]


async def test_a_book_that_is_as_it_was_is_not_told(
    sandbox: BybitSandbox, clock: ManualClock, client: Client
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await client.place(qty="0.02", price=away(sandbox, "-0.5"))
        await pass_time(clock, 0.03)
        await socket.subscribe("orderbook.50.BTCUSDT")
        await socket.hear()
        said = await client.place(price=away(sandbox, "-0.4"))
        await client.done("/v5/order/cancel", **BTC, orderId=said["result"]["orderId"])
        await pass_time(clock, 0.03)
        assert (await socket.ask(op="ping"))["op"] == "ping"


async def test_a_book_is_a_snapshot_and_numbered_changes(
    sandbox: BybitSandbox, clock: ManualClock, client: Client
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("orderbook.50.BTCUSDT")
        book = _Book(await socket.hear())
        for _ in range(30):
            sandbox.exchange.advance()
            await pass_time(clock, 0.03)
        public = await client.http.get(
            "/v5/market/orderbook", params={"category": "linear", "symbol": "BTCUSDT", "limit": 50}
        )
        true = public.json()["result"]
        while book.update < true["u"]:
            book.apply(await socket.hear())
        assert book.sorted("b")[::-1] == true["b"]
        assert book.sorted("a") == true["a"]


class _Book:
    def __init__(self, message: Row) -> None:
        assert message["type"] == "snapshot"
        self.update = message["data"]["u"]
        self.sides = {side: dict(message["data"][side]) for side in "ab"}

    def apply(self, message: Row) -> None:
        assert message["type"] == "delta"
        assert message["data"]["u"] == self.update + 1
        self.update += 1
        for side, levels in self.sides.items():
            for price, size in message["data"][side]:
                if size == "0":
                    del levels[price]
                else:
                    levels[price] = size

    def sorted(self, side: str) -> list[list[str]]:
        levels = sorted(self.sides[side].items(), key=lambda level: Decimal(level[0]))
        return [list(level) for level in levels]


async def test_a_lost_change_leaves_a_gap_and_a_restart_begins_at_one(
    sandbox: BybitSandbox, clock: ManualClock
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("orderbook.50.BTCUSDT")
        before = (await socket.hear())["data"]["u"]
        sandbox.skip_book(LINEAR)
        sandbox.exchange.advance()
        await pass_time(clock, 0.03)
        assert (await socket.hear())["data"]["u"] == before + 2
        sandbox.restart_book(LINEAR)
        assert (await socket.hear())["data"]["u"] == 1


async def test_the_top_is_told_again_every_three_seconds(
    sandbox: BybitSandbox, clock: ManualClock
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        sandbox.exchange.close_market()
        await socket.subscribe("orderbook.1.BTCUSDT")
        first = await socket.hear()
        await pass_time(clock, 4)
        again = await socket.hear()
        assert again["data"]["u"] == first["data"]["u"]
        assert (again["type"], len(again["data"]["b"])) == ("snapshot", 1)


async def test_trades_have_the_ids_of_rest(
    sandbox: BybitSandbox, clock: ManualClock, client: Client, tick: Decimal
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("publicTrade.BTCUSDT")
        sandbox.exchange.move_to(LINEAR, last(sandbox) + 5 * tick)
        await pass_time(clock, 0.05)
        told = await socket.hear()
        rows = await client.rows("/v5/market/recent-trade", category="linear", symbol="BTCUSDT")
        assert [one["i"] for one in told["data"]] == [one["execId"] for one in rows[::-1]]
        assert {one["S"] for one in told["data"]} == {"Buy"}


async def test_a_ticker_of_a_contract_tells_what_changed(
    sandbox: BybitSandbox, clock: ManualClock, tick: Decimal
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("tickers.BTCUSDT")
        whole = await socket.hear()
        assert whole["type"] == "snapshot" and "fundingRate" in whole["data"]
        sandbox.exchange.move_to(LINEAR, last(sandbox) + 5 * tick)
        await pass_time(clock, 0.05)
        delta = await socket.hear()
        assert delta["type"] == "delta" and "fundingRate" not in delta["data"]
        assert Decimal(delta["data"]["lastPrice"]) == last(sandbox)
    async with open_socket(sandbox, clock, "public/spot") as socket:
        await socket.subscribe("tickers.BTCUSDT")
        assert "bid1Price" not in (await socket.hear())["data"]
        sandbox.exchange.move_to(SPOT, last(sandbox, SPOT) + 5 * tick)
        await pass_time(clock, 0.05)
        assert (await socket.hear())["type"] == "snapshot"


async def test_a_candle_is_confirmed_when_it_has_ended(
    sandbox: BybitSandbox, clock: ManualClock, tick: Decimal
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("kline.1.BTCUSDT")
        sandbox.exchange.move_to(LINEAR, last(sandbox) + 5 * tick)
        await pass_time(clock, 0.05)
        (row,) = (await socket.hear())["data"]
        assert row["confirm"] is False and row["end"] - row["start"] == 59_999
        sandbox.exchange.close_market()
        clock.advance(61)
        await pass_time(clock, 1.1)
        (ended,) = (await socket.hear())["data"]
        assert ended["confirm"] is True
        assert {**ended, "confirm": False, "timestamp": 0} == {**row, "timestamp": 0}


async def test_a_candle_is_confirmed_though_several_have_passed_since(
    sandbox: BybitSandbox, clock: ManualClock, tick: Decimal
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("kline.1.BTCUSDT")
        sandbox.exchange.move_to(LINEAR, last(sandbox) + 5 * tick)
        await pass_time(clock, 0.05)
        (open_one,) = (await socket.hear())["data"]
        sandbox.exchange.close_market()
        clock.advance(300)
        await pass_time(clock, 1.1)
        (ended,) = (await socket.hear())["data"]
        assert (ended["confirm"], ended["start"]) == (True, open_one["start"])
        sandbox.exchange.open_market()
        sandbox.exchange.move_to(LINEAR, last(sandbox) + tick)
        await pass_time(clock, 1.1)
        (row,) = (await socket.hear())["data"]
        assert (row["confirm"], row["start"]) == (False, open_one["start"] + 300_000)


async def test_a_candle_is_told_once_a_second_at_most(
    sandbox: BybitSandbox, clock: ManualClock, tick: Decimal
) -> None:
    async with open_socket(sandbox, clock, "public/linear") as socket:
        await socket.subscribe("kline.M.BTCUSDT")
        for _ in range(10):
            sandbox.exchange.move_to(LINEAR, last(sandbox) + tick)
            await pass_time(clock, 0.3)
        sandbox.exchange.close_market()
        await pass_time(clock, 1.0)
        rows = await _rows_until_pong(socket)
        assert 3 <= len(rows) <= 5
        assert Decimal(rows[-1]["close"]) == last(sandbox)


async def _rows_until_pong(socket: Socket) -> list[Row]:
    await socket.say(op="ping")
    rows: list[Row] = []
    while (message := await socket.hear()).get("op") != "ping":
        rows += message["data"]
    return rows


async def test_who_says_nothing_is_cut_off(sandbox: BybitSandbox, clock: ManualClock) -> None:
    sandbox.exchange.close_market()
    async with (
        open_socket(sandbox, clock, "private?max_active_time=30s") as short,
        open_socket(sandbox, clock, "private") as long,
    ):
        clock.advance(31)
        await pass_time(clock, 0.1)
        with pytest.raises(ConnectionClosed):
            await short.hear()
        await _is_alive(long)
        clock.advance(599)
        await pass_time(clock, 0.1)
        await _is_alive(long)
        clock.advance(631)
        await pass_time(clock, 0.1)
        with pytest.raises(ConnectionClosed):
            await long.hear()


async def _is_alive(socket: Socket) -> None:
    assert (await socket.ask(op="ping"))["op"] == "pong"
