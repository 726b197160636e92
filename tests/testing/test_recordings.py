"""Recordings: bounded on disk, readable whatever ended them, and read back as they were written."""

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tradeforge_core import (
    BarSpan,
    BarUnit,
    DecodeError,
    MarketDataType,
    NotSupported,
    RecordTo,
    Topic,
    UserDataType,
)
from tradeforge_core.kit._ring import SEGMENTS
from tradeforge_core.kit.recording import FlightRecorder
from tradeforge_testing import ManualClock
from tradeforge_testing.replay import Recording

ROOM = 64 * 1024


class Plain:
    """Hides nothing."""

    def message(self, message: bytes) -> str:
        return message.decode()

    def model(self, model: Any) -> Any:
        return model


def recorder_of(path: Path, clock: ManualClock | None = None, room: int = ROOM) -> FlightRecorder:
    return FlightRecorder(
        path,
        clock=clock or ManualClock(),
        redactor=Plain(),
        about={"provider": "some"},
        most_bytes=room,
    )


def parts(path: Path) -> list[str]:
    return sorted(os.listdir(path.with_name(f"{path.name}.parts")))


def chatter(recorder: FlightRecorder, numbers: Iterable[int]) -> None:
    for number in numbers:
        recorder.record("user", "in", f"{number} {'x' * 80}".encode())


def test_what_was_said_is_read_back(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = recorder_of(path := tmp_path / "a.jsonl", clock)
    recorder.record("user", "open")
    came = clock.now()
    clock.advance(1.25)
    recorder.record("user", "in", b'{"x":"\xe2\x82\xac\\n"}', came)
    recorder.wanted([Topic(MarketDataType.QUOTE, "C"), Topic(UserDataType.USER_TRADE, "7")])
    recorder.wanted([Topic(MarketDataType.BAR, "C", BarSpan(BarUnit.MINUTE, 5))])
    number = recorder.asked("POST", "/api/x", b"{}")
    recorder.answered(number, 429, b"[]", "3")
    recorder.failed(recorder.asked("GET", "/api/y", b""), "ReadTimeout")
    recorder.close(["A 1", "B 2"], "digest")
    recording = Recording.read(path)
    opened, said, wanted, bars, ask, answer, _, failed = recording.lines
    assert (recording.provider, recording.began) == ("some", came)
    assert (recording.state, recording.known, recording.dropped) == ("digest", ("A 1", "B 2"), 0)
    assert (opened.direction, opened.stream, opened.text) == ("open", "user", "")
    assert (said.at_ms, said.text) == (0, '{"x":"€\\n"}')
    assert wanted.data["topics"] == [
        {"kind": "quote", "contractId": "C"},
        {"kind": "user_trade", "accountId": "7"},
    ]
    assert bars.data["topics"] == [{"kind": "bar", "contractId": "C", "span": ["minute", 5]}]
    assert ask.more == {"id": number, "method": "POST", "path": "/api/x"}
    assert (answer.more, answer.text) == ({"id": 1, "status": 429, "retry_after": "3"}, "[]")
    assert (failed.at_ms, failed.more, failed.text) == (1250, {"id": 2}, "ReadTimeout")


def test_it_is_one_file_that_nobody_else_can_read(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    (segment,) = (tmp_path / "a.jsonl.parts").iterdir()
    assert stat.S_IMODE(segment.stat().st_mode) == 0o600
    chatter(recorder, range(2000))
    recorder.close([], "")
    recorder.close([], "")
    recorder.record("user", "in", b"too late")
    assert os.listdir(tmp_path) == ["a.jsonl"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "too late" not in path.read_text()


def test_the_newest_and_the_very_first_are_always_there(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    largest = 0
    for number in range(5000):
        chatter(recorder, [number])
        largest = max(largest, recorder.size)
    assert largest <= ROOM
    assert len(parts(path)) <= SEGMENTS
    recorder.close([], "")
    recording = Recording.read(path)
    numbers = [int(line.text.split()[0]) for line in recording.lines]
    gap = next(place for place, number in enumerate(numbers) if number != place)
    assert numbers == [*range(gap), *range(numbers[gap], 5000)]
    assert recording.dropped == 5000 - len(numbers) > 0
    assert path.stat().st_size > ROOM // 2


def test_it_takes_no_more_of_the_disk_while_it_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_of(tmp_path / "a.jsonl")
    chatter(recorder, range(5000))
    while recorder.size < SEGMENTS * (recorder._ring.longest - 160):
        chatter(recorder, [5000])  # until the last segment is full as well
    sizes: list[int] = []
    unlink, first = Path.unlink, tmp_path / "a.jsonl.parts" / parts(tmp_path / "a.jsonl")[0]
    whole = first.stat().st_size

    def measured(part: Path) -> None:  # what is copied is there twice
        nonlocal whole
        whole += part.stat().st_size
        assert first.stat().st_size == whole, "who is killed now must lose nothing"
        sizes.append(sum(one.stat().st_size for one in tmp_path.rglob("*") if one.is_file()))
        unlink(part)

    monkeypatch.setattr(Path, "unlink", measured)
    recorder.close([], "")
    assert len(sizes) == SEGMENTS - 1
    assert max(sizes) <= ROOM


def test_who_is_killed_leaves_all_that_was_said(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    chatter(recorder, range(3000))
    recording = Recording.read(path)  # nobody has closed it
    assert recording.lines[-1].text.startswith("2999 ")
    assert recording.state is None
    assert Recording.read(tmp_path / "a.jsonl.parts") == recording
    recorder.close([], "")


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    chatter(recorder, range(10))
    segment = tmp_path / "a.jsonl.parts" / parts(path)[-1]
    whole = segment.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1]) + 1):
        segment.write_bytes(whole[:-cut])
        assert len(Recording.read(path).lines) == 9
    recorder.close([], "")


def test_who_is_killed_while_the_parts_are_joined_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    chatter(recorder, range(300))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed)  # a part is copied, and not gone yet
    with pytest.raises(KeyboardInterrupt):
        recorder.close([], "")
    lines = Recording.read(path).lines
    assert [int(line.text.split()[0]) for line in lines] == list(range(300))


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="move it away"):
        recorder_of(path)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["a.jsonl"]


def test_the_parts_of_another_are_not_overwritten(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    with pytest.raises(FileExistsError):
        recorder_of(path)
    recorder.close([], "digest")
    assert Recording.read(path).state == "digest"


def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no disk that is always full")
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    chatter(recorder, range(10))
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda _, flags, *more: real_open(full, os.O_WRONLY))
    chatter(recorder, range(10, 2000))  # the next segment has no room
    recorder.close([], "")
    assert not path.exists()
    assert caplog.text.count("ends here") == 1
    recording = Recording.read(path)
    assert recording.state is None
    assert [int(line.text.split()[0]) for line in recording.lines[:10]] == list(range(10))


def test_it_is_written_while_it_goes_on_and_not_at_the_end(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    before = recorder.size
    chatter(recorder, [1])
    assert recorder.size > before
    assert recorder.count == 2
    assert Recording.read(path).lines[0].text.startswith("1 ")
    recorder.close([], "")


HEAD = (
    '{"n":0,"at_ms":0,"direction":"begin","stream":"","text":'
    '"{\\"format\\":1,\\"provider\\":\\"some\\",\\"began\\":\\"2026-03-02T14:30:00+00:00\\"}"}\n'
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"n":1,"direction":"in","at_ms":"0","stream":"","text":""}', "at_ms"),
        ('{"n":1,"direction":"in","at_ms":0,"stream":"","text":null}', "text"),
        ('{"n":1,"direction":"up","at_ms":0,"stream":"","text":""}', "no direction"),
        ('{"n":true,"direction":"in","at_ms":0,"stream":"","text":""}', "no n"),
        ('{"n":1,"direction":"ask","at_ms":0,"stream":"rest","text":"","id":1}', "no method"),
        ('{"n":1,"direction":"answer","at_ms":0,"stream":"rest","text":"","id":1}', "no status"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_line_that_is_none(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(HEAD + line + "\n")
    with pytest.raises(DecodeError, match=f"line 2 of a.jsonl.*{said}"):
        Recording.read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a recording"),
        (HEAD[:-1], "not a recording"),
        (HEAD.replace("begin", "open"), "not a recording"),
        ("PK\x03\x04\n", "no JSON"),
        (HEAD.replace('\\"format\\":1', '\\"format\\":7'), "another format"),
        (HEAD.replace("2026-03-02T14:30:00+00:00", "yesterday"), "when it began"),
        (HEAD.replace("+00:00", ""), "when it began"),
    ],
)
def test_a_file_that_is_none(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(DecodeError, match=said):
        Recording.read(path)


def test_a_line_is_an_object_for_any_program(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    recorder.record("user", "in", b"{}")
    recorder.close([], "")
    line = json.loads(path.read_text().splitlines()[1])
    assert line == {"n": 1, "at_ms": 0, "direction": "in", "stream": "user", "text": "{}"}


def test_what_is_too_long_is_counted(tmp_path: Path) -> None:
    recorder = recorder_of(path := tmp_path / "a.jsonl")
    recorder.record("user", "in", b"x" * ROOM)
    chatter(recorder, [1])
    recorder.close([], "")
    long, short = Recording.read(path).lines
    assert long.text == f"<{ROOM} characters that are too many for this recording>"
    assert short.text.startswith("1 ")


class TestFolder:
    @staticmethod
    def begin(folder: Path, clock: ManualClock) -> FlightRecorder | None:
        where = RecordTo(path=folder, in_folder=True)
        return where.begin("some", clock, Plain, {"provider": "some"})

    def test_each_connection_has_a_file_and_the_newest_are_kept(self, tmp_path: Path) -> None:
        clock, folder = ManualClock(), tmp_path / "deep" / "in"
        (tmp_path / "deep").mkdir()
        for _ in range(7):
            clock.advance(1)
            recorder = self.begin(folder, clock)
            assert recorder is not None
            recorder.close([], "")
        (folder / "notes.txt").write_text("of the user")
        clock.advance(1)
        killed = self.begin(folder, clock)
        clock.advance(1)
        last = self.begin(folder, clock)
        names = sorted(os.listdir(folder))
        assert names[0] == "notes.txt"
        assert len(names) == 5
        assert names[-2:] == [f"some-20260302T14300{one}.000000Z.jsonl.parts" for one in (8, 9)]
        for recorder in (killed, last):
            assert recorder is not None
            recorder.close([], "")

    def test_what_cannot_be_written_is_logged(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        assert self.begin(tmp_path / "file", ManualClock()) is None
        assert "nothing is recorded" in caplog.text

    def test_a_provider_that_cannot_be_recorded_trades_all_the_same(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def redactor() -> Plain:
            raise NotSupported("it has none")

        where = RecordTo(path=tmp_path, in_folder=True)
        assert where.begin("some", ManualClock(), redactor, {}) is None
        assert "it has none" in caplog.text
        with pytest.raises(NotSupported):
            RecordTo(path=tmp_path / "a").begin("some", ManualClock(), redactor, {})
        assert os.listdir(tmp_path) == []


def test_only_recordings_of_the_same_provider_make_room_for_a_new_one(tmp_path: Path) -> None:
    clock = ManualClock()
    to = RecordTo(path=tmp_path, in_folder=True)
    for name in ("acme-futures", "acme"):
        for _ in range(6):
            clock.advance(1)
            recorder = to.begin(name, clock, Plain, {"provider": name})
            assert recorder is not None
            recorder.close([], "")
    kept = [one.name.rpartition("-")[0] for one in sorted(tmp_path.iterdir())]
    assert kept == ["acme"] * 4 + ["acme-futures"] * 4
