"""What a provider writes for each kind of connection it has."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime

from tradeforge_core.events import Topic

Began = Callable[[datetime], None]
"""Told when data of a topic flows: once or more, the first time counts."""


class StreamLink(ABC):
    """One connection, from its opening to its loss; it is never opened a second time.

    It publishes what it reads and reconnects nothing: the supervisor makes a new one.
    """

    @property
    @abstractmethod
    def heard_at(self) -> datetime:
        """When the newest frame came, a ping or anything else: the connection was alive then."""

    @abstractmethod
    async def open(self) -> None:
        """Connect, with a token that is fresh, and shake hands.

        Raises `TransportError`, `AuthenticationError`, `VenueError`.
        """

    @abstractmethod
    async def listen(self) -> None:
        """Read until the connection is lost, and raise `TransportError` saying how."""

    @abstractmethod
    async def subscribe(self, topic: Topic, began: Began) -> None:
        """Return once the venue has confirmed. Raises `VenueError` when it refuses.

        Calls `began` where it reads the confirmation, with the time of that, or before it publishes
        the first data of the topic where that is there earlier: a gap is told then, before the data
        behind it.
        """

    @abstractmethod
    async def unsubscribe(self, topic: Topic) -> None:
        """Return once the venue has confirmed. Raises `VenueError` when it refuses."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection, if there is one, within a bounded time; never raises."""
