"""Damaged events in the stream of a whole provider: each is counted, reported, and survived."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve

from tradeforge_core import (
    DecodeError,
    Event,
    Gap,
    GapCause,
    Settings,
    StatusChanged,
    StreamConnectionStatus,
    TradeForgeError,
    UserDataType,
    UserTradeEvent,
)
from tradeforge_testing.mutation import Mutator
from tradeforge_testing.sanity import check_sane
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox

RS = "\x1e"
EVENTS = (Path(__file__).parent / "hub_events.jsonl").read_text().splitlines()
LAST = (
    '{"type":1,"target":"GatewayUserTrade","arguments":[{"action":0,"data":{"id":424242,"accountId"'
    ':%s,"contractId":"C","price":1,"side":0,"size":1,"orderId":1}}]}'
)
_ENDS_THE_SESSION = re.compile(r'"type"\s*:\s*"?7|logout', re.IGNORECASE)


@asynccontextmanager
async def hub_saying(damaged: Iterator[str], last: str) -> AsyncIterator[str]:
    """A user hub that confirms every subscription, then says what is damaged, and `last`."""

    async def speak(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("{}" + RS)
        for _ in UserDataType:
            call = msgspec.json.decode((await connection.recv())[:-1], type=dict[str, Any])
            done = {"type": 3, "invocationId": call["invocationId"]}
            await connection.send(msgspec.json.encode(done).decode() + RS)
        for record in damaged:
            await connection.send(record + RS)
        await connection.send(last + RS)
        await connection.wait_closed()

    async with serve(speak, "127.0.0.1", 0, compression=None) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_bad_record_is_a_gap_and_an_error_and_the_stream_goes_on(
    cases: int, seed: int
) -> None:
    texts = (one.decode("utf-8", "replace") for one in _mutations(cases // 50, seed))
    damaged = (text for text in texts if not _ENDS_THE_SESSION.search(text))
    events: list[Event] = []
    errors: list[TradeForgeError] = []
    done = asyncio.Event()

    def see(event: Event) -> None:
        events.append(event)
        if isinstance(event, UserTradeEvent) and event.trade.id == "424242":
            done.set()

    async with TopStepXSandbox(seed=7) as sandbox:
        account = await _first_account(sandbox)
        async with hub_saying(damaged, LAST % account) as url:
            settings = Settings("topstepx", sandbox.settings | {"TS_USER_HUB_URL": url})
            broker = TopStepXProvider(TopStepXConfig.from_settings(settings))
            broker.on_event(see)
            broker.on_error(errors.append)
            async with broker:
                await broker.subscribe_user_data([account], list(UserDataType))
                async with asyncio.timeout(60):
                    await done.wait()
    gaps = [event for event in events if isinstance(event, Gap)]
    assert len(gaps) == len(errors) > cases / 500
    assert {gap.cause for gap in gaps} == {GapCause.DECODE_ERROR}
    assert all(gap.dropped == 1 and gap.topics for gap in gaps)
    assert {type(error) for error in errors} == {DecodeError}
    states = [event.status for event in events if isinstance(event, StatusChanged)]
    assert StreamConnectionStatus.RECONNECTING not in states
    for event in events:
        check_sane(event)


def _mutations(count: int, seed: int) -> Iterator[bytes]:
    user_events = [one.encode() for one in EVENTS if "GatewayUser" in one]
    return Mutator(user_events, seed=seed).mutations(count)


async def _first_account(sandbox: TopStepXSandbox) -> str:
    config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings))
    async with TopStepXProvider(config) as broker:
        return (await broker.get_accounts())[0].id
