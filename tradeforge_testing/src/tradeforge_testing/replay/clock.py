"""A clock that goes by a recording."""

import asyncio
from bisect import insort
from datetime import datetime, timedelta

from attrs import field, frozen

_LEAST = 1e-7
"""Seconds that a sleep lasts: what is left by rounding must not keep anybody busy."""


@frozen(order=True)
class _Alarm:
    due: float
    number: int
    rings: asyncio.Future[None] = field(order=False)


class ReplayClock:
    """Stands still between the lines of a recording, and wakes who sleeps when it is told to."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0
        self._alarms: list[_Alarm] = []
        self._count = 0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        rings = asyncio.get_running_loop().create_future()
        self._count += 1
        due = self._elapsed + max(seconds, _LEAST)
        insort(self._alarms, alarm := _Alarm(due, self._count, rings))
        try:
            await rings
        finally:
            if alarm in self._alarms:
                self._alarms.remove(alarm)

    def move(self, to: float) -> None:
        """Show this many seconds; nobody is woken by that, and it never goes back."""
        self._elapsed = max(self._elapsed, to)

    @property
    def next_due(self) -> float | None:
        """When the first of those who sleep wants to be woken."""
        return self._alarms[0].due if self._alarms else None

    def wake(self, until: float) -> bool:
        """Wake all whose time has come by then; whether there was anybody."""
        due = [one for one in self._alarms if one.due <= until]
        self._alarms = [one for one in self._alarms if one.due > until]
        for alarm in due:
            self.move(alarm.due)
            if not alarm.rings.done():
                alarm.rings.set_result(None)
        return bool(due)
