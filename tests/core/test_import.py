"""Importing the core is cheap and touches nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

FORBIDDEN = ("httpx", "websockets", "pysignalr", "aiohttp", "cattrs", "dotenv", "msgspec")


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


def test_the_check_above_can_see_what_is_loaded() -> None:
    code = f"import sys, httpx; print(*[m for m in {FORBIDDEN} if m in sys.modules])"
    assert _python(code).split() == ["httpx"]


def test_it_takes_less_than_a_tenth_of_a_second(tmp_path: Path) -> None:
    """More than an empty program; compiled files are there, as after any installation."""
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(code: str) -> float:
        began = time.perf_counter()
        _python(code, env=env)
        return time.perf_counter() - began

    seconds("import tradeforge_core")  # compiles
    runs = [(seconds("pass"), seconds("import tradeforge_core")) for _ in range(8)]
    bare, importing = (min(column) for column in zip(*runs, strict=True))
    assert importing - bare < 0.1


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
