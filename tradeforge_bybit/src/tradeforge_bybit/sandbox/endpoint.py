"""What an endpoint of the REST API is: a method, a path, and what it does."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from tradeforge_bybit.sandbox.answers import Payload
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.venue import Venue


@frozen(kw_only=True)
class Done:
    """A result, with what the envelope says besides."""

    result: Payload
    extra: Mapping[str, Any]


@frozen
class Endpoint:
    method: str
    path: str
    handle: Callable[[Venue, Said], Payload | Done]
    limit: int | None = None
    """How often a second it may be asked; None is a public one, which nobody signs."""

    @property
    def is_private(self) -> bool:
        return self.limit is not None
