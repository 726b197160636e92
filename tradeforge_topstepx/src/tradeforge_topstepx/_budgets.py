"""The gateway's request limits, one pair for each login, shared by all providers in the process.

Gateway reference, section 6: bars 50 in 30 s, everything else 200 in 60 s, logins included.
"""

from attrs import frozen

from tradeforge_core.kit.budget import RateBudget
from tradeforge_core.kit.clock import Clock, SystemClock
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


_by_login: dict[tuple[str, str], tuple[Clock, Budgets]] = {}


def budgets_of(config: TopStepXConfig, clock: Clock) -> Budgets:
    """The budgets of a login: two providers with the same one count together."""
    login = (config.rest_url, config.username.casefold())
    _forget_what_counts_nothing(clock)
    counting, budgets = _by_login.get(login, (None, None))
    if budgets is None or not _is_same_time(counting, clock):
        budgets = Budgets(
            bars=RateBudget(50, 30, clock=clock),
            rest=RateBudget(200, 60, clock=clock, reserve=_FOR_EXITS),
        )
        _by_login[login] = clock, budgets
    return budgets


def _forget_what_counts_nothing(clock: Clock) -> None:
    """What is idle would be made anew just the same; a simulation that is over never gets idle."""
    for login, (counting, budgets) in list(_by_login.items()):
        is_over = not isinstance(counting, SystemClock) and counting is not clock
        if is_over or budgets.is_idle:
            del _by_login[login]


def _is_same_time(one: Clock | None, other: Clock) -> bool:
    """A clock that is none of the machine's, as in a simulation, knows nothing of another."""
    return one is other or (isinstance(one, SystemClock) and isinstance(other, SystemClock))
