"""One script trades at every broker, and names none of them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tradeforge_core import installed_providers, load_sandbox

SCRIPT = Path(__file__).parents[2] / "examples" / "one_trade.py"
PROVIDERS = [one.name for one in installed_providers()]
STEPS = ("account", "contract", "bars", "quote", "order", "fill", "exit", "exit", "flat")


async def _run(folder: Path, *arguments: str, **settings: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        *arguments,
        cwd=folder,
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def test_there_is_more_than_one_broker() -> None:
    assert {"bybit", "topstepx"} <= set(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_it_trades_and_leaves_nothing(provider: str, tmp_path: Path) -> None:
    async with load_sandbox(provider, seed=7) as venue:
        settings = {**venue.settings, "TRADEFORGE_PROVIDER": provider}
        code, out, err = await _run(tmp_path, venue.symbol, **settings)
    assert (code, err) == (0, "")
    assert tuple(line.split()[0] for line in out.splitlines()) == STEPS
    assert out.endswith("nothing is left\n")


def test_its_text_names_no_broker() -> None:
    text = SCRIPT.read_text().casefold()
    assert not [one.name for one in installed_providers() if one.name in text]


async def test_without_settings_it_says_what_is_missing(tmp_path: Path) -> None:
    code, out, err = await _run(tmp_path, "MNQ", TRADEFORGE_PROVIDER="")
    assert (code, out) == (1, "")
    assert "TRADEFORGE_PROVIDER is not set" in err
    assert "`tradeforge sandbox NAME`" in err


async def test_a_symbol_that_is_unknown_is_no_traceback(tmp_path: Path) -> None:
    async with load_sandbox("topstepx", seed=7) as venue:
        settings = {**venue.settings, "TRADEFORGE_PROVIDER": "topstepx"}
        code, _, err = await _run(tmp_path, "NOPE", **settings)
    assert code == 1
    assert err.startswith("NotFound: ")
