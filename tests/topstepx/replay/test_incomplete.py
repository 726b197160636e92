"""Recordings that lack something, or are no longer as they were recorded."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.topstepx.replay.day import ACCOUNT, Day, a_round_trip, recorded, same

from tradeforge_core import (
    DecodeError,
    RecordTo,
)
from tradeforge_testing.replay import run_replay


def test_a_ring_without_its_beginning_is_compared_piece_by_piece(tmp_path: Path) -> None:
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


def test_a_recording_that_was_broken_off_is_played_to_its_end(tmp_path: Path) -> None:
    whole = recorded(a_round_trip, tmp_path / "a.jsonl").path.read_bytes()
    path = tmp_path / "torn.jsonl"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    replayed = run_replay(path)
    assert replayed.recording.state is None
    assert not replayed.is_comparable
    assert replayed.counts["UserTradeEvent"] >= 1


def test_a_state_that_is_another_is_told(tmp_path: Path) -> None:
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


def test_what_was_known_before_is_not_expected(tmp_path: Path) -> None:
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
    line: dict[str, str], said: str, tmp_path: Path
) -> None:
    head = {"format": 1, "provider": "topstepx", "began": "2026-03-02T14:30:00+00:00"}
    first = {"direction": "begin", "stream": "", "text": json.dumps(head)}
    path = tmp_path / "a.jsonl"
    lines = [{"n": n, "at_ms": n} | one for n, one in enumerate((first, line))]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    with pytest.raises(DecodeError, match=said):
        run_replay(path)
