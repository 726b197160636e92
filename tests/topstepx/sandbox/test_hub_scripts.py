"""What a test can make the hubs do: go silent, be late, lose, repeat and confuse events."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tradeforge_testing import ManualClock
from tradeforge_testing.exchange import Exchange
from tradeforge_topstepx.sandbox import (
    EventFault,
    Fault,
    HubLimits,
    Hubs,
    Silence,
    TopStepXSandbox,
)

if TYPE_CHECKING:
    from tests.topstepx.sandbox.conftest import HubClient

Call = Callable[..., Awaitable[dict[str, Any]]]
Connect = Callable[[str], Awaitable["HubClient"]]
MNQ = "CON.F.US.MNQ.H26"
ORDER, DEPTH = "GatewayUserOrder", "GatewayDepth"
HELLO = '{"protocol":"json","version":1}\x1e'


@pytest.fixture
async def follower(user_hub: "HubClient") -> "HubClient":
    """Follows the orders of the first account."""
    await user_hub.follow("Orders", key=1001)
    return user_hub


async def _rests(place: Call, count: int) -> list[int]:
    """The ids of so many orders that each tell one event."""
    return [(await place(type=1, limitPrice=29000 - n))["orderId"] for n in range(count)]


async def _ids(hub: "HubClient", count: int) -> list[int]:
    return [body["data"]["id"] for _, (body,) in await hub.events(count)]


async def _is_quiet(hub: "HubClient") -> bool:
    """Whether a call is answered before anything else is said."""
    return "error" in await hub.invoke("Nothing")


# The end of connections


async def test_one_hub_can_be_dropped_alone(connect_hub: Connect, sandbox: TopStepXSandbox) -> None:
    user, market = await connect_hub("user"), await connect_hub("market")
    await sandbox.drop_hubs(Hubs.USER)
    assert (await user.hear())["type"] == 7
    assert await _is_quiet(market)


@pytest.mark.parametrize("hubs", Hubs)
async def test_a_reset_cuts_connections_without_a_word(
    connect_hub: Connect, sandbox: TopStepXSandbox, hubs: Hubs
) -> None:
    clients = {name: await connect_hub(name) for name in ("user", "market")}
    sandbox.reset_hubs(hubs)
    for name, client in clients.items():
        if hubs in (name, "both"):
            with pytest.raises(ConnectionClosed) as end:
                await client.hear()
            assert end.value.rcvd is None
        else:
            assert await _is_quiet(client)
    assert await _is_quiet(await connect_hub("user"))


@pytest.mark.parametrize(("reason", "arguments"), [(None, []), ("taken over", ["taken over"])])
async def test_a_log_out_is_told_to_everybody_and_closes_nothing(
    connect_hub: Connect, sandbox: TopStepXSandbox, reason: str | None, arguments: list[str]
) -> None:
    clients = [await connect_hub(name) for name in ("user", "market", "user")]
    sandbox.log_out(reason=reason)
    for client in clients:
        assert await client.event() == ("GatewayLogout", arguments)
        assert await _is_quiet(client)


# Silence


async def test_a_muted_hub_answers_and_tells_nothing(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call
) -> None:
    sandbox.mute_hubs(Hubs.USER)
    await _rests(place, 2)
    assert await _is_quiet(follower)
    sandbox.mute_hubs(silence=None)
    heard = await _rests(place, 1)
    assert await _ids(follower, 1) == heard


async def test_a_muted_market_hub_has_no_snapshots_either(
    market_hub: "HubClient", sandbox: TopStepXSandbox
) -> None:
    sandbox.mute_hubs(Hubs.MARKET)
    await market_hub.follow("ContractQuotes", "ContractMarketDepth", key=MNQ)
    assert await _is_quiet(market_hub)


async def test_a_hub_can_say_nothing_at_all(clock: ManualClock) -> None:
    limits = HubLimits(ping_seconds=0.02)
    async with TopStepXSandbox(clock=clock, hub_limits=limits) as sandbox:
        url = f"ws://127.0.0.1:{sandbox.port}/hubs/user?access_token={_token(sandbox)}"
        async with connect(url) as old:
            await old.send(HELLO)
            assert await old.recv() == "{}\x1e"
            sandbox.mute_hubs(silence=Silence.EVERYTHING)
            async with connect(url) as new:
                await new.send(HELLO)
                heard = [asyncio.create_task(one.recv()) for one in (old, new)]
                await asyncio.wait(heard, timeout=0.2)
                assert [str(one.result()) for one in heard if one.done()] in ([], [PING])
                sandbox.mute_hubs(silence=None)
                await asyncio.gather(*heard)


PING = '{"type":6}\x1e'


def _token(sandbox: TopStepXSandbox) -> str:
    return sandbox._venue.tokens.issue("sandbox")


# Late, lost, twice, in another order


async def test_delayed_events_come_in_their_order_by_the_clock(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call, clock: ManualClock
) -> None:
    sandbox.delay_events(0.5, Hubs.USER)
    first = await _rests(place, 2)
    clock.advance(0.25)
    second = await _rests(place, 1)
    assert await _is_quiet(follower)
    clock.advance(0.25)
    assert await _ids(follower, 2) == first
    sandbox.delay_events(0)
    third = await _rests(place, 1)  # not late itself, and behind one that is
    assert await _is_quiet(follower)
    clock.advance(0.25)
    assert await _ids(follower, 2) == second + third
    fourth = await _rests(place, 1)
    assert await _ids(follower, 1) == fourth


async def test_a_delayed_snapshot_comes_before_what_follows_it(
    market_hub: "HubClient", sandbox: TopStepXSandbox, exchange: Exchange, clock: ManualClock
) -> None:
    sandbox.delay_events(1)
    exchange.move_to(MNQ, Decimal(29550))
    await market_hub.follow("ContractQuotes", key=MNQ)
    exchange.move_to(MNQ, Decimal(29560))
    assert await _is_quiet(market_hub)
    clock.advance(1)
    first, *others = await market_hub.events(2)
    assert first[1][1]["lastPrice"] == 29550
    assert all(quote["lastPrice"] > 29550 for _, (_, quote) in others if "lastPrice" in quote)


async def test_lost_events_do_not_come(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call
) -> None:
    sandbox.fail_events(ORDER, EventFault.LOST, count=2)
    ids = await _rests(place, 3)
    assert await _ids(follower, 1) == ids[2:]


async def test_duplicated_events_come_twice(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call
) -> None:
    sandbox.fail_events(ORDER, EventFault.DUPLICATED)
    first, second = await _rests(place, 2)
    assert await _ids(follower, 3) == [first, first, second]


async def test_reordered_events_come_in_reverse_once_all_are_there(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call
) -> None:
    sandbox.fail_events(ORDER, EventFault.REORDERED, count=3)
    ids = await _rests(place, 2)
    assert await _is_quiet(follower)
    ids += await _rests(place, 2)
    assert await _ids(follower, 4) == [ids[2], ids[1], ids[0], ids[3]]


async def test_faults_of_events_come_in_turn(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call
) -> None:
    sandbox.fail_events(ORDER, EventFault.DUPLICATED)
    sandbox.fail_events(ORDER, EventFault.LOST)
    sandbox.fail_events(ORDER, EventFault.LOST, count=0)
    first, _, third = await _rests(place, 3)
    assert await _ids(follower, 3) == [first, first, third]


async def test_an_event_that_no_hub_has_is_an_error(sandbox: TopStepXSandbox) -> None:
    with pytest.raises(ValueError, match="GatewayNothing"):
        sandbox.fail_events("GatewayNothing", EventFault.LOST)


async def test_an_event_can_come_before_the_reply(
    follower: "HubClient", sandbox: TopStepXSandbox, place: Call, clock: ManualClock
) -> None:
    sandbox.fail_next("/api/Order/place", Fault.DELAY, seconds=1)
    reply = asyncio.create_task(_rests(place, 1))
    ids = await _ids(follower, 1)
    assert not reply.done()
    clock.advance(1)
    assert await reply == ids


# Nonsense


async def test_padded_rows_have_nulls_around_them(
    market_hub: "HubClient", sandbox: TopStepXSandbox, exchange: Exchange
) -> None:
    sandbox.fail_events(DEPTH, EventFault.PADDED)
    await market_hub.follow("ContractMarketDepth", key=MNQ)
    rows = (await market_hub.event())[1][1]
    assert rows[0] is rows[-1] is None
    assert all(rows[1:-1])
    exchange.move_to(MNQ, Decimal(29550))
    assert all((await market_hub.event())[1][1])


async def test_malformed_records_keep_their_members_only(
    follower: "HubClient", market_hub: "HubClient", sandbox: TopStepXSandbox, place: Call
) -> None:
    for event in (ORDER, DEPTH):
        sandbox.fail_events(event, EventFault.MALFORMED)
    await _rests(place, 1)
    await market_hub.follow("ContractMarketDepth", key=MNQ)
    (body,) = (await follower.event())[1]
    assert body["action"] == "?"
    assert {*body["data"].values()} == {"?"}
    contract, rows = (await market_hub.event())[1]
    assert contract == MNQ
    assert rows[0] == dict.fromkeys(["timestamp", "type", "price", "volume", "currentVolume"], "?")


async def test_anything_can_be_said(user_hub: "HubClient", sandbox: TopStepXSandbox) -> None:
    sandbox.say("no json", Hubs.USER)
    assert await user_hub.socket.recv() == "no json"
    sandbox.say(json.dumps({"type": 99}) + "\x1e")
    assert await user_hub.hear() == {"type": 99}
