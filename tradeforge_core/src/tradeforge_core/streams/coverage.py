"""Where the venue is with every topic of one stream: the record of it, not what to do about it."""

from collections.abc import Iterable
from datetime import datetime

from attrs import define, field

from tradeforge_core.events import Topic


@define
class Coverage:
    """What is wanted of one connection after the other, and what has become of it."""

    wanted: set[Topic] = field(factory=set)
    confirmed: set[Topic] = field(factory=set)
    refused: set[Topic] = field(factory=set)
    busy: set[Topic] = field(factory=set)
    """What the venue has been asked about and has not answered yet."""
    relied_on: set[Topic] = field(factory=set)
    """What is wanted and was confirmed once: somebody counts on its data."""
    missing: dict[Topic, datetime] = field(factory=dict)
    """Since when nothing has come of what is relied on."""

    def want(self, topics: frozenset[Topic]) -> None:
        self.wanted |= topics
        self.relied_on |= topics & self.confirmed
        self.refused -= topics

    def forget(self, topics: frozenset[Topic]) -> None:
        self.wanted -= topics
        self.relied_on -= topics
        for topic in topics:
            self.missing.pop(topic, None)

    @property
    def is_complete(self) -> bool:
        return self.wanted <= self.confirmed | self.refused

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted, and the venue has let go of everything."""
        return not (self.wanted or self.confirmed or self.busy)

    def to_ask(self) -> list[Topic]:
        return sorted(self.wanted - self.confirmed - self.refused - self.busy)

    def to_let_go(self) -> list[Topic]:
        return sorted(self.confirmed - self.wanted - self.busy)

    def is_held(self, topics: Iterable[Topic]) -> bool:
        """Whether the venue has yet to let go of any of these, which nobody wants."""
        return bool((self.confirmed | self.busy).difference(self.wanted).intersection(topics))

    def confirm(self, topic: Topic) -> None:
        self.confirmed.add(topic)
        if topic in self.wanted:
            self.relied_on.add(topic)

    def resume(self, topic: Topic) -> datetime | None:
        """Data of the topic flows again: since when it was missing, None if it was not."""
        return self.missing.pop(topic, None)

    def lose(self, since: datetime) -> None:
        """The connection is lost, and with it all that the venue had confirmed and refused."""
        for topic in self.relied_on:
            self.missing.setdefault(topic, since)
        self.confirmed.clear()
        self.refused.clear()
        self.busy.clear()
