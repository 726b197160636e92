"""Importing the core is cheap and touches nothing."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = (
    "httpx",
    "websockets",
    "pysignalr",
    "aiohttp",
    "cattrs",
    "dotenv",
    "msgspec",
    "sqlite3",
    "opentelemetry",
)


def _python(code: str, *, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env=env,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_nothing_heavy_is_loaded() -> None:
    code = f"import sys, tradeforge_core; print(*[m for m in {FORBIDDEN} if m in sys.modules])"
    assert _python(code).split() == []


def test_the_journal_loads_its_database_when_one_is_opened() -> None:
    code = "import sys, tradeforge_core.orders.journal as one; print('sqlite3' in sys.modules)"
    assert _python(code).split() == ["False"]


def test_the_check_above_can_see_what_is_loaded() -> None:
    code = f"import sys, httpx; print(*[m for m in {FORBIDDEN} if m in sys.modules])"
    assert _python(code).split() == ["httpx"]


def test_it_costs_little_more_than_what_it_needs(tmp_path: Path) -> None:
    """Of the processor's time, beside its dependencies in the same run: machines differ.

    Where they take 50 ms, the whole stays within a tenth of a second. Compiled files are there, as
    after any installation.
    """
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(code: str) -> float:
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        _python(code, env=env)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime

    seconds("import tradeforge_core")  # compiles
    needed, importing = [], []
    for _ in range(20):  # the best of them counts: whoever is fast enough once is fast enough
        needed.append(seconds("import asyncio, attrs, pluggy"))
        importing.append(seconds("import tradeforge_core"))
        if min(importing) < 2 * min(needed):
            return
    pytest.fail(f"importing took {min(importing):.3f} s, what it needs {min(needed):.3f} s")


def test_nothing_is_read_and_nothing_is_set_up(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe not text")
    code = (
        "import logging, os, sys\n"
        "before = dict(os.environ)\n"
        "opened = []\n"
        "def saw(event, args): event == 'open' and opened.append(str(args[0]))\n"
        "sys.addaudithook(saw)\n"
        "import tradeforge_core\n"
        "assert not [one for one in opened if one.endswith('.env')], opened\n"
        "assert dict(os.environ) == before\n"
        "assert not logging.getLogger().handlers\n"
    )
    _python(code, cwd=tmp_path)
