"""The venue's products have the hours of their exchange; a silent weekend is no silence."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tradeforge_core import (
    Event,
    JournalKind,
    MarketDataType,
    MarketState,
    OrderSafety,
    Stale,
    load_provider,
)
from tradeforge_core.kit.clock import current_clock
from tradeforge_testing.sim import MemoryNetwork, simulate
from tradeforge_topstepx import _wire
from tradeforge_topstepx._hours import GROUPS, hours_of
from tradeforge_topstepx._mapping import root_of, to_contract
from tradeforge_topstepx.sandbox import TopStepXSandbox

FOLDER = Path(__file__).parents[3] / "shared" / "payloads" / "projectx"
TRADE = MarketDataType.TRADE
SUNDAY = datetime(2026, 3, 8, 21, 50, tzinfo=UTC)
"""Ten minutes before the market opens, on the day on which the clock is put forward."""
BREAK = datetime(2026, 3, 4, 21, 55, tzinfo=UTC)
"""Five minutes before the market closes for an hour."""


def _silences(start: datetime, minutes: int) -> list[timedelta]:
    """When a `Stale` was told, since the start: the sandbox's market never trades by itself."""

    async def watch() -> list[timedelta]:
        seen: list[Event] = []
        async with TopStepXSandbox(seed=7, tick_seconds=100_000) as sandbox:
            safety = OrderSafety(journal=JournalKind.MEMORY)
            settings = sandbox.settings
            async with load_provider("topstepx", settings=settings, safety=safety) as broker:
                broker.on_event(seen.append)
                contract = await broker.get_contract_by_symbol("MNQ")
                await broker.subscribe_market_data(contract.id, TRADE)
                broker.expect_market_data(contract.id, TRADE, within=30)
                await current_clock().sleep(minutes * 60)
        return [one.received - start for one in seen if isinstance(one, Stale)]

    return simulate(watch, seed=1, network=MemoryNetwork(seed=1), start=start)


def test_before_the_week_begins_nothing_is_silent() -> None:
    (told,) = _silences(SUNDAY, minutes=15)
    assert timedelta(minutes=10, seconds=30) < told < timedelta(minutes=10, seconds=32)


def test_through_the_daily_break_nothing_is_silent() -> None:
    first, ended, again = _silences(BREAK, minutes=70)
    assert first < timedelta(minutes=1)
    assert timedelta(minutes=5) <= ended < timedelta(minutes=5, seconds=1)
    assert timedelta(minutes=65, seconds=30) < again < timedelta(minutes=65, seconds=32)


def _row(name: str) -> _wire.ContractRow:
    return _wire.ContractRow(
        id=f"CON.F.US.{name}.Z26",
        name=name,
        description="",
        tickSize=Decimal("0.25"),
        tickValue=Decimal(1),
        activeContract=True,
        symbolId="F.US.X",
    )


@pytest.mark.parametrize(
    ("symbol", "hour", "state"),
    [
        ("MNQZ6", 12, MarketState.OPEN),
        ("ZNZ6", 12, MarketState.OPEN),
        ("6EZ6", 12, MarketState.OPEN),
        ("MGCZ6", 12, MarketState.OPEN),
        ("MCLZ6", 12, MarketState.OPEN),
        ("MBTX6", 12, MarketState.OPEN),
        ("ZCZ6", 14, MarketState.CLOSED),
        ("ZCZ6", 13, MarketState.OPEN),
        ("ZCZ6", 20, MarketState.CLOSED),
        ("HEZ6", 12, MarketState.CLOSED),
        ("HEZ6", 15, MarketState.OPEN),
    ],
)
def test_a_contract_has_the_hours_of_its_product(
    symbol: str, hour: int, state: MarketState
) -> None:
    hours = hours_of(to_contract(_row(symbol)))
    assert hours is not None
    assert hours.state(datetime(2026, 11, 18, hour, tzinfo=UTC)) is state


def test_a_product_that_is_not_known_has_no_hours() -> None:
    assert hours_of(to_contract(_row("XYZZ6"))) is None


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the captured messages are not part of a checkout")
def test_every_product_of_the_gateway_has_hours() -> None:
    rows = json.loads((FOLDER / "rest_contract_available_contracts.json").read_text())
    roots = {root_of(row["name"]) for row in rows["payload"]}
    assert len(roots) > 40
    assert roots <= GROUPS.keys()
