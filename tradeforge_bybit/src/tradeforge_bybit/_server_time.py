"""The venue's clock: a request must bear its time, and one from the future is refused.

The venue takes what is up to `RECV_WINDOW` old and less than a second early. So the time is kept on
the safe side: as if the venue had answered the moment that its answer came. What is sent is late by
less than one round trip, and never early.
"""

from datetime import timedelta

from tradeforge_core.kit.clock import Clock


class ServerTime:
    """Kept by the clock that never goes back: a correction of the machine's does not move it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None
        """Seconds from the monotonic clock to the venue's."""

    def milliseconds(self) -> int:
        """The venue's time in Unix milliseconds; before `measured` it is the machine's."""
        if self._offset is None:
            return int(self._clock.now().timestamp() * 1000)
        return int((self._clock.monotonic() + self._offset) * 1000)

    def ahead(self) -> timedelta:
        """Of the machine's clock, in whole seconds."""
        if self._offset is None:
            return timedelta()
        machine = self._clock.now().timestamp()
        return timedelta(seconds=int(self._clock.monotonic() + self._offset - machine))

    def measured(self, seconds: float) -> None:
        """The venue's time was this, in Unix seconds, at some moment before now."""
        self._offset = seconds - self._clock.monotonic()
