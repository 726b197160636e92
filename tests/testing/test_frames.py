"""Recordings of streams: whole or not there, bounded, and read back as they were written."""

import json
from pathlib import Path

import pytest

from tradeforge_core import DecodeError
from tradeforge_core.kit.recording import FrameRecorder
from tradeforge_testing import ManualClock
from tradeforge_testing.frames import RecordedFrame, Recording

LAST = '{"direction":"end","at_ms":0,"stream":"","text":""}\n'


def recorder_of(path: Path, clock: ManualClock | None = None, room: int = 10_000) -> FrameRecorder:
    return FrameRecorder(
        path, clock=clock or ManualClock(), redact=lambda said: said.decode(), most_bytes=room
    )


def test_what_was_said_is_read_back(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = recorder_of(path := tmp_path / "a.jsonl", clock)
    recorder.record("user", "open")
    clock.advance(1.25)
    recorder.record("user", "out", b'{"x":"\xe2\x82\xac\\n"}')
    recorder.record("market", "open")
    recorder.record("user", "open")
    recorder.record("user", "in", b"{}")
    recorder.close()
    said = RecordedFrame("out", 1250, "user", '{"x":"€\\n"}')
    answer = RecordedFrame("in", 1250, "user", "{}")
    recording = Recording.read(path)
    assert recording.connections("user") == [(said,), (answer,)]
    assert recording.connections("market") == [()]
    assert recording.connections("other") == []
    assert len(recording.frames) == 5


def test_the_file_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    recorder.record("user", "open")
    assert not path.exists()
    recorder.close()
    recorder.close()
    recorder.record("user", "in", b"too late")
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]
    assert "too late" not in path.read_text()


def test_a_recording_that_was_broken_off_is_none(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "a.jsonl")
    recorder.record("user", "open")
    recorder.close()
    lines = (tmp_path / "a.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "half.jsonl").write_text(lines[0])
    with pytest.raises(DecodeError, match="broken off"):
        Recording.read(tmp_path / "half.jsonl")


def test_it_is_bounded_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl", room=1000)
    for _ in range(100):
        recorder.record("user", "in", b"x" * 50)
    recorder.close()
    assert 0 < recorder.left_out < 100
    assert path.stat().st_size < 1200
    assert f"{recorder.left_out} messages were left out" in path.read_text()
    assert len(Recording.read(path).frames) == 100 - recorder.left_out


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="a.jsonl"):
        recorder_of(path)


def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no disk that is always full")
    path = tmp_path / "a.jsonl"
    path.with_name("a.jsonl.part").symlink_to(full)
    recorder = recorder_of(path, room=10**9)
    for _ in range(2000):
        recorder.record("user", "in", b"x" * 100)
    recorder.close()
    assert not path.exists()
    assert "ends here" in caplog.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"direction":"in","at_ms":"0","stream":"","text":""}', "at_ms"),
        ('{"direction":"in","at_ms":0,"stream":"","text":null}', "text"),
        ('{"direction":"up","at_ms":0,"stream":"","text":""}', "no direction"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_line_that_is_none(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(LAST + line + "\n" + LAST)
    with pytest.raises(DecodeError, match=f"line 2.*{said}"):
        Recording.read(path)


def test_a_line_is_an_object_of_four_members(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    recorder.record("user", "in", b"{}")
    recorder.close()
    first = json.loads(path.read_text().splitlines()[0])
    assert first == {"direction": "in", "at_ms": 0, "stream": "user", "text": "{}"}
