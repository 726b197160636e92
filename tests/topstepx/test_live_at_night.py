"""`conformance --live` while the market is closed: what cannot be tried is said, and not sent."""

from datetime import UTC, datetime
from decimal import Decimal

from tradeforge_core import JournalKind, OrderSafety, load_provider
from tradeforge_testing.conformance.live import LiveLimits, run_checks
from tradeforge_testing.conformance.report import TestResult, Verdict
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx.sandbox import TopStepXSandbox

SATURDAY = datetime(2026, 3, 7, 15, tzinfo=UTC)


def _results(*, trades: bool, fills: int) -> dict[str, TestResult]:
    async def visit() -> list[TestResult]:
        async with TopStepXSandbox(seed=7, tick_seconds=1.0) as sandbox:
            if not trades:
                sandbox.exchange.close_market()
            safety = OrderSafety(journal=JournalKind.MEMORY)
            broker = load_provider("topstepx", settings=sandbox.settings, safety=safety)
            limits = LiveLimits(symbol="MNQ", spend=Decimal(50))
            results = await run_checks(broker, limits, lambda result, tests: None)
            assert len(sandbox.exchange.fills(1001)) == fills
            return results

    results = simulate(visit, seed=1, network=MemoryNetwork(seed=1), start=SATURDAY)
    return {one.name: one for one in results}


def test_a_closed_market_is_not_a_broken_provider() -> None:
    results = _results(trades=False, fills=0)
    for name in ("a quote", "an order that rests", "a round trip"):
        assert results[name].verdict is Verdict.NOT_DECLARED
        assert "not known to be open" in results[name].detail
    others = {"logging in", "accounts", "a contract", "bars of three days", "sweeping up"}
    assert {name for name, one in results.items() if one.verdict is Verdict.KEPT} == others


def test_a_market_that_trades_is_open_whatever_its_hours_say() -> None:
    results = _results(trades=True, fills=2)
    assert {one.verdict for one in results.values()} == {Verdict.KEPT}
