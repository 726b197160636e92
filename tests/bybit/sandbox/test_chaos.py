"""Everything fails at Bybit too, and nothing that is promised is broken."""

import pytest

from tradeforge_testing.chaos import run_simulated
from tradeforge_testing.chaos.campaign import load_chaos_venue, run_campaign

SIMULATED, WIRED = 40, 5


@pytest.mark.timeout(300)
def test_no_promise_is_broken_in_virtual_time() -> None:
    report = run_campaign("bybit", range(1, SIMULATED + 1))
    assert report.runs == SIMULATED
    assert not report.violations, report.violations
    assert sum(report.fired.values()) > SIMULATED


@pytest.mark.timeout(300)
def test_no_promise_is_broken_over_real_sockets() -> None:
    report = run_campaign("bybit", range(1, WIRED + 1), wire=True)
    assert report.runs == WIRED
    assert not report.violations, report.violations


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_a_seed_is_the_same_run_each_time(seed: int) -> None:
    make_venue = load_chaos_venue("bybit")
    assert run_simulated(make_venue, seed) == run_simulated(make_venue, seed)
