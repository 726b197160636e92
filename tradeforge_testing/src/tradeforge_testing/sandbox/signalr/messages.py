"""What a feed is: events of the exchange in, messages of a hub out."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from attrs import frozen


class Topic(NamedTuple):
    """What one subscription is about."""

    event: str
    key: int | str | None = None
    """The account or the contract; None is everything of the user."""


@frozen
class Outgoing:
    """A message for the followers of a topic; the arguments are made when there are any."""

    topic: Topic
    arguments: Callable[[], list[Any]]
    joins: bool = False
    """Whether its rows may go out with those of the message before, if that is of its topic."""
    after: float = 0.0
    """How many seconds it comes after the message before."""


class Receiver(Protocol):
    """Who gets messages."""

    def deliver(self, text: str) -> None:
        """Queue `text`, without waiting."""


@frozen
class Parcel:
    """A message on its way."""

    topic: Topic
    arguments: list[Any]
    receivers: tuple[Receiver, ...]
    joins: bool
    after: float
