"""The gateway's request limits, one pair for each login, shared by all providers in the process.

Gateway reference, section 6: bars 50 in 30 s, everything else 200 in 60 s, logins included.
"""

from attrs import frozen

from tradeforge_core.kit.budget import RateBudget
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.shared_budgets import SharedBudgets
from tradeforge_topstepx.config import TopStepXConfig

_FOR_EXITS = 20
"""Requests of the 200 that only cancels, closes and logins may use."""


@frozen
class Budgets:
    """Bars have a limit of their own."""

    bars: RateBudget
    rest: RateBudget

    @property
    def is_idle(self) -> bool:
        """Whether nothing counts any more; until then it must outlive its providers."""
        return self.bars.is_idle and self.rest.is_idle


_by_login = SharedBudgets[Budgets]()


def budgets_of(config: TopStepXConfig, clock: Clock) -> Budgets:
    """The budgets of a login: two providers with the same one count together."""
    login = (config.rest_url, config.username.casefold())
    return _by_login.of(login, clock, lambda: _new_budgets(clock))


def _new_budgets(clock: Clock) -> Budgets:
    return Budgets(
        bars=RateBudget(50, 30, clock=clock),
        rest=RateBudget(200, 60, clock=clock, reserve=_FOR_EXITS),
    )
