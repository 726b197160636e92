"""Importing the provider must change nothing for other code in the process."""

import subprocess
import sys

_SNAPSHOT = """
import sys, websockets, websockets.asyncio.client, websockets.asyncio.server, websockets.sync.client
import httpx

def attributes():
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] not in ("websockets", "httpx"):
            continue
        for attribute, value in vars(module).items():
            if attribute.startswith("__"):
                continue
            found[name, attribute] = id(value)
            if isinstance(value, type):
                found |= {(name, attribute, own): id(own_value)
                          for own, own_value in vars(value).items()}
    return found

before = attributes()
import tradeforge_topstepx.plugin, tradeforge_topstepx.provider
assert "pysignalr" in sys.modules
after = attributes()
changed = [key for key in before if before[key] != after.get(key)]
assert not changed, changed
print(len(before))
"""


def test_websockets_and_httpx_stay_as_they_were() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SNAPSHOT], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 500


def test_the_plugin_module_loads_nothing_heavy() -> None:
    code = (
        "import sys, tradeforge_topstepx.plugin;"
        "heavy = {'httpx', 'websockets', 'pysignalr', 'msgspec', 'starlette'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
