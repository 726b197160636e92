"""Chaos finds a provider that breaks a promise, and says which one it is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.topstepx.chaos import broken
from tests.topstepx.chaos.broken import BrokenVenue

from tradeforge_testing.chaos import run_simulated
from tradeforge_topstepx.provider import TopStepXProvider

SEEDS = 60
"""Runs in which it has to be found: some need a certain fault."""

LIARS: dict[type[TopStepXProvider], str] = {
    broken.SendsTwice: "I1 ",
    broken.SaysRejected: "I2 told as rejected",
    broken.SaysNotSent: "I2 told as not sent",
    broken.SendsAnother: "I3 ",
    broken.NeverAnswers: "I4 ",
    broken.DropsFills: "I5 fills that were never told",
    broken.TellsFillsTwice: "I5 the fill",
    broken.InventsFills: "I5 fills that the venue has not",
    broken.MiscountsPositions: "I6 ",
    broken.GoesBack: "I7 ",
    broken.ForgetsGenerations: "I8 ",
    broken.HidesGaps: "I9 a ",
    broken.DropsOrders: "I9 the order",
    broken.DropsPositions: "I9 0 were told as held",
    broken.LeaksATask: "I10 tasks",
    broken.LeaksAConnection: "I10 1 connections",
    broken.LeaksATimer: "I10 timers",
    broken.LogsTheToken: "I11 a secret is in the log whoever",
    broken.SaysTheKey: "I11 a secret is in NotSent",
    broken.PrintsTheKey: "I11 a secret is in the repr",
    broken.AsksTooOften: "I12 ",
    broken.RaisesAnything: "E ",
    broken.IsAlwaysLive: "S ",
}


def _id(one: object) -> str:
    return getattr(one, "__name__", "")


@pytest.mark.parametrize(("liar", "promise"), LIARS.items(), ids=_id)
def test_who_breaks_a_promise_is_found(liar: type[TopStepXProvider], promise: str) -> None:
    assert any(line.startswith(promise) for line in _found(liar)), promise


def _found(liar: type[TopStepXProvider]) -> Iterator[str]:
    for seed in range(1, SEEDS):
        yield from run_simulated(lambda seed: BrokenVenue(seed, liar), seed).violations


_ROOT = Path(__file__).parents[3]
_MODULE = """
from tests.topstepx.chaos.broken import SaysRejected, broken
chaos_venue = broken(SaysRejected)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Where a distribution is that has the sandbox of such a provider, as the name `liar`."""
    (tmp_path / "liar.py").write_text(_MODULE)
    about = tmp_path / "liar-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: liar\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[tradeforge.sandboxes]\nliar = liar\n")
    return tmp_path


def test_the_command_that_it_names_shows_it_again(installed: Path) -> None:
    first, *others = _run(installed, "tradeforge chaos liar --seeds 5 --jobs 1")["violations"]
    assert first["reproduce"] == f"tradeforge chaos liar --seed {first['seed']}"
    assert any("I2 told as rejected" in line for line in first["violations"])
    assert _run(installed, first["reproduce"])["violations"] == [first]
    assert [one["seed"] for one in others] == sorted(one["seed"] for one in others)


def _run(installed: Path, command: str) -> Any:
    program = Path(sys.executable).with_name("tradeforge")
    done = subprocess.run(
        [str(program), *command.split()[1:], "--json"],
        env=os.environ | {"PYTHONPATH": f"{installed}{os.pathsep}{_ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)
