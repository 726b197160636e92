"""Tools that an installed toolkit offers, found by their entry points."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from tradeforge_cli.failures import UsageError

_TOOLS = "tradeforge.tools"


def tool(name: str) -> Callable[..., Any]:
    """The tool of this name. Raises `UsageError`."""
    for found in entry_points(group=_TOOLS, name=name):
        loaded: Callable[..., Any] = found.load()
        return loaded
    raise UsageError(f"{name} is not installed here; try: pip install tradeforge-testing")
