"""What a provider writes for each kind of connection it has."""

from abc import ABC, abstractmethod

from tradeforge_core.events import Topic


class StreamLink(ABC):
    """One connection, from its opening to its loss; it is never opened a second time.

    It publishes what it reads and reconnects nothing: the supervisor makes a new one.
    """

    @abstractmethod
    async def open(self) -> None:
        """Connect, with a token that is fresh, and shake hands.

        Raises `TransportError`, `AuthenticationError`, `VenueError`.
        """

    @abstractmethod
    async def listen(self) -> None:
        """Read until the connection is lost, and raise `TransportError` saying how."""

    @abstractmethod
    async def subscribe(self, topic: Topic) -> None:
        """Return once the venue has confirmed. Raises `VenueError` when it refuses."""

    @abstractmethod
    async def unsubscribe(self, topic: Topic) -> None:
        """Return once the venue has confirmed. Raises `VenueError` when it refuses."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection, if there is one, within a bounded time; never raises."""
