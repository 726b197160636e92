"""Everything fails at Bybit too, and nothing that is promised is broken."""

from collections import Counter

import pytest

from tradeforge_bybit.sandbox.chaos import BybitChaos
from tradeforge_testing.chaos import run_simulated
from tradeforge_testing.chaos.campaign import load_chaos_venue, run_campaign

SIMULATED, BY_SOCKET, WIRED = 40, 30, 5
OF_THE_SOCKET = ("trade_answers_lost", "trade_socket_cut", "trade_socket_dead")


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


@pytest.mark.timeout(300)
def test_no_promise_is_broken_where_orders_leave_by_their_socket() -> None:
    fired: Counter[str] = Counter()
    for seed in range(1, BY_SOCKET + 1):
        verdict = run_simulated(lambda seed: BybitChaos(seed, order_entry="socket"), seed)
        assert not verdict.violations, verdict
        fired.update(verdict.fired)
    assert all(fired[name] for name in OF_THE_SOCKET), fired


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_a_seed_is_the_same_run_each_time(seed: int) -> None:
    make_venue = load_chaos_venue("bybit")
    assert run_simulated(make_venue, seed) == run_simulated(make_venue, seed)
