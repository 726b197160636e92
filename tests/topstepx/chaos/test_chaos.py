"""Everything fails, and nothing that is promised is broken: a few hundred runs of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tradeforge_testing.chaos import run_simulated
from tradeforge_testing.chaos.campaign import Report, load_chaos_venue, run_campaign

SIMULATED, WIRED = 300, 30


def _broken(report: Report) -> str:
    lines = [
        f"{report.reproduction(seed)}: {'; '.join(broken)}"
        for seed, broken in sorted(report.violations.items())
    ]
    return "\n".join(lines)


@pytest.mark.timeout(300)
def test_no_promise_is_broken_in_virtual_time() -> None:
    report = run_campaign("topstepx", range(1, SIMULATED + 1))
    assert report.runs == SIMULATED
    assert not report.violations, _broken(report)
    assert [name for name, times in report.fired.items() if not times] == []


@pytest.mark.timeout(300)
def test_no_promise_is_broken_over_real_sockets() -> None:
    report = run_campaign("topstepx", range(1, WIRED + 1), wire=True)
    assert report.runs == WIRED
    assert not report.violations, _broken(report)
    assert sum(report.fired.values()) > WIRED


@pytest.mark.parametrize("seed", [2, 3, 5, 8])
def test_a_seed_is_the_same_run_each_time(seed: int) -> None:
    make_venue = load_chaos_venue("topstepx")
    assert run_simulated(make_venue, seed) == run_simulated(make_venue, seed)


def test_a_seed_is_the_same_run_in_another_process() -> None:
    """With hashes of its own: the order of a set must not decide anything."""
    traces = {_run_elsewhere(hashes) for hashes in ("1", "2", "3")}
    assert len(traces) == 1


def _run_elsewhere(hashes: str) -> str:
    command = [
        str(Path(sys.executable).with_name("tradeforge")),
        "chaos",
        "topstepx",
        "--seed",
        "11",
        "--json",
    ]
    done = subprocess.run(
        command, env={"PYTHONHASHSEED": hashes}, capture_output=True, text=True, check=True
    )
    return str(json.loads(done.stdout)["traces"]["11"])
