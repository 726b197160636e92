"""Which contract a symbol or a root stands for."""

from datetime import datetime

from tradeforge_core import Contract, FrontMonth
from tradeforge_topstepx import _mapping


def choose(
    candidates: list[Contract], wanted: str, source: str, now: datetime
) -> FrontMonth | None:
    """The contract of this symbol or, of this root, the first to expire, and why."""
    named = [one for one in candidates if one.active and one.symbol.upper() == wanted]
    if named:
        return FrontMonth(contract=named[0], reason="the symbol names it")
    rooted = [one for one in candidates if one.active and one.root.upper() == wanted]
    if not rooted:
        return None
    first = min(rooted, key=lambda one: _mapping.expiry_key(one.symbol, now))
    if len(rooted) == 1:
        reason = f"the only active contract of {first.root} in the {source}"
    else:
        others = ", ".join(one.symbol for one in rooted if one is not first)
        reason = f"the first of {first.root} in the {source} to expire, before {others}"
    return FrontMonth(contract=first, reason=reason)
