"""How often a hub is dialled, whatever it does: an outage must not become a storm."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection

from tradeforge_core.kit import websocket
from tradeforge_testing.proxy import Drop
from tradeforge_topstepx._signalr import HubLimits

if TYPE_CHECKING:
    from tests.topstepx.hubs.conftest import InTheLab, Lab, Script, ScriptedHub

MARKET = "/hubs/market"
MOST = 10
"""Attempts a minute."""
RS = "\x1e"


def accept_and_close(lab: "Lab") -> None:
    lab.proxy.plan(Drop(), count=100_000)


def refuse(lab: "Lab") -> None:
    lab.proxy.refuse()


def answer(status: int) -> "Callable[[Lab], None]":
    return lambda lab: lab.sandbox.fail_next(MARKET, status, count=100_000)


@pytest.mark.parametrize(
    "begin",
    [accept_and_close, refuse, answer(401), answer(403), answer(429), answer(503)],
    ids=["accept and close", "refused", "401", "403", "429", "503"],
)
@pytest.mark.parametrize("seed", range(2))
def test_an_outage_is_no_storm_and_never_given_up(
    in_the_lab: "InTheLab", begin: "Callable[[Lab], None]", seed: int
) -> None:
    async def outage(lab: "Lab") -> None:
        await asyncio.sleep(40)
        begin(lab)
        lab.sandbox.reset_hubs()
        await asyncio.sleep(600)
        assert lab.worst_minute() <= MOST
        lab.proxy.forget()
        lab.sandbox.forget_faults()
        await lab.proxy.accept()
        assert await lab.recover() <= 60

    in_the_lab(outage, seed=seed)


async def close_after_the_handshake(
    hub: "ScriptedHub", connection: ServerConnection, number: int
) -> None:
    if number == 1:
        return await hub.behave(connection)
    await connection.recv()
    await connection.send("{}" + RS)
    await connection.close()


async def close_when_it_is_live(
    hub: "ScriptedHub", connection: ServerConnection, number: int
) -> None:
    await hub.behave(connection, '{"type":7,"allowReconnect":true}' + RS)


async def refuse_the_handshake(
    hub: "ScriptedHub", connection: ServerConnection, number: int
) -> None:
    if number == 1:
        return await hub.behave(connection)
    await connection.recv()
    await connection.send('{"error":"no such protocol"}' + RS)


async def say_too_much(hub: "ScriptedHub", connection: ServerConnection, number: int) -> None:
    await hub.behave(connection, "x" * 70_000)


@pytest.mark.parametrize(
    "script",
    [close_after_the_handshake, close_when_it_is_live, refuse_the_handshake, say_too_much],
)
def test_a_hub_that_ends_every_connection_is_not_stormed(
    in_the_lab: "InTheLab", script: "Script", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_BYTES", 66_000)

    async def outage(lab: "Lab") -> None:
        if script in (close_after_the_handshake, refuse_the_handshake):
            await asyncio.sleep(40)
            for connection in lab.connections():
                connection.transport.abort()
        await asyncio.sleep(600)
        assert 10 < len(lab.dials()), "it is tried again and again"
        assert lab.worst_minute() <= MOST

    for seed in range(2):
        in_the_lab(outage, seed=seed, script=script)


def test_only_a_stream_that_was_live_for_long_is_made_again_at_once(
    in_the_lab: "InTheLab",
) -> None:
    async def lose_twice(lab: "Lab") -> tuple[float, float]:
        waits = []
        for life in (40, 20):
            await asyncio.sleep(life)
            lab.sandbox.reset_hubs()
            lost_at = lab.now
            count = len(lab.dials())
            await lab.lose()
            await lab.recover()
            waits.append(lab.dials()[count] - lost_at)
        return waits[0], waits[1]

    waits = [in_the_lab(lose_twice, seed=seed) for seed in range(6)]
    assert max(at_once for at_once, _ in waits) < 0.1
    assert max(later for _, later in waits) > 0.3, "a random wait of up to a second"


def test_a_connection_that_hangs_is_no_life(in_the_lab: "InTheLab") -> None:
    """Time that passes without an answer does not count as time that the stream was live."""

    async def hang(hub: "ScriptedHub", connection: ServerConnection, number: int) -> None:
        if number == 1:
            return await hub.behave(connection)
        await connection.recv()
        await connection.send("{}" + RS)  # and no call is ever completed
        async for _ in connection:
            pass

    async def outage(lab: "Lab") -> list[float]:
        await asyncio.sleep(40)
        for connection in lab.connections():
            connection.transport.abort()
        await asyncio.sleep(3600)
        return lab.dials()

    dials = in_the_lab(outage, script=hang, limits=HubLimits(invoke=60))
    spaces = [later - earlier for earlier, later in zip(dials[3:], dials[4:], strict=False)]
    assert max(spaces) > 40, "30 s for the call, and waits that grow"


def test_each_attempt_has_a_token_of_its_own_time(in_the_lab: "InTheLab") -> None:
    async def script(hub: "ScriptedHub", connection: ServerConnection, number: int) -> None:
        await hub.behave(connection)

    async def renew(lab: "Lab") -> None:
        session = lab.broker._rest.session
        tokens = []
        for _ in range(4):
            token = await session.token()
            tokens.append(f"Bearer {token.text.reveal()}")
            session.forget(token)
            lab.connections()[0].transport.abort()
            await lab.lose()
            await lab.recover()
        paths, used = zip(*lab.scripted.upgrades, strict=True)
        assert set(paths) == {MARKET}
        assert list(used[:4]) == tokens
        assert len(set(used)) == 5

    in_the_lab(renew, script=script)
