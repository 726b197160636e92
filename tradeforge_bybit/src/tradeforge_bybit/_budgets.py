"""The venue's request limits, one set for each key, shared by all providers in the process.

Every request counts for its address, 600 in 5 s, and those with a key also for the account: each
operation so often in a second, and some of spot more often than of derivatives.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from tradeforge_bybit._endpoints import Endpoint
from tradeforge_bybit.config import BybitConfig
from tradeforge_core.kit.budget import RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.shared_budgets import SharedBudgets

_OF_ADDRESS = (600, 5.0)
_FOR_EXITS = 60
"""Requests of the 600 that only cancels and closes may use."""
_CLOSES = 2
"""Of the orders in a second: closing is an order here, too."""


class Budgets:
    """Made as they are needed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        limit, window = _OF_ADDRESS
        self.address = RateBudget(limit, window, clock=clock, reserve=_FOR_EXITS)
        self._by_name: dict[str, RateBudget] = {}

    def of(self, endpoint: Endpoint[Any], category: str | None) -> RateBudget:
        limit = endpoint.limit_of(category)
        if limit is None:
            return self.address
        has_spot = category == "spot" and endpoint.spot_limit is not None
        name = f"{endpoint.path} spot" if has_spot else endpoint.path
        if name not in self._by_name:
            self._by_name[name] = RateBudget(
                limit,
                1.0,
                clock=self._clock,
                reserve=_CLOSES if endpoint.write else 0,
                within=self.address,
            )
        return self._by_name[name]

    @property
    def by_name(self) -> dict[str, RateBudget]:
        return {"address": self.address, **self._by_name}

    @property
    def is_idle(self) -> bool:
        """Whether nothing counts any more; until then it must outlive its providers."""
        return all(one.is_idle for one in self.by_name.values())


_by_key = SharedBudgets[Budgets]()


def budgets_of(config: BybitConfig, clock: Clock) -> Budgets:
    """The budgets of a key: two providers with the same one count together."""
    key = hashlib.sha256(config.api_key.reveal().encode()).digest()
    return _by_key.of((config.rest_url, key), clock, lambda: Budgets(clock))


# --- what the venue says of its limits ---


def heed(budget: RateBudget, headers: Mapping[str, str]) -> None:
    """Take in what an answer says is left; names of headers are in small letters."""
    limit, left = (_whole(headers.get(f"x-bapi-{name}")) for name in ("limit", "limit-status"))
    if limit is not None and left is not None:
        budget.heard(limit, left)


def seconds_until_reset(headers: Mapping[str, str], now: int) -> float | None:
    """Where an answer says when there is room again; `now` is the venue's time."""
    reset = _whole(headers.get("x-bapi-limit-reset-timestamp"))
    return None if reset is None else max(reset - now, 0) / 1000


def _whole(text: str | None) -> int | None:
    is_number = text is not None and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text or "") if is_number else None


_MOST_DIGITS = 19
