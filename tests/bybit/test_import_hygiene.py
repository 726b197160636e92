"""Importing the package reads nothing and loads nothing heavy."""

import subprocess
import sys

HEAVY = ("httpx", "msgspec", "websockets", "cryptography", "sqlite3")


def test_the_plugin_is_light() -> None:
    script = (
        "import sys, tradeforge_bybit.plugin as plugin\n"
        "assert plugin.tradeforge_provider().name == 'bybit'\n"
        f"print([one for one in {HEAVY} if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_key_with_a_secret_needs_no_extra() -> None:
    script = (
        "import sys, tradeforge_bybit.provider\n"
        "print('cryptography' in sys.modules, 'starlette' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False False"
