"""The benchmarks run and print JSON. What they measure is nobody's test: it depends on the day."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FEW = ["--count", "512", "--warmup", "256", "--pause", "0", "--json"]


def _run(module: str, *arguments: str) -> str:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=100)
    finally:
        with suppress(ProcessLookupError):  # nobody is left of it, and of those it has started
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, err
    return out


@pytest.mark.parametrize(
    "module",
    [
        "stream_decode",
        "memory",
        "contender",
        "hand_off",
        "hub",
        "journal",
        "latency",
        "order_book",
        "order_path",
        "scoreboard",
    ],
)
def test_each_says_what_it_is(module: str) -> None:
    assert "usage:" in _run(f"benchmarks.{module}", "--help")


def test_every_client_gets_every_message() -> None:
    rows: list[dict[str, Any]] = json.loads(
        _run("benchmarks.stream_decode", "--rounds", "1", "--kinds", "trades", "depth", *FEW)
    )
    expected = ["pysignalr", "pysignalr + pydantic", "tradeforge", "tradeforge[fast]"]
    if find_spec("pydantic") and find_spec("picows"):
        looks = "tradeforge[fast], levels"
        assert [row["client"] for row in rows] == [*expected, *expected, looks]
    assert all(row["delivered"] == 1 and row["microseconds"] > 0 for row in rows)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="it reads what Linux tells")
def test_memory_is_measured() -> None:
    (row,) = json.loads(_run("benchmarks.memory", "--kinds", "trades", *FEW))
    assert row["events"] == 512
    assert row["at_the_end_kib"] >= row["after_warmup_kib"] + row["growth_kib"] > 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="it reads what Linux tells")
def test_memory_that_grows_too_much_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="memory grows by more than -1000000 KiB"):
        _run("benchmarks.memory", "--kinds", "trades", *FEW, "--most=-1000000")


def test_an_order_is_measured_beside_a_bare_post() -> None:
    found = json.loads(_run("benchmarks.order_path", "--orders", "2", "--json"))
    assert [row["order"] for row in found] == ["bare", "durable", "memory"]
    assert all(row["p99_ms"] >= row["p50_ms"] > 0 for row in found)


def test_a_book_is_measured_beside_those_that_are_installed() -> None:
    found = json.loads(_run("benchmarks.order_book", "--deltas", "50", "--rounds", "1", "--json"))
    assert [row["levels"] for row in found if row["book"] == "tradeforge"] == [20, 50]
    assert all(row["microseconds"] > 0 for row in found)


def test_every_subscriber_gets_every_event() -> None:
    few = ["--subscribers", "1", "3", "--events", "192", "--rounds", "1", "--json"]
    found = json.loads(_run("benchmarks.hand_off", *few))
    assert {(row["subscribers"], row["way"]) for row in found if row["by"] == "tradeforge"} == {
        *((1, "alone"), (1, "burst"), (3, "alone"), (3, "burst")),
    }
    assert all(row["microseconds"] > 0 for row in found)


def test_how_late_a_message_comes_is_measured() -> None:
    little = ["--rates", "500", "--seconds", "0.5", "--rounds", "1", "--json"]
    found = json.loads(_run("benchmarks.latency", *little))
    assert {"tradeforge", "pysignalr"} <= {row["client"] for row in found}
    assert all(row["p99"] >= row["p50"] > 0 and row["delivered"] == 1 for row in found)


def test_an_order_on_record_is_measured_beside_the_bare_disk() -> None:
    found = json.loads(_run("benchmarks.journal", "--orders", "8", "--at-once", "4", "--json"))
    assert [row["what"] for row in found] == [
        "append + fdatasync",
        "begin + hand_off",
        "the same, 4 at once",
    ]
    assert all(row["p99_ms"] > 0 and row["ratio"] > 0 for row in found)
