"""Topics that somebody expects data of, and which of them are silent for longer than that."""

from collections.abc import Callable, Iterable
from datetime import datetime

from tradeforge_core.events import Event, HealthEvent, Stale, Topic
from tradeforge_core.kit.clock import Clock


class _Pulse:
    def __init__(self, within: float, is_open: Callable[[Topic], bool]) -> None:
        self.within = within
        self.is_open = is_open
        self.heard: datetime | None = None
        """The newest data, or when the wait for it began; None while none can come."""
        self.stale_since: datetime | None = None


class Silence:
    """Tells a `Stale` when an expected topic falls silent, and one more before it speaks again."""

    def __init__(
        self,
        clock: Clock,
        stream_for: Callable[[Topic], str],
        is_flowing: Callable[[Topic], bool | None],
        publish: Callable[[HealthEvent, Iterable[Topic]], None],
    ) -> None:
        self._clock = clock
        self._stream_for = stream_for
        self._is_flowing = is_flowing
        self._publish = publish
        self.pulses: dict[Topic, _Pulse] = {}

    @property
    def stale(self) -> tuple[Topic, ...]:
        return tuple(topic for topic, one in self.pulses.items() if one.stale_since is not None)

    def expect(
        self,
        topics: Iterable[Topic],
        within: float | None,
        is_open: Callable[[Topic], bool] = lambda topic: True,
    ) -> None:
        """Data of each topic within so many seconds, while its market is open.

        With None nothing is expected any more.
        """
        for topic in topics:
            if within is None:
                self.pulses.pop(topic, None)
            else:
                self.pulses[topic] = _Pulse(within, is_open)

    def saw(self, topic: Topic, event: Event) -> None:
        """Data is about to be delivered."""
        pulse = self.pulses.get(topic)
        if pulse is None:
            return
        pulse.heard = event.received
        self._end(topic, pulse, event.received)

    def look(self) -> None:
        """Tell what has fallen silent since the last look."""
        now = self._clock.now()
        for topic, pulse in tuple(self.pulses.items()):
            flowing = self._is_flowing(topic)
            if flowing is None:  # nobody wants it: a silence that was told ends without a word
                pulse.heard = pulse.stale_since = None
            elif not pulse.is_open(topic):  # the wait begins anew when it opens
                pulse.heard = None
                self._end(topic, pulse, now)
            elif not flowing:  # the status and the gap tell that
                pulse.heard = None
            elif pulse.heard is None:
                pulse.heard = now
            elif pulse.stale_since is None and (now - pulse.heard).total_seconds() > pulse.within:
                pulse.stale_since = pulse.heard
                self._tell(topic, pulse.heard, None)

    def _end(self, topic: Topic, pulse: _Pulse, until: datetime) -> None:
        if pulse.stale_since is not None:
            since, pulse.stale_since = pulse.stale_since, None
            self._tell(topic, since, until)

    def _tell(self, topic: Topic, since: datetime, until: datetime | None) -> None:
        stale = Stale(
            stream=self._stream_for(topic),
            topics=(topic,),
            since=since,
            until=until,
            received=self._clock.now(),
        )
        self._publish(stale, stale.topics)
