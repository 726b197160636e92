"""The picture of the demo, drawn from what a real run has seen."""

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from tradeforge_cli.demo.job import DemoJob
from tradeforge_cli.demo.outcome import missing
from tradeforge_cli.demo.record import DemoRecord
from tradeforge_cli.demo.screen import demo_layout
from tradeforge_core import load_provider, load_sandbox

SIZES = [(80, 24), (120, 40), (80, 22), (200, 60)]


@pytest.fixture(scope="module")
def record() -> DemoRecord:
    """What a short run saw."""
    record = DemoRecord("topstepx", 7, 0.5)
    asyncio.run(do_the_job(record))
    assert missing(record) == []
    return record


async def do_the_job(record: DemoRecord) -> None:
    async with load_sandbox("topstepx", seed=7) as venue:
        await DemoJob(load_provider("topstepx", settings=venue.settings), record, "MNQ").run()


def drawn(record: DemoRecord, width: int, height: int) -> list[str]:
    out = StringIO()
    console = Console(file=out, width=width, height=height, legacy_windows=False)
    console.print(demo_layout(record, width, height))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_picture_of_nothing_fits(width: int, height: int) -> None:
    lines = drawn(DemoRecord("topstepx", 7, 8.0), width, height)
    assert len(lines) == height
    assert all(len(line) == width for line in lines)
    assert "waiting for the market" in "\n".join(lines)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_picture_of_the_whole_job_fits(record: DemoRecord, width: int, height: int) -> None:
    lines = drawn(record, width, height)
    assert len(lines) == height
    assert all(len(line) == width for line in lines)
    shown = "\n".join(lines)
    for wanted in ("MNQ", "bid", "spread", "BUY 2 market", "pending → filled", "position  flat"):
        assert wanted in shown
    assert "→ cancelled" in shown


def test_a_wide_one_has_the_tape_and_the_fills(record: DemoRecord) -> None:
    shown = "\n".join(drawn(record, 120, 40))
    assert "market trades" in shown
    assert "SELL 2 @" in shown
