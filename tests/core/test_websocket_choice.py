"""Which WebSocket library is taken: the fast one where it is installed."""

import subprocess
import sys
from importlib.util import find_spec

_CHOICE = "from tradeforge_core.kit import websocket; print(websocket.library().__name__)"


def _chosen(before: str = "") -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", before + _CHOICE],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_the_fast_one_where_it_is_installed() -> None:
    expected = "PicowsSocket" if find_spec("picows") else "WebsocketsSocket"
    assert _chosen() == expected


def test_the_default_where_it_is_not() -> None:
    assert _chosen("import sys; sys.modules['picows'] = None; ") == "WebsocketsSocket"
