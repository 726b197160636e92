"""A recording, played to the same code, ends in the same state."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from attrs import define, evolve, frozen
from websockets.asyncio.server import ServerConnection, serve

from tradeforge_core import (
    Account,
    DecodeError,
    Gap,
    JournalKind,
    MarketDataType,
    NotFound,
    OrderRequest,
    OrderSafety,
    OrderSide,
    RecordTo,
    Settings,
    StatusChanged,
    StreamConnectionStatus,
    UserDataType,
    VenueError,
)
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_testing.replay import Replayed, run_replay
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import EventFault, Fault, Hubs, Silence, TopStepXSandbox

ACCOUNT = "1001"


@define
class Day:
    """One who records what he watches, and another who trades in the same account."""

    sandbox: TopStepXSandbox
    broker: TopStepXProvider
    trader: TopStepXProvider
    contract_id: str

    async def trade(self, side: OrderSide = OrderSide.BUY, size: int = 1) -> None:
        await self.trader.place_order(OrderRequest.market(ACCOUNT, self.contract_id, side, size))

    async def rest(self, price: int = 1000) -> str:
        """An order that waits."""
        request = OrderRequest.limit(ACCOUNT, self.contract_id, OrderSide.BUY, 1, price)
        return (await self.trader.place_order(request)).id

    async def watch(self) -> None:
        await self.broker.subscribe_market_data(self.contract_id, list(MarketDataType))
        await self.broker.subscribe_user_data(ACCOUNT, list(UserDataType))


Life = Callable[[Day], Awaitable[None]]


def provider(
    settings: dict[str, str], record_to: RecordTo | None = None, audit: AuditTimes | None = None
) -> TopStepXProvider:
    return TopStepXProvider(
        TopStepXConfig.from_settings(Settings("topstepx", settings)),
        safety=OrderSafety(journal=JournalKind.MEMORY),
        audit=audit,
        record_to=record_to,
    )


@frozen
class Recorded:
    path: Path
    known: list[str]
    """Of the one who recorded, when he had left."""


async def live(
    life: Life, record_to: RecordTo, *, tick_seconds: float, audit: AuditTimes | None = None
) -> Recorded:
    async with TopStepXSandbox(seed=7, tick_seconds=tick_seconds) as sandbox:
        async with provider(sandbox.settings) as trader:
            async with provider(sandbox.settings, record_to, audit) as broker:
                contract = await broker.get_contract_by_symbol("MNQ")
                await life(Day(sandbox, broker, trader, contract.id))
    return Recorded(record_to.path, broker.everything_known())


def recorded(
    life: Life, path: Path, *, most_bytes: int = 2**26, tick_seconds: float = 5
) -> Recorded:
    """The recording of a life in virtual time."""
    to = RecordTo(path=path, most_bytes=most_bytes)
    network = MemoryNetwork(latency=0.01, jitter=0.01, seed=7)
    return simulate(lambda: live(life, to, tick_seconds=tick_seconds), network=network)


def same(recording: Recorded) -> Replayed:
    """The replay, which ends as the recording did."""
    replayed = run_replay(recording.path)
    assert replayed.difference is None
    assert replayed.is_comparable
    assert replayed.is_same
    assert not replayed.surprises
    return replayed


async def a_round_trip(day: Day) -> None:
    await day.watch()
    await day.trade(size=2)
    await day.rest()
    await asyncio.sleep(70)
    await day.trade(OrderSide.SELL)
    await asyncio.sleep(70)
    await day.trader.close_position(ACCOUNT, day.contract_id)
    await asyncio.sleep(5)


def test_what_another_traded_is_known_again(tmp_path: Path) -> None:
    replayed = same(recorded(a_round_trip, tmp_path / "a.jsonl"))
    assert replayed.counts["UserTradeEvent"] == 3
    assert replayed.counts["QuoteEvent"] > 10
    assert sum(one.startswith("Trade ") for one in replayed.known) == 3
    assert replayed.gaps == []


def test_a_replay_is_the_same_each_time(tmp_path: Path) -> None:
    path = recorded(a_round_trip, tmp_path / "a.jsonl").path
    first, second = run_replay(path), run_replay(path)
    assert first.counts == second.counts
    assert first.known == second.known


def test_a_reconnect_in_the_middle_is_lived_through_again(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.watch()
        await day.trade()
        await asyncio.sleep(3)
        await day.sandbox.drop_hubs()
        await day.trade()  # while nobody is told
        await day.rest()
        await asyncio.sleep(90)
        day.sandbox.reset_hubs(Hubs.USER)
        await asyncio.sleep(20)

    replayed = same(recorded(life, tmp_path / "a.jsonl"))
    closed = [gap for gap in replayed.gaps if not gap.is_open]
    assert {gap.stream for gap in closed} == {"user", "market"}
    statuses = [one.status for one in replayed.statuses]
    assert statuses.count(StreamConnectionStatus.RECONNECTING) == 3


def test_what_a_program_did_itself_is_known_again_and_not_done_again(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.watch()
        broker, began = day.broker, day.broker._clock.now()
        market = OrderRequest.market(ACCOUNT, day.contract_id, OrderSide.BUY, 2)
        named = evolve(market, client_order_id="words of my own")
        order = await broker.place_order(named)
        waiting = await broker.place_order(
            OrderRequest.limit(ACCOUNT, day.contract_id, OrderSide.BUY, 1, 1000)
        )
        await broker.modify_order(ACCOUNT, waiting.id, limit_price=1001)
        await asyncio.sleep(20)
        await broker.get_order(ACCOUNT, order.id)
        await broker.find_order(ACCOUNT, "words of my own")
        await broker.get_open_orders(ACCOUNT)
        await broker.cancel_order(ACCOUNT, waiting.id)
        await broker.close_position(ACCOUNT, day.contract_id)
        await asyncio.sleep(1)
        await broker.get_positions(ACCOUNT)
        await broker.get_order_history(ACCOUNT, start=began)
        await broker.get_trade_history(ACCOUNT, start=began)

    path = tmp_path / "a.jsonl"
    replayed = same(recorded(life, path))
    assert "words of my own" not in path.read_text()
    assert replayed.unasked["POST /api/Order/place"] == 2
    assert replayed.unasked["POST /api/Order/cancel"] == 1
    assert not replayed.refusals
    assert sum(one.startswith("Order ") for one in replayed.known) == 3


def test_what_a_program_only_asked_is_known_again(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.trade()
        await day.rest()
        await day.broker.get_open_orders(ACCOUNT)
        await day.broker.get_positions(ACCOUNT)
        with pytest.raises(NotFound):
            await day.broker.get_order(ACCOUNT, "1")

    replayed = same(recorded(life, tmp_path / "a.jsonl"))
    assert [one.split()[0] for one in replayed.known] == ["Order", "Position"]
    assert [type(one) for one in replayed.refusals] == [NotFound]


def test_what_the_audit_found_is_found_again(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.watch()
        for event in ("GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition"):
            day.sandbox.fail_events(event, EventFault.LOST, count=9)
        await day.trade(size=3)
        day.sandbox.forget_faults()
        await asyncio.sleep(70)

    replayed = same(recorded(life, tmp_path / "a.jsonl"))
    assert replayed.counts["Resynced"] == 1
    assert replayed.counts["UserTradeEvent"] == 1


def test_a_subscription_that_is_refused_is_refused_again(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.watch()
        with pytest.raises(VenueError):
            await day.broker.subscribe_user_data("4711", [UserDataType.ORDER_UPDATE])
        await asyncio.sleep(1)

    replayed = same(recorded(life, tmp_path / "a.jsonl"))
    (refused,) = replayed.refusals
    assert "there is no account" in str(refused)


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.HTML, Fault.EMPTY, 500, 429, 401])
def test_an_answer_that_failed_fails_again(fault: Fault | int, tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.watch()
        day.sandbox.fail_next("/api/Position/searchOpen", fault, count=2)
        await day.trade()
        await asyncio.sleep(130)

    same(recorded(life, tmp_path / "a.jsonl"))


def test_a_silent_hub_is_left_again_and_at_the_same_time(tmp_path: Path) -> None:
    statuses: list[StatusChanged] = []

    async def life(day: Day) -> None:
        await day.watch()
        day.broker.on_status_change(statuses.append)
        day.sandbox.mute_hubs(silence=Silence.EVERYTHING)
        await day.trade()
        await asyncio.sleep(120)

    replayed = same(recorded(life, tmp_path / "a.jsonl"))
    assert any(isinstance(one, Gap) for one in replayed.gaps)
    before, after = _first_losses(statuses), _first_losses(replayed.statuses)
    assert before.keys() == after.keys() == {"user", "market"}
    for stream, lost in before.items():
        assert abs((lost - after[stream]).total_seconds()) < 0.1


def _first_losses(statuses: Sequence[StatusChanged]) -> dict[str, datetime]:
    """When each stream was left for the first time; the waits before the next try are by chance."""
    return {
        one.stream: one.received
        for one in reversed(statuses)
        if one.status is StreamConnectionStatus.RECONNECTING
    }


def test_what_only_the_answer_to_an_order_told_is_known_again(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.broker.place_order(
            OrderRequest.limit(ACCOUNT, day.contract_id, OrderSide.BUY, 1, 1000)
        )

    replayed = same(recorded(life, tmp_path / "a.jsonl"))
    (order,) = replayed.known
    assert order.startswith("Order ")


async def test_a_call_that_the_hub_refused_is_refused_again(
    sandbox: TopStepXSandbox, tmp_path: Path
) -> None:
    async def hub(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("{}\x1e")
        async for frame in connection:
            call = json.loads(str(frame).removesuffix("\x1e"))
            if call["type"] == 1:
                refused = call["target"] == "SubscribeOrders"
                answer = {"error": "busy, 1001"} if refused else {"result": 0}
                answer |= {"type": 3, "invocationId": call["invocationId"]}
                await connection.send(json.dumps(answer) + "\x1e")

    path = tmp_path / "a.jsonl"
    async with serve(hub, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        there = {"TS_USER_HUB_URL": f"http://127.0.0.1:{port}/hubs/user"}
        async with provider(sandbox.settings | there, RecordTo(path=path)) as broker:
            await broker.subscribe_user_data(ACCOUNT, UserDataType.USER_TRADE)
            with pytest.raises(VenueError, match="the hub refused: busy"):
                await broker.subscribe_user_data(ACCOUNT, UserDataType.ORDER_UPDATE)
    replayed = await asyncio.to_thread(run_replay, path)
    assert [str(one) for one in replayed.refusals] == ["the hub refused: busy, 1001"]
    assert replayed.is_same


async def test_over_real_sockets_too(tmp_path: Path) -> None:
    async def life(day: Day) -> None:
        await day.watch()
        async with (
            asyncio.timeout(30),
            day.broker.subscribe_user_data(ACCOUNT, UserDataType.ORDER_UPDATE) as news,
        ):
            await day.trade(size=2)
            await day.rest()
            await day.sandbox.drop_hubs()
            await day.trade(OrderSide.SELL)
            while sum(one.status.is_final for one in day.broker.orders) < 2:
                await anext(news)

    audit = AuditTimes(busy=0.5, idle=0.5, settle=0.2, retry=0.2)
    to = RecordTo(path=tmp_path / "a.jsonl")
    recording = await live(life, to, tick_seconds=0.02, audit=audit)
    replayed = await asyncio.to_thread(run_replay, recording.path)
    assert replayed.is_same, replayed.difference


def test_the_ids_that_were_hidden_are_those_of_the_state(tmp_path: Path) -> None:
    replayed = same(recorded(a_round_trip, tmp_path / "a.jsonl"))
    accounts = [one for one in replayed.known if one.startswith(f"{Account.__name__} ")]
    assert all('"ACCOUNT-' in one for one in accounts)


class TestIncomplete:
    def test_a_ring_without_its_beginning_is_compared_piece_by_piece(self, tmp_path: Path) -> None:
        async def life(day: Day) -> None:
            await day.watch()
            await day.trade()
            for _ in range(5):
                await asyncio.sleep(70)
                await day.rest()

        recording = recorded(life, tmp_path / "a.jsonl", most_bytes=2**19, tick_seconds=0.5)
        replayed = run_replay(recording.path)
        assert replayed.recording.dropped > 100
        assert not replayed.is_comparable
        assert replayed.shared > 0
        assert recording.path.stat().st_size < 2 * 2**19

    def test_a_recording_that_was_broken_off_is_played_to_its_end(self, tmp_path: Path) -> None:
        whole = recorded(a_round_trip, tmp_path / "a.jsonl").path.read_bytes()
        path = tmp_path / "torn.jsonl"
        path.write_bytes(whole[: len(whole) * 2 // 3])
        replayed = run_replay(path)
        assert replayed.recording.state is None
        assert not replayed.is_comparable
        assert replayed.counts["UserTradeEvent"] >= 1

    def test_a_state_that_is_another_is_told(self, tmp_path: Path) -> None:
        path = recorded(a_round_trip, tmp_path / "a.jsonl").path
        path.write_text(path.read_text().replace(r"\"limitPrice\":1000", r"\"limitPrice\":1001"))
        replayed = run_replay(path)
        assert replayed.is_comparable
        assert not replayed.is_same
        assert replayed.difference is not None
        before, after = replayed.difference.recorded, replayed.difference.replayed
        assert before is not None
        assert " 1000 " in before
        assert after == before.replace(" 1000 ", " 1001 ")

    def test_what_was_known_before_is_not_expected(self, tmp_path: Path) -> None:
        async def life(day: Day) -> None:
            await day.rest()
            await day.broker.get_open_orders(ACCOUNT)
            await day.broker.disconnect()
            day.broker.record_to = RecordTo(path=tmp_path / "b.jsonl")
            await day.broker.connect()

        assert same(recorded(life, tmp_path / "a.jsonl")).recording.known_before == 0
        replayed = run_replay(tmp_path / "b.jsonl")
        assert replayed.recording.known_before == 1
        assert not replayed.is_comparable
        assert not replayed.is_same

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ({"direction": "want", "stream": "", "text": '{"topics": 7}'}, "TypeError"),
            (
                {"direction": "want", "stream": "", "text": '{"topics": [{"kind": 1}]}'},
                "ValueError",
            ),
            ({"direction": "learn", "stream": "", "text": "{}"}, "missing"),
            ({"direction": "in", "stream": "elsewhere", "text": "{}"}, "elsewhere"),
            ({"direction": "call", "stream": "", "text": '{"name": "get_order"}'}, "accountId"),
        ],
    )
    def test_a_line_that_nobody_has_recorded_is_told(
        self, line: dict[str, str], said: str, tmp_path: Path
    ) -> None:
        head = {"format": 1, "provider": "topstepx", "began": "2026-03-02T14:30:00+00:00"}
        first = {"direction": "begin", "stream": "", "text": json.dumps(head)}
        path = tmp_path / "a.jsonl"
        lines = [{"n": n, "at_ms": n} | one for n, one in enumerate((first, line))]
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
        with pytest.raises(DecodeError, match=said):
            run_replay(path)
