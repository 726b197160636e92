"""Where the venue is with every topic of one stream: the record of it, not what to do about it."""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from attrs import define, field

from tradeforge_core.enums import GapCause
from tradeforge_core.events import Topic


@define
class Hole:
    """What is missing of a topic: all since then."""

    since: datetime
    cause: GapCause
    is_told: bool = False
    """Whether subscribers know of it already, before it has ended."""


@define
class Coverage:
    """What is wanted of one connection after the other, and what has become of it."""

    wanted: set[Topic] = field(factory=set)
    confirmed: set[Topic] = field(factory=set)
    refused: dict[Topic, float] = field(factory=dict)
    """And when to ask again, by the monotonic clock."""
    refusals: Counter[Topic] = field(factory=Counter)
    """How often in a row."""
    busy: set[Topic] = field(factory=set)
    """What the venue has been asked about and has not answered yet."""
    relied_on: set[Topic] = field(factory=set)
    """What is wanted and was confirmed once: somebody counts on its data."""
    missing: dict[Topic, Hole] = field(factory=dict)
    """Of what is relied on, what does not come at the moment."""
    doubtful: set[Topic] = field(factory=set)
    """What is to be subscribed anew: its data builds on some that was lost here."""
    renewable_at: dict[Topic, float] = field(factory=dict)
    """What was subscribed anew, and when it may be once more, by the monotonic clock."""

    def want(self, topics: frozenset[Topic]) -> None:
        self.wanted |= topics
        self.relied_on |= topics & self.confirmed
        for topic in topics:
            self.refused.pop(topic, None)

    def forget(self, topics: frozenset[Topic]) -> None:
        self.wanted -= topics
        self.relied_on -= topics
        self.doubtful -= topics
        for topic in topics:
            for record in (self.missing, self.refused, self.refusals, self.renewable_at):
                record.pop(topic, None)

    @property
    def withheld(self) -> set[Topic]:
        """What the venue has confirmed before, and refuses now."""
        return self.relied_on & self.refused.keys()

    @property
    def is_complete(self) -> bool:
        """Whether all is confirmed but what was refused to the one who asked for it first."""
        return self.wanted <= self.confirmed | (self.refused.keys() - self.relied_on)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted, and the venue has let go of everything."""
        return not (self.wanted or self.confirmed or self.busy)

    def to_ask(self, now: float) -> list[Topic]:
        unanswered = self.wanted - self.confirmed - self.busy
        return sorted(topic for topic in unanswered if self.refused.get(topic, now) <= now)

    def to_renew(self, now: float) -> list[Topic]:
        return sorted(
            topic for topic in self._in_doubt() if self.renewable_at.get(topic, now) <= now
        )

    def next_at(self) -> float:
        """When there is something to do even if nothing happens until then."""
        again = (self.refused[topic] for topic in self.withheld - self.busy)
        anew = (self.renewable_at.get(topic, 0.0) for topic in self._in_doubt())
        return min((*again, *anew), default=math.inf)

    def _in_doubt(self) -> set[Topic]:
        return (self.doubtful & self.wanted & self.confirmed) - self.busy

    def to_let_go(self) -> list[Topic]:
        return sorted(self.confirmed - self.wanted - self.busy)

    def is_held(self, topics: Iterable[Topic]) -> bool:
        """Whether the venue has yet to let go of any of these, which nobody wants."""
        return bool((self.confirmed | self.busy).difference(self.wanted).intersection(topics))

    def refuse(self, topic: Topic, again_at: float) -> None:
        self.refused[topic] = again_at
        self.refusals[topic] += 1

    def confirm(self, topic: Topic) -> None:
        self.confirmed.add(topic)
        self.refused.pop(topic, None)
        self.refusals.pop(topic, None)
        if topic in self.wanted:
            self.relied_on.add(topic)

    def renew(self, topic: Topic, again_at: float) -> None:
        self.doubtful.discard(topic)
        self.confirmed.discard(topic)
        self.renewable_at[topic] = again_at

    def miss(self, topic: Topic, since: datetime, cause: GapCause) -> Hole:
        """The hole that the topic is in, by now at least."""
        return self.missing.setdefault(topic, Hole(since, cause))

    def lose(self, since: datetime) -> None:
        """The connection is lost, and with it all that the venue had confirmed and refused."""
        for topic in sorted(self.relied_on):
            self.miss(topic, since, GapCause.DISCONNECTED).cause = GapCause.DISCONNECTED
        self.doubtful.clear()
        self.confirmed.clear()
        self.refused.clear()
        self.busy.clear()
