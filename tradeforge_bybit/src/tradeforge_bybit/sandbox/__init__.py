"""A local Bybit: its v5 API over a simulated exchange."""

from tradeforge_bybit.sandbox.sandbox import BybitSandbox, create

__all__ = ["BybitSandbox", "create"]
