"""What has broken SignalR clients before, held against this one. `PROOFS` says which test does it.

The tests here are those that no other module has; all run a whole provider in virtual time.
"""

import ast
import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection

from tradeforge_core import (
    AuthenticationError,
    Disconnected,
    Event,
    MarketDataType,
    QuoteEvent,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
)
from tradeforge_testing.proxy import Drop, Hold

if TYPE_CHECKING:
    from tests.topstepx.hubs.conftest import InTheLab, Lab, ScriptedHub

RS = "\x1e"
MARKET = "/hubs/market"
LIVE, CLOSED = StreamConnectionStatus.LIVE, StreamConnectionStatus.CLOSED

PROOFS: Mapping[str, tuple[str, ...]] = {
    "importing it changes no other library": (
        "topstepx/test_import_hygiene.py::test_websockets_and_httpx_stay_as_they_were",
    ),
    "the first upgrade is authenticated, and each later one with the token of its time": (
        "topstepx/test_signalr.py::test_the_token_goes_in_the_header_and_not_in_the_address",
        "topstepx/hubs/test_connects.py::test_each_attempt_has_a_token_of_its_own_time",
    ),
    "an address is never used again with what an earlier connection has put into it": (
        "topstepx/hubs/test_connects.py::test_each_attempt_has_a_token_of_its_own_time",
    ),
    "a hub that accepts and closes is not stormed": (
        "topstepx/hubs/test_connects.py::test_an_outage_is_no_storm_and_never_given_up",
        "topstepx/hubs/test_connects.py::test_a_hub_that_ends_every_connection_is_not_stormed",
    ),
    "failures count in a row, not for life": (
        "topstepx/hubs/test_hub_regressions.py::test_failures_count_in_a_row_only",
    ),
    "refused upgrades for many minutes are survived": (
        "topstepx/hubs/test_connects.py::test_an_outage_is_no_storm_and_never_given_up",
    ),
    "refused and reset connections are survived": (
        "topstepx/hubs/test_connects.py::test_an_outage_is_no_storm_and_never_given_up",
        "topstepx/hubs/test_hub_regressions.py::test_resets_while_it_connects_are_survived",
    ),
    "an upgrade that is never answered is given up in time": (
        "topstepx/hubs/test_hub_regressions.py::test_an_upgrade_that_is_never_answered",
    ),
    "a handshake that is never answered is given up in time": (
        "topstepx/hubs/test_hub_regressions.py::test_a_handshake_that_is_never_answered",
    ),
    "a refused handshake is a loss like any other": (
        "topstepx/test_signalr.py::TestHandshake::test_a_refusal",
        "topstepx/hubs/test_connects.py::test_a_hub_that_ends_every_connection_is_not_stormed",
    ),
    "a silent server counts as dead": (
        "topstepx/test_signalr.py::TestEnds::test_a_silent_hub_counts_as_dead",
        "topstepx/hubs/test_recovery.py::test_a_dead_line_is_noticed_in_time",
    ),
    "whatever ends a connection is told, and the next one starts": (
        "core/test_connections.py::test_a_bug_in_a_link_is_reported_and_survived",
        "core/test_connections.py::test_a_link_that_cannot_be_made_or_closed_does_not_end_the_stream",
    ),
    "an error of a subscriber ends no stream": (
        "topstepx/hubs/test_hub_regressions.py::test_an_error_of_a_subscriber_ends_no_stream",
    ),
    "records that make no sense, or are of a later protocol, end no stream": (
        "topstepx/test_signalr.py::TestBadRecords::test_one_is_reported_and_the_stream_goes_on",
        "topstepx/test_signalr.py::TestBadRecords::test_what_a_later_protocol_says_is_passed_over",
        "topstepx/test_signalr.py::TestBadRecords::test_unknown_members_do_no_harm",
    ),
    "a close message is a loss, with an error and without, whatever it allows": (
        "topstepx/hubs/test_hub_regressions.py::test_every_close_message_is_followed_by_a_new_connection",
    ),
    "a call that fails is its caller's, not the hub's": (
        "topstepx/test_signalr.py::TestCalls::test_answers_find_their_calls_in_any_order",
    ),
    "calls that wait when the connection is lost are told": (
        "topstepx/test_signalr.py::TestCalls::test_a_call_in_flight_when_the_connection_dies",
    ),
    "a handler of the status can subscribe and wait for it": (
        "topstepx/hubs/test_hub_regressions.py::test_a_handler_can_subscribe_when_it_is_live",
    ),
    "a call never goes out on another connection than its own": (
        "topstepx/hubs/test_hub_regressions.py::test_a_call_never_waits_for_another_connection",
    ),
    "leaving says goodbye and is told": (
        "topstepx/hubs/test_hub_regressions.py::test_leaving_says_goodbye_and_is_told",
    ),
    "no log has the token": (
        "core/test_websocket.py::test_the_log_never_has_the_token",
        "topstepx/hubs/test_hub_regressions.py::test_no_log_has_the_token",
    ),
    "no message has anything of the headers": (
        "topstepx/hubs/test_hub_regressions.py::test_no_message_has_anything_of_the_headers",
    ),
    "errors can be annotated and pass through context managers": (
        "topstepx/hubs/test_hub_regressions.py::test_errors_pass_through_context_managers",
    ),
    "a slow handler delays nobody else": (
        "topstepx/hubs/test_hub_regressions.py::test_a_slow_handler_delays_nobody_else",
    ),
    "messages that are too large make no storm": (
        "topstepx/hubs/test_connects.py::test_a_hub_that_ends_every_connection_is_not_stormed",
    ),
    "the hubs are reached without a negotiation": (
        "topstepx/hubs/test_hub_regressions.py::test_nothing_is_negotiated",
    ),
    "an error in the block of a subscription ends it at the venue": (
        "topstepx/hubs/test_hub_regressions.py::test_an_error_in_the_block_unsubscribes",
    ),
}


@pytest.mark.parametrize("proof", sorted({one for proofs in PROOFS.values() for one in proofs}))
def test_the_proof_is_there(proof: str) -> None:
    path, *names = proof.split("::")
    tests = Path(__file__).parents[2]
    body = ast.parse((tests / path).read_text(encoding="utf-8")).body
    for name in names:
        found = [one for one in body if getattr(one, "name", None) == name]
        assert found, f"{proof} is gone: who proves it now?"
        body = getattr(found[0], "body", [])


async def behave(hub: "ScriptedHub", connection: ServerConnection, number: int) -> None:
    await hub.behave(connection)


def test_failures_count_in_a_row_only(in_the_lab: "InTheLab") -> None:
    async def many_lives(lab: "Lab") -> None:
        for _ in range(10):
            await asyncio.sleep(40)
            lab.sandbox.fail_next(MARKET, 503)
            lab.sandbox.reset_hubs()
            await lab.lose()
            assert await lab.recover() <= 1.1, "one failure, and a wait of up to a second"

    in_the_lab(many_lives)


def test_resets_while_it_connects_are_survived(in_the_lab: "InTheLab") -> None:
    async def outage(lab: "Lab") -> None:
        lab.proxy.plan(Drop(rst=True), count=6)
        lab.sandbox.reset_hubs()
        await lab.lose()
        await lab.recover()
        assert len(lab.dials()) == 8

    in_the_lab(outage)


def test_an_upgrade_that_is_never_answered(in_the_lab: "InTheLab") -> None:
    async def outage(lab: "Lab") -> None:
        await asyncio.sleep(40)
        lab.proxy.plan(Hold())
        lab.sandbox.reset_hubs()
        await lab.lose()
        assert 10 <= await lab.recover() <= 20
        assert len(lab.dials()) == 3

    in_the_lab(outage)


def test_a_handshake_that_is_never_answered(in_the_lab: "InTheLab") -> None:
    async def mute_once(hub: "ScriptedHub", connection: ServerConnection, number: int) -> None:
        if number != 2:
            return await hub.behave(connection)
        await connection.recv()

    async def outage(lab: "Lab") -> None:
        await asyncio.sleep(40)
        lab.connections()[0].transport.abort()
        await lab.lose()
        assert 15 <= await lab.recover() <= 20
        assert len(lab.scripted.upgrades) == 3

    in_the_lab(outage, script=mute_once)


def test_an_error_of_a_subscriber_ends_no_stream(in_the_lab: "InTheLab") -> None:
    async def fail(lab: "Lab") -> None:
        told: list[Event] = []

        def broken(event: Event) -> None:
            told.append(event)
            raise ZeroDivisionError("a bug of the user")

        lab.broker.on_event(broken)
        await asyncio.sleep(300)
        assert [event for event in told if isinstance(event, QuoteEvent)]
        assert lab.broker.status is LIVE
        assert len(lab.dials()) == 1
        assert any("a bug of the user" in str(error) for error in lab.errors)

    in_the_lab(fail)


@pytest.mark.parametrize("error", ["", ',"error":"maintenance"'])
@pytest.mark.parametrize("allows", ["", ',"allowReconnect":true', ',"allowReconnect":false'])
def test_every_close_message_is_followed_by_a_new_connection(
    in_the_lab: "InTheLab", error: str, allows: str
) -> None:
    async def close(lab: "Lab") -> None:
        await lab.connections()[0].send(f'{{"type":7{error}{allows}}}{RS}')
        await lab.lose()
        await lab.recover()
        assert len(lab.scripted.upgrades) == 2

    in_the_lab(close, script=behave)


def test_a_handler_can_subscribe_when_it_is_live(in_the_lab: "InTheLab") -> None:
    async def reconnect(lab: "Lab") -> None:
        done: list[int] = []

        async def more(change: StatusChanged) -> None:
            if change.status is LIVE:
                async with lab.quotes():
                    done.append(change.generation)

        lab.broker.on_status_change(more)
        lab.sandbox.reset_hubs()
        await lab.lose()
        await lab.recover()
        await asyncio.sleep(1)
        assert done == [2]

    in_the_lab(reconnect)


def test_a_call_never_waits_for_another_connection(in_the_lab: "InTheLab") -> None:
    async def call_late(lab: "Lab") -> None:
        first = lab.broker._make_link("market")
        await first.open()
        hub = first._hub  # type: ignore[attr-defined]
        lab.connections()[-1].transport.abort()
        await asyncio.sleep(1)
        began = lab.now
        with pytest.raises(Disconnected):
            await hub.invoke("SubscribeContractQuotes", "LATE")
        assert lab.now == began, "it fails at once"
        calls = [message for said in lab.scripted.said for message in said]
        assert not [call for call in calls if call.get("arguments") == ["LATE"]]
        await first.close()

    in_the_lab(call_late, script=behave)


def test_leaving_says_goodbye_and_is_told(in_the_lab: "InTheLab") -> None:
    async def leave(lab: "Lab") -> None:
        await lab.broker.disconnect()
        await asyncio.sleep(1)
        assert lab.scripted.codes == [1000]
        assert lab.changes[-1].status is CLOSED

    in_the_lab(leave, script=behave)


def test_no_log_has_the_token(in_the_lab: "InTheLab", caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def live(lab: "Lab") -> None:
        lab.connections()[0].transport.abort()
        await lab.lose()
        await lab.recover()
        token = lab.scripted.upgrades[0][1].removeprefix("Bearer ")
        assert token
        ours = [one for one in caplog.records if not one.name.startswith("websockets.server")]
        assert not [one for one in ours if token in one.getMessage()]
        assert token not in repr(lab.errors) + repr(lab.changes)

    in_the_lab(live, script=behave)


def test_no_message_has_anything_of_the_headers(in_the_lab: "InTheLab") -> None:
    async def call(lab: "Lab") -> None:
        await asyncio.sleep(60)
        (said,) = lab.scripted.said
        calls = [message for message in said if message["type"] == 1]
        assert [set(one) for one in calls] == [{"type", "invocationId", "target", "arguments"}]
        assert [one for one in said if one["type"] == 6] == [{"type": 6}] * (len(said) - 1)

    in_the_lab(call, script=behave)


@pytest.mark.parametrize(
    "error",
    [Disconnected("gone"), AuthenticationError("who are you", code=401)],
    ids=lambda error: type(error).__name__,
)
async def test_errors_pass_through_context_managers(error: TradeForgeError) -> None:
    @asynccontextmanager
    async def block() -> AsyncIterator[None]:
        try:
            yield
        except TradeForgeError as one:
            one.add_note("while it was tested")
            raise

    with pytest.raises(type(error)) as caught:
        async with block():
            raise error
    assert caught.value is error
    assert error.__notes__ == ["while it was tested"]


def test_a_slow_handler_delays_nobody_else(in_the_lab: "InTheLab") -> None:
    async def wait(lab: "Lab") -> None:
        begun: list[float] = []

        async def slow(event: Event) -> None:
            begun.append(lab.now)
            await asyncio.sleep(1000)

        lab.broker.on_event(slow)
        async with lab.quotes() as quotes, asyncio.timeout(300):
            seen = 0
            async for event in quotes:
                seen += isinstance(event, QuoteEvent)
                if seen == 3:
                    break
        assert len(begun) == 1
        assert len(lab.dials()) == 1

    in_the_lab(wait)


def test_nothing_is_negotiated(in_the_lab: "InTheLab") -> None:
    async def look(lab: "Lab") -> None:
        assert lab.sandbox.requests[MARKET] == 1
        assert not [path for path in lab.sandbox.requests if "negotiate" in path]

    in_the_lab(look)


def test_an_error_in_the_block_unsubscribes(in_the_lab: "InTheLab") -> None:
    async def fail(lab: "Lab") -> None:
        kinds = lab.broker.subscribe_market_data("CON.F.US.MES.H26", [MarketDataType.TRADE])
        with pytest.raises(ZeroDivisionError):
            async with kinds:
                raise ZeroDivisionError
        await asyncio.sleep(1)
        (said,) = lab.scripted.said
        assert [one["target"] for one in said if one["type"] == 1][-1] == (
            "UnsubscribeContractTrades"
        )

    in_the_lab(fail, script=behave)
