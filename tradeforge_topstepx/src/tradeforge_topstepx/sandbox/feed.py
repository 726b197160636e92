"""What a feed is: events of the exchange in, messages of a hub out."""

from collections.abc import Callable
from typing import Any, NamedTuple

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
