"""`tradeforge record` and `tradeforge replay`: what happened, as one file, lived through again."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
from attrs import frozen

from tradeforge_cli.main import main
from tradeforge_core import (
    JournalKind,
    OrderRequest,
    OrderSafety,
    OrderSide,
    load_provider,
)

Start = Callable[..., "subprocess.Popen[str]"]
Capture = pytest.CaptureFixture[str]
Settings = dict[str, str]

_TRADEFORGE = Path(sys.executable).with_name("tradeforge")
pytestmark = pytest.mark.timeout(60)


def trade(settings: Settings) -> None:
    """Somebody else buys one, and sells it."""

    async def buy_and_sell() -> None:
        safety = OrderSafety(journal=JournalKind.MEMORY)
        async with load_provider("topstepx", settings, safety=safety) as broker:
            contract = await broker.get_contract_by_symbol("MNQ")
            await broker.place_order(OrderRequest.market("1001", contract.id, OrderSide.BUY, 1))
            await broker.close_position("1001", contract.id)

    asyncio.run(buy_and_sell())


def until(process: "subprocess.Popen[str]", path: Path, wanted: str) -> None:
    """Return once the recording, which is still being made, has this in it."""
    parts = path.with_name(f"{path.name}.parts")
    limit = monotonic() + 30
    while not any(wanted in one.read_text() for one in parts.glob("*.jsonl")):
        assert monotonic() < limit, f"{wanted} is not recorded"
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(f"it ended too early: {process.communicate()}")


def session(start: Start, settings: Settings, path: Path, end: signal.Signals) -> tuple[str, str]:
    """The output of a recording in which somebody else trades, ended by a signal."""
    process = start("record", "topstepx", "-o", str(path), "--symbol", "MNQ", "--account", "1001")
    until(process, path, '\\"invocationId\\":\\"3\\",\\"result\\"')  # all four are confirmed
    trade(settings)
    until(process, path, '\\"size\\":0')
    process.send_signal(end)
    out, err = process.communicate(timeout=20)
    assert process.returncode in (0, -signal.SIGKILL), err
    return out, err


@frozen
class Recorded:
    path: Path
    out: str
    err: str
    siblings: list[str]
    """What is in the folder, where nothing else was."""

    @property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines(keepends=True)


@pytest.fixture(scope="module")
def recorded(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A recording that was ended by Ctrl-C."""
    folder = tmp_path_factory.mktemp("recorded")

    def begin(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [_TRADEFORGE, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | settings,
        )

    path = folder / "a.jsonl"
    out, err = session(begin, settings, path, signal.SIGINT)
    return Recorded(path, out, err, os.listdir(folder))


def test_a_recording_ends_in_the_state_of_its_replay(recorded: Recorded, capsys: Capture) -> None:
    assert recorded.err == ""
    first, state = recorded.out.splitlines()
    assert first.startswith(f"{recorded.path}: ")
    assert main(["replay", str(recorded.path)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines()[-1] == f"same {state}"
    assert "UserTradeEvent" in shown.out
    assert "market stream live" in shown.out
    assert main(["replay", str(recorded.path), "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["same"] is True
    assert state == f"state {replayed['state']}" == f"state {replayed['recorded_state']}"
    assert replayed["events"]["UserTradeEvent"] >= 2, "more where others have left a position"
    assert replayed["shared"] == replayed["known"] > 4


def test_the_file_is_one_and_nobodys(recorded: Recorded, settings: Settings) -> None:
    assert recorded.siblings == ["a.jsonl"]
    assert stat.S_IMODE(recorded.path.stat().st_mode) == 0o600
    text = "".join(recorded.lines)
    for secret in (settings["TS_API_KEY"], "eyJ", "PRAC-", "KTC-", "10010001", "127.0.0.1"):
        assert secret not in text, secret


def test_no_order_is_placed(recorded: Recorded) -> None:
    said = [json.loads(line) for line in recorded.lines]
    paths = {one["path"] for one in said if one["direction"] == "ask"}
    assert "/api/Trade/search" in paths
    assert not any("place" in one or "close" in one or "cancel" in one for one in paths)


def test_who_is_asked_to_end_leaves_a_whole_recording(
    start: Start, venue: Settings, tmp_path: Path
) -> None:
    out, _ = session(start, venue, path := tmp_path / "a.jsonl", signal.SIGTERM)
    assert f"{path}: " in out
    assert path.exists()


def test_what_a_killed_recording_leaves_is_played(
    start: Start, venue: Settings, tmp_path: Path, capsys: Capture
) -> None:
    session(start, venue, path := tmp_path / "a.jsonl", signal.SIGKILL)
    assert not path.exists()
    for place in (path, tmp_path / "a.jsonl.parts"):
        assert main(["replay", str(place)]) == 0
        shown = capsys.readouterr().out
        assert "The recording was broken off" in shown
        assert "UserTradeEvent" in shown


def test_a_sandbox_is_recorded_without_any_setting(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a.jsonl"
    asked = ["record", "topstepx", "--sandbox", "-o", str(path), "--symbol", "MNQ"]
    assert main([*asked, "--seconds", "1.5"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert main(["replay", str(path), "--speed", "10"]) == 0
    assert "QuoteEvent" in capsys.readouterr().out


def test_another_state_is_told_with_the_first_difference(
    recorded: Recorded, tmp_path: Path, capsys: Capture
) -> None:
    path, lines = tmp_path / "a.jsonl", recorded.lines
    number = next(i for i, one in enumerate(lines) if '"item"' in one and "Trade " in one)
    lines[number] = lines[number].replace(" 1 ", " 9 ", 1)
    end = json.loads(lines[-1])
    lines[-1] = json.dumps({**end, "text": '{"state": "another"}'}) + "\n"
    path.write_text("".join(lines))
    assert main(["replay", str(path)]) == 1
    said = capsys.readouterr().out
    assert "another state" in said
    before, after = said.splitlines()[-2:]
    assert before.startswith("  recorded: Trade ")
    assert after.startswith("  replayed: Trade ")
    assert before.replace(" 9 ", " 1 ", 1)[11:] == after[11:]
    assert main(["replay", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["same"] is False


def test_a_recording_without_its_beginning_says_what_can_be_compared(
    recorded: Recorded, tmp_path: Path, capsys: Capture
) -> None:
    path, lines = tmp_path / "a.jsonl", recorded.lines
    fills = [i for i, one in enumerate(lines) if "GatewayUserTrade" in one and '"in"' in one]
    path.write_text("".join([*lines[: fills[0] - 1], *lines[fills[-1] + 1 :]]))
    assert main(["replay", str(path)]) == 0
    said = capsys.readouterr().out
    assert "lines had to make room for newer ones" in said
    assert "things that were known at the end are known here too" in said
    assert "cannot be compared" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a recording"),
        ("hello\n", "no JSON"),
        ('{"n": 1}\n', "has no at_ms"),
        ("\x00\xff\n", "cannot be replayed"),
    ],
)
def test_a_file_that_is_no_recording(
    content: str, said: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(content, encoding="latin-1")
    assert main(["replay", str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_recording_of_a_provider_that_is_not_here(tmp_path: Path, capsys: Capture) -> None:
    head = {"format": 1, "provider": "elsewhere", "began": "2026-03-02T14:30:00+00:00"}
    line = {"n": 0, "at_ms": 0, "direction": "begin", "stream": "", "text": json.dumps(head)}
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps(line) + "\n")
    assert main(["replay", str(path)]) == 2
    assert "elsewhere" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["nowhere.jsonl", "."])
def test_nothing_to_play(place: str, capsys: Capture) -> None:
    assert main(["replay", place]) == 2
    assert f"{place} cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "said"), [("there.jsonl", "is there already"), ("no/where", "there is no folder no")]
)
def test_no_place_to_record(place: str, said: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "there.jsonl").write_text("precious")
    assert main(["record", "topstepx", "--sandbox", "-o", place]) == 2
    assert said in capsys.readouterr().err
    assert (tmp_path / "there.jsonl").read_text() == "precious"


def test_a_symbol_that_is_none_leaves_a_recording(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a.jsonl"
    asked = ["record", "topstepx", "--sandbox", "-o", str(path), "--symbol", "NOSUCH"]
    assert main(asked) == 1
    shown = capsys.readouterr()
    assert "NOSUCH" in shown.err
    assert f"{path}: " in shown.out
    assert main(["replay", str(path)]) == 0
