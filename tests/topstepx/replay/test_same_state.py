"""A recording, played to the same code, ends in the same state."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random

import pytest
from attrs import evolve
from tests.topstepx.replay.day import ACCOUNT, Day, a_round_trip, live, provider, recorded, same
from websockets.asyncio.server import ServerConnection, serve

from tradeforge_core import (
    Account,
    Gap,
    NotFound,
    OrderRequest,
    OrderSide,
    RecordTo,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
    UserDataType,
    VenueError,
)
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_testing.replay import run_replay
from tradeforge_topstepx.sandbox import EventFault, Fault, Hubs, Silence, TopStepXSandbox


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


def _some_step(day: Day, random: Random) -> Awaitable[object]:
    """Something that a program, another one, or the venue does."""
    who = random.choice([day.broker, day.trader])
    order = partial(OrderRequest.market, ACCOUNT, day.contract_id)
    path = random.choice(["/api/Position/searchOpen", "/api/Order/search", "/api/Trade/search"])
    faults: list[Fault | int] = [Fault.RESET, Fault.HTML, Fault.HANG, 500, 401]
    fault = random.choice(faults)
    steps: list[Callable[[], Awaitable[object] | None]] = [
        lambda: who.place_order(order(random.choice(list(OrderSide)), random.randint(1, 3))),
        lambda: day.rest(1000 + random.randint(0, 9)),
        lambda: who.close_position(ACCOUNT, day.contract_id),
        lambda: who.cancel_all_orders(ACCOUNT),
        day.sandbox.drop_hubs,
        lambda: day.sandbox.reset_hubs(random.choice(list(Hubs))),
        lambda: day.sandbox.fail_next(path, fault, count=random.randint(1, 3)),
        lambda: day.sandbox.fail_events("GatewayUserOrder", EventFault.LOST, count=2),
        day.sandbox.expire_tokens,
    ]
    return random.choice(steps)() or asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_ends_in_the_same_state(seed: int, tmp_path: Path) -> None:
    random = Random(seed)

    async def life(day: Day) -> None:
        await day.watch()
        for _ in range(8):
            with suppress(TradeForgeError):
                await _some_step(day, random)
            await asyncio.sleep(random.choice([0.05, 0.5, 3, 20, 70]))

    replayed = run_replay(recorded(life, tmp_path / "a.jsonl").path)
    assert replayed.is_same, replayed.difference
