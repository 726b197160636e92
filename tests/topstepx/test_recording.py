"""Streams recorded at a venue, and played again to the same code."""

import asyncio
import os
from pathlib import Path

import attrs
import pytest

from tradeforge_core import (
    AccountUpdateEvent,
    Disconnected,
    Event,
    Gap,
    MarketDataType,
    OrderRequest,
    OrderSide,
    Plugins,
    Settings,
    StatusChanged,
    StreamConnectionStatus,
    UserDataType,
    UserTradeEvent,
    VenueError,
    hookimpl,
)
from tradeforge_core.kit.recording import FrameRecorder
from tradeforge_testing import ManualClock
from tradeforge_testing.frames import Recording
from tradeforge_testing.mutation import Mutator
from tradeforge_topstepx._redaction import Redaction
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import TopStepXSandbox
from tradeforge_topstepx.sandbox.replay import FrameReplay

ACCOUNT = "1001"
_MARKET_EVENTS = 60
_USER = (AccountUpdateEvent, UserTradeEvent)


class Watcher:
    """An add-on that sees every event, where the queue of a subscriber keeps the newest quote."""

    def __init__(self) -> None:
        self.market: list[Event] = []
        self.user: list[Event] = []
        self.gaps: list[Gap] = []
        self.subscribed = asyncio.Event()
        self.progress = asyncio.Event()

    @hookimpl
    def tradeforge_event(self, event: Event) -> None:
        if isinstance(event, Gap):
            self.gaps.append(event)
        elif not isinstance(event, StatusChanged):
            is_market = hasattr(event, "contract_id")
            (self.market if is_market else self.user).append(_timeless(event))
        self.progress.set()

    async def until(self, market: int, user: int) -> None:
        async with asyncio.timeout(20):
            while len(self.market) < market or len(self.user) < user:
                self.progress.clear()
                await self.progress.wait()


def _timeless(event: Event) -> Event:
    """Without what a recording does not keep: when it came, and what an account is called."""
    event = attrs.evolve(event, received=ManualClock().now())
    if isinstance(event, AccountUpdateEvent):
        return attrs.evolve(event, account=attrs.evolve(event.account, name=""))
    return event


def provider(settings: dict[str, str], watcher: Watcher, path: Path | None) -> TopStepXProvider:
    config = TopStepXConfig.from_settings(Settings("topstepx", settings))
    return TopStepXProvider(config, plugins=Plugins([watcher]), record_frames=path)


async def watch(broker: TopStepXProvider, watcher: Watcher, market: int, user: int) -> None:
    """What a program does, at the venue and at the replay."""
    contract = await broker.get_contract_by_symbol("MNQ")
    async with (
        broker.subscribe_market_data(contract.id, list(MarketDataType)),
        broker.subscribe_user_data(ACCOUNT, list(UserDataType)),
    ):
        watcher.subscribed.set()
        await watcher.until(market, user)


async def recorded(path: Path) -> Watcher:
    """A session with a round trip of one contract, recorded."""
    watcher = Watcher()
    async with TopStepXSandbox(seed=7, tick_seconds=0.01) as sandbox:
        async with (
            provider(sandbox.settings, Watcher(), None) as trader,
            provider(sandbox.settings, watcher, path) as broker,
        ):
            watching = asyncio.create_task(watch(broker, watcher, _MARKET_EVENTS, 10))
            await asyncio.wait_for(watcher.subscribed.wait(), 20)
            contract = await trader.get_contract_by_symbol("MNQ")
            await trader.place_order(OrderRequest.market(ACCOUNT, contract.id, OrderSide.BUY, 1))
            await trader.close_position(ACCOUNT, contract.id)
            await watching
    return watcher


@pytest.mark.parametrize("in_time", [False, True])
async def test_a_replay_yields_the_events_of_the_session(tmp_path: Path, in_time: bool) -> None:
    path = tmp_path / "session.jsonl"
    before, after = await recorded(path), Watcher()
    clock = _Hurried() if in_time else None
    async with TopStepXSandbox(seed=7) as sandbox, FrameReplay(path, clock=clock) as replay:
        async with provider(sandbox.settings | replay.settings, after, None) as broker:
            await watch(broker, after, len(before.market), len(before.user))
    # the replay may have said more by the time that it was left
    assert after.market[: len(before.market)] == before.market
    assert after.user[: len(before.user)] == before.user
    assert after.gaps == []
    assert any(isinstance(event, UserTradeEvent) for event in before.user)
    if clock is not None:
        assert clock.slept_for > 0.1


class _Hurried(ManualClock):
    """Its sleeps are over at once, and counted."""

    slept_for = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept_for += max(seconds, 0)
        self.advance(max(seconds, 0))
        await asyncio.sleep(0)


class TestRecording:
    async def test_nothing_tells_who_recorded(self, tmp_path: Path) -> None:
        path = tmp_path / "session.jsonl"
        await recorded(path)
        text = path.read_text()
        for secret in ("eyJ", "Bearer", "sandbox", "PRAC-", "KTC-", "10010001"):
            assert secret not in text, secret
        assert "ACCOUNT-1001" in text
        assert os.listdir(tmp_path) == [path.name]

    async def test_every_message_of_both_sides_is_there(self, tmp_path: Path) -> None:
        path = tmp_path / "session.jsonl"
        await recorded(path)
        recording = Recording.read(path)
        for stream in ("user", "market"):
            (frames,) = recording.connections(stream)
            assert frames[0].text == '{"protocol":"json","version":1}'
            assert (frames[1].direction, frames[1].text) == ("in", "{}")
            called = [frame.text for frame in frames if frame.direction == "out"]
            assert sum('"Subscribe' in text for text in called) in (3, 4)
        times = [frame.at_ms for frame in recording.frames]
        assert times == sorted(times)

    async def test_nothing_is_recorded_unless_asked(
        self, sandbox: TopStepXSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        async with provider(sandbox.settings, watcher := Watcher(), None) as broker:
            await watch(broker, watcher, 1, 0)
        assert os.listdir(tmp_path) == []

    async def test_a_recording_is_never_overwritten(
        self, sandbox: TopStepXSandbox, tmp_path: Path
    ) -> None:
        path = tmp_path / "session.jsonl"
        path.write_text("precious")
        with pytest.raises(FileExistsError, match="move it away"):
            await provider(sandbox.settings, Watcher(), path).connect()
        assert path.read_text() == "precious"

    async def test_a_lost_connection_is_two_connections_of_the_recording(
        self, tmp_path: Path
    ) -> None:
        path, watcher = tmp_path / "session.jsonl", Watcher()
        async with TopStepXSandbox(seed=7, tick_seconds=0.01) as sandbox:
            async with provider(sandbox.settings, watcher, path) as broker:
                contract = await broker.get_contract_by_symbol("MNQ")
                async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]):
                    await watcher.until(3, 0)
                    await sandbox.drop_hubs()
                    await watcher.until(len(watcher.market) + 3, 0)
        first, second = Recording.read(path).connections("market")
        assert '"type":7' in first[-1].text
        assert any("SubscribeContractQuotes" in frame.text for frame in second)

    async def test_a_hostile_message_does_not_stop_it(self, tmp_path: Path) -> None:
        lines = Path(__file__).parent.joinpath("fuzz", "hub_events.jsonl").read_bytes().splitlines()
        path, count = tmp_path / "session.jsonl", 20_000
        recorder = FrameRecorder(path, clock=ManualClock(), redact=Redaction(["secret"]).message)
        for message in Mutator(lines, seed=7).mutations(count):
            recorder.record("market", "in", message)
        recorder.close()
        assert len(Recording.read(path).frames) == count


class TestReplay:
    @staticmethod
    def write(path: Path, *frames: tuple[str, str]) -> None:
        recorder = FrameRecorder(path, clock=ManualClock(), redact=lambda message: message.decode())
        for stream in ("user",):
            recorder.record(stream, "open")
            recorder.record(stream, "out", b'{"protocol":"json","version":1}')
            recorder.record(stream, "in", b"{}")
            for direction, text in frames:
                recorder.record(stream, direction, text.encode())
        recorder.close()

    async def test_a_call_that_the_venue_refused_is_refused_again(
        self, sandbox: TopStepXSandbox, tmp_path: Path
    ) -> None:
        call = '{"type":1,"invocationId":"0","target":"SubscribeOrders","arguments":[1001]}'
        answer = '{"type":3,"invocationId":"0","error":"no such account"}'
        self.write(path := tmp_path / "session.jsonl", ("out", call), ("in", answer))
        async with FrameReplay(path) as replay:
            async with provider(sandbox.settings | replay.settings, Watcher(), None) as broker:
                with pytest.raises(VenueError, match="no such account"):
                    await broker.subscribe_user_data(ACCOUNT, [UserDataType.ORDER_UPDATE])

    async def test_it_ends_with_the_recording(
        self, sandbox: TopStepXSandbox, tmp_path: Path
    ) -> None:
        bad = '{"type":1,"target":"GatewayUserAccount","arguments":["<9 bytes that are no JSON>"]}'
        call = '{"type":1,"invocationId":"0","target":"SubscribeAccounts","arguments":[]}'
        self.write(path := tmp_path / "session.jsonl", ("out", call), ("in", bad), ("in", "<no>"))
        watcher = Watcher()
        async with FrameReplay(path) as replay:
            async with provider(sandbox.settings | replay.settings, watcher, None) as broker:
                broker.on_error(lambda error: None)
                async with broker.subscribe_user_data(
                    ACCOUNT, [UserDataType.ACCOUNT_UPDATE]
                ) as user:
                    async with asyncio.timeout(10):
                        await replay.finished()
                        states = []
                        while StreamConnectionStatus.RECONNECTING not in states:
                            event = await anext(user)
                            if isinstance(event, StatusChanged):
                                states.append(event.status)
        assert len(watcher.gaps) >= 2

    async def test_who_comes_once_more_is_refused(self, tmp_path: Path) -> None:
        self.write(path := tmp_path / "session.jsonl")
        async with TopStepXSandbox() as sandbox, FrameReplay(path) as replay:
            config = TopStepXConfig.from_settings(
                Settings("topstepx", sandbox.settings | replay.settings)
            )
            broker = TopStepXProvider(config)
            async with broker:
                link = broker._make_link("market")
                with pytest.raises(Disconnected, match="404"):
                    await link.open()
                await link.close()
