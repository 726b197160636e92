"""What an endpoint of the REST API is: a path, the shape of its body, and what it does."""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from tradeforge_testing.exchange import Refused
from tradeforge_topstepx.sandbox.bodies import Body
from tradeforge_topstepx.sandbox.limits import OTHERS
from tradeforge_topstepx.sandbox.refusals import Refusals
from tradeforge_topstepx.sandbox.venue import Venue

Payload = dict[str, Any]


class Failure(Exception):
    """The request is understood and not done: the code of the endpoint, and maybe a text."""

    def __init__(self, code: int, message: str | None = None, **payload: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.payload = payload


@frozen
class Endpoint:
    path: str
    body: type[Body] | None
    """None: the endpoint does not look at its body."""
    handle: Callable[..., Payload]
    """Called with the venue, and the body or, without one, the token."""
    payload: tuple[str, ...] = ()
    """The members next to those of the envelope; they are null when the request fails."""
    refusals: Refusals = {}
    """The codes and texts for what the exchange refuses."""
    needs_token: bool = True
    limit: str = OTHERS
    """Which rate limit its requests count for."""

    def answer(self, venue: Venue, given: Body | str) -> Payload:
        """The whole body of the answer, whether it is a success or not."""
        try:
            return {**self.handle(venue, given), **envelope(0, None)}
        except Refused as refused:
            return self._failed(Failure(*self.refusals[refused.reason]))
        except Failure as failure:
            return self._failed(failure)

    def _failed(self, failure: Failure) -> Payload:
        nulls = dict.fromkeys(self.payload)
        return {**nulls, **failure.payload, **envelope(failure.code, failure.message)}


def envelope(code: int, message: str | None) -> Payload:
    return {"success": code == 0, "errorCode": code, "errorMessage": message}
