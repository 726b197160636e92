"""Thousands of runs are one process: what was of a run goes with it."""

import subprocess
import sys

_PROGRAM = """
import gc
from tradeforge_testing.chaos import run_simulated
from tradeforge_testing.chaos.campaign import load_chaos_venue

def objects_after(*seeds):
    for seed in seeds:
        run_simulated(load_chaos_venue("topstepx"), seed)
    gc.collect()
    return len(gc.get_objects())

print(-objects_after(*range(10)) + objects_after(*range(10, 30)))
"""


def test_nothing_of_a_run_is_left() -> None:
    """In a process of its own: here, the captured log of the test holds on to what was logged."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 500, "objects of 20 runs; one run has thousands"
