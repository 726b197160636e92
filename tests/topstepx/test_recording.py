"""What is recorded of a session: all that goes over the wire, and nothing of who you are."""

import asyncio
import os
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from tradeforge_core import (
    Account,
    AuthenticationError,
    ConfigError,
    Disconnected,
    JournalKind,
    MarketDataType,
    OrderRequest,
    OrderSafety,
    OrderSide,
    QuoteEvent,
    RecordTo,
    Settings,
    Topic,
    UserDataType,
    load_provider,
)
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.kit.recording import FlightRecorder
from tradeforge_testing import ManualClock
from tradeforge_testing.mutation import Mutator
from tradeforge_testing.replay import Line, Recording
from tradeforge_topstepx._redaction import Redaction
from tradeforge_topstepx.config import TopStepXConfig
from tradeforge_topstepx.provider import TopStepXProvider
from tradeforge_topstepx.sandbox import Fault, TopStepXSandbox

ACCOUNT = "1001"
POSITIONS = "/api/Position/searchOpen"


def provider(settings: dict[str, str], path: Path | None = None) -> TopStepXProvider:
    config = TopStepXConfig.from_settings(Settings("topstepx", settings))
    safety = OrderSafety(journal=JournalKind.MEMORY)
    return TopStepXProvider(
        config, safety=safety, record_to=None if path is None else RecordTo(path=path)
    )


async def session(sandbox: TopStepXSandbox, path: Path) -> TopStepXProvider:
    """A program that watches everything, trades once, and leaves."""
    async with provider(sandbox.settings, path) as broker:
        contract = await broker.get_contract_by_symbol("MNQ")
        async with (
            broker.subscribe_market_data(contract.id, broker.capabilities.market_data) as market,
            broker.subscribe_user_data(ACCOUNT, list(UserDataType)) as user,
        ):
            order = OrderRequest.market(ACCOUNT, contract.id, OrderSide.BUY, 1)
            await broker.place_order(evolve(order, client_order_id="my words"))
            await anext(user)
            while not isinstance(await anext(market), QuoteEvent):
                pass
    return broker


def asked(recording: Recording, path: str) -> list[tuple[Line, Line]]:
    """Each request of the path, and what came of it."""
    outcomes = {one.more["id"]: one for one in recording.lines if one.direction in _OUTCOMES}
    asks = [one for one in recording.lines if one.direction == "ask" and one.more["path"] == path]
    return [(one, outcomes[one.more["id"]]) for one in asks]


_OUTCOMES = ("answer", "fail")


async def test_every_message_of_both_sides_is_there(
    sandbox: TopStepXSandbox, tmp_path: Path
) -> None:
    await session(sandbox, path := tmp_path / "a.jsonl")
    recording = Recording.read(path)
    for stream, calls in (("user", 4), ("market", 3)):
        opened, shake, answer, *frames = recording.of(stream)
        assert (opened.direction, shake.text) == ("open", '{"protocol":"json","version":1}')
        assert (answer.direction, answer.text) == ("in", "{}")
        said = [one.text for one in frames if one.direction == "out"]
        assert sum('"Subscribe' in one for one in said) == calls
        assert any(one.direction == "in" and '"Gateway' in one.text for one in frames)
    times = [line.at_ms for line in recording.lines if line.direction != "in"]
    assert times == sorted(times)


async def test_every_request_is_there_with_its_answer(
    sandbox: TopStepXSandbox, tmp_path: Path
) -> None:
    await session(sandbox, path := tmp_path / "a.jsonl")
    recording = Recording.read(path)
    ((login, token),) = asked(recording, "/api/Auth/loginKey")
    assert login.text == '{"userName":"REDACTED","apiKey":"REDACTED"}'
    assert (token.more["status"], token.data["token"]) == (200, "REDACTED")
    ((order, accepted),) = asked(recording, "/api/Order/place")
    assert (order.more["method"], order.data["customTag"]) == ("POST", "TAG-1")
    assert accepted.data["success"] is True
    assert accepted.at_ms > order.at_ms
    assert asked(recording, POSITIONS)


async def test_a_request_without_an_answer_is_there_too(
    sandbox: TopStepXSandbox, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    config = TopStepXConfig.from_settings(Settings("topstepx", sandbox.settings))
    config = evolve(config, timeouts=HttpTimeouts(answer=0.2))
    async with TopStepXProvider(config, record_to=RecordTo(path=path)) as broker:
        for fault in (Fault.RESET, Fault.HANG, 429):
            sandbox.fail_next(POSITIONS, fault)
            with pytest.raises(Exception, match="Position"):
                await broker.get_positions(ACCOUNT)
    outcomes = [outcome for _, outcome in asked(Recording.read(path), POSITIONS)]
    assert [(one.direction, one.text) for one in outcomes[:2]] == [
        ("fail", "RemoteProtocolError"),
        ("fail", "ReadTimeout"),
    ]
    assert outcomes[2].more["status"] == 429


async def test_a_login_that_failed_is_a_recording(sandbox: TopStepXSandbox, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(AuthenticationError):
        await provider(sandbox.settings | {"TS_API_KEY": "wrong-canary"}, path).connect()
    ((_, refused),) = asked(Recording.read(path), "/api/Auth/loginKey")
    assert refused.data["errorCode"] == 3
    assert "wrong-canary" not in path.read_text()


async def test_a_hub_that_does_not_answer_is_there(
    sandbox: TopStepXSandbox, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    nowhere = {"TS_USER_HUB_URL": "http://127.0.0.1:1/hubs/user"}
    async with provider(sandbox.settings | nowhere, path) as broker:
        with pytest.raises(Disconnected):
            await broker.subscribe_user_data(ACCOUNT, [UserDataType.ORDER_UPDATE])
    (failed,) = Recording.read(path).of("user")
    assert failed.direction == "failed"
    assert failed.data["reason"]


async def test_a_lost_connection_is_two_connections_of_the_recording(
    sandbox: TopStepXSandbox, tmp_path: Path
) -> None:
    async with provider(sandbox.settings, path := tmp_path / "a.jsonl") as broker:
        contract = await broker.get_contract_by_symbol("MNQ")
        async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
            for _ in range(2):
                while not isinstance(await anext(quotes), QuoteEvent):
                    pass
                await sandbox.drop_hubs()
            while not isinstance(await anext(quotes), QuoteEvent):
                pass
    kinds = [one.direction for one in Recording.read(path).of("market")]
    kinds = [one for one in kinds if one in ("open", "lost")]
    assert kinds[:3] == ["open", "lost", "open"]


class TestSecrets:
    async def test_nothing_tells_who_recorded(self, tmp_path: Path) -> None:
        async with TopStepXSandbox(
            seed=7, tick_seconds=0.02, username="canary-user", api_key="canary-key"
        ) as sandbox:
            await session(sandbox, path := tmp_path / "a.jsonl")
        text = path.read_text()
        for secret in ("eyJ", "Bearer", "canary", "PRAC-", "KTC-", "10010001", "my words"):
            assert secret not in text, secret
        assert "ACCOUNT-1001" in text
        assert "127.0.0.1" not in text

    def test_ids_of_real_accounts_are_nowhere_also_at_the_end(self, tmp_path: Path) -> None:
        account, name = 25775680, "PRAC-V2-645601-47191819"
        redaction = Redaction(["canary-key"])
        recorder = FlightRecorder(
            path := tmp_path / "a.jsonl", clock=ManualClock(), redactor=redaction, about={}
        )
        body = f'{{"accounts":[{{"id":{account},"name":"{name}","balance":1,"canTrade":true}}]}}'
        recorder.answered(recorder.asked("POST", "/x", b"{}"), 200, body.encode(), None)
        recorder.wanted([Topic(UserDataType.USER_TRADE, str(account))])
        call = f'{{"type":1,"target":"SubscribeOrders","arguments":[{account}]}}'
        recorder.record("user", "out", call.encode())
        recorder.record("user", "lost", f'{{"reason":"{name} canary-key {account}"}}'.encode())
        recorder.close([], "")
        text = path.read_text()
        for secret in (str(account), "645601", "canary"):
            assert secret not in text, secret
        assert text.count("1001") == 6

    def test_a_model_is_as_redacted_messages_would_have_made_it(self) -> None:
        redaction = Redaction()
        body = b'{"id":25775680,"name":"PRAC-V2","balance":25775680,"canTrade":true}'
        redaction.message(body)
        account = Account(id="25775680", name="PRAC-V2", balance=Decimal(25775680), can_trade=True)
        hidden = redaction.model(account)
        assert (hidden.id, hidden.name, hidden.balance) == ("1001", "ACCOUNT-1001", 1001)
        assert redaction.model(hidden) == hidden

    def test_a_tag_of_an_exit_is_still_that_of_its_entry(self) -> None:
        redaction = Redaction()
        tags = ("mine", "mine-SL", "other", "TAG-1-TP")
        hidden = [redaction.message(f'{{"customTag":"{tag}"}}'.encode()) for tag in tags]
        names = ("TAG-1", "TAG-1-SL", "TAG-2", "TAG-1-TP")
        assert hidden == [f'{{"customTag":"{name}"}}' for name in names]

    async def test_a_hostile_message_does_not_stop_it(self, tmp_path: Path) -> None:
        lines = Path(__file__).parent.joinpath("fuzz", "hub_events.jsonl").read_bytes().splitlines()
        path, count = tmp_path / "a.jsonl", 10_000
        recorder = FlightRecorder(
            path, clock=ManualClock(), redactor=Redaction(["secret"]), about={}
        )
        for message in Mutator(lines, seed=7).mutations(count):
            recorder.record("market", "in", message)
            recorder.answered(recorder.asked("POST", "/x", message), 200, message, None)
        recorder.close([], "")
        assert len(Recording.read(path).lines) == 3 * count


class TestSwitch:
    async def test_nothing_is_recorded_unless_asked(
        self, sandbox: TopStepXSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        async with provider(sandbox.settings) as broker:
            await broker.get_accounts()
        assert broker.recorder is None
        assert os.listdir(tmp_path) == []

    async def test_a_recording_is_never_overwritten(
        self, sandbox: TopStepXSandbox, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text("precious")
        with pytest.raises(FileExistsError, match="move it away"):
            await provider(sandbox.settings, path).connect()
        assert path.read_text() == "precious"

    async def test_the_environment_switches_it_on(
        self, sandbox: TopStepXSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TRADEFORGE_RECORD", str(tmp_path / "recordings"))
        monkeypatch.setenv("TRADEFORGE_RECORD_MB", "0.5")
        broker = load_provider("topstepx", sandbox.settings)
        assert broker.record_to is not None
        assert broker.record_to.most_bytes == 512 * 1024
        for _ in range(2):
            async with broker:
                await broker.get_accounts()
        names = os.listdir(tmp_path / "recordings")
        assert len(names) == 2
        assert all(name.startswith("topstepx-") and name.endswith(".jsonl") for name in names)

    async def test_a_folder_that_cannot_be_written_does_not_stop_the_trading(
        self, sandbox: TopStepXSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("TRADEFORGE_RECORD", str(tmp_path / "file"))
        async with load_provider("topstepx", sandbox.settings) as broker:
            assert await broker.get_accounts()
        assert broker.recorder is None

    @pytest.mark.parametrize("size", ["much", "0.01", "-1", "nan", "1e400"])
    def test_a_size_that_is_none_is_said(self, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRADEFORGE_RECORD", "x")
        monkeypatch.setenv("TRADEFORGE_RECORD_MB", size)
        with pytest.raises(ConfigError, match="TRADEFORGE_RECORD_MB"):
            load_provider("topstepx", TopStepXSandbox(port=1).settings)

    async def test_a_disk_that_fills_up_ends_the_recording_and_nothing_else(
        self, sandbox: TopStepXSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not os.access("/dev/full", os.W_OK):
            pytest.skip("this system has no disk that is always full")
        async with provider(sandbox.settings, path := tmp_path / "a.jsonl") as broker:
            assert broker.recorder is not None
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, broker.recorder._ring._file)
            os.close(full)
            contract = await broker.get_contract_by_symbol("MNQ")
            async with broker.subscribe_market_data(contract.id, [MarketDataType.QUOTE]) as quotes:
                while not isinstance(await anext(quotes), QuoteEvent):
                    pass
        assert not path.exists()
        assert Recording.read(path).lines  # what there was room for

    async def test_two_providers_of_one_loop_do_not_meet(
        self, sandbox: TopStepXSandbox, tmp_path: Path
    ) -> None:
        paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
        await asyncio.gather(*(session(sandbox, path) for path in paths))
        for path in paths:
            recording = Recording.read(path)
            assert len(asked(recording, "/api/Auth/loginKey")) == 1
            assert recording.state is not None
