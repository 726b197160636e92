"""Budgets that several providers of one login share: the venue counts their requests together."""

from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from tradeforge_core.kit.clock import Clock, SystemClock


class _Idle(Protocol):
    @property
    def is_idle(self) -> bool: ...


B = TypeVar("B", bound=_Idle)


class SharedBudgets(Generic[B]):
    """What was made for a login, for as long as anything in it counts."""

    def __init__(self) -> None:
        self.made: dict[Any, tuple[Clock, B]] = {}

    def of(self, login: Hashable, clock: Clock, make: Callable[[], B]) -> B:
        """The budgets of this login, made if there are none on this clock."""
        self._forget_what_counts_nothing(clock)
        counting, budgets = self.made.get(login, (None, None))
        if budgets is None or not _is_same_time(counting, clock):
            budgets = make()
            self.made[login] = clock, budgets
        return budgets

    def _forget_what_counts_nothing(self, clock: Clock) -> None:
        """What is idle would be made anew just the same; a simulation that is over never is."""
        for login, (counting, budgets) in list(self.made.items()):
            is_over = not isinstance(counting, SystemClock) and counting is not clock
            if is_over or budgets.is_idle:
                del self.made[login]


def _is_same_time(one: Clock | None, other: Clock) -> bool:
    """A clock that is none of the machine's, as in a simulation, knows nothing of another."""
    return one is other or (isinstance(one, SystemClock) and isinstance(other, SystemClock))
